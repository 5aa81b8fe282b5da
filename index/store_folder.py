"""The folder of a store: what lies in it, and how it is made, opened and refused.

The SQLite file holds the truth; everything else in the folder follows it.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from index import store
from index.checksums import insert_into, register, sealed
from index.errors import StoreCorruptError, StoreFormatError, StoreUnreadableError
from index.synced_folders import make_folder, sync_folder
from index.tables import APPLICATION_ID, FORMAT, TABLES

DATABASE: Final = "nutgraf.db"
WORDS: Final = "words"
SEGMENTS: Final = "segments"

# A query must not wait for a writer: WAL readers never do; this covers recovery after a crash.
_BUSY_TIMEOUT_S = 10.0
_WAL_LIMIT_BYTES = 64 << 20
# Fingerprints of new articles fall on all pages of their table: those of 37,554 articles of press
# are 30 MB. With SQLite's 2 MB each page is read and written many times in one commit.
_WRITER_CACHE_KIB = 64 << 10

_DRAFT = "nutgraf.new"  # what becomes the database; a crash may leave it, and SQLite's files to it


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
    if application_id != APPLICATION_ID:
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
        connection.executescript(f"PRAGMA synchronous = FULL;\nBEGIN;\n{TABLES}")
        store.set_meta(connection, **dict.fromkeys(store.ALWAYS_THERE, 0))
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
    connection.executescript(TABLES)
    return connection


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


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
