"""Connections to the database of one store, taken for one reading after another."""

import sqlite3
from pathlib import Path
from typing import Final

from index import store_folder

# Of those that nobody reads on. One snapshot is let go of as the next is made, a few at once where
# cursors end together.
_MOST_SPARE: Final = 4
# Of SQLite, for each connection: a server has one for each snapshot that is held, and the system
# has the same pages. Four times as much, or 2 MiB as is SQLite's own choice, reads passages no
# faster; half as much is slower.
_CACHE_KIB: Final = 64


class ReadConnections:
    """Gives connections that can only read, and keeps some that came back; for many threads.

    To open one takes time, and some hundred small pieces of memory, for the schema and the
    statements.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._spare: list[sqlite3.Connection] = []
        self._is_closed = False

    def take(self) -> sqlite3.Connection:
        """One outside a transaction, that nobody interrupts.

        Raises:
            StoreFormatError, StoreUnreadableError, StoreCorruptError: as
                `store_folder.open_readonly`.
        """
        try:
            return self._spare.pop()
        except IndexError:
            connection = store_folder.open_readonly(self._folder)
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        return connection

    def give_back(self, connection: sqlite3.Connection) -> None:
        """End what is read on a connection; nothing may go on reading on it.

        Takes no lock: a collection of garbage may call it anywhere.
        """
        try:
            connection.set_progress_handler(None, 0)
            connection.rollback()
        except sqlite3.Error:  # the disk fails; whoever reads next is told
            connection.close()
            return
        self._spare.append(connection)
        if self._is_closed or len(self._spare) > _MOST_SPARE:
            self._close_one()

    def close(self) -> None:
        """Close those that nobody reads on, and the others as they come back."""
        self._is_closed = True
        while self._spare:
            self._close_one()

    def _close_one(self) -> None:
        try:
            spare = self._spare.pop()
        except IndexError:  # another thread took it
            return
        spare.close()
