"""Publication dates: what the source wrote, read exactly as precisely as it was written.

Nothing is filled in: no day that is not there, no zone that is not named, never today's date.
ISO 8601 and RFC 822 come first because feeds and archives use them; then dates in words, whose
month and weekday names come from dateparser's language tables, for the languages pinned below
(left to guess among all of its 200 languages, dateparser took 4.6 s over one line of prose).
"""

import re
from functools import cache

from index.article import Published

# Languages of large news markets; their tables load in about 20 ms, once. A month name that means
# two months in two of them is taken for neither.
LANGUAGES = (
    *("en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "nb", "fi", "pl", "cs", "ru", "uk"),
    *("ro", "hu", "tr", "el", "id", "bg"),
)
# Newspapers begin in the 17th century; years beyond are typing errors or placeholders such as
# 0001-01-01 and 9999-12-31, which databases write for "none".
FIRST_YEAR, LAST_YEAR = 1500, 2199
MAX_DATE_CHARS = 120  # no date is longer; what is longer is prose and not looked at

_OFFSET = r"[+-]\d\d:?\d\d"
_ISO = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    rf"(?:[T ](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d+)?)?"
    rf" ?(?P<zone>Z|{_OFFSET}|[+-]\d\d)?(?:\[[\w/+-]+\])?)?)?)?",
    re.ASCII | re.IGNORECASE,
)
_COMPACT_ISO = re.compile(
    r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"
    rf"(?:T(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?(?P<zone>Z|{_OFFSET})?)?",
    re.ASCII,
)
_RFC_822 = re.compile(
    r"(?:[a-z]{3},? )?\d{1,2} [a-z]{3} \d{2,4} \d\d:\d\d(?::\d\d)? (?P<zone>[a-z]{3})",
    re.ASCII | re.IGNORECASE,
)

# Offsets of zone names that mean one zone. RFC 822 itself defines those of the second table, but
# elsewhere CST is China's too, PST Pakistan's, IST India's, Ireland's and Israel's: unknown.
_ZONE_OF = {
    "Z": ("Z", "UT", "UTC", "GMT"),
    "+01:00": ("CET", "MEZ", "WEST", "WAT"),
    "+02:00": ("CEST", "MESZ", "EET", "SAST", "CAT"),
    "+03:00": ("EEST", "MSK", "EAT", "TRT"),
    "+05:00": ("PKT",),
    "+07:00": ("WIB",),
    "+08:00": ("HKT", "SGT", "AWST", "PHT"),
    "+09:00": ("JST", "KST"),
    "+09:30": ("ACST",),
    "+10:00": ("AEST",),
    "+10:30": ("ACDT",),
    "+11:00": ("AEDT",),
    "+12:00": ("NZST",),
    "+13:00": ("NZDT",),
    "-02:30": ("NDT",),
    "-03:30": ("NST",),
    "-04:00": ("EDT",),
    "-05:00": ("EST", "CDT"),
    "-06:00": ("MDT",),
    "-07:00": ("PDT",),
    "-08:00": ("AKDT",),
    "-09:00": ("AKST",),
    "-10:00": ("HST",),
}
_ZONES = {name: offset for offset, names in _ZONE_OF.items() for name in names}
_RFC_822_ZONES = {"CST": "-06:00", "MST": "-07:00", "PST": "-08:00"}
_AMBIGUOUS_ZONES = (
    *("CST", "MST", "PST", "AST", "BST", "IST", "GST", "SST", "AMT", "WET", "ET", "CT", "MT", "PT"),
    *("Eastern Time", "Central Time", "Mountain Time", "Pacific Time", "Eastern", "Pacific"),
    *("local time", "Ortszeit"),
)
_ZONE_NAMES = "|".join(sorted((*_ZONES, *_AMBIGUOUS_ZONES), key=len, reverse=True))
_TIME = re.compile(
    r"(?<![\d.:/-])(?:"
    r"(?P<hour>\d{1,2})(?:(?::|[h.](?!\d\d[./]))(?P<minute>\d\d)(?:[:.](?P<second>\d\d)(?:\.\d+)?)?)?"
    r"(?: ?(?P<half>[ap]\.? ?m\b\.?))?"
    r"|(?P<hours>[01]\d|2[0-3])(?P<minutes>[0-5]\d)(?= ?(?:GMT|UTC|Z)\b)"
    r")(?: (?:uhr|hrs|hours|h)\b\.?)?"
    rf"(?: ?[(\[]?(?P<zone>(?:GMT|UTC) ?[+-]\d{{1,2}}(?::?\d\d)?|{_OFFSET}|(?:{_ZONE_NAMES})\b)"
    r"[)\]]?)?(?: \([^()]*\))?(?![\d/:])",
    re.ASCII | re.IGNORECASE,
)
_SEPARATORS = " ,;|·•‧/–—-"
_BEFORE_TIME = re.compile(
    r"(?:\b(?:at|um|à|às|a las|alle|alle ore|ore|om|kl|klo|в|о|o|u|ob)\.?|[@T])$", re.IGNORECASE
)

