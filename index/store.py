"""The rows of the SQLite file that holds the truth of a store: written, and read by a reader.

Articles and passages are kept by the sequence number of the commit that added them and of the
one that removed them, so that a reader can see the store exactly as it stood at a commit while
the writer goes on. Removed rows are purged once the word index has passed them.

Every row carries a checksum, see `checksums`.
"""

import json
import sqlite3
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import zstandard

from index.article import (
    Article,
    ArticleId,
    Origin,
    Passage,
    PassageId,
    Published,
    Run,
    SourceRecord,
)
from index.checksums import (
    CHECKED,
    columns_of,
    crc,
    crc_after,
    insert_into,
    is_sound,
    sealed,
    sound,
)
from index.errors import StoreCorruptError


@dataclass(frozen=True, slots=True)
class ArticleRow:
    """An article as the store keeps it."""

    number: int  # the store's own key; one for each version
    id: ArticleId
    version: int  # from 1; rises when the same id comes with other content
    added_seq: int
    headline: str
    outlet: str
    byline: str
    section: str
    language: str
    url: str
    guid: str
    published: Published | None
    text: str


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A passage as the store keeps it, with the article it stands in."""

    number: int  # the store's own key, never used again
    id: PassageId
    ordinal: int
    start: int  # span in article.text, in code points, end excluded
    end: int
    article: ArticleRow

    @property
    def text(self) -> str:
        return self.article.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class EarlierVersion:
    """What an article said before its id came again with other content."""

    version: int
    headline: str
    byline: str
    published: Published | None
    text: str


# Set when a store is made; where one is gone, all that counts on from it would begin anew.
ALWAYS_THERE: Final = ("seq", "purged_seq", "epoch", "last_story")


def meta(connection: sqlite3.Connection, key: str) -> str | int | None:
    """One of the few values that the whole store hangs on; None: it was never set.

    Raises:
        StoreCorruptError: its row fails its check, or is gone.
    """
    row = connection.execute(
        f"SELECT {columns_of('meta')} FROM meta WHERE key = ?", (key,)
    ).fetchone()
    if row is None and key not in ALWAYS_THERE:
        return None
    if row is None or not is_sound("meta", row):
        raise StoreCorruptError(
            f"the store's {key} is damaged (table meta); nothing was changed; "
            "restore the folder from a backup"
        )
    value: str | int = row[1]
    return value


def set_meta(connection: sqlite3.Connection, **values: str | int) -> None:
    connection.executemany(
        insert_into("meta", instead=True), [sealed("meta", *item) for item in values.items()]
    )


def has_changes_since(truth: sqlite3.Connection, horizon: int) -> bool:
    """Whether commits after `horizon` changed what readers see by it: articles, or their labels."""
    row = truth.execute(
        "SELECT EXISTS (SELECT 1 FROM articles WHERE added_seq > :seq OR removed_seq > :seq)"
        " OR EXISTS (SELECT 1 FROM tombstones WHERE seq > :seq)"
        " OR EXISTS (SELECT 1 FROM reports WHERE seq > :seq)"
        " OR EXISTS (SELECT 1 FROM stories WHERE seq > :seq)",
        {"seq": horizon},
    ).fetchone()
    return bool(row[0])


def commit_time_s(truth: sqlite3.Connection, seq: int) -> int | None:
    """When a commit was made, in seconds since 1970 UTC; None: there is none, or it is damaged."""
    rows = sound(
        "commits",
        truth.execute(f"SELECT {columns_of('commits')} FROM commits WHERE seq = ?", (seq,)),
    )
    return int(rows[0][1]) if rows else None


_ARTICLE = columns_of("articles")
_ARTICLES_AT_A_TIME = 200


def insert_article(
    connection: sqlite3.Connection,
    article: Article,
    source: SourceRecord,
    runs: Sequence[Run],
    *,
    version: int,
    seq: int,
    content: bytes,
) -> int:
    """Write an article, and the source that its `runs` lead to; returns its number."""
    number = next_number(connection, "articles")
    columns = (
        number,
        article.id,
        version,
        seq,
        article.headline,
        article.outlet,
        article.byline,
        article.section,
        article.language,
        article.url,
        article.guid,
        article.published.iso if article.published else "",
        compressed(article.text),
        content,
    )
    head_crc = article_head_crc(dict(zip(CHECKED["articles"], columns, strict=False)))
    connection.execute(insert_into("articles"), sealed("articles", *columns, head_crc, None))
    connection.execute(
        insert_into("sources"), sealed("sources", number, _pack_source(source, runs))
    )
    return number


# What a snapshot keeps of every article, to filter and to order by.
ARTICLE_HEAD: Final = (
    "number",
    "id",
    "published",
    "outlet",
    "byline",
    "section",
    "language",
)


def article_head_crc(article: Mapping[str, Any]) -> int:
    """What an article's `head_crc` must be: its head is checked without reading its text."""
    return crc(*(article[name] for name in ARTICLE_HEAD))


