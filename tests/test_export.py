"""Export: all that answers, in every format, and as JSON Lines line by line."""

import contextlib
import json
import sqlite3
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from conftest import ROOT, environment
from exports import BASE_URL, export_of, hit, provenance_of

from index.article import ArticleId, Origin, Published, SourceRecord
from index.errors import NotInstalledError
from index.writer import Writer
from search.exports.export import ExportFormat, exported
from search.exports.jsonl_export import jsonl_lines
from search.exports.provenance import Provenance
from search.filters import Filters
from search.result_set import CANDIDATES, Damaged, Export, Sort
from search.searcher import Searcher


def export_lines(export: Export) -> Iterator[str]:
    """JSON Lines."""
    return jsonl_lines(export, Provenance.of(export, datetime.now(UTC)), "")


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
        "as_of": None,
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


# ------------------------------------------------------------------------- every format


def chunks(export: Export, format: ExportFormat) -> Iterator[bytes]:
    return exported(export, format, provenance_of(export), BASE_URL)


@pytest.mark.parametrize("format", ExportFormat)
def test_the_same_hits_are_the_same_bytes(format: ExportFormat) -> None:
    def written() -> bytes:
        return b"".join(chunks(export_of([hit(1), Damaged(2), hit(3, "é")], 3), format))

    assert written() == written()


@pytest.mark.parametrize("format", [each for each in ExportFormat if each != "parquet"])
def test_text_is_written_as_it_is_read_and_not_kept(format: ExportFormat) -> None:
    long = "The ferry. " * 2000  # 22 KB
    list(chunks(export_of([hit(1, long)], 1), format))  # what is imported and made once
    hits = (hit(rank, long) for rank in range(1, 101))
    tracemalloc.start()
    try:
        written = sum(len(chunk) for chunk in chunks(export_of(hits, 100), format))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert written > 2 << 20
    assert peak < 1 << 20


def test_text_is_sent_in_pieces_of_some_size() -> None:
    hits = (hit(rank, "The ferry. " * 200) for rank in range(1, 101))
    sizes = [len(chunk) for chunk in chunks(export_of(hits, 100), ExportFormat.CSV)]
    assert len(sizes) > 2
    assert all(1 << 16 <= size < 1 << 17 for size in sizes[:-1])


def test_parquet_without_pyarrow_is_refused_before_it_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(NotInstalledError):
        chunks(export_of([], 0), ExportFormat.PARQUET)


def test_what_independent_readers_find_is_the_pages(store: Path) -> None:
    """The benchmark, on a few questions."""
    script = ROOT / "scripts" / "bench" / "exports.py"
    ran = subprocess.run(
        [sys.executable, script, store, "--questions", "4"],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=120,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "failures   0" in ran.stdout
