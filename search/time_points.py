"""Points of time as a question writes them: which days "May 2016" or "last Tuesday" are."""

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Final, NamedTuple


def pattern_of(*patterns: str) -> re.Pattern[str]:
    """The patterns as alternatives; a space in them is any white space."""
    joined = "|".join(f"(?:{pattern})" for pattern in patterns)
    return re.compile(joined.replace(" ?", r"\s*").replace(" ", r"\s+"), re.IGNORECASE)


_MONTHS: Final = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTH: Final = (
    r"(?:(?:january|february|march|april|may|june|july|august|september|october|november|december)"
    r"\b|(?:jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b\.?)"
)
WEEKDAY: Final = rf"(?:{'|'.join(_WEEKDAYS)})\b"
SEASON: Final = "(?:spring|summer|autumn|fall|winter)"
_SEASON_MONTH: Final = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
# A year and not the beginning of "2015,000", "2000%", "2000m" or "2015-seat".
_YEAR: Final = r"(?P<year>(?:1[5-9]|20)\d\d)(?![\w%]|[.,:/]\d|-[^\W\d])"
_OF_YEAR: Final = rf"(?:,? (?:of )?(?:{_YEAR}|(?P<named_year>this|last) year\b))?"
_DAY: Final = r"(?P<day>[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?"
_TO_DAY: Final = r"(?: ?(?:-|–|to|and) ?(?P<to_day>[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?)?(?![\w:])"
_PART: Final = (
    r"(?:(?:the )?(?P<part>early|mid|late|beginning of|start of|middle of|end of)(?: |-)(?:the )?)?"
)
_THIRDS: Final = {"ear": 0, "beg": 0, "sta": 0, "mid": 1, "lat": 2, "end": 2}
_ORDINALS: Final = {
    name: number
    for names in ("first second third fourth", "1st 2nd 3rd 4th")
    for number, name in enumerate(names.split())
} | {"last": -1}
_CARDINALS: Final = "one two three four five six seven eight nine ten eleven twelve"
NUMBERS: Final = {name: number for number, name in enumerate(_CARDINALS.split(), start=1)} | {
    name: number
    for number, names in {
        1: ("a", "an"),
        2: ("couple of", "a couple of"),
        3: ("few", "a few"),
        5: ("several",),
    }.items()
    for name in names
}
_NUMBER: Final = rf"(?P<number>\d{{1,3}}|{'|'.join(sorted(NUMBERS, key=len, reverse=True))})(?: |-)"
_UNIT: Final = r"(?P<unit>hour|day|week|fortnight|month|year|decade)"
_UNIT_DAYS: Final = {
    "hour": 1 / 24,
    "day": 1,
    "week": 7,
    "fortnight": 14,
    "month": 30.44,
    "year": 365.25,
    "decade": 3652.5,
}
_LONGEST_DAYS: Final = 300 * 365.25  # "600 years ago" nobody published news


class Period(NamedTuple):
    """From a day to a day, both included."""

    first: date
    last: date


class WrittenPoint(NamedTuple):
    """A point of time where it stands in a text."""

    match: re.Match[str]
    read: Callable[[re.Match[str], date], Period | None]
    within: frozenset[str]  # the words that lead to it and say no more than that it is the time
    alone: bool  # whether it needs no such word

    @property
    def start(self) -> int:
        return self.match.start()

    @property
    def end(self) -> int:
        return self.match.end()

    @property
    def text(self) -> str:
        return self.match[0]

    @property
    def has_year(self) -> bool:
        return bool(self.group("year") or self.group("named_year"))

    @property
    def lacks_year(self) -> bool:
        """Whether it has a place for the year, and none is given."""
        return "named_year" in self.match.re.groupindex and not self.has_year

    def group(self, name: str) -> str:
        """What stands in a part of its pattern; empty: nothing does, or it has no such part."""
        return self.match[name] or "" if name in self.match.re.groupindex else ""

    def period(self, today: date) -> Period | None:
        """Its days, the latest that have begun by `today`; None: the calendar has no such day."""
        return self.read(self.match, today)


