"""Which words of a question are a time, and which days they mean."""

import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.time_expressions import TimeExpression, time_expressions

TODAY = date(2020, 6, 17)  # a Wednesday

RANGES = [
    # question, the time in it, first day, last day
    ("What happened today?", "today", "2020-06-17", "2020-06-17"),
    ("yesterday's vote", "yesterday", "2020-06-16", "2020-06-16"),
    ("Who spoke last night?", "last night", "2020-06-16", "2020-06-17"),
    ("Who resigned this week?", "this week", "2020-06-15", "2020-06-21"),
    ("last week’s downing of the plane", "last week", "2020-06-08", "2020-06-14"),
    ("who won last weekend", "last weekend", "2020-06-13", "2020-06-14"),
    ("layoffs this month", "this month", "2020-06-01", "2020-06-30"),
    ("layoffs last month", "last month", "2020-05-01", "2020-05-31"),
    ("earlier this year", "earlier this year", "2020-01-01", "2020-12-31"),
    ("fires last year", "last year", "2019-01-01", "2019-12-31"),
    ("who spoke on Tuesday", "on Tuesday", "2020-06-16", "2020-06-16"),
    ("the vote on Wednesday", "on Wednesday", "2020-06-17", "2020-06-17"),
    ("last Wednesday's vote", "last Wednesday", "2020-06-10", "2020-06-10"),
    ("this past Tuesday", "this past Tuesday", "2020-06-16", "2020-06-16"),
    ("since Monday", "since Monday", "2020-06-15", None),
    ("last March", "last March", "2020-03-01", "2020-03-31"),
    ("last June", "last June", "2019-06-01", "2019-06-30"),
    ("cases this March", "this March", "2020-03-01", "2020-03-31"),
    ("jobs lost in March", "in March", "2020-03-01", "2020-03-31"),
    ("who fell in December?", "in December", "2019-12-01", "2019-12-31"),
    ("in March last year", "in March last year", "2019-03-01", "2019-03-31"),
    ("two weeks ago", "two weeks ago", "2020-05-30", "2020-06-07"),
    ("5 days ago", "5 days ago", "2020-06-12", "2020-06-12"),
    ("storms of the past three months", "the past three months", "2020-03-18", "2020-06-17"),
    ("past three months", "past three months", "2020-03-18", "2020-06-17"),
    ("over the last 12 months", "over the last 12 months", "2019-06-18", "2020-06-17"),
    ("in the last week", "in the last week", "2020-06-10", "2020-06-17"),
    ("drought this summer", "this summer", "2020-06-01", "2020-08-31"),
    ("snow last winter", "last winter", "2019-12-01", "2020-02-29"),
    ("strikes in 2015", "in 2015", "2015-01-01", "2015-12-31"),
    ("in the year 2015", "in the year 2015", "2015-01-01", "2015-12-31"),
    ("in early 2016", "in early 2016", "2016-01-01", "2016-04-30"),
    ("late May 2016", "late May 2016", "2016-05-21", "2016-05-31"),
    ("news from 2015", "from 2015", "2015-01-01", "2015-12-31"),
    ("crime since 2018", "since 2018", "2018-01-01", None),
    ("from 2015 onwards", "from 2015 onwards", "2015-01-01", None),
    ("deals before 2016", "before 2016", None, "2015-12-31"),
    ("deals after May 2016", "after May 2016", "2016-06-01", None),
    ("the truce until May 2017", "until May 2017", None, "2017-05-31"),
    ("between 2014 and 2016", "between 2014 and 2016", "2014-01-01", "2016-12-31"),
    ("in 2014-2016", "in 2014-2016", "2014-01-01", "2016-12-31"),
    ("in 2018 and 2019", "in 2018 and 2019", "2018-01-01", "2019-12-31"),
    ("in 2015/16", "in 2015/16", "2015-01-01", "2016-12-31"),
    ("from March to May 2015", "from March to May 2015", "2015-03-01", "2015-05-31"),
    ("from May 2015 to June", "from May 2015 to June", "2015-05-01", "2015-06-30"),
    ("from November to January 2016", "from November to January 2016", "2015-11-01", "2016-01-31"),
    ("in March 2016", "in March 2016", "2016-03-01", "2016-03-31"),
    ("In MARCH of 1974", "In MARCH of 1974", "1974-03-01", "1974-03-31"),
    ("on 3 May 2016", "on 3 May 2016", "2016-05-03", "2016-05-03"),
    ("on the 3rd of May 2016", "on the 3rd of May 2016", "2016-05-03", "2016-05-03"),
    ("May 3, 2016", "May 3, 2016", "2016-05-03", "2016-05-03"),
    ("Tuesday, May 3rd, 2016", "Tuesday, May 3rd, 2016", "2016-05-03", "2016-05-03"),
    ("May 3-10, 2016", "May 3-10, 2016", "2016-05-03", "2016-05-10"),
    ("on January 1", "on January 1", "2020-01-01", "2020-01-01"),
    ("2016-05-03", "2016-05-03", "2016-05-03", "2016-05-03"),
    ("signed 25/12/2016", "25/12/2016", "2016-12-25", "2016-12-25"),
    ("signed 12/25/2016", "12/25/2016", "2016-12-25", "2016-12-25"),
    ("signed 3.5.2016", "3.5.2016", "2016-05-03", "2016-05-03"),
    ("music of the 1990s", "the 1990s", "1990-01-01", "1999-12-31"),
    ("in the '80s", "in the '80s", "1980-01-01", "1989-12-31"),
    ("in the summer of 2016", "in the summer of 2016", "2016-06-01", "2016-08-31"),
    ("profits in Q3 2019", "in Q3 2019", "2019-07-01", "2019-09-30"),
    ("the last quarter of 2019", "the last quarter of 2019", "2019-10-01", "2019-12-31"),
    ("the second half of 2019", "the second half of 2019", "2019-07-01", "2019-12-31"),
]

