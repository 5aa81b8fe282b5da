"""Copies a store while it answers and is written to: a folder from which it can be restored.

The copy is of one commit: a read transaction holds the database as it was, and the files that
belong to it are opened before anything is copied, so that a writer may delete them. No lock is
taken. The word index is opened first: it may be behind the database, as after a crash, and the
writer that opens the restored store brings it up; but never ahead of it.

A backup holds `nutgraf.db`, `segments/`, `words/`, and `manifest.json` with each file's digest.
"""

import contextlib
import errno
import hashlib
import json
import logging
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from index import store_folder, tables
from index.errors import StoreCorruptError, StoreFormatError
from index.whole_folder import whole_folder
from index.words import WordsReader

MANIFEST: Final = "manifest.json"

_BLOCK_BYTES = 1 << 20
_MANAGED = ".managed.json"  # tantivy deletes no file that is not in its list
# A writer publishes every minute at most: files that are gone so often are missing.
_TRIES = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """A file of a backup."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds."""

    format: int
    seq: int  # of the last commit that it holds
    articles: int  # live ones; likewise the next two
    passages: int
    embedded: int  # passages with a vector
    made_at: str  # ISO 8601, UTC
    files: Mapping[str, CopiedFile]  # by path in the backup

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files.values())


def back_up(folder: Path, target: Path) -> Manifest:
    """Copy a store of any format we know to `target`, absent or empty: whole or not at all.

    A segment or a word index that is missing or damaged is left out and logged: restoring makes it
    anew.

    Raises:
        StoreFormatError, StoreCorruptError, StoreUnreadableError: there is no store to be read.
        OutputError, StoreFullError: it cannot be written there.
    """
    with whole_folder(target) as draft, _held(folder) as held:
        counts = _counts(held.truth, folder)
        files = {
            **_copied_database(held.truth, folder, draft),
            **_copied_segments(held.segments, draft / store_folder.SEGMENTS),
            **_copied_words(held, draft / store_folder.WORDS),
        }
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = Manifest(made_at=made_at, files=files, **counts)
        (draft / MANIFEST).write_text(_sealed(manifest))
    return manifest


def read_manifest(backup: Path) -> Manifest:
    """What a backup says that it holds.

    Raises:
        StoreFormatError: the folder is no backup, or one of a newer format.
        StoreCorruptError: the manifest is damaged.
    """
    path = backup / MANIFEST
    try:
        read = json.loads(path.read_bytes())
        said = dict(read["backup"])
        files = {name: CopiedFile(**file) for name, file in said.pop("files").items()}
        manifest = Manifest(files=files, **said)
        is_whole = _sealed(manifest) == path.read_text()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StoreFormatError(
            f"{backup}: not a backup; name a folder that `nutgraf backup` made"
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged(path) from error
    if not is_whole:
        raise _damaged(path)
    if manifest.format > tables.FORMAT:
        raise StoreFormatError(
            f"{backup}: the backup has format {manifest.format}, this Nutgraf knows up to "
            f"{tables.FORMAT}; install the newer Nutgraf"
        )
    return manifest


def copy_checked(source: BinaryIO, target: Path) -> CopiedFile:
    """Copy what an open file holds, and say what was copied.

    Raises:
        StoreUnreadableError: the file cannot be read.
    """
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as copy:
        while block := _block(source):
            digest.update(block)
            size += len(block)
            copy.write(block)
    return CopiedFile(size, digest.hexdigest())


def _block(source: BinaryIO) -> bytes:
    try:
        return source.read(_BLOCK_BYTES)
    except OSError as error:
        raise store_folder.unreadable(Path(source.name), error) from error


@dataclass(frozen=True, slots=True)
class _Held:
    """A store as it stands at one commit: the database in a read transaction, and open files."""

    truth: sqlite3.Connection
    segments: Mapping[str, tuple[BinaryIO, str]]  # by name: the file, and its digest
    words: Mapping[str, BinaryIO]  # by name


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[_Held]:
    """Hold a store as it stands.

    Raises:
        StoreFormatError, StoreCorruptError, StoreUnreadableError: it cannot be read.
    """
    with ExitStack() as held:
        with store_folder.readable(folder):
            truth = held.enter_context(closing(store_folder.open_readonly(folder, any_format=True)))
            words = _open_words(folder / store_folder.WORDS, held)
            for attempt in range(1, _TRIES + 1):
                truth.execute("BEGIN")
                files, missing = _open_segments(truth, folder / store_folder.SEGMENTS, held)
                if not missing or attempt == _TRIES:
                    break
                truth.execute("COMMIT")  # a writer has published since: its commit is as good
        for name in missing:
            logger.warning("segment left out of the backup, it is missing name=%s", name)
        yield _Held(truth, files, words)


def _open_words(folder: Path, held: ExitStack) -> dict[str, BinaryIO]:
    """The files of the word index's last commit; none if they cannot be told."""
    try:
        files: dict[str, BinaryIO] = {
            "meta.json": held.enter_context((folder / "meta.json").open("rb"))
        }
        named = json.load(files["meta.json"])["segments"]
        files["meta.json"].seek(0)
        segments = {segment["segment_id"].replace("-", "") for segment in named}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}
    for path in folder.iterdir():
        if path.stem.partition(".")[0] in segments or path.name == _MANAGED:
            with contextlib.suppress(FileNotFoundError):  # of an earlier commit
                files[path.name] = held.enter_context(path.open("rb"))
    return files