def points_at(text: str, start: int) -> Iterator[WrittenPoint]:
    """The ways to read what stands at `start` as a point of time, the longer ones first."""
    for pattern, read, within, alone in _POINTS:
        match = pattern.match(text, start)
        if match and not text[match.end() : match.end() + 1].isalnum():
            written = WrittenPoint(match, read, within, alone)
            needs_year = "year" in pattern.groupindex
            yield written._replace(alone=alone and (written.has_year or not needs_year))


# --- readers -------------------------------------------------------------------------------------


def _iso(match: re.Match[str], today: date) -> Period | None:
    return _one_day(int(match["year"]), int(match["month"]), int(match["day"]))


def _in_figures(match: re.Match[str], today: date) -> Period | None:
    """Only where day and month cannot be swapped; with dots the day comes first."""
    a, b, year = int(match["a"]), int(match["b"]), int(match["year"])
    if b > 12:
        return _one_day(year, a, b)
    if a > 12 or a == b or match["mark"] == ".":
        return _one_day(year, b, a)
    return None


def _day_in_words(match: re.Match[str], today: date) -> Period | None:
    month, day = _month_number(match["month"]), int(match["day"])
    to_day = int(match["to_day"] or day)
    stated = _stated_year(match, today)
    for year in (stated,) if stated else (today.year, today.year - 1):
        first, last = _one_day(year, month, day), _one_day(year, month, to_day)
        if first and last and first.first <= last.last and (stated or first.first <= today):
            return Period(first.first, last.last)
    return None


def _month_in_words(match: re.Match[str], today: date) -> Period | None:
    month = _month_number(match["month"])
    year = _stated_year(match, today) or today.year - (month > today.month)
    return _third(_months(year, month, 1), match["part"])


def _stated_year(match: re.Match[str], today: date) -> int | None:
    if match["named_year"]:
        return today.year - (match["named_year"].lower() == "last")
    return int(match["year"]) if match["year"] else None


def _named_month(match: re.Match[str], today: date) -> Period | None:
    """ "this March" is this year's, "last March" the last that is over."""
    month = _month_number(match["month"])
    if match["which"].lower() == "this":
        return _months(today.year, month, 1)
    return _months(today.year - (month >= today.month), month, 1)


