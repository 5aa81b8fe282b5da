"""The picture of a story: where each report stands, how large it is, and what the axis says."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import hypot, pi

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from test_story import article, told

from index.article import ArticleId
from index.store import ArticleRow
from search.pages.story_picture import StoryPicture, story_picture

WIDTH_PX = 600  # at which dots must keep apart


def picture(*articles: ArticleRow, together: tuple[int, ...] = ()) -> StoryPicture:
    drawn = story_picture(told(*articles, together=together))
    assert drawn
    return drawn


def places(drawn: StoryPicture) -> dict[str, float]:
    return {dot.report.original.id: dot.x for dot in drawn.dots}


# ---------------------------------------------------------------- where reports stand


def test_reports_stand_in_the_order_of_time_and_at_its_distances() -> None:
    drawn = picture(
        article(1, "2025-03-10T06:00Z"),
        article(2, "2025-03-11T06:00Z"),
        article(3, "2025-03-14T06:00Z"),
    )
    x = places(drawn)
    assert 0 < x["a-1"] < x["a-2"] < x["a-3"] < 100
    assert x["a-3"] - x["a-2"] == pytest.approx(3 * (x["a-2"] - x["a-1"]), abs=0.05)


def test_of_a_day_that_is_all_that_is_known_the_report_stands_at_noon() -> None:
    drawn = picture(
        article(1, "2025-03-10T00:00Z"), article(2, "2025-03-10"), article(3, "2025-03-11T00:00Z")
    )
    x = places(drawn)
    assert x["a-2"] == pytest.approx((x["a-1"] + x["a-3"]) / 2, abs=0.05)


def test_where_only_the_month_is_known_the_dot_says_so() -> None:
    drawn = picture(article(1, "2025-02-01"), article(2, "2025-02"), article(3, "2025-03-01"))
    assert [dot.report.original.id for dot in drawn.dots if dot.is_vague] == ["a-2"]
    assert places(drawn)["a-2"] == pytest.approx(50, abs=2)


def test_reports_of_unknown_date_are_counted_and_not_drawn() -> None:
    drawn = picture(article(1, "2025-03-10"), article(2, "2025-03-11"), article(3))
    assert len(drawn.dots) == 2
    assert drawn.undated == 1


def test_there_is_no_picture_of_fewer_than_two_dates() -> None:
    assert story_picture(told(article(1, "2025-03-10"), article(2))) is None


def test_reports_of_one_instant_stand_above_each_other_in_the_middle() -> None:
    drawn = picture(article(1, "2025-03-10"), article(2, "2025-03-10"), article(3, "2025-03-10"))
    assert {dot.x for dot in drawn.dots} == {50}
    assert len({dot.y_px for dot in drawn.dots}) == 3


# ---------------------------------------------------------------- how large they are


def test_the_area_of_a_dot_grows_with_its_articles() -> None:
    drawn = picture(
        article(1, "2025-03-10", outlet="A"),
        article(2, "2025-03-10", outlet="B"),
        article(3, "2025-03-20"),
        together=(1, 2),
    )
    areas = {dot.report.articles: pi * dot.radius_px**2 for dot in drawn.dots}
    assert areas[2] == pytest.approx(2 * areas[1], rel=0.05)


@given(hours=st.lists(st.integers(0, 200), min_size=2, max_size=40))
def test_no_dot_hides_another(hours: list[int]) -> None:
    begin = datetime(2025, 3, 10, tzinfo=UTC)
    drawn = picture(
        *(
            article(n, f"{begin + timedelta(hours=hour):%Y-%m-%dT%H:%MZ}")
            for n, hour in enumerate(hours, 1)
        )
    )
    dots = drawn.dots
    for at, one in enumerate(dots):
        for other in dots[:at]:
            apart = hypot((one.x - other.x) / 100 * WIDTH_PX, one.y_px - other.y_px)
            assert apart >= one.radius_px + other.radius_px - 0.3
    assert all(0 < dot.y_px + dot.radius_px <= drawn.axis_px for dot in dots)
    assert all(dot.y_px - dot.radius_px >= 0 for dot in dots)


def test_many_reports_of_a_day_are_drawn_smaller_not_higher() -> None:
    few = picture(*(article(n, "2025-03-10") for n in range(1, 4)))
    many = picture(*(article(n, "2025-03-10") for n in range(1, 41)))
    assert many.height_px <= 220
    assert many.dots[0].radius_px < few.dots[0].radius_px


# ---------------------------------------------------------------- what the axis says


@pytest.mark.parametrize(
    ("first", "last", "labels"),
    [
        ("2025-03-10T06:10Z", "2025-03-10T08:10Z", ["06:00", "08:00", "10:00"]),
        ("2025-03-10T20:00Z", "2025-03-11T04:00Z", ["21:00", "11 Mar", "03:00"]),
        ("2025-03-10", "2025-03-10", ["10 Mar"]),
        ("2025-03-10", "2025-03-12", ["10 Mar", "11 Mar", "12 Mar"]),
        ("2025-03-30", "2025-04-30", ["10 Apr", "24 Apr"]),
        ("2024-11-20", "2025-02-10", ["Dec 2024", "Jan 2025", "Feb 2025"]),
    ],
)
def test_the_axis_names_times_as_fine_as_they_fit(first: str, last: str, labels: list[str]) -> None:
    drawn = picture(article(1, first), article(2, last))
    assert [tick.label for tick in drawn.ticks] == labels


@given(
    begin=st.datetimes(datetime(1, 1, 1), datetime(9999, 1, 1)),
    minutes=st.integers(0, 60 * 24 * 300),
    by_the_day=st.booleans(),
)
@example(begin=datetime(1, 1, 1), minutes=0, by_the_day=False)
@example(begin=datetime(9999, 12, 31, 23, 59), minutes=0, by_the_day=False)
def test_there_is_a_time_on_every_axis_and_never_more_than_four(
    begin: datetime, minutes: int, by_the_day: bool
) -> None:
    moments = (begin, begin + timedelta(minutes=minutes))
    first, last = (
        moment.isoformat()[:10] if by_the_day else f"{moment.isoformat()[:16]}Z"
        for moment in moments
    )
    ticks = picture(article(1, first), article(2, last)).ticks
    assert 1 <= len(ticks) <= 4
    assert all(0 <= tick.x <= 100 for tick in ticks)
    assert all(one.x < other.x for one, other in pairwise(ticks))
    assert all(one.label != other.label for one, other in pairwise(ticks))


# ---------------------------------------------------------------- what is marked


def test_the_reader_s_own_report_and_those_that_told_something_new_are_marked() -> None:
    told_of = told(article(1, "2025-03-10"), article(2, "2025-03-11"), article(3, "2025-03-12"))
    drawn = story_picture(told_of, news={ArticleId("a-1")}, current=ArticleId("a-3"))
    assert drawn
    assert [dot.is_news for dot in drawn.dots] == [True, False, False]
    assert [dot.is_current for dot in drawn.dots] == [False, False, True]


def test_a_dot_says_what_it_stands_for() -> None:
    drawn = picture(article(1, "2025-03-10", outlet="Coast Wire"), article(2, "2025-03-11"))
    assert drawn.dots[0].title == "Harbour reopens · Coast Wire · 10 March 2025"
    assert drawn.description == (
        "2 reports on an axis of time, 10 March 2025 to 11 March 2025, from 2 outlets. "
        "The same reports are listed below."
    )
