"""Dates say what their source says, no more and no less."""

import re
import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.article import Published
from index.dates import find_date_line, parse_published


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2022-01-21", "2022-01-21"),
        ("2022-01", "2022-01"),
        ("2022", "2022"),
        ("20220121", "2022-01-21"),
        ("20220121T191230Z", "2022-01-21T19:12:30Z"),
        ("2022-01-21T19:12", "2022-01-21T19:12"),
        ("2022-01-21 19:12:30", "2022-01-21T19:12:30"),
        ("2022-01-21t19:12:30.123456z", "2022-01-21T19:12:30Z"),
        ("2022-01-21T19:12:30,5+0200", "2022-01-21T19:12:30+02:00"),
        ("2022-01-21T19:12:30-05", "2022-01-21T19:12:30-05:00"),
        ("2022-01-21T19:12:00+01:00[Europe/Paris]", "2022-01-21T19:12:00+01:00"),
        ("  2022-01-21 \n", "2022-01-21"),
        ("2022/01/21", "2022-01-21"),
        ("2022-1-5", "2022-01-05"),
    ],
)
def test_iso_8601_is_read_as_precisely_as_it_is_written(text: str, iso: str) -> None:
    assert parse_published(text).iso == iso


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("Fri, 21 Jan 2022 19:12:00 GMT", "2022-01-21T19:12:00Z"),
        ("Fri, 21 Jan 2022 19:12:00 +0530", "2022-01-21T19:12:00+05:30"),
        ("21 Jan 2022 19:12 EST", "2022-01-21T19:12-05:00"),
        ("Fri, 21 Jan 2022 19:12 CST", "2022-01-21T19:12-06:00"),  # RFC 822 defines it
        ("Fri, 21 Jan 22 19:12:00 GMT", "2022-01-21T19:12:00Z"),
        ("Fri, 21 Jan 99 19:12:00 GMT", "1999-01-21T19:12:00Z"),
        ("Fri, 21 Jan 2022 19:12:00 -0000", "2022-01-21T19:12:00"),  # RFC 5322: zone unknown
    ],
)
def test_feed_dates_keep_time_and_zone(text: str, iso: str) -> None:
    assert parse_published(text).iso == iso


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("21 January 2022, 07:12 PM", "2022-01-21T19:12"),
        ("Jan. 21, 2022", "2022-01-21"),
        ("Sept. 3, 2019", "2019-09-03"),
        ("January 21st, 2022", "2022-01-21"),
        ("March 3, 2019 at 5:04 pm EST", "2019-03-03T17:04-05:00"),
        ("Friday 21 January 2022 19.12 GMT", "2022-01-21T19:12Z"),
        ("7.12pm GMT, 21 January 2022", "2022-01-21T19:12Z"),
        ("May 4, 2020 5 p.m.", "2020-05-04T17:00"),
        ("Fri Jan 21 19:12:00 +0000 2022", "2022-01-21T19:12:00+00:00"),
        ("Fri Jan 21 2022 19:12:00 GMT+0100 (CET)", "2022-01-21T19:12:00+01:00"),
        ("21-Jan-2022", "2022-01-21"),
        ("January 2022", "2022-01"),
        ("12:30 am, 1 May 2020", "2020-05-01T00:30"),
        ("12:30 PM, 1 May 2020", "2020-05-01T12:30"),
        ("1 May 2020 19:12 PM", "2020-05-01T19:12"),
        ("1 May 2020, 0712 GMT", "2020-05-01T07:12Z"),
    ],
)
def test_english_dates_in_words_are_read(text: str, iso: str) -> None:
    assert parse_published(text).iso == iso


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("Freitag, 21. Januar 2022 um 19:12 Uhr", "2022-01-21T19:12"),
        ("Donnerstag, 3. März 2022", "2022-03-03"),
        ("vendredi 21 janvier 2022 à 19h12", "2022-01-21T19:12"),
        ("1er mai 2020", "2020-05-01"),
        ("viernes, 21 de enero de 2022", "2022-01-21"),
        ("venerdì 21 gennaio 2022 alle ore 19:12", "2022-01-21T19:12"),
        ("fredag den 21. januar 2022 kl. 19.12", "2022-01-21T19:12"),
        ("21 stycznia 2022", "2022-01-21"),
        ("21 января 2022 г., 19:12", "2022-01-21T19:12"),
        ("2022. január 21.", "2022-01-21"),
        ("21 ocak 2022", "2022-01-21"),
        ("21 Ιανουαρίου 2022", "2022-01-21"),
        ("2022年1月21日 19:12", "2022-01-21T19:12"),
    ],
)
def test_dates_in_other_languages_are_read(text: str, iso: str) -> None:
    assert parse_published(text).iso == iso


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("21/01/2022", "2022-01-21"),
        ("01/21/2022", "2022-01-21"),
        ("7/23/17", "2017-07-23"),
        ("04/04/2021", "2021-04-04"),
        ("03.04.2021", "2021-04-03"),
        ("21.01.2022, 19:12 Uhr", "2022-01-21T19:12"),
    ],
)
def test_numeric_dates_that_can_mean_one_day_are_that_day(text: str, iso: str) -> None:
    assert parse_published(text).iso == iso


