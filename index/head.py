"""The lines above a report: headline, date line, byline, section, as a page shows them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from index.article import Published
from index.dates import find_date_line
from index.paragraphs import ends_sentence
from index.promo_lines import is_promo

LONGEST_HEADLINE = 200
LONGEST_HEAD_LINE = 120  # a date line, a byline, or both
LONGEST_DECK = 250
# Lines of other kinds (a kicker, one or two decks) that may stand among those of the head.
MOST_OTHERS = 3

SECTIONS = frozenset(
    """
    world|news|world news|politics|business|economy|finance|markets|money|sport|sports|opinion
    culture|arts|entertainment|lifestyle|life|health|science|technology|tech|travel|education
    environment|climate|europe|asia|africa|americas|middle east|us|u.s.|us news|uk|uk news|national
    international|local|local news|regional|editorial|analysis|features|feature|food|style|media
    crime|law|society|weather|obituaries|letters|blogs|commentary|breaking news|exclusive
    us politics|u.s. politics|uk politics|companies|energy|football|cricket|tennis
    """.replace("\n", "|")
    .replace("    ", "")
    .split("|")
)

_ROLE = (
    r"(?:(?:senior|chief|staff|special|foreign|political|politics|white house|diplomatic|business|"
    r"sports?|health|science|world|news|national|home|crime|economics?|education|environment|"
    r"deputy|managing|associate|contributing|freelance|city|guest) )*"
    r"(?:writers?|reporters?|correspondents?|editors?|columnists?|contributors?|journalists?|"
    r"bureau chief|photographer|producer|desk|staff)"
)
_SOURCE = (
    r"(?:reuters|ap|associated press|the associated press|afp|agence france-presse|upi|dpa|tass|"
    r"xinhua|kyodo|jiji|bloomberg|bbc news|bbc|cnn|npr|the guardian|the new york times|"
    r"the washington post)"
)
_INITIAL = r"(?:[^\W\d_a-zß-ÿ]\.)"
_NAME_WORD = rf"(?:{_INITIAL}+|[^\W\d_a-zß-ÿ][^\W\d_]*(?:['’-][^\W\d_]+)*[.,]?)"
_CONNECTOR = (
    r"(?:and|und|et|y|e|with|of|in|for|the|de|da|di|del|der|den|van|von|la|le|al|el|bin|ibn|&)"
)
_NAMES = rf"{_NAME_WORD}(?: (?:{_CONNECTOR} )*{_NAME_WORD}){{0,14}}"
_BYLINE = re.compile(
    rf"(?i:(?:(?:written|reported|reporting|story|stories|article|posted|published|words|text|"
    rf"compiled|analysis|report) )?by|from|por|par)[: ] ?(?P<names>{_NAMES})"
    rf"(?P<rest>(?:,? (?i:{_ROLE}|{_SOURCE}))*)\.?"
)
_BYLINE_WORDS = frozenset(
    (
        *(
            "by",
            "por",
            "par",
            "from",
            "written",
            "reported",
            "reporting",
            "story",
            "stories",
            "article",
            "posted",
        ),
        *("published", "words", "text", "compiled", "analysis", "report"),
    )
)
_NAMED = re.compile(
    rf"(?P<names>{_NAME_WORD}(?: {_NAME_WORD}){{1,3}}) ?[,|] ?(?i:{_ROLE}|{_SOURCE})"
)
LONE_NAME = re.compile(rf"{_NAME_WORD}(?: (?:{_CONNECTOR} )?{_NAME_WORD}){{1,3}}")
_LEADING_BY = re.compile(
    r"(?:(?:written|reported|reporting|story|article|posted|published|words|text|compiled) )?"
    r"(?:by|por|par)\b[: ]*",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"\S+@\S+\.\w{2,10}|\S+@\S+ / \S+@\S+")
_CUT = re.compile(r" ?[|·•‧] ?| [–—-] ")
_DATE_BEGINS = re.compile(r"(?<=[^\W\d] )(?:on )?(?=(?:[^\W\d_]{3,9}\.? )?\d{1,4}[ ,./-])")
_LATEST = re.compile(r"latest (?=updated?\b)", re.IGNORECASE)
_UPDATE = re.compile(r"(?:last |latest )?(?:updated?|modified|edited)\b", re.IGNORECASE)
_DATELINE = re.compile(
    r"[A-ZÀ-Þ][A-ZÀ-Þ .'’-]{2,30}(?:, [\w. ]{2,30})?(?: \([^)]{2,40}\))? ?(?:--|[–—-]) "
)
_READING_TIME = re.compile(r"\d+ ?-?min(?:ute)?s?(?: read)?", re.IGNORECASE)


@dataclass(slots=True)
class Head:
    """What the lines above the report say. `lines`: the numbers of those that are no report."""

    headline: str = ""
    byline: str = ""
    section: str = ""
    published: Published | None = None
    lines: set[int] = field(default_factory=set)


def read_head(lines: Sequence[str], *, headline: str, pasted: bool) -> Head:
    """Find headline, date, byline and section in the first lines of an article.

    Args:
        lines: the article's paragraphs, each on one line.
        headline: what the source says it is; a line that repeats it is no report. Empty in
            pasted text, whose first line that has a headline's shape becomes the headline.
        pasted: no source says anything; else only lines that are surely no report are taken.
    """
    head = Head(headline=headline)
    others = 0
    updated: Published | None = None
    for number, line in enumerate(lines):
        if others > MOST_OTHERS or len(line) > LONGEST_DECK:
            break
        if is_promo(line):
            continue
        if headline and is_same(line, headline):
            head.lines.add(number)
        elif len(line) <= LONGEST_HEAD_LINE and (read := _head_line(lines, number, head)):
            head.lines.add(number)
            head.byline = head.byline or read.byline
            if read.published and _UPDATE.match(line):
                updated = updated or read.published
            else:
                head.published = head.published or read.published
        elif _is_section(lines, number, head, pasted):
            head.section = head.section or line
            head.lines.add(number)
        elif pasted and not head.headline:
            if not _is_headline(lines, number):
                break
            head.headline = headline = line
            head.lines.add(number)
        else:
            others += 1
    head.published = head.published or updated
    return head


def is_byline(line: str) -> bool:
    """Is the whole line a byline that says "By", wherever in the text it stands?"""
    return len(line) <= LONGEST_HEAD_LINE and _byline(line) != ""


def plain_byline(text: str) -> str:
    """A byline as it is stored: without a leading "By"."""
    rest = _LEADING_BY.sub("", text, count=1) if _LEADING_BY.match(text) else text
    return rest.strip(" ,|·•–—-") if rest else text


def is_same(line: str, headline: str) -> bool:
    """Are these the same words, whatever their case and punctuation?"""
    if not 0 <= abs(len(line) - len(headline)) <= 20:
        return False
    return _letters(line) == _letters(headline)


@dataclass(frozen=True, slots=True)
class _Read:
    byline: str = ""
    published: Published | None = None


def _head_line(lines: Sequence[str], number: int, head: Head) -> _Read | None:
    """Read a line that holds a date, a byline, both, or an address; None: it is another."""
    line = lines[number]
    published = find_date_line(_LATEST.sub("", line, count=1))
    if published:
        return _Read(published=published)
    day, _, section = line.rpartition(" ")
    if section.casefold() in SECTIONS and (published := find_date_line(day)):
        return _Read(published=published)
    byline = _byline(line)
    if byline:
        return _Read(byline=byline)
    if _EMAIL.fullmatch(line) or (head.byline and _is_source(line)):
        return _Read()
    return _mixed(line, head) or _lone_name(lines, number, head)


def _byline(line: str) -> str:
    """The names of a line that is a byline and nothing else; empty: it is none."""
    first = line.split(None, 1)[0].casefold().rstrip(":") if line else ""
    match = _BYLINE.fullmatch(line) if first in _BYLINE_WORDS else None
    if not match or (line[:4].lower() == "from" and not match["rest"]):
        return ""
    return plain_byline(line)


def _mixed(line: str, head: Head) -> _Read | None:
    """`Jane Doe | Reuters | 21 Jan 2022 · 5 min read`, `By Jane Doe January 21, 2022 7:12 pm`."""
    parts = [part for part in _CUT.split(line) if part]
    if len(parts) == 1:
        parts = _cut_before_date(line)
    if len(parts) < 2:
        return _named(line, head)
    names: list[str] = []
    published: Published | None = None
    for part in parts:
        date = find_date_line(part)
        if date:
            published = published or date
        elif byline := _byline(part):
            names.append(byline)
        elif _is_source(part) or LONE_NAME.fullmatch(part):
            names.append(part)
        elif not _READING_TIME.fullmatch(part):
            return None
    says_by = any(_byline(part) for part in parts)
    if not published and not says_by and not (head.headline and any(map(_is_source, parts))):
        return None
    return _Read(byline=", ".join(names), published=published)


def _cut_before_date(line: str) -> list[str]:
    match = _DATE_BEGINS.search(line)
    if not match:
        return [line]
    return [line[: match.start()].strip(" ,"), line[match.end() :]]


def _named(line: str, head: Head) -> _Read | None:
    """`Jane Doe, Staff Writer` below a headline."""
    if head.headline and _NAMED.fullmatch(line):
        return _Read(byline=line)
    return None


def _lone_name(lines: Sequence[str], number: int, head: Head) -> _Read | None:
    """A name alone, next to a date line or above an e-mail address."""
    line = lines[number]
    if not head.headline or head.byline or not LONE_NAME.fullmatch(line):
        return None
    after = lines[number + 1] if number + 1 < len(lines) else ""
    beside_date = number - 1 in head.lines and find_date_line(lines[number - 1]) is not None
    if _EMAIL.fullmatch(after) or find_date_line(after) or beside_date:
        # "The Northport Times" is the outlet.
        return _Read(byline="" if line.casefold().startswith("the ") else line)
    return None


def _is_source(part: str) -> bool:
    return re.fullmatch(rf"(?i:{_SOURCE}|{_ROLE})", part) is not None


def _is_section(lines: Sequence[str], number: int, head: Head, pasted: bool) -> bool:
    """A section's name above the headline: `World`, `POLITICS`."""
    if lines[number].casefold() not in SECTIONS or number + 1 == len(lines):
        return False
    if pasted:
        return not head.headline and _is_headline(lines, number + 1)
    return is_same(lines[number + 1], head.headline)


def _is_headline(lines: Sequence[str], number: int) -> bool:
    """Has the line a headline's shape, and does a report follow it?"""
    line = lines[number]
    words = line.count(" ") + 1
    if not (len(line) <= LONGEST_HEADLINE and 2 <= words <= 30) or line[-1] in ",;:":
        return False
    if ends_sentence(line) and not (line[-1] in "?!" and words <= 20):
        return False
    if (_DATELINE.match(line) and not line.isupper()) or _EMAIL.search(line):
        return False
    return any(not is_promo(later) for later in lines[number + 1 : number + 40])


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
