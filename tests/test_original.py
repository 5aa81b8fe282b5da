"""Which article of a report is taken for its original, and the reason that is given."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.article import ArticleId, Published
from index.store import ArticleRow
from search.coverage.original import earliest_of, original_of, surely_before

TEXT = "The harbour opened again on Friday.\nThe ferry sails at dawn on Saturday, they said.\n"


def article(
    id: str, published: str = "", *, outlet: str = "Courier", text: str = TEXT, byline: str = ""
) -> ArticleRow:
    return ArticleRow(
        number=1,
        id=ArticleId(id),
        version=1,
        added_seq=1,
        headline="Harbour reopens",
        outlet=outlet,
        byline=byline,
        section="",
        language="en",
        url="",
        guid="",
        published=Published(published) if published else None,
        text=text,
    )


def chosen(*members: ArticleRow) -> tuple[str, str]:
    """Id and reason; the same in whatever order the members come."""
    answers = set()
    for ordered in permutations(members):
        original, reason = original_of(ordered, ordered)
        answers.add((original.id, reason))
    (answer,) = answers
    return answer


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ("2025-03-14T16:12Z", "2025-03-14T19:12Z", "earliest, by 3 hours"),
        ("2025-03-14T16:12Z", "2025-03-14T18:12+01:00", "earliest, by 1 hour"),
        ("2025-03-14T19:00+02:00", "2025-03-14T18:00Z", "earliest, by 1 hour"),
        ("2025-03-14T16:12", "2025-03-14T16:52", "earliest, by 40 minutes, time zone unknown"),
        ("2025-03-14T16:12:10Z", "2025-03-14T16:12:20Z", "earliest, by 1 minute"),
        ("2025-03-14T16:12", "2025-03-15", "earliest, by 1 day"),
        ("2025-03-12", "2025-03-14T16:12", "earliest, by 2 days"),
        ("2025-03-12", "2025-03-14", "earliest, by 2 days"),
        ("2025-02", "2025-03-14", "earliest, by 1 month"),
        ("2024", "2025-03-14", "earliest, by 1 year"),
    ],
)
def test_what_is_earliest_for_certain_is_the_original(first: str, second: str, reason: str) -> None:
    assert chosen(article("z", first, text=TEXT[:40]), article("a", second)) == ("z", reason)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2025-03-14", "2025-03-14T16:12"),
        ("2025-03", "2025-03-14"),
        ("2025", "2025-03"),
        ("2025-03-14T16:12", "2025-03-14T16:12:40"),
        ("2025-03-14T16:12Z", "2025-03-14T17:12+01:00"),
        ("", "2025-03-14"),
    ],
)
def test_a_date_is_not_before_a_more_precise_one_inside_it(one: str, other: str) -> None:
    dates = [Published(iso) if iso else None for iso in (one, other)]
    assert not surely_before(*dates)
    assert not surely_before(*reversed(dates))


@pytest.mark.parametrize(
    ("dates", "reason"),
    [
        (("2025-03-14", "2025-03-14T08:00"), "the most complete of the same day"),
        (("2025-03", "2025-03-14"), "the most complete of the same month"),
        (("2025-03-14T08:00Z", "2025-03-14T09:00+01:00"), "the most complete of the same minute"),
        (("", ""), "the most complete; no date is known"),
    ],
)
def test_of_what_cannot_be_told_apart_the_most_complete_is_the_original(
    dates: tuple[str, str], reason: str
) -> None:
    assert chosen(article("z", dates[0]), article("a", dates[1], text=TEXT[:40])) == ("z", reason)


def test_of_equals_the_lowest_id_is_the_original() -> None:
    ids = [article(id, "2025-03-14", outlet=id) for id in ("c", "a", "b")]
    assert chosen(*ids) == ("a", "as early and as complete as others, and the first by id")


def test_an_unknown_date_is_neither_earlier_nor_later() -> None:
    dated = [article("b", "2025-03-15"), article("c", "2025-03-14", text=TEXT[:40])]
    complete = "the most complete; not every date is known"
    assert chosen(article("a"), *dated) == ("a", complete)
    assert chosen(article("a", text=TEXT[:20]), *dated) == ("c", complete)
    assert chosen(article("a"), article("z", "2025-03-14"))[0] == "z"  # of equals the dated one


@pytest.mark.parametrize(
    "credit",
    [
        {"byline": "Reuters"},
        {"text": f"NORTHPORT (Reuters) - {TEXT}"},
        {"text": f"{TEXT}— Reuters"},
    ],
)
def test_the_agency_that_others_credit_comes_before_all_dates(credit: dict[str, str]) -> None:
    answer = chosen(
        article("a", "2025-03-13", outlet="The Islander"),
        article("b", "2025-03-14", **credit),
        article("r", "2025-03-15", outlet="reuters.com", text=TEXT[:40]),
    )
    assert answer == ("r", "the agency the others credit")


def test_an_agency_that_only_names_itself_is_the_original_too() -> None:
    own = article("r", "2025-03-15", outlet="Reuters", text=f"NORTHPORT (Reuters) - {TEXT}")
    assert chosen(article("a", "2025-03-13"), own) == ("r", "an agency’s own report")


def test_an_agency_that_is_not_there_is_nobodys_original() -> None:
    answer = chosen(
        article("a", "2025-03-13", outlet="The Islander", byline="Reuters"),
        article("b", "2025-03-14", byline="Reuters"),
    )
    assert answer == ("a", "earliest, by 1 day")


def test_any_outlet_is_the_original_when_others_credit_it_by_name() -> None:
    answer = chosen(
        article("a", "2025-03-13", byline="Ana Duarte, The Islander"),
        article("b", "2025-03-14", outlet="The Islander", byline="The Islander"),
    )
    assert answer == ("b", "the outlet the others credit")


def test_an_outlet_under_another_of_its_names_credits_nobody() -> None:
    answer = chosen(
        article("a", "2025-03-13", outlet="The Islander Online", byline="The Islander"),
        article("b", "2025-03-14", outlet="The Islander"),
    )
    assert answer == ("a", "earliest, by 1 day")


def test_the_first_version_of_an_agencys_piece_is_the_earliest_of_them() -> None:
    answer = chosen(
        article("r2", "2025-03-14T10:00Z", outlet="Reuters"),
        article("r1", "2025-03-14T09:00Z", outlet="Reuters UK", text=TEXT[:40]),
        article("a", "2025-03-14T08:00Z", byline="Reuters"),
    )
    assert answer == ("r1", "the agency the others credit")


def test_one_piece_is_the_original_without_more_ado() -> None:
    assert chosen(article("a")) == ("a", "no copy of it is here")
    only, update = article("a", "2025-03-14"), article("b", "2025-03-15")
    assert original_of([only], [only, update]) == (only, "the first version")


_DATES = st.sampled_from(
    [
        "",
        "2025",
        "2025-03",
        "2025-03-13",
        "2025-03-14",
        "2025-03-14T00:30",
        "2025-03-14T00:30+14:00",
        "2025-03-13T23:30-11:00",
        "2025-03-14T00:30:10Z",
        "2025-03-14T00:30:20Z",
        "2025-03-15T01:00+02:00",
    ]
)


@given(st.lists(_DATES, min_size=1, max_size=8))
def test_the_earliest_are_those_that_no_other_is_surely_before(dates: list[str]) -> None:
    articles = [article(f"a-{n}", published) for n, published in enumerate(dates)]
    expected = [
        each
        for each in articles
        if not any(surely_before(other.published, each.published) for other in articles)
    ]
    assert earliest_of(articles) == (expected or articles)