_NUMERIC = re.compile(r"(\d{1,4})([-/. ])(\d{1,2})\2(\d{1,4})", re.ASCII)
_IDEOGRAPHIC = re.compile(r"(\d{4}) ?[年년] ?(\d{1,2}) ?[月월](?: ?(\d{1,2}) ?[日일])?", re.ASCII)
_WORD = r"[^\W\d_]{2,20}"
_IN_WORDS = (
    re.compile(rf"(?P<day>\d{{1,2}}) (?P<month>{_WORD}) (?P<year>\d{{4}}|\d\d)"),
    re.compile(rf"(?P<month>{_WORD}) (?P<day>\d{{1,2}}) (?P<year>\d{{4}})"),
    re.compile(rf"(?P<year>\d{{4}}) (?P<month>{_WORD}) (?P<day>\d{{1,2}})"),
    re.compile(rf"(?P<month>{_WORD}) (?P<year>\d{{4}})"),
    re.compile(rf"(?P<year>\d{{4}}) (?P<month>{_WORD})"),
)
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th|er|re|ère|\.?º|°|ª|:e)\b|(?<=\d)[º°ª]", re.IGNORECASE)
_JOINT = re.compile(r"(?<=\d)[-/.](?=[^\W\d_])|(?<=[^\W\d_])[-/.](?=\d)|[,.](?= |$)|(?<=[^\W\d]),")
_FILLERS = frozenset(
    ("of", "the", "de", "del", "di", "den", "der", "le", "la", "el", "am", "az", "г", "года", "р")
)

_LABEL = re.compile(
    r"\b(?:(?P<first>(?:first |originally )?(?:published|posted|created)|publication date"
    r"|(?:publié|publicado|publicada|pubblicato|veröffentlicht|erstellt|gepubliceerd|publicerad"
    r"|opublikowano|опубликовано|date|datum|fecha|data|stand)"
    r")|(?P<later>(?:last )?(?:updated?|modified|edited)|mis à jour|actualizado|aggiornato"
    r"|aktualisiert|bijgewerkt|uppdaterad|обновлено))"
    r"(?: (?:on|at|le|el|il|am|op|em|:))?(?= |:|$) ?:? ?",
    re.IGNORECASE,
)
_READING_TIME = re.compile(r"[ ,;|·•–—-]+\d+[ -]min(?:ute)?s?(?: read)?\.?$", re.IGNORECASE)
_MAY_BE_DATE = re.compile(r"\d{4}|\d{1,2}[/.-]\d{1,2}[/.-]\d\d", re.ASCII)


