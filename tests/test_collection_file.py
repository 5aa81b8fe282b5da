"""A collection as a document: what goes out comes in."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_collections import FERRY, WHOLE

from index import collections, store_folder
from index.article import Published
from index.collections import Marked
from index.errors import BadQueryError
from search.desk.collection import Standing, StandingMark, WholeCollection
from search.desk.collection_file import EXAMPLE_FILE, CollectionFile, parsed, take_in
from search.references.cite import Status

MARK = {"article_id": "a", "start": 0, "end": 5, "quote": "ferry"}


@pytest.fixture
def truth(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(store_folder.create_or_open(tmp_path / "store")) as connection:
        yield connection


def written(truth: sqlite3.Connection, id: str) -> str:
    marks, omitted = collections.marks(truth, id)
    standing = tuple(StandingMark(mark, Standing(Status.WITHDRAWN)) for mark in marks)
    whole = WholeCollection(collections.by_id(truth, id), standing, omitted)
    return CollectionFile.of(whole).model_dump_json(indent=2)


def document(**fields: object) -> bytes:
    return json.dumps(
        {"nutgraf": "collection", "name": "Harbour", "marks": [MARK], **fields}
    ).encode()


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
marked = st.builds(
    lambda quote, start, headline, byline, published, passage: replace(
        FERRY,
        quote=quote,
        start=start if quote else 0,
        end=start + len(quote) if quote else 0,
        headline=headline,
        byline=byline,
        published=published and Published(published),
        passage_id=passage,
    ),
    texts,
    st.integers(0, 1000),
    texts,
    texts,
    st.sampled_from([None, "1963", "2025-03-14T19:12:30+02:00"]),
    st.sampled_from([None, "harbour-041-0f6b2c9d1e5a"]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    marks=st.lists(st.tuples(marked, texts, st.integers(0, 2**32)), max_size=4),
    name=texts.filter(lambda name: any(character.isalnum() for character in name)),
)
def test_what_is_taken_in_and_written_again_is_the_same_document(
    truth: sqlite3.Connection, marks: list[tuple[Marked, str, int]], name: str
) -> None:
    made, _ = collections.make(truth, name, 86_400)
    for quoted, note, marked_s in marks:
        collections.put(truth, made.id, quoted, note, marked_s)
    before = written(truth, made.id)
    collections.remove(truth, made.id)
    file = parsed(before.encode(), "harbour.json")
    into, is_new, added = take_in(truth, file)
    assert (is_new, added) == (True, len(file.marks))
    assert written(truth, into.id) == before
    assert take_in(truth, file) == (into, False, 0)
    assert written(truth, into.id) == before
    collections.remove(truth, into.id)


def test_a_file_adds_to_the_collection_of_its_name(truth: sqlite3.Connection) -> None:
    made, _ = collections.make(truth, "Harbour")
    collections.put(truth, made.id, WHOLE, "mine")
    into, is_new, added = take_in(truth, parsed(document(), "harbour.json"))
    assert (into, is_new, added) == (made, False, 1)
    marks, _ = collections.marks(truth, made.id)
    assert [(mark.marked.quote, mark.note) for mark in marks] == [("", "mine"), ("ferry", "")]


def test_the_example_can_be_taken_in(truth: sqlite3.Connection) -> None:
    _, is_new, added = take_in(truth, parsed(json.dumps(EXAMPLE_FILE).encode(), "example"))
    assert (is_new, added) == (True, 1)


@pytest.mark.parametrize(
    ("data", "place", "reason"),
    [
        (b"", "document", "Invalid JSON"),
        (b'{"nutgraf": "collection",}', "document", "line 1 column 26"),
        (b"[]", "document", "object"),
        (b"[" * 10_000, "document", "recursion"),
        (b'{"nutgraf": "collection", "name": "\\ud800", "marks": []}', "document", "hex escape"),
        (document(nutgraf="list"), "nutgraf", "'collection'"),
        (document(name=""), "name", "at least 1 character"),
        (document(name=7), "name", "string"),
        (document(made_at="yesterday"), "made_at", "datetime"),
        (document(made_at="2025-03-14T19:12"), "made_at", "timezone"),
        (document(colour="red"), "colour", "not permitted"),
        (document(marks=[MARK, {**MARK, "end": 4}]), "marks[1]", "0 to 4 is not as long as"),
        (document(marks=[{**MARK, "quote": "", "start": 3, "end": 3}]), "marks[0]", "nothing is"),
        (document(marks=[{**MARK, "start": -5}]), "marks[0].start", "greater than or equal to 0"),
        (document(marks=[{**MARK, "end": 10**30}]), "marks[0].end", "less than or equal"),
        (document(marks=[{**MARK, "published": "31/02/2019"}]), "marks[0].published", "ISO 8601"),
        (document(marks=[{**MARK, "article_id": None}]), "marks[0].article_id", "string"),
        (document(marks=[{**MARK, "note": "x" * 10_001}]), "marks[0].note", "10000"),
        (document(marks={"1": MARK}), "marks", "array"),
    ],
)
def test_a_mistake_is_named_with_its_file_place_and_reason(
    data: bytes, place: str, reason: str
) -> None:
    with pytest.raises(BadQueryError) as refused:
        parsed(data, "harbour.json")
    assert refused.value.field == f"harbour.json: {place}"
    assert reason in refused.value.reason
