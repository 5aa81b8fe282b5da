"""Collections: the passages and stretches of text that a reader marked, with notes.

A mark keeps what it quotes and where that came from: a reference to it can be made whatever
becomes of the article. Marks have no part in answers.
"""

import hashlib
import logging
import re
import secrets
import sqlite3
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from index import store
from index.article import ArticleId, PassageId, Published
from index.checksums import insert_into, is_sound, sealed
from index.errors import BadQueryError, NotFoundError
from index.model import encodable

MAX_NAME_CHARS: Final = 200
MAX_NOTE_CHARS: Final = 10_000

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Collection:
    """A list of marks under a name that no other collection of the store has."""

    id: str
    name: str
    made_s: int  # seconds since 1970 UTC

    @property
    def made_at(self) -> datetime:
        return datetime.fromtimestamp(self.made_s, UTC)


@dataclass(frozen=True, slots=True)
class Marked:
    """What a mark quotes, and its source as it was then.

    A whole article has no span (0, 0) and no quote; of all else, `end - start == len(quote)`.
    """

    article_id: ArticleId
    passage_id: PassageId | None  # None: a whole article, or a stretch over several passages
    start: int  # span in the article's text, in code points, end excluded
    end: int
    quote: str
    headline: str
    outlet: str
    byline: str
    section: str
    language: str
    url: str
    published: Published | None
    digest: str  # of the article's whole text, see `digest_of`

    @property
    def is_whole_article(self) -> bool:
        return self.start == self.end


@dataclass(frozen=True, slots=True)
class Mark:
    """Something marked in a collection."""

    number: int  # never used again
    marked: Marked
    note: str  # empty: none
    marked_s: int  # seconds since 1970 UTC

    @property
    def marked_at(self) -> datetime:
        return datetime.fromtimestamp(self.marked_s, UTC)


def digest_of(text: str) -> str:
    """Tells one text from another: 20 hexadecimal digits."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()


def make(
    truth: sqlite3.Connection, name: str, made_s: int | None = None
) -> tuple[Collection, bool]:
    """The collection of this name, and whether it is new. `made_s`: when; None: now.

    Raises:
        BadQueryError: the name is empty or too long.
    """
    name = _checked(name)
    if there := named(truth, name):
        return there, False
    collection = Collection(
        f"c{secrets.token_hex(4)}", name, _now_s() if made_s is None else made_s
    )
    columns = (collection.id, collection.name, collection.made_s)
    truth.execute(insert_into("collections"), sealed("collections", *columns))
    return collection, True


def rename(truth: sqlite3.Connection, collection_id: str, name: str) -> Collection:
    """The collection under its new name.

    Raises:
        NotFoundError: there is no such collection.
        BadQueryError: the name is empty, too long, or another collection's.
    """
    collection = replace(by_id(truth, collection_id), name=_checked(name))
    other = named(truth, collection.name)
    if other and other.id != collection.id:
        raise BadQueryError(
            "name",
            f"there is another collection {other.name!r}, {other.id}",
            "choose another name",
        )
    columns = (collection.id, collection.name, collection.made_s)
    truth.execute(insert_into("collections", instead=True), sealed("collections", *columns))
    return collection


def remove(truth: sqlite3.Connection, collection_id: str) -> None:
    """Remove a collection with its marks.

    Raises:
        NotFoundError: there is no such collection.
    """
    found = by_id(truth, collection_id)
    truth.execute("DELETE FROM collections WHERE id = ?", (found.id,))
    truth.execute("DELETE FROM marks WHERE collection = ?", (found.id,))


def by_id(truth: sqlite3.Connection, collection_id: str) -> Collection:
    """A collection by its id.

    Raises:
        NotFoundError: there is none.
    """
    rows = truth.execute("SELECT * FROM collections WHERE id = ?", (encodable(collection_id),))
    found = next(filter(None, map(_collection, rows)), None)
    if found is None:
        raise _no_collection(collection_id)
    return found


def named(truth: sqlite3.Connection, name: str) -> Collection | None:
    """The collection of exactly this name."""
    rows = truth.execute("SELECT * FROM collections WHERE name = ?", (encodable(name),))
    return next(filter(None, map(_collection, rows)), None)


def listed(truth: sqlite3.Connection) -> list[tuple[Collection, int]]:
    """All collections by name, each with the number of its marks."""
    counts = dict(truth.execute("SELECT collection, count(*) FROM marks GROUP BY collection"))
    found = filter(None, map(_collection, truth.execute("SELECT * FROM collections")))
    ordered = sorted(found, key=lambda each: (each.name.casefold(), each.name))
    return [(collection, counts.get(collection.id, 0)) for collection in ordered]


def put(
    truth: sqlite3.Connection,
    collection_id: str,
    marked: Marked,
    note: str | None = None,
    marked_s: int | None = None,
) -> tuple[Mark, bool]:
    """The mark of this stretch in a collection, and whether it is new.

    The same stretch with the same quote is marked once. A note replaces the one it has; None
    leaves that as it is. `marked_s`: when it was marked; None: now.

    Raises:
        NotFoundError: there is no such collection.
        BadQueryError: the note is too long.
    """
    by_id(truth, collection_id)
    rows = truth.execute(
        "SELECT * FROM marks WHERE collection = ? AND article_id = ? AND start = ? "
        'AND "end" = ? AND quote = ?',
        (collection_id, marked.article_id, marked.start, marked.end, marked.quote),
    )
    there = next(filter(None, map(_mark, rows)), None)
    if there is None:
        return _insert(truth, collection_id, marked, note or "", marked_s), True
    return (there if note is None else _annotate(truth, collection_id, there, note)), False


def annotate(truth: sqlite3.Connection, collection_id: str, number: int, note: str) -> Mark:
    """The mark with its new note; empty: none.

    Raises:
        NotFoundError: the collection has no such mark.
        BadQueryError: the note is too long.
    """
    return _annotate(truth, collection_id, mark(truth, collection_id, number), note)


def unmark(truth: sqlite3.Connection, collection_id: str, number: int) -> None:
    """Take a mark out of a collection.

    Raises:
        NotFoundError: the collection has no such mark.
    """
    if not truth.execute(
        "DELETE FROM marks WHERE collection = ? AND number = ?", (collection_id, number)
    ).rowcount:
        raise _no_mark(collection_id, number)


def mark(truth: sqlite3.Connection, collection_id: str, number: int) -> Mark:
    """A mark by its number.

    Raises:
        NotFoundError: the collection has no such mark.
    """
    rows = truth.execute(
        "SELECT * FROM marks WHERE collection = ? AND number = ?", (collection_id, number)
    )
    found = next(filter(None, map(_mark, rows)), None)
    if found is None:
        raise _no_mark(collection_id, number)
    return found


def marks(truth: sqlite3.Connection, collection_id: str) -> tuple[list[Mark], int]:
    """A collection's marks in the order they were made, and how many rows are damaged."""
    rows = truth.execute(
        "SELECT * FROM marks WHERE collection = ? ORDER BY number", (collection_id,)
    ).fetchall()
    sound = [found for found in map(_mark, rows) if found]
    return sound, len(rows) - len(sound)