def parse_published(text: str) -> Published:
    """Read a date, with its time and zone where it names them.

    A numeric date whose day and month could be swapped (03/04/2021) is read as its year, the
    only part it states for certain; with dots (03.04.2021) the day comes first, as wherever
    dots are written. Two-digit years follow RFC 5322: 50 to 99 are 19xx, the others 20xx.
    Zone names that mean several zones leave the zone unknown; so does RFC 5322's `-0000`.

    Raises:
        ValueError: it is no date, no day of the calendar, a date without its year, or outside
            the years 1500 to 2199.
    """
    text = " ".join(text[: 2 * MAX_DATE_CHARS].split()).replace("−", "-")
    if not text or len(text) > MAX_DATE_CHARS:
        raise ValueError("no date")
    iso = _ISO.fullmatch(text) or _COMPACT_ISO.fullmatch(text)
    if iso:
        return _from_iso(iso)
    date_text, time, zone = _cut_out_time(text)
    day = _date_in_words(date_text)
    if len(day) < len("2022-01-21"):
        return Published(day)  # a time of an unknown day would say more than is known
    return Published(f"{day}T{time}{zone}") if time else Published(day)


def find_date_line(line: str) -> Published | None:
    """Read a line that is a date line and nothing else; None for any other line.

    A label (`Published:`, `Updated`) and a reading time may stand on it; of a publication and
    an update the publication counts. The line must name a day: `2022` or `May 2022` may be a
    heading. Linear in the line, and lines of prose are turned away by their length.
    """
    line = " ".join(line.split()) if len(line) <= 2 * MAX_DATE_CHARS else ""
    if not line or len(line) > MAX_DATE_CHARS or not _MAY_BE_DATE.search(line):
        return None
    stated: list[tuple[bool, Published]] = []
    for is_update, part in _labelled_parts(_READING_TIME.sub("", line)):
        try:
            published = parse_published(part)
        except ValueError:
            if is_update and stated:
                continue  # "Published 3 May 2019 | Updated 5:04 pm"
            return None
        stated.append((is_update, published))
    best = min(stated, key=lambda item: item[0], default=None)
    if best is None or best[1].precision in ("year", "month"):
        return None
    return best[1]


def _labelled_parts(line: str) -> list[tuple[bool, str]]:
    """Cut a line before each label: (is it an update?, what follows the label)."""
    labels = list(_LABEL.finditer(line))
    if not labels:
        return [(False, line)]
    parts = [(False, line[: labels[0].start()])]
    ends = [*(label.start() for label in labels[1:]), len(line)]
    for label, end in zip(labels, ends, strict=True):
        parts.append((label["later"] is not None, line[label.end() : end]))
    stripped = [(is_update, part.strip(_SEPARATORS + "()[]")) for is_update, part in parts]
    return [(is_update, part) for is_update, part in stripped if part]


def _from_iso(match: re.Match[str]) -> Published:
    _check_year(int(match["year"]))
    iso = "-".join(match[name] for name in ("year", "month", "day") if match[name])
    if match["hour"]:
        time = ":".join(match[name] for name in ("hour", "minute", "second") if match[name])
        iso += f"T{time}{_offset(match['zone'] or '')}"
    return Published(iso)


def _check_year(year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"the year {year} is not between {FIRST_YEAR} and {LAST_YEAR}")


def _offset(zone: str) -> str:
    """`Z` or `+02:00` for a zone as written; empty when it is unknown or ambiguous."""
    zone = zone.upper().replace(" ", "")
    if zone in _ZONES:
        return _ZONES[zone]
    match = re.fullmatch(r"(?:GMT|UTC)?([+-])(\d{1,2}):?(\d\d)?", zone, re.ASCII)
    if not match or zone in ("-0000", "-00:00"):
        return ""
    return f"{match[1]}{int(match[2]):02}:{match[3] or '00'}"


