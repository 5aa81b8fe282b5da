"""JSON Lines: each line is read on its own and has its own number."""

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from index.article import SourceRecord
from index.errors import BadArticleError
from index.formats.encoding import mend
from index.formats.limits import DEFAULT_LIMITS, Limits
from index.reading import read_stream


def read(data: bytes, limits: Limits = DEFAULT_LIMITS) -> list[SourceRecord | BadArticleError]:
    return list(read_stream(io.BytesIO(data), name="feed.jsonl", limits=limits))


def summary(data: bytes) -> list[tuple[int, str]]:
    """(line, the text or the reason) of each record."""
    return [
        (r.line, r.reason) if isinstance(r, BadArticleError) else (r.origin.line, r.body)
        for r in read(data)
    ]


def test_a_bad_line_is_reported_with_its_number_and_the_rest_is_read() -> None:
    data = (
        b'{"text": "one"}\n'
        b"\n"
        b'{"text": "two"\n'
        b'["text", "three"]\n'
        b'{"text": 4}\r\n'
        b'   {"text": "five"}   \r\n'
        b'{"text": "six", "date": "31/02/2019"}\n'
        b'{"text": "seven"}'
    )
    assert summary(data) == [
        (1, "one"),
        (3, "broken JSON: Expecting ',' delimiter at character 15"),
        (4, "a list where an object was expected"),
        (5, '"text" is 4, not a string'),
        (6, "five"),
        (7, '"date" is "31/02/2019", which is no date'),
        (8, "seven"),
    ]


def test_the_raw_bytes_of_the_line_are_kept() -> None:
    line = '{"text": "caf\u00e9"}'.encode()
    [record] = read(b"\xef\xbb\xbf" + line + b"\r\n")
    assert isinstance(record, SourceRecord)
    assert (record.raw, record.body) == (line, "café")


def test_a_line_that_is_not_utf8_is_read_by_the_encoding_ladder() -> None:
    data = '{"text": "café"}\n'.encode() + '{"text": "café “x”"}\n'.encode("cp1252")
    assert summary(data) == [(1, "café"), (2, "café “x”")]


def test_utf16_is_read_with_the_right_numbers() -> None:
    data = '{"text": "один"}\n\n{"text": "два"}\n'.encode("utf-16")
    assert summary(data) == [(1, "один"), (3, "два")]


def test_deep_nesting_and_endless_numbers_are_bad_records_not_crashes() -> None:
    deep = b'{"text": "t", "x": ' + b"[" * 500_000 + b"]" * 500_000 + b"}"
    long = b'{"text": "t", "x": ' + b"1" * 5000 + b"}"
    assert summary(deep + b"\n" + long + b'\n{"text": "ok"}\n') == [
        (1, "is nested too deeply"),
        (2, "a number is too long"),
        (3, "ok"),
    ]


def test_a_record_of_millions_of_values_is_refused() -> None:
    crowd = b'{"text": "t", "x": [' + b"[]," * 2_000_001 + b"0]}"
    assert summary(crowd + b'\n{"text": "ok"}\n') == [
        (1, "has more than 2,000,000 values"),
        (2, "ok"),
    ]


def test_a_line_beyond_the_limit_is_passed_over() -> None:
    data = b'{"text": "' + b"x" * 5000 + b'"}\n{"text": "ok"}\n' + b" " * 3_000_000
    results = read(data, Limits(max_record_bytes=1000))
    assert [str(r) if isinstance(r, BadArticleError) else r.body for r in results] == [
        "feed.jsonl:1: a line of more than 1,000 bytes; split it into smaller ones",
        "ok",
        "feed.jsonl:3: a line of more than 1,000 bytes; split it into smaller ones",
    ]


def test_a_file_without_lines_has_no_records() -> None:
    assert read(b"") == read(b"\n \n") == []


RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20),
            "headline": st.text(st.characters(categories=["L"], max_codepoint=0x7F), max_size=20),
            "text": st.text(st.characters(exclude_categories=["Cs"]))
            .map(lambda text: text + ".")
            .filter(lambda text: mend(text) == text),
            "published": st.dates().filter(lambda d: 1500 <= d.year <= 2199).map(str),
        }
    ),
    max_size=5,
)


@given(RECORDS)
def test_what_is_written_comes_back_equal(written: list[dict[str, str]]) -> None:
    data = "".join(json.dumps(fields) + "\n" for fields in written).encode()
    results = [r for r in read(data) if isinstance(r, SourceRecord)]
    assert written == [
        {"id": r.own_id, "headline": r.headline, "text": r.body, "published": str(r.published.on)}
        for r in results
        if r.published
    ]