def insert_passages(
    connection: sqlite3.Connection,
    article: int,
    passages: Sequence[Passage],
    embeddings: Sequence[bytes],
    embedded_seqs: Sequence[int | None],
) -> None:
    """Write an article's passages; `embeddings` are the hashes of their embedding texts."""
    first = next_number(connection, "passages")
    rows = [
        (first + at, p.id, article, p.ordinal, p.start, p.end, embedding)
        for at, (p, embedding) in enumerate(zip(passages, embeddings, strict=True))
    ]
    connection.executemany(
        insert_into("passages"),
        [
            sealed("passages", *row, embedded_seq)
            for row, embedded_seq in zip(rows, embedded_seqs, strict=True)
        ],
    )


def next_number(connection: sqlite3.Connection, table: str) -> int:
    """The number of a table's next row: higher than any that it ever had.

    SQLite keeps the highest in a row without a checksum: what is there is looked at as well.
    """
    # Tombstones stay, so that a passage's number is safe when the passage is gone.
    tombstones = "UNION ALL SELECT max(passage) FROM tombstones" if table == "passages" else ""
    row = connection.execute(
        f"SELECT max(last) FROM (SELECT seq AS last FROM sqlite_sequence WHERE name = ? "
        f"UNION ALL SELECT max(number) FROM {table} {tombstones})",
        (table,),
    ).fetchone()
    return int(row[0] or 0) + 1


# Of a passage `p`. No join: for that the planner reads all articles, however few the passages are.
OF_LIVE_ARTICLE = (
    "EXISTS (SELECT 1 FROM articles a WHERE a.number = p.article AND a.removed_seq IS NULL)"
)
_PASSAGE = columns_of("passages", "p")
_PASSAGES_AT = f"""
SELECT {_PASSAGE} FROM passages p JOIN articles a ON a.number = p.article
WHERE a.added_seq <= :horizon AND (a.removed_seq IS NULL OR a.removed_seq > :horizon)
AND NOT EXISTS (SELECT 1 FROM tombstones t WHERE t.passage = p.number AND t.seq <= :horizon)
"""


def passage_rows(
    connection: sqlite3.Connection, numbers: Sequence[int], horizon: int
) -> dict[int, PassageRow]:
    """The passages of these numbers that stood at `horizon`, each checked against its CRCs.

    A row that fails its check, or that a tombstone says is removed, is missing.
    """
    rows = connection.execute(
        f"{_PASSAGES_AT} AND p.number IN (SELECT value FROM json_each(:numbers))",
        {"horizon": horizon, "numbers": json.dumps([int(number) for number in numbers])},
    )
    whole = [row for row in rows if is_sound("passages", row)]
    # Each article is read once, however many of its passages are asked for.
    articles = articles_numbered(connection, {row[2] for row in whole})
    return {row[0]: _passage_row(row, articles[row[2]]) for row in whole if row[2] in articles}


def passage_by_id(
    connection: sqlite3.Connection, passage_id: str, horizon: int
) -> PassageRow | None:
    row = connection.execute(
        f"{_PASSAGES_AT} AND p.id = :id", {"horizon": horizon, "id": passage_id}
    ).fetchone()
    found = passage_rows(connection, [row[0]], horizon).get(row[0]) if row else None
    # An index that is damaged leads to another row, which is whole.
    return found if found and found.id == passage_id else None


def articles_numbered(
    connection: sqlite3.Connection, numbers: Collection[int]
) -> dict[int, ArticleRow]:
    """The articles of these numbers, whether they still stand or not; damaged ones are missing."""
    rows = connection.execute(
        f"SELECT {_ARTICLE} FROM articles WHERE number IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(numbers)),),
    )
    found = (_article_row(row) for row in rows)
    return {article.number: article for article in found if article is not None}


def all_articles(connection: sqlite3.Connection) -> Iterator[ArticleRow]:
    """Every article, whether it still stands or not; damaged ones are missing.

    It comes to its end whatever is damaged: which there are is asked once, before the first.
    """
    numbers = [row[0] for row in connection.execute("SELECT number FROM articles ORDER BY number")]
    for at in range(0, len(numbers), _ARTICLES_AT_A_TIME):
        yield from articles_numbered(connection, numbers[at : at + _ARTICLES_AT_A_TIME]).values()


