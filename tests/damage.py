"""Stores to be damaged, and damage."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from oracle import embed, record

from index import collections, store_folder
from index.article import ArticleId
from index.writer import Writer


def damageable(folder: Path) -> Path:
    """A store with something in nearly every table: replaced, removed, copied, kept by readers."""
    with Writer(folder) as writer:
        writer.add(
            [
                record("flood", "weir", "bridge", published="2022-01-21"),
                record("again", "weir", "bridge", published="2022-01-21", outlet="The Islander"),
                record("fire", "ash"),
                record("quake", "fault"),
            ],
            idempotency_key="first",
        )
        embed(writer, 100)
        writer.publish()
        writer.add([record("fire", "smoke")])
        writer.remove([ArticleId("quake")])
        embed(writer, 100)
        with writer.desk() as truth:
            collections.make(truth, "Floods")
        writer.finish()
    return folder


def change(folder: Path, sql: str, *values: object) -> None:
    """Change the database behind the store's back."""
    with closing(
        sqlite3.connect(folder / store_folder.DATABASE, isolation_level=None)
    ) as connection:
        assert connection.execute(sql, values).rowcount > 0


def flip(path: Path, at: int) -> None:
    """Flip a bit of the byte at `at`."""
    data = bytearray(path.read_bytes())
    data[at] ^= 4
    overwrite(path, data)


def overwrite(path: Path, data: bytes | bytearray) -> None:
    """By another file under its name.

    Whenever an index of words is opened, a thread of tantivy reads all of its files once more: to
    cut short what it maps would end the process.
    """
    draft = path.with_suffix(".overwritten")
    draft.write_bytes(data)
    draft.replace(path)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file's bytes but SQLite's shared memory, which says nothing of the store."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def copied(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to))
