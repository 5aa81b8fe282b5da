"""A story as a picture: a dot for each report on an axis of time, the larger the more ran it.

Places along the axis are shares of its length, so that the picture takes whatever width it is given
while letters and dots keep their size.
"""

from calendar import monthrange
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.article import ArticleId, Published
from search.coverage.story import Report, Story, Summary
from search.wording import MONTHS, count_in_words, date_in_words, span_in_words

_HOUR_S: Final = 3600
_DAY_S: Final = 24 * _HOUR_S
# Dots touch each other at this width and keep apart at a greater one; a telephone has half of it,
# where they overlap by half.
_WIDTH_PX: Final = 600
_SWARM_PX: Final = 150  # how high dots are piled before all of them are drawn smaller
_LEAST_PX: Final = 1.5  # radius
_SMALLEST_PX: Final = 6.5  # of a report without copies; the area grows with the articles
_LARGEST_PX: Final = 24.0
_GAP_PX: Final = 1.5
_ABOVE_PX: Final = 26  # room for the words at the current report
_BELOW_PX: Final = 30  # for the axis and its labels
_MARGIN: Final = 0.06  # of the time told, left free at either end
# Labels of an axis 280 pixels long must not touch.
_MOST_TICKS: Final = 4
_HOURS: Final = (1, 2, 3, 6, 12)
_DAYS: Final = (1, 2, 3, 7, 14)
_MONTHS: Final = (1, 2, 3, 6, 12, 24, 60, 120)


@dataclass(frozen=True, slots=True)
class Dot:
    """A report in the picture."""

    report: Report
    x: float  # percent of the width
    y_px: float  # from the top
    radius_px: float
    is_vague: bool  # only its month or year is known: it stands in the middle of that
    is_news: bool  # it was the first to tell something
    is_current: bool

    @property
    def title(self) -> str:
        """The report in a line, as it shows under the pointer."""
        original, copies = self.report.original, self.report.copies
        parts = [
            self.report.headline or "No headline",
            original.outlet,
            date_in_words(original.published),
            count_in_words(copies, "copy") if copies else "",
        ]
        return " · ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Tick:
    """A time named under the axis."""

    x: float  # percent of the width
    label: str

    @property
    def anchor(self) -> str:
        """Where the label lies beside its place, so that none is cut off at an end."""
        return anchor_at(self.x)


@dataclass(frozen=True, slots=True)
class StoryPicture:
    """What is drawn; all heights in pixels from the top."""

    dots: tuple[Dot, ...]  # in the order of time
    ticks: tuple[Tick, ...]
    axis_px: float
    height_px: float
    undated: int  # reports that are not in the picture, for want of a date
    description: str  # what it shows, in words


def anchor_at(x: float) -> str:
    """`start`, `middle` or `end`: the SVG text-anchor for words at `x` percent of the width."""
    return "start" if x < 12 else "end" if x > 88 else "middle"


def picture_of(story: Story, current: ArticleId | None = None) -> StoryPicture | None:
    """A story's picture, see `story_picture`."""
    news = {development.article.id for development in story.timeline}
    return story_picture(story.summary, news=news, current=current)


def story_picture(
    summary: Summary, *, news: Collection[ArticleId] = (), current: ArticleId | None = None
) -> StoryPicture | None:
    """The picture of a story; None: fewer than two of its reports have a date.

    Args:
        news: the articles that were the first to tell something.
        current: the original of the report that the reader is at; None: of none.
    """
    dated = [
        (report, report.original.published)
        for report in summary.reports
        if report.original.published
    ]
    if len(dated) < 2:
        return None
    moments = [_middle_s(published) for _, published in dated]
    axis = _Axis.over(moments, hours=any(_has_a_time(published) for _, published in dated))
    xs = [axis.x(moment) for moment in moments]
    radii, heights = _piled(xs, [report.articles for report, _ in dated])
    axis_px = _ABOVE_PX + max(h + r for h, r in zip(heights, radii, strict=True))
    dots = tuple(
        Dot(
            report=report,
            x=round(x, 2),
            y_px=round(axis_px - height, 1),
            radius_px=round(radius, 1),
            is_vague=published.precision in ("year", "month"),
            is_news=any(version.id in news for version in report.versions),
            is_current=report.original.id == current,
        )
        for (report, published), x, radius, height in zip(dated, xs, radii, heights, strict=True)
    )
    return StoryPicture(
        dots=dots,
        ticks=axis.ticks(),
        axis_px=round(axis_px, 1),
        height_px=round(axis_px + _BELOW_PX, 1),
        undated=len(summary.reports) - len(dots),
        description=_description(summary, len(dots)),
    )


def _description(summary: Summary, drawn: int) -> str:
    days = span_in_words(summary.first_published, summary.last_published)
    said = f"{count_in_words(drawn, 'report')} on an axis of time, {days}"
    outlets = count_in_words(len(summary.outlets), "outlet")
    return f"{said}, from {outlets}. The same reports are listed below."


def _has_a_time(published: Published) -> bool:
    return published.precision in ("minute", "second")