RECENCY = [
    ("What is the latest on the tram?", "the latest"),
    ("most recent poll", "most recent"),
    ("its newest ferry", "newest"),
    ("who resigned recently", "recently"),
    ("the RECENT elections", "the RECENT"),
]

EVENTS = [
    ("polls before the election", "before the election"),
    ("rescue after the ferry crash", "after the ferry crash"),
    ("what changed since the 2016 referendum", "since the 2016 referendum"),
    ("after the May 2016 attack", "after the May 2016 attack"),
    ("during the Queen’s funeral", "during the Queen’s funeral"),
]

NO_TIME = [
    "How long did the truce last?",
    "How long will the strike last? May the mayor end it?",
    "the last man on the pier",
    "in the last week of the campaign",
    "this may be the end",
    "THIS MAY BE THE END",
    "Why may the mayor resign?",
    "May resigned; who followed?",
    "What did May say before May resigned?",
    "Who stood by Theresa May?",
    "the march on Washington",
    "the last march of the miners",
    "in 2,015 cases",
    "in 2000 homes",
    "between 1500 and 2000 people",
    "worth $2015 in 2015 dollars",
    "which computers ran Windows 2000",
    "the second minute",
    "a columnist of the Sunday Times",
    "sales on Black Friday",
    "a host of the World Today",
    "the 2020 election",
    "the 1973 oil crisis",
    "2022 Winter Olympics",
    "in the 2015 World Series",
    "a 1990s band",
    "the May 2016 bombing",
    "votes cast in 2016 presidential primaries",
    "for the first time since 2017",
    "the highest level since May 2016",
    "25 million years ago",
    "600 years ago",
    "people in their 30s",
    "in power until 2036",
    "the merger planned for 2024 and opened in 2024",
    "closing later this year",
    "the plan for next month",
    "will it open in November?",  # the next one is nearer than the last
    "put off until June",
    "signed 3/5/2016",  # in March or in May
    "31 February 2016",
    "what year is the latest the vote could be held",
    "by Friday at the latest",
    "in recent memory",
    'Who said "the latest from last week"?',
    "Who sang “Yesterday”?",
    "",
]


