"""Groundwork in a process of its own: of the adding process no more than the store is asked for.

The child is `python -m index.preparing_process NICENESS`, see `child_process`. Requests and replies
are pickles: both ends are this file.
"""

import logging
import pickle
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from index.article import Article, Origin, Passage, Run, SourceRecord
from index.child_process import ChildEndedError, ChildProcess, Requests
from index.errors import BadArticleError
from index.groundwork import Groundwork, groundworks
from index.precedence import held_back

logger = logging.getLogger(__name__)

# A child is there after a second and a half; so many are prepared here in a tenth of it.
_FIRST_RECORDS = 20

_READY, _DONE = b"R", b"D"
_FIRST = [SourceRecord(Origin("", 1), b"", "The ferry sails on Friday.")]


class PreparingProcess:
    """A child process that does the groundwork of records; to be closed.

    The first records are prepared in this process, and so are those that come until the child is
    there, so that nobody waits for its start; all others, in however small calls, in the child.
    One that has died is noticed: its work is done in this process, and another one started for
    what comes next. About 190 MiB, and one processor core. Safe for many threads; each waits for
    those before it.
    """

    def __init__(self, *, niceness: int = 0, is_patient: bool = False) -> None:
        """`is_patient`: the first records wait for the child as well; who has many saves time."""
        self._niceness, self._is_patient = niceness, is_patient
        self._child: ChildProcess | None = None
        self._is_ready = False
        self._records = 0  # seen so far
        self._guard = threading.Lock()
        self._is_closed = False

    def groundworks(
        self,
        records: Sequence[SourceRecord],
        recurring: Mapping[str, frozenset[bytes]],
        *,
        stories_wait: bool = False,
    ) -> list[Groundwork | BadArticleError]:
        """As `groundwork.groundworks`."""
        with self._guard:
            self._records += len(records)
            try:
                if (self._is_patient or self._records > _FIRST_RECORDS) and self._is_there():
                    return self._done(records, recurring, stories_wait)
            except (ChildEndedError, OSError) as error:
                if self._is_closed:
                    raise
                self._child = None
                logger.warning("the preparing process ended: %s", error)
        return groundworks(records, recurring, stories_wait=stories_wait)

    def close(self) -> None:
        """End the child, in the midst of its work if need be."""
        self._is_closed = True
        child = self._child
        if child is not None:
            child.close()

    def _is_there(self) -> bool:
        """Start the child if there is none; whether it is ready, for which a patient one waits."""
        if self._child is None:
            self._is_ready = False
            self._child = ChildProcess(
                "index.preparing_process", str(self._niceness), environment={}
            )
            if self._is_closed:
                self._child.close()
        if not self._is_ready and (self._is_patient or self._is_closed or self._child.has_more()):
            self._child.reply()
            self._is_ready = True
        return self._is_ready

    def _done(
        self,
        records: Sequence[SourceRecord],
        recurring: Mapping[str, frozenset[bytes]],
        stories_wait: bool,
    ) -> list[Groundwork | BadArticleError]:
        assert self._child is not None  # it is there
        with held_back(self._child.pid):
            request = (list(records), dict(recurring), stories_wait)
            _, body = self._child.reply(pickle.dumps(request))
        return [_unpacked(item) for item in pickle.loads(body)]  # noqa: S301  # our own child's


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
    groundworks(_FIRST, {"": frozenset()})  # loads what is loaded when needed
    requests.reply(_READY, b"")
    while True:
        request = pickle.loads(requests.next())  # noqa: S301  # our own parent's
        records, recurring, stories_wait = request
        works = groundworks(records, recurring, stories_wait=stories_wait)
        requests.reply(_DONE, pickle.dumps([_packed(work) for work in works]))


if __name__ == "__main__":
    _main(int(sys.argv[1]))
