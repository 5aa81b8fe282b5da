"""Brings a store of an older format to ours: forward only, one step after another.

Each step is one transaction with the number of its format, so that a store which is cut off in the
middle has the old format or the next, and nothing between. Before the first step the store is
backed up beside its folder; that backup is kept.
"""

import contextlib
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from index import backup, store, store_folder, tables
from index.checksums import CHECKED, crc, key_of, quoted, row_crc
from index.errors import OutputError, StoreCorruptError, StoreFormatError, StoreFullError

logger = logging.getLogger(__name__)


def migrate(folder: Path, truth: sqlite3.Connection) -> None:
    """Bring a store to our format, under the writer's lock; nothing when it has it.

    Raises:
        StoreFullError: no room for the backup and the change; nothing was changed.
        StoreCorruptError, StoreUnreadableError, OutputError: likewise, the store cannot be read or
            backed up.
    """
    if _format(truth) < tables.FORMAT:
        _refuse_a_full_disk(folder)
        kept = _back_up(folder, _format(truth))
        logger.warning(
            "%s: format %d becomes %d; the store as it was is kept in %s",
            folder,
            _format(truth),
            tables.FORMAT,
            kept,
        )
        _take_steps(folder, truth)


def migrate_restored(folder: Path) -> None:
    """Bring a store that was just made from a backup to our format."""
    with contextlib.closing(store_folder.open_for_writing(folder)) as truth:
        _take_steps(folder, truth)


def _take_steps(folder: Path, truth: sqlite3.Connection) -> None:
    while (found := _format(truth)) < tables.FORMAT:
        began_s = time.monotonic()
        # What a step reads is the store before it, whatever it has written already.
        with (
            store_folder.readable(folder),
            contextlib.closing(store_folder.open_readonly(folder, any_format=True)) as before,
        ):
            truth.execute("BEGIN IMMEDIATE")
            try:
                _STEPS[found](before, truth)
                truth.execute(f"PRAGMA user_version = {found + 1}")
                truth.execute("COMMIT")
            except BaseException:
                if truth.in_transaction:
                    truth.execute("ROLLBACK")
                raise
        seconds = time.monotonic() - began_s
        logger.warning("%s: now of format %d, after %.1f s", folder, found + 1, seconds)


def _format(truth: sqlite3.Connection) -> int:
    return int(truth.execute("PRAGMA user_version").fetchone()[0])


def _refuse_a_full_disk(folder: Path) -> None:
    """A backup is as large as the store, and a step may write each page of the database anew."""
    database = sum(path.stat().st_size for path in folder.glob(f"{store_folder.DATABASE}*"))
    segments = sum(path.stat().st_size for path in (folder / store_folder.SEGMENTS).iterdir())
    needed = 3 * database + segments  # the log is copied into the database afterwards
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StoreFullError(
            f"{folder}: bringing the store to format {tables.FORMAT} takes {needed >> 20:,} MiB "
            f"with the backup, {free >> 20:,} MiB are free; nothing was changed; free some space"
        )


def _back_up(folder: Path, found: int) -> Path:
    """Back the store up beside its folder, unless the same was done before; returns where."""
    # Beside the root of a volume there may be nothing that lasts.
    beside = folder.absolute() if os.path.ismount(folder) else folder.absolute().parent
    name = f"{folder.absolute().name}.format-{found}"
    number = 1
    while (target := beside / (name if number == 1 else f"{name}.{number}")).exists():
        number += 1
    try:
        made = backup.back_up(folder, target)
    except OutputError as error:
        raise OutputError(
            f"{error}; nothing was changed: before its format changes, a store is backed up beside "
            "its folder"
        ) from error
    # A migration that was cut off has left one: as many as there were tries would fill the disk.
    for earlier in beside.glob(f"{name}*"):
        if earlier != target and _files_of(earlier) == made.files:
            shutil.rmtree(target)
            return earlier
    return target


def _files_of(folder: Path) -> Mapping[str, backup.CopiedFile] | None:
    try:
        return backup.read_manifest(folder).files
    except (StoreCorruptError, StoreFormatError):
        return None


# -------------------------------------------------------------------- from 1 to 2

# What the checksums of format 1 covered, where it was less than all.
_COVERED_BY_1: Final[Mapping[str, tuple[str, ...]]] = {
    "articles": CHECKED["articles"][:-2],
    "sources": ("source",),
    "passages": CHECKED["passages"][:-1],
    "vectors": ("embedding", "vector"),
    "superseded": CHECKED["superseded"][:-1],
    "former_passages": CHECKED["former_passages"][:-1],
    "searches": CHECKED["searches"][:-1],
    "entries": CHECKED["entries"][1:],
    "rejections": CHECKED["rejections"][1:],
}
_WITHOUT_IN_1: Final = (
    "meta",
    "lines",
    "recurring",
    "tombstones",
    "term_counts",
    "commits",
    "segments",
    "generations",
    "generation_segments",
    "idempotency_keys",
)


def _from_1_to_2(before: sqlite3.Connection, truth: sqlite3.Connection) -> None:
    """Give each row a checksum over all its columns; one that was damaged stays so."""
    for table in _WITHOUT_IN_1:
        truth.execute(f"ALTER TABLE {table} ADD COLUMN crc INTEGER NOT NULL DEFAULT 0")
    truth.execute("ALTER TABLE articles ADD COLUMN head_crc INTEGER NOT NULL DEFAULT 0")
    for table in (*_WITHOUT_IN_1, *_COVERED_BY_1):
        names = [name for name in CHECKED[table] if name != "head_crc"]
        key = key_of(before, table)
        changed = ["crc", "head_crc"] if table == "articles" else ["crc"]
        truth.executemany(
            f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in changed)} "
            f"WHERE {' AND '.join(f'{quoted(name)} = ?' for name in key)}",
            _sealed_anew(before, table, names, key),
        )
    if not before.execute("SELECT 1 FROM meta WHERE key = 'last_story'").fetchone():
        store.set_meta(truth, last_story=0)  # no article was ever added


def _sealed_anew(
    before: sqlite3.Connection, table: str, names: list[str], key: list[str]
) -> Iterator[tuple[Any, ...]]:
    """The checksums of each row, and the values of its key."""
    covered = _COVERED_BY_1.get(table)
    stored = "crc" if covered else "0"
    selected = ", ".join(map(quoted, dict.fromkeys([*key, *names])))
    for *columns, old in before.execute(f"SELECT {selected}, {stored} FROM {table}"):
        row = dict(zip(dict.fromkeys([*key, *names]), columns, strict=True))
        damage = 0
        if covered:
            damage = crc(*(row[name] for name in covered)) ^ (old if isinstance(old, int) else 0)
        sums = []
        if table == "articles":
            row["head_crc"] = store.article_head_crc(row) ^ damage
            sums = [row["head_crc"]]
        sums = [row_crc(table, [row[name] for name in CHECKED[table]]) ^ damage, *sums]
        yield (*sums, *(row[name] for name in key))


_STEPS: Final[Mapping[int, Callable[[sqlite3.Connection, sqlite3.Connection], None]]] = {
    1: _from_1_to_2
}