@pytest.mark.parametrize(("question", "text", "first", "last"), RANGES)
def test_a_time_means_these_days(
    question: str, text: str, first: str | None, last: str | None
) -> None:
    start = question.index(text)
    assert time_expressions(question, TODAY) == (
        TimeExpression(
            text,
            (start, start + len(text)),
            "range",
            date.fromisoformat(first) if first else None,
            date.fromisoformat(last) if last else None,
        ),
    )


@pytest.mark.parametrize(("question", "text"), RECENCY)
def test_the_newest_may_be_asked_for(question: str, text: str) -> None:
    start = question.index(text)
    span = (start, start + len(text))
    assert time_expressions(question, TODAY) == (TimeExpression(text, span, "recency"),)


@pytest.mark.parametrize(("question", "text"), EVENTS)
def test_an_event_has_no_dates(question: str, text: str) -> None:
    start = question.index(text)
    span = (start, start + len(text))
    assert time_expressions(question, TODAY) == (TimeExpression(text, span, "event"),)


@pytest.mark.parametrize("question", NO_TIME)
def test_what_only_looks_like_a_time_is_none(question: str) -> None:
    assert time_expressions(question, TODAY) == ()


def test_letters_that_only_match_without_regard_to_case_do_no_harm() -> None:
    (found,) = time_expressions("Who spoke on ſunday?", TODAY)
    assert (found.text, found.first) == ("on ſunday", date(2020, 6, 14))
    assert time_expressions("before 0001-01-01, after 9999-12-31 and in mıd 2015", TODAY)


def test_several_times_come_in_order() -> None:
    found = time_expressions("the latest on the 2016 vote, since May 2017 and last week", TODAY)
    assert [expression.text for expression in found] == [
        "the latest",
        "since May 2017",
        "last week",
    ]


def test_a_winter_or_a_week_may_lie_across_the_turn_of_the_year() -> None:
    def days(question: str, today: date) -> tuple[date | None, date | None]:
        (found,) = time_expressions(question, today)
        return found.first, found.last

    assert days("this winter", date(2020, 1, 5)) == (date(2019, 12, 1), date(2020, 2, 29))
    assert days("last winter", date(2020, 1, 5)) == (date(2018, 12, 1), date(2019, 2, 28))
    assert days("last month", date(2020, 1, 5)) == (date(2019, 12, 1), date(2019, 12, 31))
    assert days("this week", date(2020, 1, 1)) == (date(2019, 12, 30), date(2020, 1, 5))


PIECES = st.sampled_from(
    [
        *(
            "in",
            "on",
            "since",
            "before",
            "from",
            "to",
            "between",
            "and",
            "until",
            "the",
            "of",
            "ago",
        ),
        *(
            "last",
            "this",
            "past",
            "two",
            "few",
            "week",
            "months",
            "year",
            "early",
            "latest",
            "today",
        ),
        *("May", "March", "Tuesday", "summer", "2015", "2016", "3", "31", "2,015", "1990s", "Q3"),
        *("-", ",", "'", "’s", "election", "ſunday", "mıd", "0001-01-01", "31/12/1999"),
    ]
)


@given(
    st.lists(PIECES | st.text(max_size=4), max_size=20),
    st.dates(min_value=date(1900, 1, 1), max_value=date(2199, 12, 31)),
)
def test_spans_are_in_order_apart_and_hold_the_text(pieces: list[str], today: date) -> None:
    question = " ".join(pieces)
    behind = 0
    for found in time_expressions(question, today):
        start, end = found.span
        assert behind <= start < end
        assert question[start:end] == found.text
        if found.first and found.last:
            assert found.first <= found.last
        assert (found.kind == "range") == bool(found.first or found.last)
        behind = end


def test_the_time_is_linear_in_the_length_of_a_question() -> None:
    question = "the first of May 2016 and since the last week before the 2015 vote, " * 500
    began = time.perf_counter()
    time_expressions(question, TODAY)
    assert time.perf_counter() - began < 5  # a quadratic search takes minutes
