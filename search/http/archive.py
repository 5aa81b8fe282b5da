"""The archive that a server holds open: the searcher, and the one writer if it may write."""

import logging
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from index.article import ArticleId, SourceRecord
from index.backlog import Backlog
from index.errors import NutgrafError, StoreReadOnlyError
from index.idempotency import Outcome
from index.model import CPU
from index.precedence import Precedence, behind, give_way
from index.preparing_process import PreparingProcess
from index.store_folder import DATABASE
from index.write_ahead_log import held_bytes
from index.writer import Writer
from search.desk import alerts
from search.http import freed_memory
from search.http.scrub import Scrub, Scrubbed
from search.searcher import Searcher

# After a failure of the model or the disk: long enough not to fill the log, short enough that
# a cure is noticed without a restart.
RETRY_AFTER_S = 60.0
# Between two looks at the saved searches: each of them is a question to answer.
BETWEEN_RECORDS_S = 1.0
# The child that embeds takes 220 MiB: it is kept while articles come, and no longer.
MODEL_UNUSED_S = 30.0
# Learning which lines recur looks over whole outlets, so it waits for the end of a run of adds.
QUIET_BEFORE_FINISH_S = 2.0
# Of the write-ahead log: it is emptied before it has grown to 64 MiB, unless one commit is larger
# or somebody reads for long.
MOST_LOG_BYTES = 32 << 20
BETWEEN_LOOKS_AT_LOG_S = 1.0
BETWEEN_LOOKS_AT_QUESTIONS_S = 0.02  # that were under way when it is to be emptied
BETWEEN_GIVING_BACK_S = 1.0

# Of the process that prepares articles: questions go before them, and they before embedding.
_NICENESS = 10

logger = logging.getLogger(__name__)


