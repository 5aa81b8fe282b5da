"""Bytes become the text their writer meant, and any bytes become some text."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.formats.encoding import LineDecoder, decode, mend, utf16_encoding

RUSSIAN = "Министр сказал, что не поедет в Женеву."
JAPANESE = "大臣はジュネーブに行かないと述べた。"


@given(st.binary(max_size=400), st.sampled_from([None, "utf-8", "latin-1", "rot13", "no such"]))
def test_any_bytes_decode_to_text_that_utf8_can_hold(data: bytes, declared: str | None) -> None:
    decode(data, declared).encode("utf-8")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff")))
def test_utf8_with_its_mark_comes_back_but_for_mended_lines(text: str) -> None:
    assert decode(text.encode("utf-8-sig")) == mend(text)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_wide_encodings_are_told_by_their_mark_or_their_zeros(encoding: str) -> None:
    assert decode("The talks go on.".encode(encoding)) == "The talks go on."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Le café “fermé” – déjà", "cp1252"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN + " Ему нечего добавить к сказанному.", "koi8-r"),
        (JAPANESE * 3, "shift_jis"),
    ],
)
def test_legacy_encodings_are_told_from_the_bytes(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_a_declared_encoding_counts_where_the_bytes_are_not_utf8() -> None:
    assert decode("Řekl, že ne.".encode("iso8859-2"), "ISO-8859-2") == "Řekl, že ne."
    assert decode("Řekl, že ne.".encode(), "ISO-8859-2") == "Řekl, že ne."


def test_latin_1_is_read_as_windows_1252_as_browsers_do() -> None:
    assert decode("“no”".encode("cp1252"), "iso-8859-1") == "“no”"


def test_stray_bytes_in_utf8_are_read_as_windows_1252() -> None:
    assert decode("She said “no” — at the ".encode() + b"caf\xe9") == "She said “no” — at the café"


def test_mojibake_is_mended_in_the_lines_that_show_it() -> None:
    broken = "â€œNo,â€\x9d he said at the cafÃ©.\n“Yes,” she said; SÃO PAULO stays."
    assert decode(broken.encode()) == (
        "“No,” he said at the café.\n“Yes,” she said; SÃO PAULO stays."
    )


@pytest.mark.parametrize("text", ["ﬁne “quotes” … ½", "café”", "A\u00a0B « C »", "naïve – déjà"])
def test_text_that_is_right_is_left_as_it_is(text: str) -> None:
    assert mend(text) == text


def test_the_encoding_of_a_line_is_tried_first_on_the_next() -> None:
    decoder = LineDecoder()
    lines = [RUSSIAN, "Да.", "Нет, не он, а она."]
    assert [decoder.decode(line.encode("cp1251")) for line in lines] == lines
    assert decoder.decode(RUSSIAN.encode()) == RUSSIAN


def test_utf16_is_told_from_utf8_and_binary() -> None:
    assert utf16_encoding("Talks".encode("utf-16")) == "utf-16-le"
    assert utf16_encoding(b"Talks") is None
    assert utf16_encoding(b"\0\0\0\0") is None


@pytest.mark.parametrize("piece", [b"\xe9", b"\x81", b"\xc2\x92", b"\xc3\xa2\xc2\x80", b"\xff\xfe"])
def test_a_line_of_megabytes_takes_seconds_at_most(piece: bytes) -> None:
    start = time.perf_counter()
    decode(b"a" + piece * (4_000_000 // len(piece)))
    assert time.perf_counter() - start < 20