def _quarter(match: re.Match[str], today: date) -> Period | None:
    if match["short"]:
        months, which = (3 if match["short"][0] in "Qq" else 6), int(match["short"][1]) - 1
    else:
        months = 3 if match["unit"].lower() == "quarter" else 6
        which = _ORDINALS[match["ordinal"].lower()] % (12 // months)
    return _months(int(match["year"]), 1 + which * months, months)


def _season(match: re.Match[str], today: date) -> Period | None:
    """Of the northern half of the world; a winter begins in the year it is named after."""
    return _months(int(match["year"]), _SEASON_MONTH[match["season"].lower()], 3)


def _named_season(match: re.Match[str], today: date) -> Period | None:
    month = _SEASON_MONTH[match["season"].lower()]
    seasons = [_months(today.year - back, month, 3) for back in (0, 1, 2)]
    if match["which"].lower() == "last":
        return next(season for season in seasons if season.last < today)
    # In January "this winter" has begun the year before.
    return seasons[1] if seasons[1].last >= today else seasons[0]


def _decade(match: re.Match[str], today: date) -> Period | None:
    year = int(match["decade"] or 1900 + int(match["short"]))
    return _third(Period(date(year, 1, 1), date(year + 9, 12, 31)), match["part"])


def _year(match: re.Match[str], today: date) -> Period | None:
    year = int(match["year"])
    if not match["part"]:
        return _months(year, 1, 12)
    return _months(year, 1 + 4 * _THIRDS[match["part"][:3].lower()], 4)


def _years(match: re.Match[str], today: date) -> Period | None:
    """ "2015-16", "2015/16"."""
    year = int(match["start_year"])
    last = year - year % 100 + int(match["end_year"])
    return Period(date(year, 1, 1), date(last, 12, 31)) if last > year else None


def _today(match: re.Match[str], today: date) -> Period | None:
    word = match["word"].lower().split()
    if word == ["last", "night"]:
        return Period(_back(today, 1), today)
    return Period(*(_back(today, 1),) * 2) if word == ["yesterday"] else Period(today, today)


def _calendar_unit(match: re.Match[str], today: date) -> Period | None:
    """ "this week", "last month": of the calendar, weeks from Monday to Sunday."""
    back, unit = int(match["which"].lower() == "last"), match["unit"].lower()
    if unit in ("week", "weekend"):
        monday = _back(today, today.weekday() + 7 * back)
        return Period(monday + timedelta(5 if unit == "weekend" else 0), monday + timedelta(6))
    if unit == "month":
        months = 12 * today.year + today.month - 1 - back
        return _months(months // 12, months % 12 + 1, 1)
    if unit == "decade":
        first = today.year // 10 * 10 - 10 * back
        return Period(date(first, 1, 1), date(first + 9, 12, 31))
    return _months(today.year - back, 1, 12)


def _trailing(match: re.Match[str], today: date) -> Period | None:
    """ "the past three months", "the last week": counted back from today."""
    days = _number(match["number"] or "one") * _UNIT_DAYS[match["unit"].lower()]
    return Period(_back(today, days), today) if days < _LONGEST_DAYS else None


def _ago(match: re.Match[str], today: date) -> Period | None:
    """ "two weeks ago": half a unit around it, and more where the number is vague."""
    number, unit = _number(match["number"]), _UNIT_DAYS[match["unit"].lower()]
    if number * unit > _LONGEST_DAYS:
        return None
    vague = match["number"].lower().split()[-1] in ("few", "several", "of")
    slack = unit * (number if vague else 1) / 2 if unit > 1 else 0
    return Period(_back(today, number * unit + slack), _back(today, number * unit - slack))


def _weekday(match: re.Match[str], today: date) -> Period | None:
    """ "on Tuesday" is the latest one until today, "last Tuesday" until yesterday."""
    which = (match.groupdict().get("which") or "").lower()
    wanted = _WEEKDAYS.index(match["weekday"].lower())
    if which == "this":
        return Period(*(_back(today, today.weekday() - wanted),) * 2)
    back = (today.weekday() - wanted) % 7
    return Period(*(_back(today, back or (7 if which else 0)),) * 2)


def _number(written: str) -> int:
    words = " ".join(written.lower().split())
    return NUMBERS[words] if words in NUMBERS else int(words)


def _month_number(written: str) -> int:
    return 1 + _MONTHS.index(written[:3].lower())


def _one_day(year: int, month: int, day: int) -> Period | None:
    try:
        return Period(*(date(year, month, day),) * 2)
    except ValueError:
        return None


def _months(year: int, month: int, length: int) -> Period:
    """So many months from the first of one."""
    behind = 12 * year + month - 1 + length
    return Period(date(year, month, 1), _back(date(behind // 12, behind % 12 + 1, 1), 1))


def _third(period: Period, part: str | None) -> Period:
    """ "early", "mid" or "late" is a third of a period."""
    if not part:
        return period
    third, days = _THIRDS[part[:3].lower()], (period.last - period.first).days + 1
    first = period.first + timedelta(days * third // 3)
    return Period(first, period.first + timedelta(days * (third + 1) // 3 - 1))


def _back(day: date, days: float) -> date:
    return day - timedelta(round(days))


# --- all ways to write one -----------------------------------------------------------------------

_ON, _IN = frozenset(("on",)), frozenset(("in", "during", "throughout", "within"))
_OVER, _DURING = _IN | {"over", "for"}, frozenset(("during",))
_BEFORE_DAY: Final = rf"(?:the )?(?:{WEEKDAY},? (?:the )?)?"
# Pattern, reader, the words that lead to it, and whether it needs none.
_POINTS: Final = (
    (pattern_of(r"(?P<year>(?:1[5-9]|20)\d\d)-(?P<month>\d\d)-(?P<day>\d\d)\b"), _iso, _ON, True),
    (
        pattern_of(
            r"(?P<a>\d{1,2})(?P<mark>[/.])(?P<b>\d{1,2})(?P=mark)(?P<year>(?:1[5-9]|20)\d\d)\b"
        ),
        _in_figures,
        _ON,
        True,
    ),
    (
        pattern_of(rf"{_BEFORE_DAY}{_DAY}{_TO_DAY}(?: of)? (?P<month>{MONTH}){_OF_YEAR}"),
        _day_in_words,
        _ON,
        True,
    ),
    (
        pattern_of(rf"(?:{WEEKDAY},? )?(?P<month>{MONTH}) {_DAY}{_TO_DAY}{_OF_YEAR}"),
        _day_in_words,
        _ON,
        True,
    ),
    (pattern_of(rf"{_PART}(?P<month>{MONTH}){_OF_YEAR}"), _month_in_words, _IN, True),
    (pattern_of(rf"(?P<which>this|last) (?P<month>{MONTH})"), _named_month, _DURING, True),
    (
        pattern_of(
            rf"(?:(?P<short>Q[1-4]|H[12])(?: of)?|(?:the )?(?P<ordinal>first|second|third|fourth"
            rf"|last|1st|2nd|3rd|4th) (?P<unit>quarter|half) of) {_YEAR}"
        ),
        _quarter,
        _IN,
        True,
    ),
    (pattern_of(rf"(?:the )?(?P<season>{SEASON})(?: of)? {_YEAR}"), _season, _IN, True),
    (pattern_of(rf"(?P<which>this|last) (?P<season>{SEASON})\b"), _named_season, _DURING, True),
    (
        pattern_of(
            rf"(?:the )?{_PART}(?P<decade>(?:1[5-9]|20)\d0)s\b", r"the ['’]?(?P<short>[3-9]0)s\b"
        ),
        _decade,
        _IN,
        True,
    ),
    (pattern_of(r"(?P<start_year>(?:1[5-9]|20)\d\d)[-–/](?P<end_year>\d\d)\b"), _years, _IN, False),
    (pattern_of(rf"{_PART}(?:the year )?{_YEAR}"), _year, _IN, False),
    (
        pattern_of(
            r"(?P<word>yesterday|tonight|last night|this (?:morning|afternoon|evening)"
            r"|today(?!['’]s (?:teens|youth|kids|children|young|generation|world|society)))\b"
        ),
        _today,
        _DURING,
        True,
    ),
    (
        pattern_of(
            r"(?:earlier )?(?<!later\s)(?P<which>this|last) "
            r"(?P<unit>week|weekend|month|year|decade)\b(?! of\b)"
        ),
        _calendar_unit,
        _DURING,
        True,
    ),
    (
        pattern_of(
            rf"(?:(?:(?:the|this|these) last|(?:(?:the|this|these) )?past) {_NUMBER}"
            rf"|(?:the|this) past ){_UNIT}s?\b(?! of\b)"
        ),
        _trailing,
        _OVER,
        True,
    ),
    (  # "How long did it last?" is near
        pattern_of(rf"(?:the )?(?:last|past) (?:{_NUMBER})?{_UNIT}s?\b(?! of\b)"),
        _trailing,
        _OVER,
        False,
    ),
    (pattern_of(rf"{_NUMBER}{_UNIT}s? ago\b"), _ago, _DURING, True),
    (
        pattern_of(rf"(?P<which>this|last|(?:this )?past) (?P<weekday>{WEEKDAY})"),
        _weekday,
        _DURING,
        True,
    ),
    (pattern_of(rf"(?P<weekday>{WEEKDAY})"), _weekday, _ON, False),
)