def _middle_s(published: Published) -> int:
    """The instant of publication; of a day, month or year that is all that is known, its middle."""
    day = published.on
    days = {"year": 365, "month": monthrange(day.year, day.month)[1], "day": 1}
    return published.instant_s + days.get(published.precision, 0) * _DAY_S // 2


def _piled(xs: Sequence[float], articles: Sequence[int]) -> tuple[list[float], list[float]]:
    """Radius of each dot and height of its middle over the axis, in pixels.

    Each dot lies as low as those before it let it, so that none hides another. Where they would be
    piled too high all are drawn smaller.
    """
    wanted = np.minimum(_SMALLEST_PX * np.sqrt(np.array(articles)), _LARGEST_PX)
    places = np.array(xs) / 100 * _WIDTH_PX
    scale = 1.0
    while True:
        radii = np.maximum(wanted * scale, _LEAST_PX)
        heights = np.zeros(len(radii))
        for at in range(len(radii)):
            reach = radii[:at] + radii[at] + _GAP_PX * scale
            aside = np.abs(places[:at] - places[at])
            under = aside < reach
            apart = np.sqrt(reach[under] ** 2 - aside[under] ** 2)
            heights[at] = _lowest(radii[at] + 2, heights[:at][under], apart)
        too_high = heights.max() / _SWARM_PX
        if too_high <= 1 or (radii == _LEAST_PX).all():
            return radii.tolist(), heights.tolist()
        scale *= min(1 / sqrt(too_high), 0.95)


def _lowest(least: float, heights: NDArray[np.float64], apart: NDArray[np.float64]) -> float:
    """The lowest height from `least` on that keeps the distance asked for from each of `heights`.

    The arrays have shape (n,), in pixels.
    """
    height = least
    for at in np.argsort(heights - apart):
        if height <= heights[at] - apart[at]:
            break
        height = max(height, heights[at] + apart[at])
    return height


@dataclass(frozen=True, slots=True)
class _Axis:
    """Times from `first_s` to `last_s`, in seconds since 1970 UTC."""

    first_s: float
    last_s: float
    hours: bool  # whether hours say anything: some times are known

    @classmethod
    def over(cls, moments: Sequence[int], *, hours: bool) -> "_Axis":
        """An axis for these moments, not shorter than what can be read off it."""
        first, last = min(moments), max(moments)
        margin = (last - first) * _MARGIN
        least = 6 * _HOUR_S if hours else _DAY_S
        margin = max(margin, (least - (last - first)) / 2)
        return cls(first - margin, last + margin, hours)

    def x(self, moment_s: float) -> float:
        """Percent of the width."""
        return 100 * (moment_s - self.first_s) / (self.last_s - self.first_s)

    def ticks(self) -> tuple[Tick, ...]:
        """The finest times that are few enough."""
        finest: list[tuple[float, str]] = []
        for marks in self._scales():
            finest = [mark for mark in marks() if _BEGIN_S <= mark[0] <= _END_S]
            if len(finest) <= _MOST_TICKS:
                break
        return tuple(Tick(round(self.x(at), 2), label) for at, label in finest)

    def _scales(self) -> Iterator[Callable[[], Iterator[tuple[float, str]]]]:
        # The range of dates ends at both ends; what lies outside has no tick.
        span_s = self.last_s - self.first_s
        for step in _HOURS if self.hours else ():
            if span_s <= (_MOST_TICKS + 1) * step * _HOUR_S:
                yield partial(self._hours, step)
        for step in _DAYS:
            if span_s <= (_MOST_TICKS + 1) * step * _DAY_S:
                yield partial(self._days, step)
        for step in _MONTHS:
            yield partial(self._months, step)

    def _hours(self, step: int) -> Iterator[tuple[float, str]]:
        at = -(-self.first_s // (step * _HOUR_S)) * step * _HOUR_S
        while at <= self.last_s:
            moment = _utc(at)
            yield at, f"{moment:%H:%M}" if moment.hour else _day_label(moment.date())
            at += step * _HOUR_S

    def _days(self, step: int) -> Iterator[tuple[float, str]]:
        """Each at its noon, where reports stand of which only the day is known."""
        for day in range(int(self.first_s // _DAY_S), int(self.last_s // _DAY_S) + 1):
            at = (day + 0.5) * _DAY_S
            if self.first_s <= at <= self.last_s and day % step == 0:
                yield at, _day_label(_utc(at).date())

    def _months(self, step: int) -> Iterator[tuple[float, str]]:
        first, last = _utc(self.first_s), _utc(self.last_s)
        for month in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
            begin = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
            at = (begin - _EPOCH) / timedelta(seconds=1)
            if self.first_s <= at <= self.last_s and month % step == 0:
                yield at, str(begin.year) if step >= 12 else _month_label(begin.date())


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# The calendar's ends; an axis may go beyond them by its margin.
_BEGIN_S: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) / timedelta(seconds=1)
_END_S: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) / timedelta(seconds=1)


def _utc(seconds: float) -> datetime:
    """The moment, or the end of the calendar that it lies beyond."""
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        end = datetime.min if seconds < 0 else datetime.max
        return end.replace(tzinfo=UTC)


def _day_label(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1][:3]}"


def _month_label(day: date) -> str:
    return f"{MONTHS[day.month - 1][:3]} {day.year}"
