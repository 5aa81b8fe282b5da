"""The SQLite file that holds the truth of a store; everything else in the folder follows it.

Articles and passages are kept by the sequence number of the commit that added them and of the
one that removed them, so that a reader can see the store exactly as it stood at a commit while
the writer goes on. Removed rows are purged once the word index has passed them.

Every row that is served carries a CRC-32 over its columns: SQLite's own check does not see a
flipped bit inside a value.
"""

import json
import os
import sqlite3
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import zstandard

from index.article import (
    ArticleId,
    Origin,
    Passage,
    PassageId,
    PreparedArticle,
    Published,
    Run,
    SourceRecord,
)
from index.errors import StoreCorruptError, StoreFormatError

DATABASE: Final = "nutgraf.db"
WORDS: Final = "words"
SEGMENTS: Final = "segments"
FORMAT: Final = 1

_APPLICATION_ID = 0x4E475246  # "NGRF"
# A query must not wait for a writer: WAL readers never do; this covers recovery after a crash.
_BUSY_TIMEOUT_S = 10.0
_WAL_LIMIT_BYTES = 64 << 20
# Fingerprints of new articles fall on all pages of their table: those of 37,554 articles of press
# are 30 MB. With SQLite's 2 MB each page is read and written many times in one commit.
_WRITER_CACHE_KIB = 64 << 10

_DRAFT = "nutgraf.new"  # what becomes the database; a crash may leave it, and SQLite's files to it

