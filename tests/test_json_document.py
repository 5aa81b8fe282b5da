"""A JSON document is cut into records, each read on its own, however it is wrapped."""

import io
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.article import SourceRecord
from index.errors import BadArticleError
from index.formats.json_document import JsonText
from index.formats.limits import DEFAULT_LIMITS, Limits
from index.reading import read_stream


def summary(data: bytes, limits: Limits = DEFAULT_LIMITS) -> list[tuple[int, str]]:
    """(line, the text or the reason) of each record."""
    results = read_stream(io.BytesIO(data), name="feed.json", limits=limits)
    return [
        (r.line, r.reason) if isinstance(r, BadArticleError) else (r.origin.line, r.body)
        for r in results
    ]


def test_one_article_over_several_lines_is_one_record() -> None:
    assert summary(b'\xef\xbb\xbf\n{\n "text": "one",\n "tags": ["a"]\n}\n') == [(2, "one")]


def test_the_articles_of_a_list_have_their_own_lines() -> None:
    assert summary(b'[\n{"text": "one"},\n\n{"text":\n"two"}, {"text": "three"}]') == [
        (2, "one"),
        (4, "two"),
        (5, "three"),
    ]


@pytest.mark.parametrize("name", ["articles", "items"])
def test_a_list_is_found_in_an_object_wherever_it_stands(name: str) -> None:
    wrapped = f'{{"status": "ok", "more": {{"{name}": [1]}},\n"{name}": [{{"text": "one"}},\n'
    wrapped += '{"text": "two"}], "total": 2}'
    assert summary(wrapped.encode()) == [(2, "one"), (3, "two")]


def test_an_article_that_has_items_of_its_own_is_an_article() -> None:
    assert summary(b'{"text": "one", "items": [{"text": "a picture"}]}') == [(1, "one")]


def test_objects_one_after_the_other_are_read_one_by_one() -> None:
    assert summary(b'{\n"text": "one"\n}\n{\n"text": "two"\n}') == [(1, "one"), (4, "two")]


def test_lines_of_objects_are_json_lines_whatever_the_name() -> None:
    assert summary(b'{"text": "one"}\n{"text": \n{"text": "three"}\n') == [
        (1, "one"),
        (2, "broken JSON: Expecting value at character 9"),
        (3, "three"),
    ]


def test_a_broken_element_leaves_the_others_be() -> None:
    data = b'[{"text": "one"},\n{"text": },\n7,\n"x",\n[{"text": "no"}],\n{"text": "two"}]'
    assert summary(data) == [
        (1, "one"),
        (2, "broken JSON: Expecting value at character 10"),
        (3, "7 where an object was expected"),
        (4, '"x" where an object was expected'),
        (5, "a list where an object was expected"),
        (6, "two"),
    ]


def test_a_list_that_is_cut_short_keeps_what_came_before() -> None:
    assert summary(b'[{"text": "one"},\n{"text": "tw') == [
        (1, "one"),
        (2, "broken JSON: Unterminated string starting at at character 10"),
        (2, "is cut short: its list is not closed"),
    ]


@pytest.mark.parametrize("data", [b"hello", b'"hello"', b"}{", b"]", b"null", b"\x0b{}"])
def test_what_is_no_json_is_said_once(data: bytes) -> None:
    assert summary(data) == [(1, "broken JSON: neither an object nor a list")]


def test_brackets_and_escapes_in_strings_do_not_count() -> None:
    text = 'He said "]}" and \\ then "{[" — \\'
    data = json.dumps([{"text": text}, {"text": "two"}]).encode()
    assert summary(data) == [(1, text), (1, "two")]


def test_a_record_beyond_the_limit_is_passed_over() -> None:
    data = b'[{"text": "' + b"x" * 3_000_000 + b'"},\n{"text": "two"}]'
    assert summary(data, Limits(max_record_bytes=1000)) == [
        (1, "a record of more than 1,000 bytes"),
        (2, "two"),
    ]
    assert summary(data[1:-1], Limits(max_document_bytes=1000)) == [
        (1, "an object of more than 1,000 bytes"),
        (2, "two"),
    ]


@pytest.mark.parametrize(
    "piece", [b"[", b"{", b"]", b'{"a":', b'"', b"\\", b'"\\', b"[]", b",", b" ", b"x", b"\n1"]
)
def test_hostile_documents_take_linear_time_and_no_recursion(piece: bytes) -> None:
    start = time.perf_counter()
    list(read_stream(io.BytesIO(b"[" + piece * (100_000 // len(piece))), name="a.json"))
    list(read_stream(io.BytesIO(b'{"items":' + piece * (100_000 // len(piece))), name="a.json"))
    assert time.perf_counter() - start < 30


class Trickle(io.BytesIO):
    """Hands out a few bytes at a time, so that every boundary falls somewhere."""

    def read1(self, size: int | None = -1, /) -> bytes:
        return super().read(3)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(VALUES, max_size=4), st.sampled_from([None, 1]), st.booleans())
def test_values_are_cut_where_they_end(values: list[object], indent: int | None, raw: bool) -> None:
    pieces = [json.dumps(value, indent=indent, ensure_ascii=raw).encode() for value in values]
    text = JsonText(Trickle(b" ,\n".join(pieces)))
    for i, piece in enumerate(pieces):
        assert text.peek() == piece[:1]
        assert text.take_value(10**6) == piece
        assert text.line == 1 + i + sum(p.count(b"\n") for p in pieces[: i + 1])
        if text.peek():
            assert text.take(1) == b","
    assert text.peek() == b""


@given(st.lists(st.text(min_size=1).filter(str.strip), max_size=4))
def test_a_list_gives_the_records_that_lines_would(texts: list[str]) -> None:
    articles = [{"text": text, "id": i} for i, text in enumerate(texts)]
    lines = "\n".join(map(json.dumps, articles)).encode()
    as_lines = list(read_stream(io.BytesIO(lines), name="a.jsonl"))
    as_list = list(read_stream(io.BytesIO(json.dumps(articles).encode()), name="a.json"))
    assert [(r.own_id, r.body) for r in as_list if isinstance(r, SourceRecord)] == [
        (r.own_id, r.body) for r in as_lines if isinstance(r, SourceRecord)
    ]
    assert len(as_list) == len(texts)
