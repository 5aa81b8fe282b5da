"""The records that travel from a file to the store: source record, article, passage."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import NewType

ArticleId = NewType("ArticleId", str)
PassageId = NewType("PassageId", str)

_PUBLISHED = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<hour>[01]\d|2[0-3]):(?P<minute>\d\d)(?::(?P<second>\d\d))?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
_OWN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@~-]{0,127}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record was read: a file, or `archive.zip!member`, and the line it starts at."""

    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Published:
    """When an article was published, exactly as precise as its source says.

    `iso` is ISO 8601 with reduced precision: `2022`, `2022-01`, `2022-01-21`,
    `2022-01-21T19:12`, `2022-01-21T19:12:30`; with a time it may end in `Z` or `+02:00`.
    Without one the zone is unknown. ValueError if it is none of these or no such date.
    """

    iso: str

    def __post_init__(self) -> None:
        if not _PUBLISHED.fullmatch(self.iso):
            raise ValueError(f"{self.iso!r} is no ISO 8601 date")
        _earliest(self.iso)

    @property
    def precision(self) -> str:
        """`year`, `month`, `day`, `minute` or `second`."""
        parts = _parts(self.iso)
        for name in ("second", "minute", "day", "month"):
            if parts[name]:
                return name
        return "year"

    @property
    def zone(self) -> str | None:
        """`Z`, `+02:00` and the like; None: unknown."""
        return _parts(self.iso)["zone"] or None

    @property
    def on(self) -> date:
        """The day as the source wrote it; of a year or month, the first day."""
        return _earliest(self.iso).date()

    @property
    def instant_s(self) -> int:
        """Seconds since 1970 UTC; an unknown zone is taken as UTC, for sorting only."""
        moment = _earliest(self.iso)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return int(moment.timestamp())


# An article's date is asked for again and again when a report's articles are put in order.
@lru_cache(maxsize=1024)
def _earliest(iso: str) -> datetime:
    # A store's columns are made of these: this is three times as fast as taking them apart.
    return datetime.fromisoformat(iso + "-01-01"[len(iso) - len("YYYY") :])


@lru_cache(maxsize=1024)
def _parts(iso: str) -> Mapping[str, str | None]:
    match = _PUBLISHED.fullmatch(iso)
    assert match  # __post_init__ saw to it
    return match.groupdict()


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One article as a reader found it, before cleaning.

    `body` is its text with paragraphs on lines of their own; `raw` the bytes it was read from.
    What the source does not say is empty, or None for the date: nothing is guessed here.
    """

    origin: Origin
    raw: bytes
    body: str
    headline: str = ""
    outlet: str = ""
    byline: str = ""
    section: str = ""
    language: str = ""
    url: str = ""
    guid: str = ""  # the outlet's own id, unique within the outlet
    own_id: str = ""  # an id that the archive's owner gave (`id`, `_id`), unique in the store
    published: Published | None = None
    pasted: bool = (
        False  # plain text: headline, date and byline may stand in the body's first lines
    )


@dataclass(frozen=True, slots=True)
class Article:
    """One published item, cleaned: `text` is what spans point into."""

    id: ArticleId
    headline: str
    text: str
    outlet: str = ""
    byline: str = ""
    section: str = ""
    language: str = ""  # ISO 639-1; empty: unknown
    url: str = ""
    guid: str = ""
    published: Published | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph of an article: the unit that is embedded and returned."""

    id: PassageId
    article_id: ArticleId
    ordinal: int  # number in the article, from 0
    start: int  # span in Article.text, in code points, end excluded
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Run:
    """`length` code points of Article.text from `start` are SourceRecord.body from `body_start`."""

    start: int
    body_start: int
    length: int


@dataclass(frozen=True, slots=True)
class PreparedArticle:
    """An article ready to be stored, with the source it was made from and the way back to it."""

    article: Article
    passages: tuple[Passage, ...]
    source: SourceRecord
    runs: tuple[Run, ...]
    lines: frozenset[bytes]  # as `recurring.line_hashes` of the body


def article_id(record: SourceRecord) -> ArticleId:
    """The id of a record: the same record gives the same id, today and next year.

    The owner's id as it stands, else a hash of the outlet's guid, else of the canonical URL,
    else of the content. Ids are safe in a URL path.
    """
    if _OWN_ID.fullmatch(record.own_id):
        return ArticleId(record.own_id)
    if record.own_id:
        return ArticleId(_digest("id", record.own_id))
    if record.guid:
        return ArticleId(_digest("guid", record.outlet, record.guid))
    if record.url:
        return ArticleId(_digest("url", record.url))
    return ArticleId(_digest("content", record.headline, record.body))


def passage_id(article: ArticleId, text: str, repeat: int = 0) -> PassageId:
    """`article` + `-` + a hash of the passage's text; `repeat` counts equal passages before it."""
    parts = ("passage", article, text) if repeat == 0 else ("passage", article, text, str(repeat))
    return PassageId(f"{article}-{_digest(*parts)[:12]}")


def embedding_text(headline: str, passage: str) -> str:
    """What the model sees of a passage: the headline gives it its subject."""
    return f"{headline}\n{passage}" if headline else passage


def _digest(*parts: str) -> str:
    hasher = hashlib.blake2b(digest_size=10)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        hasher.update(len(data).to_bytes(8, "big") + data)
    return hasher.hexdigest()
