"""What hits say of the copies of large reports, kept as long as their snapshot."""

import threading
from collections.abc import Callable
from datetime import date
from typing import Final
from weakref import WeakKeyDictionary

from index.snapshot import Snapshot
from search.coverage.lineage import Copies

# Of a notice that came in the same words every day there are thousands, and each question that
# meets one would read them all again: 1 s for 1,604 of reuters-1987, where 13 take 2 ms.
_LARGE: Final = 20


class KeptCopies:
    """Safe for many threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._kept: WeakKeyDictionary[Snapshot, dict[tuple[int, date | None], Copies | None]] = (
            WeakKeyDictionary()
        )

    def get(
        self,
        snapshot: Snapshot,
        report: int,
        as_of: date | None,
        articles: int,
        find: Callable[[], Copies | None],
    ) -> Copies | None:
        """What `find` finds for a report of so many articles; of a large one it looks once."""
        if articles < _LARGE:
            return find()
        with self._guard:
            kept = self._kept.setdefault(snapshot, {})
            if (report, as_of) in kept:
                return kept[report, as_of]
        found = find()
        with self._guard:
            kept[report, as_of] = found
        return found