def articles_at(
    connection: sqlite3.Connection, numbers: Collection[int], horizon: int
) -> tuple[ArticleRow, ...]:
    """Those of these numbers that stood at `horizon`, in order; damaged ones are missing."""
    rows = connection.execute(
        "SELECT number FROM articles WHERE number IN (SELECT value FROM json_each(:numbers)) "
        "AND added_seq <= :horizon AND (removed_seq IS NULL OR removed_seq > :horizon)",
        {"numbers": json.dumps(sorted(numbers)), "horizon": horizon},
    )
    found = articles_numbered(connection, [row[0] for row in rows])
    return tuple(found[number] for number in sorted(found))


def articles_added(
    connection: sqlite3.Connection, since: int
) -> Iterator[tuple[ArticleRow, tuple[PassageRow, ...]]]:
    """Live articles added after `since`, with their passages; damaged rows are missing."""
    rows = connection.execute(
        f"SELECT {_ARTICLE} FROM articles "
        "WHERE added_seq > ? AND removed_seq IS NULL ORDER BY +number",  # by index of added_seq
        (since,),
    )
    for row in rows:
        article = _article_row(row)
        if article is not None:
            yield article, passages_of(connection, article)


def article_by_id(
    connection: sqlite3.Connection, article_id: str, horizon: int
) -> ArticleRow | None:
    """The article of this id that stood at `horizon`; failing that, of this URL or guid."""
    for column in ("id", "url", "guid"):
        row = connection.execute(
            f"SELECT {_ARTICLE} FROM articles "
            f"WHERE {column} = :value AND {column} <> '' AND added_seq <= :horizon "
            "AND (removed_seq IS NULL OR removed_seq > :horizon) ORDER BY number LIMIT 1",
            {"value": article_id, "horizon": horizon},
        ).fetchone()
        if row:
            found = _article_row(row)
            # An index that is damaged leads to another row, which is whole.
            return found if found and getattr(found, column) == article_id else None
    return None


def live_number(connection: sqlite3.Connection, article_id: ArticleId) -> int | None:
    """The number of the live article of this id; None: there is none.

    Raises:
        StoreCorruptError: the index over ids leads to another article.
    """
    row = connection.execute(
        "SELECT number FROM articles WHERE id = ? AND removed_seq IS NULL", (article_id,)
    ).fetchone()
    if row is None:
        return None
    # By its number, so that it is not the index that says what it is.
    found = connection.execute("SELECT id FROM articles WHERE number = ?", row).fetchone()
    if found != (article_id,):
        raise StoreCorruptError(
            f"an index of the database is damaged at the article {article_id}; nothing was "
            "changed; run `nutgraf repair`"
        )
    return int(row[0])


def keep_version(connection: sqlite3.Connection, article_id: ArticleId) -> None:
    """Keep what the live article of this id says, which a new version is about to replace."""
    rows = sound(
        "articles",
        connection.execute(
            f"SELECT {_ARTICLE} FROM articles WHERE id = ? AND removed_seq IS NULL", (article_id,)
        ),
    )
    for row in rows:
        article = dict(zip(CHECKED["articles"], row, strict=True))
        kept = (article[name] for name in ("version", "headline", "byline", "published", "text"))
        connection.execute(
            insert_into("superseded", instead=True), sealed("superseded", article_id, *kept, None)
        )


def forget_versions(connection: sqlite3.Connection, article_id: ArticleId, seq: int) -> None:
    """Let go of a removed article's earlier versions, for readers from `seq` on."""
    connection.execute(
        f"UPDATE superseded SET removed_seq = :seq, crc = {crc_after('removed_seq', ':seq')} "
        "WHERE article_id = :id AND removed_seq IS NULL",
        {"seq": seq, "id": article_id},
    )


def purge_versions(connection: sqlite3.Connection, horizon: int) -> None:
    connection.execute("DELETE FROM superseded WHERE removed_seq <= ?", (horizon,))


def earlier_versions(
    connection: sqlite3.Connection, article: ArticleRow, horizon: int
) -> tuple[EarlierVersion, ...]:
    """What the article said before, oldest first; rows that fail their check are missing."""
    rows = sound(
        "superseded",
        connection.execute(
            f"SELECT {columns_of('superseded')} FROM superseded "
            "WHERE article_id = ? AND version < ? AND (removed_seq IS NULL OR removed_seq > ?) "
            "ORDER BY version",
            (article.id, article.version, horizon),
        ),
    )
    return tuple(
        EarlierVersion(
            version,
            headline,
            byline,
            Published(published) if published else None,
            decompressed(text),
        )
        for _, version, headline, byline, published, text, _ in rows
    )


