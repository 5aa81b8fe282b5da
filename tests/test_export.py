"""Export: all that answers, as JSON Lines."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from index.article import ArticleId, Origin, Published, SourceRecord
from index.writer import Writer
from search.export import export_lines
from search.filters import Filters
from search.result_set import CANDIDATES, Sort
from search.searcher import Searcher


def record(number: int) -> SourceRecord:
    return SourceRecord(
        Origin("test", 1),
        b"",
        f"“The ferry” made trip {number}.\nIt went to the island.",
        own_id=f"trip-{number}",
        outlet="The Islander" if number % 2 else "Northport Courier",
        published=Published(f"2025-03-{number % 28 + 1:02}"),
    )


@pytest.fixture
def store(tmp_path: Path) -> Path:
    with Writer(tmp_path / "store") as writer:
        writer.add([record(number) for number in range(120)])
    return tmp_path / "store"


@pytest.fixture
def searcher(store: Path) -> Iterator[Searcher]:
    with closing(Searcher(store)) as searcher:
        yield searcher


def test_a_header_says_what_was_asked_and_how_many_lines_follow(searcher: Searcher) -> None:
    filters = Filters.parse(outlet=["the islander"], published_from="2025-03-10")
    began = datetime.now(UTC).replace(microsecond=0)
    lines = list(export_lines(searcher.export("ferry", filters=filters, sort=Sort.OLDEST)))
    header = json.loads(lines[0])
    assert began <= datetime.fromisoformat(header.pop("exported_at")) <= datetime.now(UTC)
    assert header.pop("parse")["words"] == "ferry"
    assert 0 < header.pop("verdict")["probability"] <= 1
    assert header == {
        "query": "ferry",
        "mode": "plain",
        "sort": "oldest",
        "effort": "quick",
        "group": "report",
        "filters": {
            "outlet": ["the islander"],
            "byline": [],
            "section": [],
            "language": [],
            "from": "2025-03-10",
            "to": None,
        },
        "total": len(lines) - 1,
        "coverage": {"articles": 120, "passages": 120, "embedded": 0},
        "snapshot": searcher.snapshot_id(),
    }
    hits = [json.loads(line) for line in lines[1:]]
    assert 0 < len(hits) < 60
    days = [date.fromisoformat(hit["published"]["iso"]) for hit in hits]
    assert days == sorted(days)
    assert {hit["outlet"] for hit in hits} == {"The Islander"}


def test_each_line_is_one_line_whatever_the_text_holds(searcher: Searcher) -> None:
    text = "".join(export_lines(searcher.export("ferry")))
    lines = text.split("\n")
    assert lines.pop() == ""
    assert len(lines) == 121
    assert all("\n" in json.loads(line)["text"] for line in lines[1:])


def test_an_export_goes_on_as_it_began_while_the_archive_changes(
    store: Path, searcher: Searcher
) -> None:
    expected = [hit["passage_id"] for hit in map(json.loads, _hit_lines(searcher))]
    lines = export_lines(searcher.export("ferry"))
    begun = [next(lines) for _ in range(30)]
    with Writer(store) as writer:
        writer.remove([ArticleId(f"trip-{number}") for number in range(0, 120, 2)])
        writer.add([record(500)])
    searcher.search("ferry")
    whole = [json.loads(line) for line in (*begun, *lines)]
    assert [hit["passage_id"] for hit in whole[1:]] == expected
    assert len(list(_hit_lines(searcher))) == 61


def _hit_lines(searcher: Searcher) -> Iterator[str]:
    lines = export_lines(searcher.export("ferry"))
    next(lines)
    yield from lines


def test_a_damaged_row_has_a_line_that_says_so(store: Path) -> None:
    with contextlib.closing(sqlite3.connect(store / "nutgraf.db")) as truth, truth:
        truth.execute("UPDATE articles SET headline = 'Other' WHERE id = 'trip-7'")
    with closing(Searcher(store)) as searcher:
        export = searcher.export("ferry trip 7")
        lines = [json.loads(line) for line in export_lines(export)][1:]
        assert [line["rank"] for line in lines] == list(range(1, export.total + 1))
        damaged = [line for line in lines if "omitted" in line]
        assert damaged == [{"rank": 1, "omitted": "the stored row is damaged"}]


def test_nothing_found_is_a_header_alone(searcher: Searcher) -> None:
    lines = list(export_lines(searcher.export("zeppelin")))
    assert [json.loads(line)["total"] for line in lines] == [0]


def test_there_is_no_limit_but_the_result_set(tmp_path: Path) -> None:
    with Writer(tmp_path / "many") as writer:
        writer.add([record(number) for number in range(CANDIDATES + 50)])
    with closing(Searcher(tmp_path / "many")) as searcher:
        export = searcher.export("ferry")
        answer = searcher.search("ferry")
        assert len(list(export.hits)) == export.total == answer.total
