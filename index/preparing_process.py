"""Groundwork in a process of its own: of the adding process no more than the store is asked for.

The child is `python -m index.preparing_process NICENESS`, see `child_process`. Requests and replies
are pickles: both ends are this file.
"""

import logging
import pickle
import sys
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from index.article import Article, Passage, Run, SourceRecord
from index.child_process import ChildEndedError, ChildProcess, Requests
from index.errors import BadArticleError
from index.groundwork import Groundwork, groundworks

logger = logging.getLogger(__name__)

_DONE = b"D"


class PreparingProcess:
    """A child process that does the groundwork of records; a context manager.

    It is started when it is first needed. One that has died is noticed: its work is done in this
    process, and another one started for what comes next. About 150 MiB, and one processor core.
    Safe for many threads; each waits for those before it.
    """

    def __init__(self, *, niceness: int = 0) -> None:
        self._niceness = niceness
        self._child: ChildProcess | None = None
        self._guard = threading.Lock()
        self._is_closed = False

    def groundworks(
        self, records: Sequence[SourceRecord], recurring: Mapping[str, frozenset[bytes]]
    ) -> list[Groundwork | BadArticleError]:
        """As `groundwork.groundworks`."""
        with self._guard:
            try:
                return self._done(records, recurring)
            except (ChildEndedError, OSError) as error:
                if self._is_closed:
                    raise
                self._child = None
                logger.warning("the preparing process ended: %s", error)
        return groundworks(records, recurring)

    def close(self) -> None:
        """End the child, in the midst of its work if need be."""
        self._is_closed = True
        child = self._child
        if child is not None:
            child.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _done(
        self, records: Sequence[SourceRecord], recurring: Mapping[str, frozenset[bytes]]
    ) -> list[Groundwork | BadArticleError]:
        if self._child is None:
            self._child = ChildProcess(
                "index.preparing_process", str(self._niceness), environment={}
            )
        _, body = self._child.reply(pickle.dumps((list(records), dict(recurring))))
        return [_unpacked(item) for item in pickle.loads(body)]


# Of a class with slots each object is taken apart and put together in Python, which for the
# passages of an article takes as long as finding them: they travel as plain numbers.
def _packed(work: Groundwork | BadArticleError) -> tuple[Any, ...]:
    if isinstance(work, BadArticleError):
        return (work.path, work.line, work.reason, work.advice)
    article = work.article
    return (
        tuple(getattr(article, name) for name in Article.__slots__),
        [(passage.id, passage.start, passage.end) for passage in work.passages],
        [(run.start, run.body_start, run.length) for run in work.runs],
        work.content,
        work.embeddings,
        work.lines,
        work.sketch,
        work.terms,
    )


def _unpacked(item: tuple[Any, ...]) -> Groundwork | BadArticleError:
    if isinstance(item[0], str):
        return BadArticleError(*item)
    fields, passages, runs, *others = item
    article = Article(*fields)
    return Groundwork(
        article,
        tuple(
            Passage(name, article.id, ordinal, start, end, article.text[start:end])
            for ordinal, (name, start, end) in enumerate(passages)
        ),
        tuple(Run(*run) for run in runs),
        *others,
    )


def _main(niceness: int) -> None:
    requests = Requests(niceness=niceness)
    while True:
        records, recurring = pickle.loads(requests.next())
        works = groundworks(records, recurring)
        requests.reply(_DONE, pickle.dumps([_packed(work) for work in works]))


if __name__ == "__main__":
    _main(int(sys.argv[1]))
