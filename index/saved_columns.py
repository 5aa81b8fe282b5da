"""The columns as a file beside the truth: whoever opens a large store need not make them of it.

They are as they were at the commit that the file names, and brought up to date from there. Nothing
depends on the file: where it is missing, damaged or of another database, the columns are made of
the truth. `scripts/bench/start.py` measures how soon a store answers.

A file is: magic, a JSON header (its length first), the columns one after the other, SHA-256 of all
before it. It takes its name when it is whole and synced.
"""

import hashlib
import json
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from index import store
from index.columns import EMPTY, FILTER_FIELDS, Columns, extended, tidied
from index.errors import StoreCorruptError
from index.synced_folders import sync_folder

NAME: Final = "columns"
_DRAFT: Final = "columns.draft"
_MAGIC: Final = b"NUTGRAF-COLUMNS1"
_LENGTH_BYTES: Final = 8
_DIGEST_BYTES: Final = 32
_ARRAYS: Final = (  # those of eight bytes first: each begins at a multiple of its size
    *("number", "article_number", "report", "story", "instant_s"),
    *("ordinal", "article", "day", *FILTER_FIELDS),
)
_LONGEST_HEADER: Final = 4096
# What came since is read from the truth each time a store is opened: no more than this share of
# the articles, and so the file is written anew each time the archive has grown by as much.
_MOST_BEHIND: Final = 0.05


@dataclass(frozen=True, slots=True)
class SavedColumns:
    """Columns, and the commit that they are of."""

    seq: int
    columns: Columns


def read(folder: Path, truth: sqlite3.Connection) -> SavedColumns | None:
    """What was saved beside this truth; None: nothing, or nothing that it could have given.

    Raises:
        StoreCorruptError: the file is damaged; the message says what to do.
    """
    try:
        data = (folder / NAME).read_bytes()
    except FileNotFoundError:
        return None
    content, digest = memoryview(data)[:-_DIGEST_BYTES], data[-_DIGEST_BYTES:]
    if not data.startswith(_MAGIC) or hashlib.sha256(content).digest() != digest:
        raise StoreCorruptError(
            f"{folder / NAME}: not the bytes that were saved; `nutgraf repair` makes it anew"
        )
    header, begin = _header(data)
    if not _is_of(truth, header):
        return None
    return SavedColumns(header["seq"], _columns(header, content[begin:]))


def save(folder: Path, truth: sqlite3.Connection, horizon: int) -> None:
    """Save the columns of a commit, if what is saved is far behind it.

    Args:
        horizon: the commit that the word index is at: a reader's view is never older.

    Raises:
        OSError: they could not be written; what was saved before is as it was.
    """
    truth.execute("BEGIN")
    try:
        if not 0 < horizon >= int(store.meta(truth, "purged_seq") or 0):
            return  # the archive is empty, or has gone on meanwhile
        if not _is_far_behind(folder, truth):
            return
        try:
            saved = read(folder, truth)
        except StoreCorruptError:
            saved = None
        since, before = (saved.seq, saved.columns) if saved else (0, EMPTY)
        if since < horizon:
            columns = tidied(extended(before, truth, since, horizon))
            committed_s = store.commit_time_s(truth, horizon)
            if committed_s is not None:
                _write(folder, horizon, committed_s, columns)
    finally:
        truth.execute("ROLLBACK")


def remove(folder: Path) -> None:
    """Have nothing saved."""
    (folder / NAME).unlink(missing_ok=True)
    sync_folder(folder)


def _is_of(truth: sqlite3.Connection, header: dict[str, Any]) -> bool:
    """Whether this database made the commit; one that was put back from elsewhere did not."""
    seq, last = header["seq"], int(store.meta(truth, "seq") or 0)
    return bool(seq <= last and header["committed_s"] == store.commit_time_s(truth, seq))


def _is_far_behind(folder: Path, truth: sqlite3.Connection) -> bool:
    """By what the header says, which is looked at after each publication; the rest is long."""
    try:
        with (folder / NAME).open("rb") as file:
            header, _ = _header(file.read(_LONGEST_HEADER))
        since, articles = (header["seq"], header["ids"][0]) if _is_of(truth, header) else (0, 0)
    except (OSError, ValueError, TypeError, LookupError):  # none, or not as it was saved
        since, articles = 0, 0
    changed = truth.execute(
        "SELECT (SELECT count(*) FROM articles WHERE added_seq > :since)"
        " + (SELECT count(*) FROM articles WHERE removed_seq > :since)",
        {"since": since},
    ).fetchone()[0]
    return bool(changed > _MOST_BEHIND * articles)


def _write(folder: Path, seq: int, committed_s: int, columns: Columns) -> None:
    arrays: list[NDArray[Any]] = [getattr(columns, name) for name in _ARRAYS]
    ids, values = "\n".join(columns.article_id).encode(), json.dumps(columns.values).encode()
    header = json.dumps(
        {
            "seq": seq,
            "committed_s": committed_s,
            "arrays": [[array.dtype.str, len(array)] for array in arrays],
            "ids": [len(columns.article_id), len(ids)],
        }
    ).encode()
    header += b" " * (-len(header) % _LENGTH_BYTES)
    length = len(header).to_bytes(_LENGTH_BYTES, "little")
    parts: list[bytes | memoryview] = [_MAGIC, length, header]
    parts += [array.data.cast("B") for array in arrays if len(array)]
    parts += [ids, values]
    draft, digest = folder / _DRAFT, hashlib.sha256()
    try:
        with draft.open("wb") as file:
            for part in parts:
                digest.update(part)
                file.write(part)
            file.write(digest.digest())
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    draft.rename(folder / NAME)
    sync_folder(folder)


def _header(data: bytes) -> tuple[dict[str, Any], int]:
    """The header at the beginning of a file, and where the columns begin."""
    begin = len(_MAGIC) + _LENGTH_BYTES
    end = begin + int.from_bytes(data[len(_MAGIC) : begin], "little")
    return json.loads(data[begin:end]), end


def _columns(header: dict[str, Any], body: memoryview) -> Columns:
    arrays, at = {}, 0
    for name, (dtype, count) in zip(_ARRAYS, header["arrays"], strict=True):
        arrays[name] = np.frombuffer(body, dtype, count, at)
        at += arrays[name].nbytes
    count, length = header["ids"]
    ids = bytes(body[at : at + length]).decode().split("\n") if count else []
    return Columns(**arrays, article_id=ids, values=json.loads(bytes(body[at + length :])))
