"""What a reader marked, as rows of the store."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from index import collections, store_folder
from index.article import ArticleId, PassageId, Published
from index.collections import Marked
from index.errors import BadQueryError, NotFoundError

FERRY = Marked(
    article_id=ArticleId("harbour-041"),
    passage_id=PassageId("harbour-041-0f6b2c9d1e5a"),
    start=118,
    end=123,
    quote="ferry",
    headline="Harbour <b>reopens</b>",
    outlet="Northport Courier",
    byline="Tomas Lindqvist",
    section="",
    language="en",
    url="https://courier.example/harbour?a=1&b=2",
    published=Published("2025-03"),
    digest=collections.digest_of("The ferry sails."),
)
WHOLE = replace(FERRY, passage_id=None, start=0, end=0, quote="", published=None)


@pytest.fixture
def truth(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(store_folder.create_or_open(tmp_path / "store")) as connection:
        yield connection


def test_a_mark_is_read_as_it_was_written(truth: sqlite3.Connection) -> None:
    made, is_new = collections.make(truth, "  Harbour\tclosures ", 86_400)
    assert (made.name, made.made_s, is_new) == ("Harbour closures", 86_400, True)
    first, _ = collections.put(truth, made.id, FERRY, "“Dawn”?\nAsk.", 86_401)
    second, _ = collections.put(truth, made.id, WHOLE)
    assert collections.marks(truth, made.id) == ([first, second], 0)
    assert (first.marked, first.note, first.marked_s) == (FERRY, "“Dawn”?\nAsk.", 86_401)
    assert (second.marked, second.note) == (WHOLE, "")
    assert collections.by_id(truth, made.id) == made
    assert collections.listed(truth) == [(made, 2)]


def test_a_name_belongs_to_one_collection(truth: sqlite3.Connection) -> None:
    made, _ = collections.make(truth, "Harbour")
    assert collections.make(truth, " Harbour ") == (made, False)
    other, _ = collections.make(truth, "harbour")
    assert other.id != made.id
    with pytest.raises(BadQueryError, match=f"another collection 'Harbour', {made.id}"):
        collections.rename(truth, other.id, "Harbour")
    assert collections.rename(truth, made.id, "Harbour") == made
    assert collections.rename(truth, other.id, "Pier").name == "Pier"
    assert [each.name for each, _ in collections.listed(truth)] == ["Harbour", "Pier"]


@pytest.mark.parametrize("name", ["", " \n", "\x00\x1b", "x" * 201])
def test_a_name_is_a_line_of_1_to_200_characters(truth: sqlite3.Connection, name: str) -> None:
    with pytest.raises(BadQueryError, match=r"name: .*; give 1 to 200"):
        collections.make(truth, name)


def test_the_same_stretch_is_marked_once(truth: sqlite3.Connection) -> None:
    made, _ = collections.make(truth, "Harbour")
    first, is_new = collections.put(truth, made.id, FERRY, "one", 1)
    assert is_new
    assert collections.put(truth, made.id, FERRY) == (first, False)
    noted, is_new = collections.put(truth, made.id, FERRY, "two", 2)
    assert (noted, is_new) == (replace(first, note="two"), False)
    assert collections.marks(truth, made.id) == ([noted], 0)
    # The article was edited meanwhile: that is another quote.
    _, is_new = collections.put(truth, made.id, replace(FERRY, quote="boats"))
    assert is_new


def test_a_number_is_never_used_again(truth: sqlite3.Connection) -> None:
    made, _ = collections.make(truth, "Harbour")
    first, _ = collections.put(truth, made.id, FERRY)
    collections.unmark(truth, made.id, first.number)
    second, _ = collections.put(truth, made.id, FERRY)
    assert second.number > first.number
    with pytest.raises(NotFoundError, match=f"{made.id} has no mark {first.number}"):
        collections.annotate(truth, made.id, first.number, "gone")


def test_a_mark_is_reached_through_its_own_collection_only(truth: sqlite3.Connection) -> None:
    made, _ = collections.make(truth, "Harbour")
    other, _ = collections.make(truth, "Trams")
    mark, _ = collections.put(truth, made.id, FERRY, "kept")
    for change in (
        lambda: collections.unmark(truth, other.id, mark.number),
        lambda: collections.annotate(truth, other.id, mark.number, "changed"),
        lambda: collections.mark(truth, other.id, mark.number),
    ):
        with pytest.raises(NotFoundError):
            change()
    assert collections.marks(truth, made.id) == ([mark], 0)


def test_a_removed_collection_takes_its_marks_along_and_no_others(
    truth: sqlite3.Connection,
) -> None:
    made, _ = collections.make(truth, "Harbour")
    other, _ = collections.make(truth, "Trams")
    for each in (made, other):
        collections.put(truth, each.id, FERRY)
    collections.remove(truth, made.id)
    assert collections.listed(truth) == [(other, 1)]
    assert truth.execute("SELECT count(*) FROM marks").fetchone() == (1,)
    for missing in (made.id, "nobody", "\udcff"):
        with pytest.raises(NotFoundError):
            collections.remove(truth, missing)
        with pytest.raises(NotFoundError):
            collections.put(truth, missing, FERRY)


def test_a_damaged_row_is_left_out_counted_and_logged(
    truth: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    made, _ = collections.make(truth, "Harbour")
    damaged, _ = collections.put(truth, made.id, FERRY)
    sound, _ = collections.put(truth, made.id, WHOLE)
    truth.execute("UPDATE marks SET quote = 'furry' WHERE number = ?", (damaged.number,))
    with caplog.at_level(logging.ERROR, "index.collections"):
        assert collections.marks(truth, made.id) == ([sound], 1)
    assert f"table=marks number={damaged.number}" in caplog.text
    with pytest.raises(NotFoundError):
        collections.annotate(truth, made.id, damaged.number, "this would hide the damage")
    truth.execute("UPDATE collections SET name = 'Harbor'")
    with pytest.raises(NotFoundError):
        collections.by_id(truth, made.id)


def test_a_note_has_10_000_characters_at_most(truth: sqlite3.Connection) -> None:
    made, _ = collections.make(truth, "Harbour")
    collections.put(truth, made.id, FERRY, "x" * 10_000)
    with pytest.raises(BadQueryError, match=r"note: it has 10,001 characters; 10,000 at most"):
        collections.put(truth, made.id, FERRY, "x" * 10_001)