def _open_segments(
    truth: sqlite3.Connection, folder: Path, held: ExitStack
) -> tuple[dict[str, tuple[BinaryIO, str]], list[str]]:
    """The files of the live segments, and the names of those that are missing."""
    live = truth.execute(
        "SELECT name, sha256 FROM segments WHERE name IN "
        "(SELECT segment FROM generation_segments) ORDER BY name"
    ).fetchall()
    files, missing = {}, []
    for name, sha256 in live:
        try:
            files[name] = (held.enter_context((folder / name).open("rb")), sha256)
        except FileNotFoundError:
            missing.append(name)
    return files, missing


def _copied_database(truth: sqlite3.Connection, folder: Path, draft: Path) -> dict[str, CopiedFile]:
    path = draft / store_folder.DATABASE
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as copy:
            copy.execute("PRAGMA synchronous = OFF")  # it is synced whole, before it has its name
            truth.backup(copy)
            copy.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise OSError(errno.ENOSPC, "no space left", str(path)) from error
        with store_folder.readable(folder):
            raise

    with path.open("rb") as copied:
        digest = hashlib.file_digest(copied, "sha256").hexdigest()
    return {store_folder.DATABASE: CopiedFile(path.stat().st_size, digest)}


def _copied_segments(
    segments: Mapping[str, tuple[BinaryIO, str]], folder: Path
) -> dict[str, CopiedFile]:
    folder.mkdir()
    files = {}
    for name, (source, sha256) in segments.items():
        copied = copy_checked(source, folder / name)
        if copied.sha256 == sha256:
            files[f"{store_folder.SEGMENTS}/{name}"] = copied
        else:
            logger.warning("segment left out of the backup, it is damaged name=%s", name)
            (folder / name).unlink()
    return files


def _copied_words(held: _Held, folder: Path) -> dict[str, CopiedFile]:
    """The word index, if it opens and a writer could go on with it."""
    folder.mkdir()
    files = {name: copy_checked(source, folder / name) for name, source in held.words.items()}
    purged_seq, seq = (
        held.truth.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0]
        for key in ("purged_seq", "seq")
    )
    # tantivy makes locks where it opens an index, one of them in a thread that may be late.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as elsewhere:
        for name in files:
            Path(elsewhere, name).symlink_to((folder / name).absolute())
        try:
            fits = purged_seq <= WordsReader(Path(elsewhere)).view().horizon <= seq
        except (StoreCorruptError, ValueError):
            fits = False
    if not fits:
        logger.warning("the word index is left out of the backup, it is damaged or too far behind")
        shutil.rmtree(folder)
        return {}
    return {f"{store_folder.WORDS}/{name}": file for name, file in files.items()}


def _counts(truth: sqlite3.Connection, folder: Path) -> dict[str, int]:
    """All of a manifest but `made_at` and `files`."""
    live = "FROM passages p JOIN articles a ON a.number = p.article WHERE a.removed_seq IS NULL"
    counted = {
        "format": "PRAGMA user_version",
        "seq": "SELECT value FROM meta WHERE key = 'seq'",
        "articles": "SELECT count(*) FROM articles WHERE removed_seq IS NULL",
        "passages": f"SELECT count(*) {live}",
        "embedded": f"SELECT count(*) {live} AND p.embedded_seq IS NOT NULL",
    }
    with store_folder.readable(folder):
        return {name: int(truth.execute(sql).fetchone()[0]) for name, sql in counted.items()}


def _sealed(manifest: Manifest) -> str:
    """A manifest as it is written, with the digest of itself."""
    said = json.dumps(asdict(manifest), sort_keys=True)
    document = {
        "backup": json.loads(said),
        "sha256": hashlib.sha256(said.encode()).hexdigest(),
    }
    return json.dumps(document, indent=2) + "\n"


def _damaged(path: Path) -> StoreCorruptError:
    return StoreCorruptError(
        f"{path}: damaged; nothing was restored; take another backup of the store"
    )
