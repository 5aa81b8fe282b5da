"""CSV rows are read on their own, by the names in the header, with the file's line numbers."""

import csv
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.article import SourceRecord
from index.errors import BadArticleError
from index.formats.limits import DEFAULT_LIMITS, Limits
from index.reading import read_stream


def read(data: bytes, limits: Limits = DEFAULT_LIMITS) -> list[SourceRecord | BadArticleError]:
    return list(read_stream(io.BytesIO(data), name="a.csv", limits=limits))


def summary(data: bytes, limits: Limits = DEFAULT_LIMITS) -> list[tuple[int, str]]:
    """(line, the text or the reason) of each row."""
    return [
        (r.line, r.reason) if isinstance(r, BadArticleError) else (r.origin.line, r.body)
        for r in read(data, limits)
    ]


def test_quoted_newlines_and_quotes_are_text_and_lines_are_counted() -> None:
    data = b'id,text\r\n1,"one\r\n""two"", three"\r\n\r\n2,four\r\n'
    assert summary(data) == [(2, 'one\r\n"two", three'), (5, "four")]


def test_the_raw_bytes_of_the_row_are_kept() -> None:
    [record] = read(b'id,text\n7,"a\nb"\n')
    assert isinstance(record, SourceRecord)
    assert (record.raw, record.own_id) == (b'7,"a\nb"\n', "7")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_told_by_the_header(delimiter: str) -> None:
    [record] = read(f'\ufeff"Title"{delimiter}text\nT{delimiter}t, u'.replace("t, u", "t").encode())
    assert isinstance(record, SourceRecord)
    assert (record.headline, record.body) == ("T", "t")


def test_bad_rows_are_reported_and_the_rest_is_read() -> None:
    data = b"id,text,date\n1,one,2020-01-01\n2,two\n3,three,x,y\n4,,\n5,five,31/02/2019\n6,six,\n"
    assert summary(data) == [
        (2, "one"),
        (3, "2 cells where the header has 3"),
        (4, "4 cells where the header has 3"),
        (5, "no text (fields: id, text, date)"),
        (6, '"date" is "31/02/2019", which is no date'),
        (7, "six"),
    ]


def test_a_quotation_mark_left_open_costs_its_own_row_only() -> None:
    data = b'id,text\n1,"one\n2,"two"\n3,three\n4,"four\n'
    assert summary(data) == [
        (2, "broken CSV: ',' expected after '\"'"),
        (3, "two"),
        (4, "three"),
        (5, "broken CSV: unexpected end of data"),
    ]


def test_a_header_without_a_text_is_one_error() -> None:
    assert [str(r) for r in read(b"id,title,story text\n1,a,b\n2,c,d\n")] == [
        "a.csv:1: no column for the text (columns: id, title, story text); "
        "name it by --map text=COLUMN"
    ]
    results = read_stream(
        io.BytesIO(b"number;story text\n1;b\n"), name="a.csv", field_map={"text": "story text"}
    )
    assert [r.body for r in results if isinstance(r, SourceRecord)] == ["b"]


def test_a_cell_may_be_huge_up_to_the_limit() -> None:
    data = b'id,text\n1,"' + b"word " * 400_000 + b'"\n2,two\n'
    assert summary(data)[0] == (2, "word " * 400_000)
    assert summary(data, Limits(max_record_bytes=1000)) == [
        (2, "a line of more than 1,000 bytes"),
        (3, "two"),
    ]


def test_a_row_of_many_lines_beyond_the_limit_is_given_up_and_its_lines_read_again() -> None:
    data = b'id,text\n1,"one\n' + b"2,two\n" * 300
    rows = summary(data, Limits(max_record_bytes=1000))
    assert rows[0] == (2, "broken CSV: a row of more than 1,000 bytes")
    assert rows[1:] == [(line, "two") for line in range(3, 303)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_other_encodings_are_read(encoding: str) -> None:
    assert summary("id,text\n1,caf\u00e9 \u201cx\u201d\n".encode(encoding)) == [(2, "café “x”")]


def test_carriage_returns_alone_end_lines() -> None:
    assert summary(b"id,text\r1,one\r2,two\r") == [(2, "one"), (3, "two")]


@pytest.mark.parametrize("line", [b'1,"\n', b'1,"a"b\n', b'"\n""', b"\0\n", b",,\n"])
def test_hostile_tables_take_linear_time(line: bytes) -> None:
    start = time.perf_counter()
    read(b"id,text\n" + line * (500_000 // len(line)))
    assert time.perf_counter() - start < 30


CELLS = st.text(
    st.characters(exclude_categories=["C"], include_characters="\n\t", max_codepoint=0x7F)
)


@given(st.lists(st.tuples(CELLS, CELLS.map(lambda text: text + ".")), max_size=5))
def test_what_is_written_comes_back_equal(rows: list[tuple[str, str]]) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([("note", "text"), *rows])
    results = read(out.getvalue().encode())
    assert [r.body for r in results if isinstance(r, SourceRecord)] == [text for _, text in rows]
