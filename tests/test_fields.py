"""Named values become a source record, or say what is wrong with them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.article import Origin, Published, SourceRecord
from index.errors import BadArticleError
from index.formats.fields import FIELD_NAMES, check_field_map, record_from_fields, usable_url

ORIGIN = Origin("feed.jsonl", 412)


def record(field_map: dict[str, str] | None = None, /, **fields: object) -> SourceRecord:
    return record_from_fields(fields, origin=ORIGIN, raw=b"{}", field_map=field_map)


def refusal(**fields: object) -> str:
    with pytest.raises(BadArticleError) as caught:
        record(**{"text": "The talks go on.", **fields})
    return str(caught.value)


def test_our_own_names_fill_every_field() -> None:
    full = record(
        id="a1",
        guid="g1",
        headline="Talks go on",
        text="The talks go on.",
        outlet="Harbour Post",
        byline="Ada Lind",
        section="World",
        language="en",
        url="https://harbour.example/a1",
        published="2022-01-21T19:12",
    )
    assert full == SourceRecord(
        origin=ORIGIN,
        raw=b"{}",
        body="The talks go on.",
        headline="Talks go on",
        outlet="Harbour Post",
        byline="Ada Lind",
        section="World",
        language="en",
        url="https://harbour.example/a1",
        guid="g1",
        own_id="a1",
        published=Published("2022-01-21T19:12"),
    )


@pytest.mark.parametrize(
    ("fields", "field", "value"),
    [
        ({"title": "T"}, "headline", "T"),
        ({"Title": "T"}, "headline", "T"),
        ({"articleBody": "B"}, "body", "B"),
        ({"source": "S"}, "outlet", "S"),
        ({"source": {"id": None, "name": "S"}}, "outlet", "S"),
        ({"author": "A"}, "byline", "A"),
        ({"authors": ["A", "B"]}, "byline", "A, B"),
        ({"authors": [{"name": "A"}, {"name": "B"}]}, "byline", "A, B"),
        ({"category": ["World", "Talks"]}, "section", "World"),
        ({"lang": "en-US"}, "language", "en"),
        ({"publishedAt": "2022-01-21"}, "published", Published("2022-01-21")),
        ({"Publish Date": "2022-01-21"}, "published", Published("2022-01-21")),
        ({"_id": 17}, "own_id", "17"),
        ({"id": " a/b c "}, "own_id", " a/b c "),
    ],
)
def test_others_names_are_understood(fields: dict[str, Any], field: str, value: object) -> None:
    assert (
        getattr(record(**{"text": "Talks.", **fields} if field != "body" else fields), field)
        == value
    )


def test_our_name_counts_before_others_and_a_blank_one_not_at_all() -> None:
    assert record(content="c", body="b", text="t").body == "t"
    assert record(content="c", body=" ", text=None).body == "c"


def test_beir_metadata_fills_what_the_record_leaves_open() -> None:
    metadata = {
        "date": "1987-02-26T15:02:20",
        "source": "Reuters",
        "url": "http://r.example/1",
        "authors": "Ada Lind",
        "section": "Money",
        "dateline": "CLEVELAND, Feb 26 -",
        "title": "not this one",
    }
    beir = record(_id="r2", title="Oil unit", text="Talks.", metadata=metadata)
    assert (beir.own_id, beir.headline, beir.outlet) == ("r2", "Oil unit", "Reuters")
    assert (beir.byline, beir.section, beir.url) == ("Ada Lind", "Money", "http://r.example/1")
    assert beir.published == Published("1987-02-26T15:02:20")
    assert beir.body == "Talks."  # a dateline of their own stays out of the text


def test_a_field_map_decides_alone_and_reaches_into_objects() -> None:
    field_map = {"headline": "kicker", "section": "metadata.topic", "text": "a.b"}
    mapped = record(
        field_map,
        **{"kicker": "K", "title": "T", "metadata": {"topic": "x"}, "a.b": "t", "text": "no"},
    )
    assert (mapped.headline, mapped.section, mapped.body) == ("K", "x", "t")
    assert record({"headline": "missing.part"}, title="T", text="t").headline == ""


def test_a_field_map_names_our_fields() -> None:
    check_field_map(dict.fromkeys(FIELD_NAMES, "x"))
    with pytest.raises(ValueError, match="no field titel; fields are id, guid, headline"):
        check_field_map({"titel": "x"})


def test_a_refusal_says_where_what_and_what_to_do() -> None:
    assert refusal(published="31/02/2019") == (
        'feed.jsonl:412: "published" is "31/02/2019", which is no date; '
        "write YYYY-MM-DD or leave it out"
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"text": ["a", "b"]}, '"text" is a list, not a string'),
        ({"text": 3}, '"text" is 3, not a string'),
        ({"text": " \n"}, "no text (fields: text)"),
        ({"text": None, "note": "x"}, "no text (fields: text, note)"),
        ({"headline": {"en": "T"}}, '"headline" is an object, not a string'),
        ({"headline": "T" * 3000}, '"headline" is 3,000 characters long'),
        ({"author": 5}, '"author" is 5, not a string'),
        ({"date": 1642792320}, '"date" is 1642792320, not a string'),
        ({"metadata": {"date": "soon"}}, '"metadata.date" is "soon", which is no date'),
        ({"id": 1.5}, '"id" is 1.5, which is no id'),
        ({"id": True}, '"id" is true, which is no id'),
        ({"id": "a\nb"}, '"id" is "a\\nb", which is no id'),
        ({"id": "\ud800"}, "which is no id"),
        ({"guid": "g" * 2000}, "which is no id"),
        ({"url": "ftp://a.example/x"}, '"url" is "ftp://a.example/x", which is no web address'),
        ({"url": "javascript:alert(1)"}, "which is no web address"),
        ({"url": "https://"}, "which is no web address"),
        ({"url": "https://a.example/x y"}, "which is no web address"),
        ({"language": 7}, '"language" is 7, not a string'),
    ],
)
def test_what_a_field_says_wrongly_rejects_the_record(fields: dict[str, Any], reason: str) -> None:
    assert reason in refusal(**fields)


def test_short_fields_are_one_line_of_text_that_can_be_stored() -> None:
    messy = record(text="t", headline="A\tB\n C\0\ud800", outlet=" “O”\u2028 ", byline="A Ã©")
    assert (messy.headline, messy.outlet, messy.byline) == ("A B C", "“O”", "A é")


def test_a_language_that_is_no_code_is_left_to_be_detected() -> None:
    assert record(text="t", language="English").language == ""


def test_mojibake_that_json_escapes_hid_is_mended_in_the_text() -> None:
    assert record(text="don\u00e2\u20ac\u2122t").body == "don’t"


def test_usable_url_keeps_the_address_as_it_is() -> None:
    url = "HTTPS://a.example:8080/x?q=%20#f"
    assert usable_url(f" {url}\n") == url
    assert usable_url("//a.example/x") == usable_url("http://a b/") == usable_url("") == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = st.sampled_from([name for names in FIELD_NAMES.values() for name in names] + ["metadata"])


@given(st.dictionaries(NAMES | st.text(max_size=5), JSON, max_size=8))
def test_any_fields_are_a_record_or_a_bad_article_that_can_be_printed(
    fields: dict[str, Any],
) -> None:
    try:
        made = record_from_fields(fields, origin=ORIGIN, raw=b"")
    except BadArticleError as error:
        shown = [str(error)]
    else:
        assert made.body.strip()
        shown = [made.headline, made.outlet, made.byline, made.section, made.url, made.guid]
    for line in shown:
        line.encode("utf-8")
        assert "\n" not in line