class Archive:
    """Answers questions, takes articles, and in the background embeds and watches saved searches.

    Safe for many threads.

    Raises:
        StoreLockedError: another process writes to the store (not when `read_only`).
        StoreFormatError: the folder is no store; when `read_only` also if there is none yet.
    """

    def __init__(
        self,
        folder: Path,
        *,
        model: str | None = None,
        device: str = CPU,
        read_only: bool = False,
        mapped_vectors: bool = False,
    ) -> None:
        self._writer = None if read_only else Writer(folder, model=model)
        try:
            self.searcher = Searcher(
                folder, model=model, mapped_vectors=mapped_vectors, is_told=not read_only
            )
        except BaseException:
            if self._writer:
                self._writer.close()
            raise
        self._folder, self._device = folder, device
        self.questions = Precedence()
        self._preparing = PreparingProcess(niceness=_NICENESS)
        self._work = threading.Event()
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._scrub = Scrub(folder, self._stopping)
        self._threads = [
            threading.Thread(target=self._scrub.run, name="scrub", daemon=True),
            threading.Thread(target=self._give_memory_back, name="memory", daemon=True),
        ]
        if self._writer:
            self._work.set()
            self._changed.set()
            # A backlog is embedded for hours: what comes in meanwhile must not wait for it.
            self._threads += [
                threading.Thread(target=self._embed, name="embedding", daemon=True),
                threading.Thread(target=self._record, name="alerts", daemon=True),
                threading.Thread(target=self._keep_log_short, name="log", daemon=True),
            ]
        else:
            self._threads.append(
                threading.Thread(target=self._let_go_of_log, name="log", daemon=True)
            )
        for thread in self._threads:
            thread.start()

    def add(
        self, records: Sequence[SourceRecord], *, idempotency_key: str | None = None
    ) -> list[Outcome]:
        """Add `records`: one outcome each, in order; they are found by their words on return.

        Raises:
            ConflictError: the key was used before, for other records.
            StoreReadOnlyError: the archive is open for reading only, or a write failed before.
            StoreFullError: no space is left.
        """
        writer = self._writing()
        with behind(self.questions):
            recurring = writer.recurring_lines(records)
            works = self._preparing.groundworks(records, recurring)
            outcomes = writer.add(
                records, works=works, recurring=recurring, idempotency_key=idempotency_key
            )
            self._show()
        self._work.set()
        return outcomes

    def remove(self, article_id: str) -> ArticleId:
        """Remove the article with this id, guid or URL; its id.

        Raises:
            NotFoundError: there is none.
            StoreReadOnlyError, StoreFullError: as for `add`.
        """
        writer = self._writing()
        found = ArticleId(self.searcher.article(article_id).id)
        writer.remove([found])
        self._show()
        return found

    def desk(self) -> AbstractContextManager[sqlite3.Connection]:
        """One commit of what its users keep beside the articles, see `Writer.desk`.

        Raises:
            StoreReadOnlyError, StoreFullError: as for `add`.
        """
        return self._writing().desk()

    @property
    def is_read_only(self) -> bool:
        return self._writer is None

    @property
    def scrubbed(self) -> Scrubbed:
        """What the background scrub has read so far, and what it found damaged."""
        return self._scrub.scrubbed

    def ready(self) -> str:
        """The snapshot that answers now; a whole question is asked, so store and model are seen.

        Raises:
            StoreError, ModelError: no question can be answered.
        """
        return self.searcher.search("ready", k=1).snapshot

    def may_write(self) -> None:
        """StoreReadOnlyError when the archive is open for reading only."""
        self._writing()

    def close(self) -> None:
        """Finish the write and the group of embeddings that are under way, then let go."""
        self._stopping.set()
        self._work.set()
        self._changed.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self._preparing.close()
        self.searcher.close()
        if self._writer:
            self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _writing(self) -> Writer:
        if self._writer is None:
            raise StoreReadOnlyError(
                "this server only answers questions; start one without --read-only to change "
                "the archive"
            )
        return self._writer

    def _embed(self) -> None:
        backlog = Backlog(self._writing(), device=self._device)
        try:
            while not self._stopping.is_set():
                if not self._work.wait(MODEL_UNUSED_S):
                    backlog.rest()
                    self._work.wait()
                self._work.clear()
                try:
                    self._embed_what_waits(backlog)
                except NutgrafError as error:
                    logger.error("embedding failed reason=%s retry_s=%.0f", error, RETRY_AFTER_S)
                    self._stopping.wait(RETRY_AFTER_S)
                    self._work.set()
        finally:
            backlog.rest()

    def _embed_what_waits(self, backlog: Backlog) -> None:
        writer = self._writing()
        with behind(self.questions):
            while not self._stopping.is_set() and writer.tell_stories():
                self._show()
            embedded = backlog.embed(progress=lambda _: self._show(), stop=self._stopping.is_set)
            self._show()  # segments, where there are new ones
        if embedded:
            logger.info("embedded passages=%d pending=%d", embedded, writer.pending())
        if self._stopping.wait(QUIET_BEFORE_FINISH_S) or self._work.is_set():
            return
        with behind(self.questions):
            writer.finish()
            self._show()
        if writer.pending():
            self._work.set()

    def _show(self) -> None:
        """Let questions see what is committed."""
        give_way()
        self.searcher.refresh()
        self._changed.set()

    def _record(self) -> None:
        while not self._stopping.is_set():
            self._changed.wait()
            self._changed.clear()
            if self._stopping.is_set():
                return
            try:
                with behind(self.questions):
                    recorded = alerts.record(self.searcher, self.desk)
                if recorded:
                    logger.info("recorded entries=%d", recorded)
                self._stopping.wait(BETWEEN_RECORDS_S)
            except (NutgrafError, sqlite3.Error) as error:
                logger.error("recording failed reason=%s retry_s=%.0f", error, RETRY_AFTER_S)
                self._stopping.wait(RETRY_AFTER_S)
                self._changed.set()

    def _keep_log_short(self) -> None:
        writer = self._writing()
        while not self._stopping.wait(BETWEEN_LOOKS_AT_LOG_S):
            if writer.log_bytes() <= MOST_LOG_BYTES:
                continue
            try:
                # One that takes long must not hold up articles as well.
                are_answered = self.searcher.renew()
                while not (are_answered() or self._stopping.wait(BETWEEN_LOOKS_AT_QUESTIONS_S)):
                    pass
                if self._stopping.is_set():  # the writer empties it when it is closed
                    return
                is_empty = writer.begin_log_anew(self.searcher.renew)
                logger.info("write-ahead log full emptied=%s", is_empty)
            except NutgrafError as error:
                logger.error("the log stays full reason=%s retry_s=%.0f", error, RETRY_AFTER_S)
                self._stopping.wait(RETRY_AFTER_S)

    def _give_memory_back(self) -> None:
        while not self._stopping.wait(BETWEEN_GIVING_BACK_S):
            freed_memory.give_back()

    def _let_go_of_log(self) -> None:
        """Another process may write: what is read here must not keep its log from being emptied."""
        log = self._folder / f"{DATABASE}-wal"
        while not self._stopping.wait(BETWEEN_LOOKS_AT_LOG_S):
            if held_bytes(log) > MOST_LOG_BYTES:
                self.searcher.let_go()
