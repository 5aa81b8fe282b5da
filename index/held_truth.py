"""The writer's hold on the truth: lock, connection, commits, and what follows a fault."""

import contextlib
import errno
import fcntl
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from index import idempotency, store, store_folder, synced_folders
from index.errors import (
    NutgrafError,
    StoreFullError,
    StoreLockedError,
    StoreReadOnlyError,
)

_ROOM_BYTES = 1 << 20  # with less a write may fail for want of space, whatever it says


class HeldTruth:
    """The one writing connection to a store. Not for several threads at once: see `Writer`."""

    def __init__(self, folder: Path) -> None:
        """Take the store's lock and open it; make the store if there is none.

        Raises:
            StoreLockedError: another process writes to this store.
            StoreFormatError: the folder holds something else, or a newer format.
            sqlite3.Error, OSError: the disk failed.
        """
        self.folder = folder
        self._is_doubtful = False
        self._epoch: int | None = None
        store_folder.refuse_foreign_folder(folder)
        synced_folders.make_folder(folder)
        with contextlib.ExitStack() as held:
            self._lock = take_lock(folder)
            held.callback(self._lock.close)
            self.connection = store_folder.create_or_open(folder)
            held.callback(self._close_connection)
            self.settle_log()
            held.pop_all()

    @property
    def seq(self) -> int:
        """Of the last commit that readers see; 0: there was none."""
        return int(store.meta(self.connection, "seq") or 0)

    @property
    def is_closed(self) -> bool:
        return self._lock.closed

    def begin_epoch(self) -> None:
        """Overtake whoever wrote before and does not know that it is over."""
        self.connection.execute("BEGIN IMMEDIATE")
        self._epoch = int(store.meta(self.connection, "epoch") or 0) + 1
        store.set_meta(self.connection, epoch=self._epoch)
        idempotency.forget_old(self.connection)
        self.connection.execute("COMMIT")

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """On a connection that no failed call has left in an unknown state.

        Raises:
            StoreFullError, StoreReadOnlyError: the disk failed; the next call tries again.
        """
        try:
            if self._is_doubtful:
                self._reopen()
            yield
        except sqlite3.Error as error:
            self._doubt()
            raise write_error(self.folder, error) from error
        except OSError as error:
            raise write_error(self.folder, error) from error

    @contextlib.contextmanager
    def commit(self) -> Iterator[None]:
        """One commit: all or nothing, and synced when it returns."""
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            self.refuse_if_overtaken()
            yield
            self.connection.execute("COMMIT")
            # The system has the pages in its cache as well; kept for the next commit, up to 64 MiB
            # of them lie between what stays, and leave holes when they go.
            self.connection.execute("PRAGMA shrink_memory")
        except sqlite3.Error as error:
            self._doubt()
            raise write_error(self.folder, error) from error
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def refuse_if_overtaken(self) -> None:
        """StoreReadOnlyError if another writer has opened the store since."""
        if store.meta(self.connection, "epoch") != self._epoch:
            raise StoreReadOnlyError(
                f"{self.folder}: another writer has taken over; open the store again"
            )

    def log_bytes(self) -> int:
        """Size of the write-ahead log; 0: there is none."""
        try:
            return (self.folder / f"{store_folder.DATABASE}-wal").stat().st_size
        except FileNotFoundError:
            return 0

    def settle_log(self) -> tuple[int, int, int]:
        """Move what is in the log into the database, as far as readers let go of it.

        Where a sync failed, the system may call the pages clean that it could not write, and the
        next sync of the file succeeds without them. A commit that failed so is in the log for
        whoever opens the database next, and what follows it would rest on it: to copy it writes
        it anew. Source: Rebello et al., Can Applications Recover from fsync Failures?, USENIX
        ATC 2020.

        Returns:
            Whether readers held up the emptying of the log, its pages, and those copied.
        """
        (busy_timeout_ms,) = self.connection.execute("PRAGMA busy_timeout").fetchone()
        self.connection.execute("PRAGMA busy_timeout = 0")
        (result,) = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self.connection.execute(f"PRAGMA busy_timeout = {busy_timeout_ms}")
        busy, pages, copied = result
        return busy, pages, copied

    def close(self) -> None:
        """Shorten the log, and let the next writer in."""
        try:
            with contextlib.suppress(sqlite3.Error):
                self.settle_log()
            self._close_connection()
        finally:
            self._lock.close()

    def _doubt(self) -> None:
        """A call on the connection failed, so that its state is unknown: never retry on it."""
        self._is_doubtful = True
        with contextlib.suppress(NutgrafError, sqlite3.Error, OSError):
            self._reopen()

    def _reopen(self) -> None:
        self._close_connection()
        self.connection = store_folder.create_or_open(self.folder)
        self.settle_log()
        self._is_doubtful = False

    def _close_connection(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self.connection.close()


def take_lock(folder: Path) -> IO[str]:
    """The lock of a store's one writer, held until it is closed.

    Raises:
        StoreLockedError: another process holds it.
    """
    lock = (folder / "writer.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        holder = lock.read().strip() or "another process"
        lock.close()
        raise StoreLockedError(
            f"{folder}: {holder} is writing to this store; wait for it, stop it, "
            "or go through its server with `--server URL`",
            holder,
        ) from error
    with contextlib.suppress(OSError):  # the lock holds without it, on a full disk too
        os.ftruncate(lock.fileno(), 0)
        holder = f"process {os.getpid()} (since {time.strftime('%Y-%m-%d %H:%M:%S')})"
        os.write(lock.fileno(), holder.encode())
    return lock


def write_error(folder: Path, error: BaseException) -> StoreFullError | StoreReadOnlyError:
    full = (
        getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        or getattr(error, "errno", None) == errno.ENOSPC
        or "No space left" in str(error)
        # A thread of the word index that dies of it does not say so.
        or _free_bytes(folder) < _ROOM_BYTES
    )
    if full:
        return StoreFullError(
            f"{folder}: no space left on the device; this change was not acknowledged; "
            "free some space and repeat it"
        )
    return StoreReadOnlyError(
        f"{folder}: writing failed ({error}); this change was not acknowledged; "
        "look at the disk, then repeat it"
    )


def _free_bytes(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:  # the folder could not even be made
        return _ROOM_BYTES
