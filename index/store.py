"""The SQLite file that holds the truth of a store; everything else in the folder follows it.

Articles and passages are kept by the sequence number of the commit that added them and of the
one that removed them, so that a reader can see the store exactly as it stood at a commit while
the writer goes on. Removed rows are purged once the word index has passed them.

Every row carries a checksum, see `checksums`.
"""

import contextlib
import json
import os
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
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
from index.checksums import (
    CHECKED,
    columns_of,
    crc,
    crc_after,
    insert_into,
    is_sound,
    register,
    sealed,
    sound,
)
from index.errors import StoreCorruptError, StoreFormatError, StoreUnreadableError

DATABASE: Final = "nutgraf.db"
WORDS: Final = "words"
SEGMENTS: Final = "segments"
FORMAT: Final = 2

_APPLICATION_ID = 0x4E475246  # "NGRF"
# A query must not wait for a writer: WAL readers never do; this covers recovery after a crash.
_BUSY_TIMEOUT_S = 10.0
_WAL_LIMIT_BYTES = 64 << 20
# Fingerprints of new articles fall on all pages of their table: those of 37,554 articles of press
# are 30 MB. With SQLite's 2 MB each page is read and written many times in one commit.
_WRITER_CACHE_KIB = 64 << 10

_DRAFT = "nutgraf.new"  # what becomes the database; a crash may leave it, and SQLite's files to it

_SCHEMA = f"""
CREATE TABLE meta (
    key TEXT PRIMARY KEY, value NOT NULL, crc INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
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
    crc INTEGER NOT NULL,
    head_crc INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX live_articles ON articles (id) WHERE removed_seq IS NULL;
CREATE INDEX articles_by_id ON articles (id);
CREATE INDEX articles_by_url ON articles (url) WHERE url <> '';
CREATE INDEX articles_by_guid ON articles (guid) WHERE guid <> '';
CREATE INDEX articles_by_added_seq ON articles (added_seq);
CREATE INDEX articles_by_removed_seq ON articles (removed_seq) WHERE removed_seq IS NOT NULL;
CREATE TABLE sources (article INTEGER PRIMARY KEY, source BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE lines (
    article INTEGER PRIMARY KEY,
    outlet TEXT NOT NULL,
    hashes BLOB NOT NULL,
    crc INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX lines_by_outlet ON lines (outlet);
CREATE TABLE recurring (
    outlet TEXT, hash BLOB, crc INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (outlet, hash)
) WITHOUT ROWID;
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
    seq INTEGER NOT NULL,
    crc INTEGER NOT NULL DEFAULT 0
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
    language TEXT,
    term INTEGER,
    articles INTEGER NOT NULL,
    crc INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (language, term)
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
CREATE TABLE commits (
    seq INTEGER PRIMARY KEY, at_s INTEGER NOT NULL, crc INTEGER NOT NULL DEFAULT 0
);
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
    sha256 TEXT NOT NULL,
    crc INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE generations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    max_seq INTEGER NOT NULL,
    crc INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE generation_segments (
    generation INTEGER,
    segment TEXT,
    crc INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (generation, segment)
) WITHOUT ROWID;
CREATE TABLE idempotency_keys (
    key TEXT PRIMARY KEY,
    request BLOB NOT NULL,
    outcomes TEXT NOT NULL,
    at_s INTEGER NOT NULL,
    crc INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
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
        StoreFullError, StoreCorruptError, OutputError: the store has an older format, and could
            not be brought to ours; it is as it was.
    """
    from index import migrations  # which needs the rest of this file

    database = folder / DATABASE
    if not database.exists():
        refuse_foreign_folder(folder)
        make_folder(folder)
        _create(database)
    make_folder(folder / SEGMENTS)
    connection = open_for_writing(folder)
    try:
        migrations.migrate(folder, connection)
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_writing(folder: Path) -> sqlite3.Connection:
    """A connection to a store that is there, of our format or an older one.

    Raises:
        StoreFormatError: the folder holds something else, or a newer format.
    """
    uri = (folder / DATABASE).resolve().as_uri()
    # One that only reads leaves what it refuses as it is, whatever lies in the log.
    _connect(f"{uri}?mode=ro", folder, oldest=1).close()
    connection = _connect(uri, folder, oldest=1)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
    connection.execute(f"PRAGMA cache_size = -{_WRITER_CACHE_KIB}")
    return connection


def open_readonly(folder: Path, *, any_format: bool = False) -> sqlite3.Connection:
    """A connection that can only read a store of our format, or with `any_format` an older one.

    Raises:
        StoreFormatError: there is no store in the folder, or one of another format.
        StoreUnreadableError, StoreCorruptError: as `readable`.
    """
    database = folder / DATABASE
    with readable(folder):
        if not database.exists():
            raise StoreFormatError(
                f"{folder}: there is no store here; "
                f"make one with `nutgraf add PATH --store {folder}`"
            )
        uri = f"{database.resolve().as_uri()}?mode=ro"
        return _connect(uri, folder, oldest=1 if any_format else FORMAT)