@pytest.mark.parametrize("text", ["03/04/2021", "3-4-2021", "03/04/21", "03/04/2021 19:12"])
def test_of_a_numeric_date_that_can_mean_two_days_the_year_is_known(text: str) -> None:
    assert parse_published(text).iso == "2021"


@pytest.mark.parametrize("zone", ["CST", "IST", "BST", "ET", "PT", "Eastern Time"])
def test_a_zone_name_that_means_several_zones_leaves_the_zone_unknown(zone: str) -> None:
    assert parse_published(f"May 4, 2020 at 5:04 pm {zone}") == Published("2020-05-04T17:04")


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "yesterday", "2 hours ago", "vor 2 Stunden", "21 January", "May", "19:12"),
        *("31/02/2019", "2019-02-31", "30 February 2020", "13/13/2020", "2022-21-01"),
        *("21 January 2022, 25:12", "2022-01-21T24:30:00Z", "2022-01-21T19:12:00+99:00"),
        *("0001-01-01", "9999-12-31", "0000-00-00", "1642792320", "202201", "12/2020"),
        *("Jan 2022 Jan", "21 Foo 2022", "on 21 January 2022 we met", "x" * 10_000),
    ],
)
def test_what_is_no_date_of_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_published(text)


@given(st.dates(min_value=date(1500, 1, 1), max_value=date(2199, 12, 31)))
def test_every_day_comes_back_from_its_english_and_iso_form(day: date) -> None:
    month = "January February March April May June July August September October November December"
    name = month.split()[day.month - 1]
    for text in (
        day.isoformat(),
        f"{day.day} {name} {day.year:04}",
        f"{name} {day.day}, {day.year}",
    ):
        assert parse_published(text).on == day


@given(st.text(max_size=300))
def test_any_text_is_a_date_or_a_value_error(text: str) -> None:
    try:
        published = parse_published(text)
    except ValueError:
        return
    assert 1500 <= published.on.year <= 2199


@given(st.from_regex(r"[0-3]?[0-9]([./-])[0-3]?[0-9]\1(19|20)?[0-9]{2}( 1[0-9]:[0-5][0-9])?"))
def test_no_number_is_invented(text: str) -> None:
    try:
        published = parse_published(text)
    except ValueError:
        return
    year, *others = re.findall(r"\d+", published.iso)
    assert year[2:] in text
    assert all(str(int(number)) in text for number in others)


@pytest.mark.parametrize(
    ("line", "iso"),
    [
        ("21 January 2022, 07:12 PM", "2022-01-21T19:12"),
        ("Published: March 3, 2019 at 5:04 pm EST", "2019-03-03T17:04-05:00"),
        ("First published on Fri 21 Jan 2022 19.12 GMT", "2022-01-21T19:12Z"),
        ("Updated March 3, 2019", "2019-03-03"),
        ("Update: 21.01.2022 19:12", "2022-01-21T19:12"),
        ("Published 3 May 2019 | Updated 5:04 pm", "2019-05-03"),
        ("Updated: 4 May 2020, Published: 3 May 2020", "2020-05-03"),
        ("21 January 2022 · 5 min read", "2022-01-21"),
        ("Stand: 21.01.2022 19:12 Uhr", "2022-01-21T19:12"),
        ("Publié le 21 janvier 2022 à 19h12", "2022-01-21T19:12"),
        ("Date: 2022-01-21", "2022-01-21"),
    ],
)
def test_a_date_line_is_found_with_its_label(line: str, iso: str) -> None:
    found = find_date_line(line)
    assert found is not None
    assert found.iso == iso


@pytest.mark.parametrize(
    "line",
    [
        *("", "2022", "May 2022", "In 2022", "On Jan. 21, 2022", "GENEVA, Jan. 21, 2022 –"),
        *("The talks were held on 21 January 2022.", "1914-1918", "10.1.2.3", "4-3-2021"),
        *("Published", "Updated 5:04 pm", "Call 555-1234", "Data 2022"),
        "The ministers met on 21 January 2022 in Geneva, Switzerland, " + "and talked " * 20,
    ],
)
def test_a_line_that_says_more_or_less_than_a_day_is_no_date_line(line: str) -> None:
    assert find_date_line(line) is None


def test_a_line_of_any_length_takes_no_time() -> None:
    lines = ["1 " * 5_000_000, "2020 " * 2_000_000, "Published " * 12 + "2020", "1:1" * 40]
    start = time.perf_counter()
    assert [find_date_line(line) for line in lines] == [None] * 4
    assert time.perf_counter() - start < 1