_SCHEMA = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE articles (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    added_seq INTEGER NOT NULL,
    removed_seq INTEGER,
    headline TEXT NOT NULL,
    outlet TEXT NOT NULL,
    byline TEXT NOT NULL,
    section TEXT NOT NULL,
    language TEXT NOT NULL,
    url TEXT NOT NULL,
    guid TEXT NOT NULL,
    published TEXT NOT NULL,
    text BLOB NOT NULL,
    content BLOB NOT NULL,
    crc INTEGER NOT NULL
);
CREATE UNIQUE INDEX live_articles ON articles (id) WHERE removed_seq IS NULL;
CREATE INDEX articles_by_id ON articles (id);
CREATE INDEX articles_by_url ON articles (url) WHERE url <> '';
CREATE INDEX articles_by_guid ON articles (guid) WHERE guid <> '';
CREATE INDEX articles_by_added_seq ON articles (added_seq);
CREATE INDEX articles_by_removed_seq ON articles (removed_seq) WHERE removed_seq IS NOT NULL;
CREATE TABLE sources (article INTEGER PRIMARY KEY, source BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE lines (article INTEGER PRIMARY KEY, outlet TEXT NOT NULL, hashes BLOB NOT NULL);
CREATE INDEX lines_by_outlet ON lines (outlet);
CREATE TABLE recurring (outlet TEXT, hash BLOB, PRIMARY KEY (outlet, hash)) WITHOUT ROWID;
CREATE TABLE passages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    article INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    embedding BLOB NOT NULL,
    embedded_seq INTEGER,
    crc INTEGER NOT NULL
);
CREATE INDEX passages_by_id ON passages (id);
CREATE INDEX passages_by_article ON passages (article, ordinal);
CREATE INDEX passages_by_embedding ON passages (embedding);
CREATE INDEX passages_waiting ON passages (number) WHERE embedded_seq IS NULL;
CREATE INDEX passages_by_embedded_seq ON passages (embedded_seq) WHERE embedded_seq IS NOT NULL;
CREATE TABLE vectors (
    number INTEGER PRIMARY KEY,
    model TEXT NOT NULL,
    embedding BLOB NOT NULL,
    vector BLOB NOT NULL,
    crc INTEGER NOT NULL,
    UNIQUE (model, embedding)
);
CREATE TABLE tombstones (
    passage INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    article_id TEXT NOT NULL,
    seq INTEGER NOT NULL
);
CREATE INDEX tombstones_by_seq ON tombstones (seq);
CREATE INDEX tombstones_by_id ON tombstones (id);
CREATE INDEX tombstones_by_article_id ON tombstones (article_id);
CREATE TABLE superseded (
    article_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    headline TEXT NOT NULL,
    byline TEXT NOT NULL,
    published TEXT NOT NULL,
    text BLOB NOT NULL,
    crc INTEGER NOT NULL,
    removed_seq INTEGER,
    PRIMARY KEY (article_id, version)
) WITHOUT ROWID;
CREATE INDEX superseded_by_removed_seq ON superseded (removed_seq) WHERE removed_seq IS NOT NULL;
CREATE TABLE sketches (
    article INTEGER PRIMARY KEY,
    report INTEGER NOT NULL,
    piece INTEGER NOT NULL,
    marked INTEGER NOT NULL,
    day INTEGER,
    words INTEGER NOT NULL,
    fingerprints BLOB NOT NULL
);
CREATE INDEX sketches_by_report ON sketches (report);
CREATE INDEX sketches_by_piece ON sketches (piece, marked);
CREATE TABLE fingerprints (
    hash INTEGER, report INTEGER, PRIMARY KEY (hash, report)
) WITHOUT ROWID;
CREATE TABLE reports (
    article INTEGER,
    seq INTEGER,
    report INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (article, seq)
) WITHOUT ROWID;
CREATE INDEX reports_by_seq ON reports (seq);
CREATE TABLE term_counts (
    language TEXT, term INTEGER, articles INTEGER NOT NULL, PRIMARY KEY (language, term)
) WITHOUT ROWID;
CREATE TABLE term_vectors (
    article INTEGER PRIMARY KEY, vector BLOB NOT NULL, crc INTEGER NOT NULL
);
CREATE TABLE points (
    report INTEGER PRIMARY KEY, story INTEGER NOT NULL, day INTEGER NOT NULL
);
CREATE INDEX points_by_story ON points (story);
CREATE TABLE postings (
    term INTEGER,
    day INTEGER,
    report INTEGER,
    weight REAL NOT NULL,
    PRIMARY KEY (term, day, report)
) WITHOUT ROWID;
CREATE TABLE stories (
    article INTEGER,
    seq INTEGER,
    story INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (article, seq)
) WITHOUT ROWID;
CREATE INDEX stories_by_seq ON stories (seq);
CREATE TABLE merged_stories (
    story INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    successor INTEGER NOT NULL,
    crc INTEGER NOT NULL
);
CREATE TABLE former_passages (
    id TEXT,
    seq INTEGER,
    article_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    start INTEGER NOT NULL,
    text BLOB NOT NULL,
    crc INTEGER NOT NULL,
    removed_seq INTEGER,
    PRIMARY KEY (id, seq)
) WITHOUT ROWID;
CREATE INDEX former_passages_by_article_id ON former_passages (article_id);
CREATE INDEX former_passages_by_removed_seq ON former_passages (removed_seq)
WHERE removed_seq IS NOT NULL;
CREATE TABLE commits (seq INTEGER PRIMARY KEY, at_s INTEGER NOT NULL);
CREATE TABLE searches (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    request TEXT NOT NULL,
    saved_s INTEGER NOT NULL,
    seen BLOB NOT NULL,
    crc INTEGER NOT NULL,
    delivered INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE entries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    search TEXT NOT NULL,
    report_id TEXT NOT NULL,
    article_id TEXT NOT NULL,
    passage_id TEXT NOT NULL,
    entered_s INTEGER NOT NULL,
    crc INTEGER NOT NULL
);
CREATE INDEX entries_by_search ON entries (search, number);
CREATE TABLE collections (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, made_s INTEGER NOT NULL, crc INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE marks (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL,
    article_id TEXT NOT NULL,
    passage_id TEXT NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    quote TEXT NOT NULL,
    headline TEXT NOT NULL,
    outlet TEXT NOT NULL,
    byline TEXT NOT NULL,
    section TEXT NOT NULL,
    language TEXT NOT NULL,
    url TEXT NOT NULL,
    published TEXT NOT NULL,
    digest TEXT NOT NULL,
    note TEXT NOT NULL,
    marked_s INTEGER NOT NULL,
    crc INTEGER NOT NULL
);
CREATE INDEX marks_by_collection ON marks (collection, number);
CREATE INDEX marks_by_article ON marks (collection, article_id, start);
CREATE TABLE rejections (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL,
    line INTEGER NOT NULL,
    reason TEXT NOT NULL,
    advice TEXT NOT NULL,
    rejected_s INTEGER NOT NULL,
    crc INTEGER NOT NULL
);
CREATE TABLE segments (
    name TEXT PRIMARY KEY,
    model TEXT NOT NULL,
    passages INTEGER NOT NULL,
    sha256 TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE generations (number INTEGER PRIMARY KEY AUTOINCREMENT, max_seq INTEGER NOT NULL);
CREATE TABLE generation_segments (
    generation INTEGER, segment TEXT, PRIMARY KEY (generation, segment)
) WITHOUT ROWID;
CREATE TABLE idempotency_keys (
    key TEXT PRIMARY KEY, request BLOB NOT NULL, outcomes TEXT NOT NULL, at_s INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO meta VALUES ('seq', 0), ('purged_seq', 0), ('epoch', 0);
INSERT INTO generations (max_seq) VALUES (0);
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {FORMAT};
"""


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


def create_or_open(folder: Path) -> sqlite3.Connection:
    """A connection for the one writer; makes the store if the folder is absent or empty.

    Raises:
        StoreFormatError: the folder holds something else, or a newer format.
    """
    database = folder / DATABASE
    if not database.exists():
        refuse_foreign_folder(folder)
        folder.mkdir(parents=True, exist_ok=True)
        _create(database)
    (folder / SEGMENTS).mkdir(exist_ok=True)
    connection = _connect(database.resolve().as_uri(), folder)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
    connection.execute(f"PRAGMA cache_size = -{_WRITER_CACHE_KIB}")
    return connection


def open_readonly(folder: Path) -> sqlite3.Connection:
    """A connection that can only read.

    Raises:
        StoreFormatError: there is no store in the folder, or one of a newer format.
    """
    database = folder / DATABASE
    if not database.exists():
        raise StoreFormatError(
            f"{folder}: there is no store here; make one with `nutgraf add PATH --store {folder}`"
        )
    return _connect(f"{database.resolve().as_uri()}?mode=ro", folder)


def check_format(connection: sqlite3.Connection, folder: Path) -> None:
    """Raise StoreFormatError unless this Nutgraf reads and writes the database's format."""
    try:
        application_id = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise StoreCorruptError(
            f"{folder / DATABASE}: not readable as a database ({error}); "
            "nothing was changed; restore the folder from a backup"
        ) from error
    if application_id != _APPLICATION_ID:
        raise StoreFormatError(f"{folder / DATABASE}: not a Nutgraf store; choose another folder")
    if version > FORMAT:
        raise StoreFormatError(
            f"{folder}: the store has format {version}, this Nutgraf knows up to {FORMAT}; "
            "nothing was changed; install the newer Nutgraf"
        )


def refuse_foreign_folder(folder: Path) -> None:
    """Raise StoreFormatError if the folder holds what is no store, nor the beginnings of one."""
    try:
        names = {entry.name for entry in folder.iterdir()}
    except FileNotFoundError:
        return
    ours = {DATABASE, SEGMENTS, "writer.lock"}
    if DATABASE not in names and any(not name.startswith(_DRAFT) for name in names - ours):
        raise StoreFormatError(
            f"{folder}: not empty and no Nutgraf store; choose an empty or a new folder"
        )


def _create(database: Path) -> None:
    """Make an empty store beside its name, then give it the name: never seen half made."""
    draft = database.with_name(_DRAFT)
    for left_over in database.parent.glob(f"{_DRAFT}*"):
        left_over.unlink()
    connection = sqlite3.connect(draft, isolation_level=None)
    try:
        connection.executescript(f"PRAGMA synchronous = FULL;\nBEGIN;\n{_SCHEMA}\nCOMMIT;")
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
    draft.rename(database)
    sync_folder(database.parent)
    sync_folder(database.parent.absolute().parent)


def sync_folder(folder: Path) -> None:
    """Make names created or changed in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _connect(uri: str, folder: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, timeout=_BUSY_TIMEOUT_S, check_same_thread=False
    )
    # A flipped bit may leave no UTF-8: the row's checksum is to see it, not SQLite's decoder.
    connection.text_factory = _text
    try:
        check_format(connection, folder)
    except BaseException:
        connection.close()
        raise
    return connection


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


def meta(connection: sqlite3.Connection, key: str) -> str | int | None:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return row[0] if row else None


def set_meta(connection: sqlite3.Connection, **values: str | int) -> None:
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values.items())


def commit_time_s(truth: sqlite3.Connection, seq: int) -> int:
    """When the newest commit up to `seq` was made, in seconds since 1970 UTC; 0: there is none."""
    row = truth.execute(
        "SELECT at_s FROM commits WHERE seq <= ? ORDER BY seq DESC LIMIT 1", (seq,)
    ).fetchone()
    return int(row[0]) if row else 0


def crc(*columns: str | int | bytes) -> int:
    """CRC-32 over a row's columns, in order."""
    plain = [len(column) if isinstance(column, bytes) else column for column in columns]
    value = zlib.crc32(repr(plain).encode())
    for column in columns:
        if isinstance(column, bytes):
            value = zlib.crc32(column, value)
    return value


_ARTICLE_COLUMNS = (
    "number, id, version, added_seq, headline, outlet, byline, section, language, url, guid, "
    "published, text, content"
)


def insert_article(
    connection: sqlite3.Connection,
    prepared: PreparedArticle,
    *,
    version: int,
    seq: int,
    content: bytes,
) -> int:
    """Write an article and its source; returns its number."""
    article = prepared.article
    number = _next_number(connection, "articles")
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
    marks = ", ".join("?" * len(columns))
    connection.execute(
        f"INSERT INTO articles ({_ARTICLE_COLUMNS}, crc) VALUES ({marks}, ?)",
        (*columns, crc(*columns)),
    )
    source = _pack_source(prepared)
    connection.execute("INSERT INTO sources VALUES (?, ?, ?)", (number, source, crc(source)))
    return number


def insert_passages(
    connection: sqlite3.Connection,
    article: int,
    passages: Sequence[Passage],
    embeddings: Sequence[bytes],
    embedded_seqs: Sequence[int | None],
) -> None:
    """Write an article's passages; `embeddings` are the hashes of their embedding texts."""
    first = _next_number(connection, "passages")
    rows = [
        (first + at, p.id, article, p.ordinal, p.start, p.end, embedding)
        for at, (p, embedding) in enumerate(zip(passages, embeddings, strict=True))
    ]
    connection.executemany(
        "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (*row, embedded_seq, crc(*row))
            for row, embedded_seq in zip(rows, embedded_seqs, strict=True)
        ],
    )


def _next_number(connection: sqlite3.Connection, table: str) -> int:
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    return int(row[0]) + 1 if row else 1


_PASSAGE_COLUMNS = 'p.number, p.id, p.article, p.ordinal, p.start, p."end", p.embedding, p.crc'
_PASSAGES_AT = f"""
SELECT {_PASSAGE_COLUMNS} FROM passages p JOIN articles a ON a.number = p.article
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
    ).fetchall()
    # Each article is read once, however many of its passages are asked for.
    articles = articles_numbered(connection, {row[2] for row in rows})
    return {
        row[0]: _passage_row(row, articles[row[2]])
        for row in rows
        if row[2] in articles and _is_sound(row)
    }


def passage_by_id(
    connection: sqlite3.Connection, passage_id: str, horizon: int
) -> PassageRow | None:
    row = connection.execute(
        f"{_PASSAGES_AT} AND p.id = :id", {"horizon": horizon, "id": passage_id}
    ).fetchone()
    return passage_rows(connection, [row[0]], horizon).get(row[0]) if row else None


def articles_numbered(
    connection: sqlite3.Connection, numbers: Collection[int]
) -> dict[int, ArticleRow]:
    """The articles of these numbers, whether they still stand or not; damaged ones are missing."""
    rows = connection.execute(
        f"SELECT {_ARTICLE_COLUMNS}, crc FROM articles "
        "WHERE number IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(numbers)),),
    )
    found = (_article_row(row) for row in rows)
    return {article.number: article for article in found if article is not None}


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
        f"SELECT {_ARTICLE_COLUMNS}, crc FROM articles "
        "WHERE added_seq > ? AND removed_seq IS NULL ORDER BY number",
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
            f"SELECT {_ARTICLE_COLUMNS}, crc FROM articles "
            f"WHERE {column} = :value AND {column} <> '' AND added_seq <= :horizon "
            "AND (removed_seq IS NULL OR removed_seq > :horizon) ORDER BY number LIMIT 1",
            {"value": article_id, "horizon": horizon},
        ).fetchone()
        if row:
            return _article_row(row)
    return None


def keep_version(connection: sqlite3.Connection, article_id: ArticleId) -> None:
    """Keep what the live article of this id says, which a new version is about to replace."""
    row = connection.execute(
        "SELECT id, version, headline, byline, published, text FROM articles "
        "WHERE id = ? AND removed_seq IS NULL",
        (article_id,),
    ).fetchone()
    if row:
        connection.execute(
            "INSERT INTO superseded VALUES (?, ?, ?, ?, ?, ?, ?, NULL)", (*row, crc(*row))
        )


def forget_versions(connection: sqlite3.Connection, article_id: ArticleId, seq: int) -> None:
    """Let go of a removed article's earlier versions, for readers from `seq` on."""
    connection.execute(
        "UPDATE superseded SET removed_seq = ? WHERE article_id = ? AND removed_seq IS NULL",
        (seq, article_id),
    )


def purge_versions(connection: sqlite3.Connection, horizon: int) -> None:
    connection.execute("DELETE FROM superseded WHERE removed_seq <= ?", (horizon,))


def earlier_versions(
    connection: sqlite3.Connection, article: ArticleRow, horizon: int
) -> tuple[EarlierVersion, ...]:
    """What the article said before, oldest first; rows that fail their check are missing."""
    rows = connection.execute(
        "SELECT article_id, version, headline, byline, published, text, crc FROM superseded "
        "WHERE article_id = ? AND version < ? AND (removed_seq IS NULL OR removed_seq > ?) "
        "ORDER BY version",
        (article.id, article.version, horizon),
    )
    return tuple(
        EarlierVersion(
            version,
            headline,
            byline,
            Published(published) if published else None,
            decompressed(text),
        )
        for id_, version, headline, byline, published, text, stored in rows
        if crc(id_, version, headline, byline, published, text) == stored
    )


def passages_of(connection: sqlite3.Connection, article: ArticleRow) -> tuple[PassageRow, ...]:
    """An article's passages, in order; rows that fail their check are missing."""
    rows = connection.execute(
        f"SELECT {_PASSAGE_COLUMNS} FROM passages p WHERE p.article = ? ORDER BY p.ordinal",
        (article.number,),
    ).fetchall()
    return tuple(_passage_row(row, article) for row in rows if _is_sound(row))


def source_of(connection: sqlite3.Connection, article: int) -> SourceRecord:
    """The record an article was made from.

    Raises:
        StoreCorruptError: the row fails its check.
    """
    row = connection.execute(
        "SELECT source, crc FROM sources WHERE article = ?", (article,)
    ).fetchone()
    if row is None or crc(row[0]) != row[1]:
        raise StoreCorruptError(
            f"the source of article number {article} is damaged; add that article again"
        )
    return _unpack_source(row[0])[0]


def compressed(text: str) -> bytes:
    """A text as it lies in a row."""
    return _compress(text.encode())


def decompressed(blob: bytes) -> str:
    """What `compressed` was given."""
    return _decompress(blob).decode()


def _is_sound(passage: tuple[int | str | bytes, ...]) -> bool:
    *columns, stored = passage
    return crc(*columns) == stored


def _passage_row(passage: tuple[Any, ...], article: ArticleRow) -> PassageRow:
    number, id_, _, ordinal, start, end, *_ = passage
    return PassageRow(number, id_, ordinal, start, end, article)


def _article_row(row: tuple[object, ...]) -> ArticleRow | None:
    *columns, stored = row
    if crc(*columns) != stored:  # type: ignore[arg-type]
        return None
    *fields, published, text, _ = columns
    return ArticleRow(
        *fields,  # type: ignore[arg-type, call-arg]
        Published(str(published)) if published else None,
        decompressed(text),  # type: ignore[arg-type]
    )


_NOT_IN_HEAD = frozenset({"raw", "body", "origin", "published"})


def _pack_source(prepared: PreparedArticle) -> bytes:
    source = prepared.source
    head: dict[str, object] = {
        name: getattr(source, name) for name in SourceRecord.__slots__ if name not in _NOT_IN_HEAD
    }
    head["origin"] = {"path": source.origin.path, "line": source.origin.line}
    head["published"] = source.published.iso if source.published else None
    head["runs"] = [(run.start, run.body_start, run.length) for run in prepared.runs]
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


def _compress(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=3).compress(data)


def _decompress(data: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(data)