@contextlib.contextmanager
def reading(folder: Path) -> Iterator[sqlite3.Connection]:
    """A connection that can only read, for the length of a block.

    Raises:
        StoreFormatError: as `open_readonly`.
        StoreUnreadableError, StoreCorruptError: as `readable`.
    """
    with readable(folder), contextlib.closing(open_readonly(folder)) as truth:
        yield truth


@contextlib.contextmanager
def readable(folder: Path) -> Iterator[None]:
    """Say in our words what SQLite or the system says when it cannot read a store.

    Raises:
        StoreUnreadableError: the disk failed; the store may be whole.
        StoreCorruptError: the database is damaged.
    """
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
            raise  # somebody wanted it to end
        if is_damage(error):
            raise StoreCorruptError(
                f"{folder / DATABASE}: damaged ({error}); nothing was changed; "
                "restore the folder from a backup"
            ) from error
        raise unreadable(folder, error) from error
    except UnicodeDecodeError as error:
        # SQLite quotes the damaged name of a table, and Python cannot read the message.
        raise StoreCorruptError(
            f"{folder / DATABASE}: damaged ({error.reason}); nothing was changed; "
            "restore the folder from a backup"
        ) from error
    except OSError as error:
        raise unreadable(folder, error) from error


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the file is not what it wrote, not that it cannot read it."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without what more SQLite says
    # Our statements fail as such only where a table or a column has lost its name.
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)


def unreadable(folder: Path, error: BaseException) -> StoreUnreadableError:
    """What is said when the disk does not give what is on it."""
    return StoreUnreadableError(
        f"{folder}: reading failed ({error}); nothing was changed; look at the disk, then ask again"
    )


def check_format(connection: sqlite3.Connection, folder: Path, *, oldest: int = FORMAT) -> None:
    """Raise StoreFormatError unless the database's format is ours, or not older than `oldest`."""
    try:
        application_id = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise unreadable(folder, error) from error
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
    if version < oldest:
        raise StoreFormatError(
            f"{folder}: the store has format {version}, this Nutgraf answers from format {FORMAT}; "
            "open it once for writing, with `nutgraf add` or `nutgraf serve`: it is backed up and "
            "brought to the new format"
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
        connection.executescript(f"PRAGMA synchronous = FULL;\nBEGIN;\n{_SCHEMA}")
        set_meta(connection, **dict.fromkeys(_ALWAYS_THERE, 0))
        connection.execute(insert_into("generations"), sealed("generations", 1, 0))
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
    draft.rename(database)
    sync_folder(database.parent)
    sync_folder(database.parent.absolute().parent)


def empty() -> sqlite3.Connection:
    """A database in memory with the tables of this format, and no rows."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(_SCHEMA)
    return connection


def make_folder(folder: Path) -> None:
    """Make a folder that survives a power cut, with those above it, where there is none yet."""
    if not folder.is_dir():
        make_folder(folder.absolute().parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.absolute().parent)


def sync_folder(folder: Path) -> None:
    """Make names created or changed in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _connect(uri: str, folder: Path, *, oldest: int) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, timeout=_BUSY_TIMEOUT_S, check_same_thread=False
    )
    # A flipped bit may leave no UTF-8: the row's checksum is to see it, not SQLite's decoder.
    connection.text_factory = _text
    register(connection)
    try:
        check_format(connection, folder, oldest=oldest)
    except BaseException:
        connection.close()
        raise
    return connection


# Set when a store is made; where one is gone, all that counts on from it would begin anew.
_ALWAYS_THERE: Final = ("seq", "purged_seq", "epoch", "last_story")


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


def meta(connection: sqlite3.Connection, key: str) -> str | int | None:
    """One of the few values that the whole store hangs on; None: it was never set.

    Raises:
        StoreCorruptError: its row fails its check, or is gone.
    """
    row = connection.execute(
        f"SELECT {columns_of('meta')} FROM meta WHERE key = ?", (key,)
    ).fetchone()
    if row is None and key not in _ALWAYS_THERE:
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


def commit_time_s(truth: sqlite3.Connection, seq: int) -> int:
    """When the newest commit up to `seq` was made, in seconds since 1970 UTC; 0: there is none."""
    rows = truth.execute(
        f"SELECT {columns_of('commits')} FROM commits WHERE seq <= ? ORDER BY seq DESC", (seq,)
    )
    row = next((row for row in rows if is_sound("commits", row)), None)
    return int(row[1]) if row else 0


_ARTICLE = columns_of("articles")


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
    connection.execute(insert_into("sources"), sealed("sources", number, _pack_source(prepared)))
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
    ).fetchall()
    # Each article is read once, however many of its passages are asked for.
    articles = articles_numbered(connection, {row[2] for row in rows})
    return {
        row[0]: _passage_row(row, articles[row[2]])
        for row in rows
        if row[2] in articles and is_sound("passages", row)
    }


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