def passages_of(connection: sqlite3.Connection, article: ArticleRow) -> tuple[PassageRow, ...]:
    """An article's passages, in order; rows that fail their check are missing."""
    rows = connection.execute(
        f"SELECT {_PASSAGE} FROM passages p WHERE p.article = ? ORDER BY p.ordinal",
        (article.number,),
    )
    return tuple(
        _passage_row(row, article) for row in sound("passages", rows) if row[2] == article.number
    )


def is_whole(connection: sqlite3.Connection, article: int) -> bool:
    """Whether an article's row, its source and its passages pass their checks."""
    return all(
        is_sound(table, row)
        for table, key in (("articles", "number"), ("sources", "article"), ("passages", "article"))
        for row in connection.execute(
            f"SELECT {columns_of(table)} FROM {table} WHERE {key} = ?", (article,)
        )
    )


def source_of(connection: sqlite3.Connection, article: int) -> SourceRecord:
    """The record an article was made from.

    Raises:
        StoreCorruptError: the row fails its check.
    """
    return traced_source_of(connection, article)[0]


def traced_source_of(
    connection: sqlite3.Connection, article: int
) -> tuple[SourceRecord, tuple[Run, ...]]:
    """The record an article was made from, and where in its body the article's text stands.

    Raises:
        StoreCorruptError: the row fails its check.
    """
    row = connection.execute(
        f"SELECT {columns_of('sources')} FROM sources WHERE article = ?", (article,)
    ).fetchone()
    if row is None or not is_sound("sources", row):
        raise StoreCorruptError(
            f"the source of article number {article} is damaged; add that article again"
        )
    return _unpack_source(row[1])


def compressed(text: str) -> bytes:
    """A text as it lies in a row."""
    return _compress(text.encode())


def decompressed(blob: bytes) -> str:
    """What `compressed` was given."""
    return _decompress(blob).decode()


def _passage_row(passage: tuple[Any, ...], article: ArticleRow) -> PassageRow:
    number, id_, _, ordinal, start, end, *_ = passage
    return PassageRow(number, id_, ordinal, start, end, article)


def _article_row(row: tuple[object, ...]) -> ArticleRow | None:
    if not is_sound("articles", row):
        return None
    *fields, published, text, _, _, _, _ = row
    return ArticleRow(
        *fields,  # type: ignore[arg-type, call-arg]
        Published(str(published)) if published else None,
        decompressed(text),  # type: ignore[arg-type]
    )


_NOT_IN_HEAD = frozenset({"raw", "body", "origin", "published"})


def _pack_source(source: SourceRecord, runs: Sequence[Run]) -> bytes:
    head: dict[str, object] = {
        name: getattr(source, name) for name in SourceRecord.__slots__ if name not in _NOT_IN_HEAD
    }
    head["origin"] = {"path": source.origin.path, "line": source.origin.line}
    head["published"] = source.published.iso if source.published else None
    head["runs"] = [(run.start, run.body_start, run.length) for run in runs]
    parts = [json.dumps(head).encode(), source.body.encode("utf-8", "surrogatepass"), source.raw]
    return _compress(b"".join(len(part).to_bytes(8, "little") + part for part in parts))


def _unpack_source(blob: bytes) -> tuple[SourceRecord, tuple[Run, ...]]:
    data, parts = _decompress(blob), []
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 8], "little")
        parts.append(data[at + 8 : at + 8 + length])
        at += 8 + length
    head = json.loads(parts[0])
    runs = tuple(Run(*run) for run in head.pop("runs"))
    published = head.pop("published")
    origin = Origin(**head.pop("origin"))
    record = SourceRecord(
        **head,
        origin=origin,
        raw=parts[2],
        body=parts[1].decode("utf-8", "surrogatepass"),
        published=Published(published) if published else None,
    )
    return record, runs


class _Zstandard(threading.local):
    """Of each thread its own: for one text they take a quarter of what it takes to make them."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=3)
        self.decompressor = zstandard.ZstdDecompressor()


_ZSTANDARD: Final = _Zstandard()


def _compress(data: bytes) -> bytes:
    return _ZSTANDARD.compressor.compress(data)


def _decompress(data: bytes) -> bytes:
    return _ZSTANDARD.decompressor.decompress(data)