def _insert(
    truth: sqlite3.Connection,
    collection_id: str,
    marked: Marked,
    note: str,
    marked_s: int | None,
) -> Mark:
    number = store.next_number(truth, "marks")
    new = Mark(number, marked, _checked_note(note), _now_s() if marked_s is None else marked_s)
    truth.execute(insert_into("marks"), sealed("marks", *_columns(collection_id, new)))
    return new


def _annotate(truth: sqlite3.Connection, collection_id: str, there: Mark, note: str) -> Mark:
    noted = replace(there, note=_checked_note(note))
    truth.execute(
        insert_into("marks", instead=True), sealed("marks", *_columns(collection_id, noted))
    )
    return noted


def _columns(collection_id: str, mark: Mark) -> tuple[str | int, ...]:
    marked = mark.marked
    return (
        mark.number,
        collection_id,
        marked.article_id,
        marked.passage_id or "",
        marked.start,
        marked.end,
        marked.quote,
        marked.headline,
        marked.outlet,
        marked.byline,
        marked.section,
        marked.language,
        marked.url,
        marked.published.iso if marked.published else "",
        marked.digest,
        mark.note,
        mark.marked_s,
    )


def _collection(row: tuple[Any, ...]) -> Collection | None:
    if not is_sound("collections", row):
        logger.error("damaged row left out table=collections id=%s", row[0])
        return None
    return Collection(*row[:-1])


def _mark(row: tuple[Any, ...]) -> Mark | None:
    if not is_sound("marks", row):
        logger.error("damaged row left out table=marks number=%s", row[0])
        return None
    number, _, article_id, passage_id, start, end, quote, *source, note, marked_s, _ = row
    headline, outlet, byline, section, language, url, published, digest = source
    marked = Marked(
        article_id=article_id,
        passage_id=passage_id or None,
        start=start,
        end=end,
        quote=quote,
        headline=headline,
        outlet=outlet,
        byline=byline,
        section=section,
        language=language,
        url=url,
        published=Published(published) if published else None,
        digest=digest,
    )
    return Mark(number, marked, note, marked_s)


def _checked(name: str) -> str:
    """A name on one line, without what a terminal would act on."""
    name = " ".join(_CONTROLS.sub(" ", encodable(name)).split())
    if not 1 <= len(name) <= MAX_NAME_CHARS:
        raise BadQueryError("name", f"it has {len(name)} characters", f"give 1 to {MAX_NAME_CHARS}")
    return name


def _checked_note(note: str) -> str:
    note = encodable(note).strip()
    if len(note) > MAX_NOTE_CHARS:
        raise BadQueryError(
            "note", f"it has {len(note):,} characters", f"{MAX_NOTE_CHARS:,} at most; shorten it"
        )
    return note


def _no_collection(collection_id: str) -> NotFoundError:
    return NotFoundError(f"no collection has the id {collection_id!r}")


def _no_mark(collection_id: str, number: int) -> NotFoundError:
    return NotFoundError(f"collection {collection_id} has no mark {number}")


def _now_s() -> int:
    return int(time.time())
