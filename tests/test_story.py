"""What a story says of itself: its headline, who was first, what is counted."""

from itertools import permutations

import pytest

from index.article import ArticleId, Published
from index.store import ArticleRow
from search.coverage.story import Summary, first_of, summary_of


def article(
    number: int,
    published: str = "",
    *,
    headline: str = "Harbour reopens",
    outlet: str = "Courier",
    text: str = "The harbour opened again on Friday.",
) -> ArticleRow:
    return ArticleRow(
        number=number,
        id=ArticleId(f"a-{number}"),
        version=1,
        added_seq=1,
        headline=headline,
        outlet=outlet,
        byline="",
        section="",
        language="en",
        url="",
        guid="",
        published=Published(published) if published else None,
        text=text,
    )


def told(*articles: ArticleRow, together: tuple[int, ...] = ()) -> Summary:
    """The story of these articles; those `together` are one report, each other one is its own."""
    report_of = {each.number: each.number for each in articles}
    report_of.update(dict.fromkeys(together, min(together, default=0)))
    return summary_of(9, articles, report_of)


def first(*originals: ArticleRow) -> tuple[str | None, str]:
    """Who was first and why; the same in whatever order they come."""
    answers = set()
    for ordered in permutations(originals):
        found = first_of(ordered)
        answers.add((found.article.id if found.article else None, found.reason))
    (answer,) = answers
    return answer


# ---------------------------------------------------------------- who was first


def test_the_first_to_report_is_told_with_its_lead_over_the_next_outlet() -> None:
    answer = first(
        article(1, "2025-03-14T10:05Z", outlet="Islander"),
        article(2, "2025-03-14T08:00Z", outlet="Coast Wire"),
        article(3, "2025-03-14T08:20Z", outlet="Coast Wire"),  # its own second report is no rival
    )
    assert answer == ("a-2", "first by 2 hours")


@pytest.mark.parametrize("rival", ["2025-03-14", "2025-03-14T08:00Z"])
def test_who_was_first_is_not_known_when_the_dates_do_not_tell(rival: str) -> None:
    one = article(1, "2025-03-14T08:00Z", outlet="Islander")
    who, reason = first(one, article(2, rival, outlet="Coast Wire"))
    assert who is None
    assert reason.startswith("2 outlets reported it ")


def test_who_was_first_is_not_known_without_any_date() -> None:
    assert first(article(1, outlet="Islander"), article(2)) == (None, "no date is known")


def test_an_article_without_a_date_is_not_the_first() -> None:
    answer = first(article(1, outlet="Islander"), article(2, "2025-03-14"))
    assert answer == ("a-2", "the only outlet with a date")


def test_an_outlet_that_is_alone_is_first_without_a_lead() -> None:
    assert first(article(1, "2025-03-14"), article(2, "2025-03-15")) == ("a-1", "the only outlet")


def test_dates_of_other_precision_are_compared_as_far_as_both_are_known() -> None:
    answer = first(
        article(1, "2025-03", outlet="Islander"), article(2, "2025-02-27", outlet="Coast Wire")
    )
    assert answer == ("a-2", "first by 1 month")


# ---------------------------------------------------------------- the headline

FERRY = "The ferry Petrel burnt off Tern Island on Monday and its passengers were rescued."


@pytest.mark.parametrize(
    "aside",
    [
        "Why did the ferry Petrel burn off Tern Island?",
        "Opinion: The ferry Petrel burnt off Tern Island for money",
        "The ferry Petrel fire off Tern Island, explained",
        "Islanders remember",  # says next to nothing of what the others say
    ],
)
def test_the_headline_is_the_one_that_says_what_the_reports_say(aside: str) -> None:
    telling = "Ferry Petrel burns off Tern Island, passengers rescued"
    headlines = [aside, telling, "Ferry burns"]
    for order in permutations(headlines):
        reports = [
            article(number, "2025-03-10", headline=headline, text=FERRY)
            for number, headline in enumerate(order, 1)
        ]
        assert told(*reports).headline == telling


def test_a_copy_has_no_say_in_the_headline() -> None:
    text = " ".join([FERRY] * 5)
    wire = article(1, "2025-03-10T06:00Z", headline="Ferry burns", text=text)
    local = article(
        2,
        "2025-03-10T08:00Z",
        headline="Ferry Petrel burns off Tern Island, passengers rescued",
        outlet="Islander",
        text=text,
    )
    assert told(wire, local, together=(1, 2)).headline == "Ferry burns"


def test_reports_without_headlines_make_a_story_without_one() -> None:
    assert told(article(1, headline=""), article(2, headline="")).headline == ""
    assert told(article(1, headline=""), article(2, headline="Ferry burns")).headline != ""


# ---------------------------------------------------------------- what is counted


def test_copies_are_counted_apart_from_reports() -> None:
    text = " ".join([FERRY] * 5)
    story = told(
        article(1, "2025-03-10T06:00Z", outlet="Coast Wire", text=text),
        article(2, "2025-03-10T07:00Z", outlet="Islander", text=text),
        article(3, "2025-03-11", outlet="Courier"),
        together=(1, 2),
    )
    assert (len(story.reports), story.articles, story.copies) == (2, 3, 1)


def test_the_span_is_that_of_the_known_dates_and_outlets_come_in_the_order_of_time() -> None:
    story = told(
        article(1, outlet="Gazette"),
        article(2, "2025-03-12", outlet="Islander"),
        article(3, "2025-03-10T07:00Z", outlet="Courier"),
        article(4, "2025-03-11", outlet="Courier"),
        article(5, outlet=""),
    )
    assert story.first_published == Published("2025-03-10T07:00Z")
    assert story.last_published == Published("2025-03-12")
    assert story.outlets == ("Courier", "Islander", "Gazette")
    assert [report.original.id for report in story.reports] == ["a-3", "a-4", "a-2", "a-1", "a-5"]


def test_a_story_without_dates_has_no_span() -> None:
    story = told(article(1), article(2))
    assert (story.first_published, story.last_published) == (None, None)
