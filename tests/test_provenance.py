"""What an export says of itself."""

from datetime import UTC, date, datetime, timedelta, timezone
from urllib.parse import parse_qs, unquote

from exports import export_of, provenance_of, texts
from hypothesis import given

from search.exports.provenance import Provenance
from search.filters import Filters


def test_the_same_may_be_asked_again_with_it() -> None:
    filters = Filters.parse(
        outlet=["A & B", "Été=1"],
        byline=["Berg"],
        published_from="2025-01-02",
        published_to="2025-03-04",
    )
    fields = provenance_of(export_of([], 0, filters=filters, as_of=date(2025, 3, 1))).fields()
    again = parse_qs(str(fields["filters"]))
    assert again == {
        "outlet": ["A & B", "Été=1"],
        "byline": ["Berg"],
        "from": ["2025-01-02"],
        "to": ["2025-03-04"],
    }
    assert fields["as_of"] == "2025-03-01"


def test_the_moment_is_utc_to_the_second() -> None:
    elsewhere = timezone(timedelta(hours=2))
    moment = datetime(2025, 3, 15, 1, 30, 59, 999, tzinfo=elsewhere)
    provenance = Provenance.of(export_of([], 0), moment)
    assert provenance.exported_at == datetime(2025, 3, 14, 23, 30, 59, tzinfo=UTC)
    assert provenance.fields()["exported_at"] == "2025-03-14T23:30:59Z"


def test_a_note_is_one_line_for_people() -> None:
    filters = Filters.parse(outlet=["The Islander"], published_from="2025-03-10")
    export = export_of(
        [], 12, query="where\ndoes it sail?", filters=filters, as_of=date(2025, 4, 1)
    )
    assert provenance_of(export).note(3) == (
        "Hit 3 of 12 for “where does it sail?” in Nutgraf; "
        "mode plain, sort relevance, effort quick, group report; "
        "outlet: The Islander; from: 2025-03-10; as of 2025-04-01; "
        "snapshot 42.7.412; exported 2025-03-15T08:30:00Z"
    )


@given(texts)
def test_headers_are_visible_ascii_whatever_is_asked(query: str) -> None:
    headers = provenance_of(export_of([], 0, query=query)).headers()
    assert unquote(headers.get("Nutgraf-Query", "")) == query
    assert all(value.isascii() and value.isprintable() for value in headers.values())
    assert headers["Nutgraf-Total"] == "0"
    assert headers["Nutgraf-Exported-At"] == "2025-03-15T08:30:00Z"
    assert "Nutgraf-As-Of" not in headers


def test_what_is_too_long_for_a_header_is_left_out() -> None:
    assert "Nutgraf-Query" not in provenance_of(export_of([], 0, query="é" * 500)).headers()


def test_a_question_that_no_utf_8_can_hold_is_mended() -> None:
    provenance = provenance_of(export_of([], 0, query="fer\udce9ry"))
    assert provenance.headers()["Nutgraf-Query"] == "fer%EF%BF%BDry"
