"""The groundwork of one batch of records while the batch before is stored, on all cores."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from index.article import SourceRecord
from index.errors import BadArticleError
from index.groundwork import Groundwork, groundworks
from index.preparing_process import PreparingProcess

Works = list[Groundwork | BadArticleError]
Recurring = Mapping[str, frozenset[bytes]]

# A child is there after a second and a half, and prepares this many in another one.
_ALONE_RECORDS = 200
# More than that of the thread that builds the word index, which the adding itself waits for.
_NICENESS = 15


class PreparingAhead:
    """Prepares records in as many child processes as there are cores; to be closed.

    It is for long runs of adds: stories are told after them.

    A few records are prepared here, and no child is started for them. Each child holds about
    190 MiB, and of the records two batches are in memory.
    """

    def __init__(self, recurring: Callable[[Iterable[SourceRecord]], Recurring]) -> None:
        """`recurring` as `Writer.recurring_lines`; it is asked just before a batch is prepared."""
        self._recurring = recurring
        self._children = [
            PreparingProcess(niceness=_NICENESS, is_patient=True) for _ in os.sched_getaffinity(0)
        ]
        # Only threads wait for a child, so that Ctrl-C is not kept waiting by one.
        self._threads = ThreadPoolExecutor(len(self._children))

    def prepared(
        self, batches: Iterable[Sequence[SourceRecord]]
    ) -> Iterator[tuple[Sequence[SourceRecord], Works, Recurring]]:
        """Each batch with the groundwork of its records, and what recurred then, in order.

        One is prepared ahead.
        """
        yield from self._ahead((batch, self._recurring(batch)) for batch in batches)

    def cleaned(
        self, batches: Iterable[Sequence[SourceRecord]], recurring: Recurring
    ) -> Iterator[tuple[Sequence[SourceRecord], Works]]:
        """As `prepared`, of articles that are stored and hold lines that are known to recur now."""
        for batch, works, _ in self._ahead((batch, recurring) for batch in batches):
            yield batch, works

    def _ahead(
        self, batches: Iterable[tuple[Sequence[SourceRecord], Recurring]]
    ) -> Iterator[tuple[Sequence[SourceRecord], Works, Recurring]]:
        begun: deque[tuple[Sequence[SourceRecord], list[Future[Works]], Recurring]] = deque()
        for batch, recurring in batches:
            if len(batch) <= _ALONE_RECORDS and not begun:
                yield batch, groundworks(batch, recurring, stories_wait=True), recurring
                continue
            begun.append((batch, self._begun(batch, recurring), recurring))
            if len(begun) > 1:
                yield _finished(*begun.popleft())
        while begun:
            yield _finished(*begun.popleft())

    def close(self) -> None:
        """End the children, in the midst of their work if need be."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for child in self._children:
            child.close()

    def _begun(self, batch: Sequence[SourceRecord], recurring: Recurring) -> list[Future[Works]]:
        """Each child gets an equal part of the batch."""
        size = -(-len(batch) // len(self._children))
        parts = [batch[at : at + size] for at in range(0, len(batch), size)]
        return [
            self._threads.submit(child.groundworks, part, recurring, stories_wait=True)
            for child, part in zip(self._children, parts, strict=False)
        ]


def _finished(
    batch: Sequence[SourceRecord], parts: Iterable[Future[Works]], recurring: Recurring
) -> tuple[Sequence[SourceRecord], Works, Recurring]:
    return batch, [work for part in parts for work in part.result()], recurring