def _cut_out_time(text: str) -> tuple[str, str, str]:
    """Split into the date, `HH:MM[:SS]` and the zone; the last two are empty without a time."""
    for match in _TIME.finditer(text):
        if match["minute"] or match["half"] or match["hours"]:
            before = text[: match.start()].rstrip(_SEPARATORS)
            before = _BEFORE_TIME.sub("", before).rstrip(_SEPARATORS)
            after = text[match.end() :].lstrip(_SEPARATORS)
            rfc_822 = _RFC_822.fullmatch(text)
            zone = _RFC_822_ZONES.get(rfc_822["zone"].upper(), "") if rfc_822 else ""
            return f"{before} {after}".strip(), _time(match), zone or _offset(match["zone"] or "")
    return text.strip(_SEPARATORS), "", ""


def _time(match: re.Match[str]) -> str:
    hour = int(match["hours"] or match["hour"])
    half = (match["half"] or "")[:1].lower()
    if half and hour <= 12:  # "19:12 PM" is seen in the wild and means what it says
        hour = hour % 12 + (12 if half == "p" else 0)
    seconds = f":{match['second']}" if match["second"] else ""
    return f"{hour:02}:{match['minutes'] or match['minute'] or '00'}{seconds}"


def _date_in_words(text: str) -> str:
    """The ISO form of a date without its time, as precise as it is. ValueError: it is none."""
    ideographic = _IDEOGRAPHIC.fullmatch(text)
    if ideographic:
        return _iso(*ideographic.groups())
    text = _plain_words(text)
    numeric = _NUMERIC.fullmatch(text)
    if numeric:
        return _numeric_date(numeric)
    for pattern in _IN_WORDS:
        match = pattern.fullmatch(text)
        month = _month_names().get(match["month"]) if match else None
        if match and month:
            return _iso(_full_year(match["year"]), month, match.groupdict().get("day"))
    if re.fullmatch(r"\d{4}", text, re.ASCII):
        return _iso(text, None, None)
    raise ValueError("no date")


def _plain_words(text: str) -> str:
    """Casefold; drop weekdays, ordinal endings, commas and words such as `of` and `de`."""
    words = _JOINT.sub(" ", _ORDINAL.sub("", text.casefold())).split()
    if words and words[0] in _weekday_names():
        words = words[1:]
    elif words and words[-1] in _weekday_names():
        words = words[:-1]
    return " ".join(word for word in words if word not in _FILLERS)


def _numeric_date(match: re.Match[str]) -> str:
    first, separator, second, last = match.groups()
    if len(first) == 4:
        return _iso(first, int(second), last)
    if len(last) not in (2, 4):
        raise ValueError("no year")
    year, a, b = _full_year(last), int(first), int(second)
    if b > 12:
        return _iso(year, a, second)
    if a > 12 or a == b or separator == ".":
        return _iso(year, b, first)
    Published(f"{year}-{a:02}-{b:02}")  # both readings exist, or it is no date at all
    return _iso(year, None, None)


def _full_year(digits: str) -> str:
    if len(digits) == 4:
        return digits
    return f"{'19' if int(digits) >= 50 else '20'}{digits}"


def _iso(year: str, month: int | str | None, day: str | None) -> str:
    _check_year(int(year))
    parts = [year, *(f"{int(part):02}" for part in (month, day) if part is not None)]
    return "-".join(parts)


@cache
def _month_names() -> dict[str, int]:
    """Month names and abbreviations, casefolded and without dots, to 1 ... 12."""
    found: dict[str, set[int]] = {}
    for number, month in enumerate(_MONTHS, start=1):
        for name in _names_of(month):
            found.setdefault(name, set()).add(number)
    return {name: numbers.pop() for name, numbers in found.items() if len(numbers) == 1}


@cache
def _weekday_names() -> frozenset[str]:
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    return frozenset(name for day in days for name in _names_of(day))


def _names_of(english: str) -> set[str]:
    """How the pinned languages write a month or weekday."""
    from dateparser.languages.loader import LocaleDataLoader  # most dates have no names in them

    locales = LocaleDataLoader().get_locales(languages=list(LANGUAGES))
    names = [name for locale in locales for name in locale.info.get(english, ())]
    return {name.casefold().rstrip(".") for name in names}
