"""Which article of a report is its original, and why it is taken for that.

Whom the others credit counts more than dates, since an agency's clients may print before its own
page does; then what is earliest for certain; then what is most complete.
"""

from collections.abc import Sequence
from typing import Final

from index.article import Published
from index.store import ArticleRow
from search.coverage.credits import agency_of, credits_of, credits_outlet, sources_of

_CREDITED: Final = "the agency the others credit"
_OWN_CREDIT: Final = "an agency’s own report"
_OUTLET_CREDITED: Final = "the outlet the others credit"
_PRECISIONS: Final = ("year", "month", "day", "minute", "second")
_LENGTHS: Final = {"year": 4, "month": 7, "day": 10}  # of an ISO date so precise


def original_of(
    candidates: Sequence[ArticleRow], members: Sequence[ArticleRow]
) -> tuple[ArticleRow, str]:
    """The likely original of a report, and the reason in words.

    Args:
        candidates: the first version of each piece, at least one.
        members: all articles of the report, who may credit a candidate.
    """
    if len(candidates) == 1:
        return candidates[0], "the first version" if len(members) > 1 else "no copy of it is here"
    credited, credit = _credited(candidates, members)
    earliest = earliest_of(credited)
    complete = _most_complete_of(earliest)
    original = min(complete, key=lambda each: (each.published is None, each.id))
    if credit:
        return original, credit
    if len(earliest) == 1:
        return original, _earliest_in_words(original, candidates)
    return original, _complete_in_words(complete, earliest)


def moment_key(published: Published | None) -> tuple[bool, str, int]:
    """Orders by day, and by time as far as it is known; unknown dates come last."""
    if published is None:
        return True, "", 0
    return False, published.on.isoformat(), published.instant_s


def in_time_key(article: ArticleRow) -> tuple[bool, str, int, str]:
    """Orders articles by time, ties by id."""
    return *moment_key(article.published), article.id


def surely_before(one: Published | None, other: Published | None) -> bool:
    """Whether `one` is earlier at the precision that both have; a day is not before its hours.

    A time whose zone is unknown is taken as UTC, as everywhere in the archive.
    """
    return one is not None and other is not None and _at(one, other) < _at(other, one)


def _at(published: Published, beside: Published) -> tuple[str, int]:
    """When, only as precisely as both are known."""
    common = min(published.precision, beside.precision, key=_PRECISIONS.index)
    if common in _LENGTHS:
        return published.iso[: _LENGTHS[common]], 0
    return "", published.instant_s // 60 if common == "minute" else published.instant_s


def _credited(
    candidates: Sequence[ArticleRow], members: Sequence[ArticleRow]
) -> tuple[list[ArticleRow], str]:
    """Those whose outlet most others credit, and the reason; where there are none, all and ""."""
    credits = {member.id: credits_of(member.byline, member.text) for member in members}
    # Hundreds of outlets are not looked for in hundreds of articles when none of these names them.
    sources = "\n".join(sources_of(member.byline, member.text) for member in members)
    creditors = {
        outlet: {
            member.outlet for member in members if _credits(member, credits[member.id], outlet)
        }
        for outlet in {candidate.outlet for candidate in candidates}
        if agency_of(outlet) is not None or outlet in sources
    }
    most = max(map(len, creditors.values()), default=0)
    if not most:
        return list(candidates), ""
    chosen = [each for each in candidates if len(creditors.get(each.outlet, ())) == most]
    outlet = chosen[0].outlet
    if agency_of(outlet) is None:
        return chosen, _OUTLET_CREDITED
    return chosen, _OWN_CREDIT if creditors[outlet] == {outlet} else _CREDITED


def _credits(member: ArticleRow, credits: frozenset[str], outlet: str) -> bool:
    agency = agency_of(outlet)
    if agency is not None:
        return agency in credits
    # An outlet that names itself says nothing, unless it is an agency.
    own = set(outlet.split()) <= set(member.outlet.split())
    return not own and credits_outlet(member.byline, member.text, outlet)


def earliest_of(candidates: Sequence[ArticleRow]) -> list[ArticleRow]:
    """Those that no other one is surely before; one of unknown date is among them."""
    dates = {candidate.published for candidate in candidates}
    earliest = _earliest_of_each_precision([date for date in dates if date])
    late = {date for date in dates if any(surely_before(other, date) for other in earliest)}
    first = [candidate for candidate in candidates if candidate.published not in late]
    # Days as they are written and instants can go round in a circle, half a world apart.
    return first or list(candidates)


def _most_complete_of(candidates: Sequence[ArticleRow]) -> list[ArticleRow]:
    if len(candidates) == 1:  # as nearly always: their words need not be counted
        return list(candidates)
    words = [len(candidate.text.split()) for candidate in candidates]
    most = max(words)
    return [each for each, count in zip(candidates, words, strict=True) if count == most]


def _earliest_of_each_precision(dates: Sequence[Published]) -> set[Published]:
    """If any date is surely before another one, then one of these is."""
    by_precision: dict[str, list[Published]] = {}
    for date in dates:
        by_precision.setdefault(date.precision, []).append(date)
    # Beside a day only the day counts as it is written, beside a time the instant does.
    return {
        min(alike, key=key)
        for alike in by_precision.values()
        for key in (lambda date: date.iso[:10], lambda date: date.instant_s)
    }


def _earliest_in_words(original: ArticleRow, candidates: Sequence[ArticleRow]) -> str:
    others = [each for each in candidates if each is not original]
    dates = [each.published for each in (original, *sorted(others, key=in_time_key))]
    earliest, next_one = dates[:2]
    if earliest is None or next_one is None:
        return "the earliest"
    return f"earliest, by {gap_in_words(earliest, next_one)}"


def gap_in_words(earlier: Published, later: Published) -> str:
    """`3 hours`, `2 days`: from one to the other, as precisely as both are known."""
    known = {earlier.precision, later.precision}
    if "year" in known:
        return _count(later.on.year - earlier.on.year, "year")
    if "month" in known:
        months = 12 * (later.on.year - earlier.on.year) + later.on.month - earlier.on.month
        return _count(months, "month")
    seconds = later.instant_s - earlier.instant_s
    if "day" in known or seconds >= 172_800:
        return _count((later.on - earlier.on).days, "day")
    gap = _count(seconds // 3600, "hour") if seconds >= 3600 else _count(seconds // 60, "minute")
    return gap if earlier.zone and later.zone else f"{gap}, time zone unknown"


def _complete_in_words(complete: Sequence[ArticleRow], earliest: Sequence[ArticleRow]) -> str:
    if len(complete) > 1:
        return "as early and as complete as others, and the first by id"
    precisions = {each.published.precision if each.published else "" for each in earliest}
    if precisions == {""}:
        return "the most complete; no date is known"
    if "" in precisions:
        return "the most complete; not every date is known"
    return f"the most complete of the same {min(precisions, key=_PRECISIONS.index)}"


def _count(number: int, unit: str) -> str:
    return f"{max(number, 1)} {unit}{'' if number <= 1 else 's'}"
