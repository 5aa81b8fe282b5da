"""A batch: what each question's rows hold, and how the table is written."""

import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from conftest import ARTICLES

from index.article import Origin
from index.formats.fields import record_from_fields
from index.writer import Writer
from search.cross_encoder import Effort
from search.desk.batch import COLUMNS, Asking, Row, is_bad, rows_of
from search.desk.batch_questions import BadLine, Question
from search.desk.batch_table import Format, encoded, head
from search.exports.csv_cells import original
from search.filters import NO_FILTERS, Filters
from search.grouping import Group
from search.query import Mode
from search.result_set import Sort
from search.searcher import Searcher

ASKING = Asking(
    k=10,
    mode=Mode.PLAIN,
    filters=NO_FILTERS,
    sort=Sort.RELEVANCE,
    effort=Effort.QUICK,
    group=Group.NONE,
    as_of=None,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("batch") / "store"
    with Writer(folder) as writer:
        writer.add(
            [
                record_from_fields(article, origin=Origin("test", line), raw=b"")
                for line, article in enumerate(ARTICLES, 1)
            ]
        )
    return folder


@pytest.fixture(scope="module")
def searcher(store: Path) -> Iterator[Searcher]:
    with closing(Searcher(store)) as searcher:
        yield searcher


def question(text: str, *, mode: Mode | None = None, filters: Filters = NO_FILTERS) -> Question:
    return Question(2, "7", text, mode, filters)


def outlets(rows: list[Row]) -> set[object]:
    return {row["outlet"] for row in rows}


def test_each_hit_has_a_row_that_names_the_question_and_cites(searcher: Searcher) -> None:
    rows = rows_of(question("ferry"), ASKING, searcher, "https://archive.example/")
    answer = searcher.search("ferry", group=Group.NONE)
    assert len(rows) == len(answer.hits) > 1
    for row, hit in zip(rows, answer.hits, strict=True):
        assert tuple(row) == COLUMNS
        assert (row["line"], row["id"], row["question"]) == (2, "7", "ferry")
        assert (row["verdict"], row["total"]) == (answer.verdict.kind.value, answer.total)
        assert row["verdict_probability"] == answer.verdict.probability
        assert (row["rank"], row["passage_id"], row["score"]) == (
            hit.rank,
            hit.passage_id,
            hit.score,
        )
        article = searcher.article(str(row["article_id"]))
        assert row["quote"] == article.text[hit.start : hit.end]
        assert (row["start"], row["end"]) == (hit.start, hit.end)
        assert str(row["archive_url"]).startswith("https://archive.example/articles/")
        assert (row["snapshot"], row["problem"]) == (answer.snapshot, None)


def test_at_most_k_hits_have_rows_but_the_total_is_of_all(searcher: Searcher) -> None:
    rows = rows_of(question("ferry"), replace(ASKING, k=1), searcher)
    assert len(rows) == 1
    assert rows[0]["total"] == searcher.search("ferry", group=Group.NONE).total > 1


def test_a_question_without_hits_has_one_row_with_its_verdict(searcher: Searcher) -> None:
    (row,) = rows_of(question("zeppelin"), ASKING, searcher)
    assert (row["verdict"], row["total"], row["rank"], row["quote"]) == ("none", 0, None, None)
    assert row["snapshot"] == searcher.snapshot_id()
    assert not is_bad([row])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (BadLine(2, "7", "", "broken"), "broken"),
        (question(" "), "question: the question is empty; ask in a few plain words"),
        (question("x" * 10_001), "question: the question has 10,001 characters, at most 10,000"),
    ],
)
def test_a_line_that_cannot_be_asked_has_one_row_that_says_why(
    line: Question | BadLine, said: str, searcher: Searcher
) -> None:
    (row,) = rows_of(line, ASKING, searcher)
    assert is_bad([row])
    assert str(row["problem"]).startswith(said)
    assert (row["line"], row["id"], row["verdict"], row["snapshot"]) == (2, "7", None, None)


def test_what_a_question_says_of_a_filter_stands_for_what_the_batch_says(
    searcher: Searcher,
) -> None:
    asking = replace(
        ASKING, filters=Filters.parse(outlet=["The Islander"], published_to="2024-12-31")
    )
    assert outlets(rows_of(question("ferry"), asking, searcher)) == {"The Islander"}
    own = question("ferry", filters=Filters.parse(outlet=["northport courier"]))
    assert rows_of(own, asking, searcher)[0]["total"] == 0
    whole = question(
        "ferry",
        filters=Filters.parse(outlet=["northport courier"], published_to="2025-12-31"),
    )
    assert outlets(rows_of(whole, asking, searcher)) == {"Northport Courier"}


def test_days_that_exclude_each_other_are_a_bad_line(searcher: Searcher) -> None:
    asking = replace(ASKING, filters=Filters.parse(published_to="2024-12-31"))
    later = question("ferry", filters=Filters.parse(published_from="2025-01-01"))
    assert rows_of(later, asking, searcher)[0]["problem"] == (
        "from: 2025-01-01 is later than to=2024-12-31; nothing could match; swap the two"
    )


def test_a_question_may_have_its_own_mode(searcher: Searcher) -> None:
    verbatim = question("ferry sails at dawn", mode=Mode.VERBATIM)
    assert [row["article_id"] for row in rows_of(verbatim, ASKING, searcher)] == ["harbour-041"]
    assert len(rows_of(question("ferry sails at dawn"), ASKING, searcher)) > 1


def test_the_batch_may_be_asked_as_of_a_day(searcher: Searcher) -> None:
    asking = replace(ASKING, as_of=date(2024, 12, 31))
    assert outlets(rows_of(question("ferry"), asking, searcher)) == {"The Islander"}


def test_a_damaged_hit_keeps_its_row(store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "store"
    copy.mkdir()
    with Writer(copy) as writer:
        writer.add([record_from_fields(ARTICLES[0], origin=Origin("test", 1), raw=b"")])
    with closing(sqlite3.connect(copy / "nutgraf.db")) as truth, truth:
        truth.execute("UPDATE articles SET headline = 'Other'")
    with closing(Searcher(copy)) as searcher:
        rows = rows_of(question("ferry"), ASKING, searcher)
    assert [(row["rank"], row["omitted"]) for row in rows] == [(1, "the stored row is damaged")]
    assert (rows[0]["total"], is_bad(rows)) == (1, False)


# ------------------------------------------------------------------------- the table

AWKWARD: dict[str, str] = {
    "question": "=HYPERLINK(1)",
    "quote": 'He said: "no",\r\nthen left; “why”?',
    "headline": "+4 % fares",
    "byline": "'Twas Berg",
    "outlet": "'=Outlet",
}
ROW: Row = {**dict.fromkeys(COLUMNS), "line": 2, "score": -0.25, **AWKWARD}


def test_csv_gives_every_text_back_and_no_cell_is_a_formula() -> None:
    data = head(Format.CSV) + encoded([ROW], Format.CSV)
    assert data.startswith(b"\xef\xbb\xbfline,id,question,")
    assert data.endswith(b"\r\n")
    (read,) = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert tuple(read) == COLUMNS
    assert {name: original(read[name]) for name in AWKWARD} == AWKWARD
    assert not any(str(read[name]).startswith(tuple("=+-@")) for name in AWKWARD)
    assert (read["line"], read["score"], read["id"]) == ("2", "-0.25", "")


def test_json_lines_give_every_row_back() -> None:
    data = head(Format.JSON_LINES) + encoded([ROW, ROW], Format.JSON_LINES)
    assert [json.loads(line) for line in data.decode().split("\n")[:-1]] == [ROW, ROW]
