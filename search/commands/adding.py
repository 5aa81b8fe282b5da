"""`nutgraf add`: records from files into a store here; `sending` is for one behind a server."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from index import rejections
from index.article import SourceRecord
from index.errors import BadArticleError
from index.preparing_ahead import PreparingAhead
from index.reading import read, read_stream
from index.writer import Writer
from search.http.batches import BATCH_RECORDS, batches

Read = SourceRecord | BadArticleError
OnBatch = Callable[["Tally"], None]
OnRejected = Callable[[BadArticleError], None]

# Then after twice as many, and so on: what comes later is stored without the lines learned by then,
# and to clean an article that is stored is to take it out and store it once more.
_FIRST_LESSON_RECORDS = 1_000


@dataclass
class Tally:
    """What became of the records read so far."""

    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    rejected: int = 0
    _started: float = field(default_factory=time.monotonic)
    _last: float = field(default_factory=time.monotonic)

    @property
    def total(self) -> int:
        """Records read."""
        return self.added + self.replaced + self.unchanged + self.rejected

    @property
    def stored(self) -> int:
        """Articles that are in the store."""
        return self.total - self.rejected

    @property
    def seconds(self) -> float:
        """From the beginning until the last one was counted."""
        return self._last - self._started

    def count(self, status: str) -> None:
        """One more record that was `added`, `replaced`, `unchanged` or `rejected`."""
        setattr(self, status, getattr(self, status) + 1)
        self._last = time.monotonic()


def read_sources(sources: Sequence[str], field_map: Mapping[str, str]) -> Iterator[Read]:
    """The records of files and folders, and of stdin where a source is `-`, in this order."""
    for source in sources:
        if source == "-":
            yield from read_stream(sys.stdin.buffer, name="<stdin>", field_map=field_map)
        else:
            yield from read([Path(source)], field_map=field_map)


def add_to_store(
    writer: Writer,
    records: Iterable[Read],
    tally: Tally,
    on_batch: OnBatch,
    reject: OnRejected,
    on_found: Callable[[], None] = lambda: None,
) -> None:
    """Commit `records` group by group; what is counted in `tally` is safe and found by words.

    `on_found` is called when all are, before the lines that recur are learned. Their stories are
    left to `Writer.tell_stories`.
    The store keeps why the others were rejected, see `index.rejections`.
    """
    kept = _KeptRejections(writer, reject)
    with closing(PreparingAhead(writer.recurring_lines)) as preparing:
        batch_by_batch = batches(without_bad(records, tally, kept.add), size_bytes)
        next_lesson = _FIRST_LESSON_RECORDS
        for batch, works, recurring in preparing.prepared(batch_by_batch):
            outcomes = writer.add(batch, works=works, recurring=recurring, stories_wait=True)
            for outcome in outcomes:
                tally.count(outcome.status)
                if outcome.error:
                    kept.add(outcome.error)
            kept.commit()
            on_batch(tally)
            if tally.total >= next_lesson:
                writer.learn_midway(preparing.cleaned)
                next_lesson = 2 * tally.total
        kept.commit()
        on_found()
        if tally.stored:
            writer.finish(preparing.cleaned)


class _KeptRejections:
    """Tells of rejected records at once, and commits them to the store in groups."""

    def __init__(self, writer: Writer, reject: OnRejected) -> None:
        self._writer, self._reject = writer, reject
        self._waiting: list[BadArticleError] = []

    def add(self, error: BadArticleError) -> None:
        """One more."""
        self._reject(error)
        self._waiting.append(error)
        if len(self._waiting) >= BATCH_RECORDS:
            self.commit()

    def commit(self) -> None:
        """Keep those that wait."""
        if self._waiting:
            with self._writer.desk() as truth:
                rejections.insert(truth, self._waiting, datetime.now(UTC))
            self._waiting = []


def without_bad(
    records: Iterable[Read], tally: Tally, reject: OnRejected
) -> Iterator[SourceRecord]:
    for record in records:
        if isinstance(record, BadArticleError):
            tally.count("rejected")
            reject(record)
        else:
            yield record


def size_bytes(record: SourceRecord) -> int:
    return len(record.raw) + len(record.body)
