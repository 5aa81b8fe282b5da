"""A reader's frozen view of a store: one horizon in every arm, from the first step to the last.

A reader never blocks the writer and is never blocked by it. It looks whether anything was
committed, builds the next snapshot aside from the one before and what changed, and swaps one
reference; queries that run keep the snapshot they began with.
"""

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from weakref import WeakSet, ref

import numpy as np
from numpy.typing import NDArray

from index import (
    deadline,
    former_passages,
    saved_columns,
    segments,
    store,
    store_folder,
    stories,
    term_counts,
)
from index.checksums import columns_of
from index.columns import EMPTY, Columns, extended, tidied
from index.errors import StoreCorruptError
from index.former_passages import FormerPassage
from index.generations import checked_vectors, generation_max_seq, live_segments
from index.kept_rows import KeptRows
from index.read_connections import ReadConnections
from index.store import ArticleRow, EarlierVersion, PassageRow
from index.tail import GrowingTail
from index.term_vectors import TermVector, terms_of
from index.vectors import VectorsView, positions_in
from index.words import WordsReader, WordsView, commit_of

logger = logging.getLogger(__name__)

# The word index and the truth are two files: how long to wait for a writer to bring them together.
_PATIENCE_S = 10.0
# A rebuilt word index takes the old one's place in two steps; longer, and it is missing indeed.
_RENAMES_S = 0.5


class Snapshot:
    """One frozen view; safe to share between threads."""

    def __init__(
        self,
        folder: Path,
        connections: ReadConnections,
        truth: sqlite3.Connection,
        words: WordsView,
        columns: Columns,
        vectors: VectorsView,
        kept_rows: KeptRows,
        *,
        seq: int,
        generation: int,
        tail_seq: int,
        begun_s: float,
    ) -> None:
        self._folder = folder
        self._connections, self._truth = connections, truth
        self._kept_rows = kept_rows
        self._guard = threading.Lock()
        self.words, self.columns, self.vectors = words, columns, vectors
        self.horizon = words.horizon
        self.seq, self.generation, self.tail_seq = seq, generation, tail_seq
        self.begun_s = begun_s  # when it began to read, of the monotonic clock
        self.id = f"{self.horizon}.{generation}.{tail_seq}"
        self.model = str(store.meta(truth, "model") or "")
        self.fingerprint = str(store.meta(truth, "fingerprint") or "")
        self.passages = len(columns.number)
        self.articles = len(np.unique(columns.article))
        self.embedded = vectors.embedded
        self.pending = self.passages - self.embedded  # passages that wait for their embedding
        self.bad_rows = 0  # rows that failed their check since this snapshot was made
        deadline.interrupt(truth)  # from here on: whoever makes it does it for others as well

    def __del__(self) -> None:
        self._connections.give_back(self._truth)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """One thread at a time may read, and until the deadline of its question.

        Raises:
            StoreUnreadableError, StoreCorruptError: as `store_folder.readable`.
        """
        with deadline.holding(self._guard), store_folder.readable(self._folder):
            deadline.check()
            try:
                yield
            except sqlite3.OperationalError:
                deadline.check()  # it was this that interrupted the query
                raise

    def position_of(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Positions of passage numbers, shape (len(numbers),), int64; -1 where not live."""
        return positions_in(self.columns.number, numbers)

    def passage_rows(self, positions: Sequence[int]) -> dict[int, PassageRow]:
        """The checked rows of these passages by position; damaged ones are left out and counted."""
        numbers = self.columns.number[np.asarray(positions, dtype=np.int64)].tolist()
        rows = self._kept_rows.get(numbers)
        if wanted := set(numbers) - rows.keys():
            with self._reading():
                read = store.passage_rows(self._truth, sorted(wanted), self.horizon)
                self.bad_rows += len(wanted) - len(read)
            self._kept_rows.put(read)
            rows |= read
        return {
            int(position): rows[number]
            for position, number in zip(positions, numbers, strict=True)
            if number in rows
        }

    def article(self, article_id: str) -> ArticleRow | None:
        """An article by its id, else by its exact URL or guid."""
        with self._reading():
            return store.article_by_id(self._truth, article_id, self.horizon)

    def passage(self, passage_id: str) -> PassageRow | None:
        with self._reading():
            return store.passage_by_id(self._truth, passage_id, self.horizon)

    def passages_of(self, article: ArticleRow) -> tuple[PassageRow, ...]:
        """An article's passages, in order."""
        with self._reading():
            return store.passages_of(self._truth, article)

    @cached_property
    def shared_reports(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Reports of several articles, ascending, and how many each has; both of shape (n,)."""
        columns = self.columns
        # From those that are not the first of theirs: there are few, and to sort all takes long.
        others = columns.report[columns.report != columns.article_number]
        reports, counts = np.unique(others, return_counts=True)
        counts += positions_in(columns.article_number, reports) >= 0
        return reports[counts > 1], counts[counts > 1]

    def articles_of_report(self, report: int) -> tuple[ArticleRow, ...]:
        """The live articles of a report, in order of their numbers; damaged ones are missing."""
        columns = self.columns
        numbers = columns.article_number[columns.report == report].tolist()
        with self._reading():
            return store.articles_at(self._truth, numbers, self.horizon)

    def articles_of_story(self, story: int) -> tuple[ArticleRow, ...]:
        """The live articles of a story, copies among them, in order of their numbers.

        Damaged ones are missing.
        """
        columns = self.columns
        numbers = columns.article_number[columns.story == story].tolist()
        with self._reading():
            return store.articles_at(self._truth, numbers, self.horizon)

    def story(self, number: int) -> int:
        """The number under which a story goes on: its own, or that of the one it was merged into.

        A number that never was a story, or whose articles are all gone, is given back as it is.
        """
        with self._reading():
            return stories.successor(self._truth, number, self.horizon)

    def term_vectors(self, articles: Sequence[int]) -> dict[int, TermVector]:
        """The term vectors of live articles by number; a copy has that of its report's first.

        Damaged ones are missing.
        """
        positions = positions_in(self.columns.article_number, np.array(articles, dtype=np.int64))
        report_of = {
            number: int(self.columns.report[position])
            for number, position in zip(articles, positions, strict=True)
            if position >= 0
        }
        with self._reading():
            found = stories.vectors(self._truth, set(report_of.values()))
        return {number: found[report] for number, report in report_of.items() if report in found}

    def term_vector_of(self, headline: str, text: str, language: str = "en") -> TermVector:
        """The term vector of a text from outside, weighed as an article of this archive is."""
        with self._reading():
            return term_counts.vector(self._truth, language, terms_of(headline, text))

    def earlier_versions(self, article: ArticleRow) -> tuple[EarlierVersion, ...]:
        """What an article said before its id came again with other content, oldest first."""
        with self._reading():
            return store.earlier_versions(self._truth, article, self.horizon)

    def former_passage(self, passage_id: str) -> FormerPassage | None:
        """A passage that is not live any more; None: it never was."""
        with self._reading():
            return former_passages.find(self._truth, passage_id, self.horizon)

    def removal_of(self, article_id: str) -> int | None:
        """The commit that removed an article; None: it is live, or never was."""
        with self._reading():
            return former_passages.removal_of(self._truth, article_id, self.horizon)

    def committed_s(self, seq: int) -> int | None:
        """When a commit was made, in seconds since 1970 UTC; None: its row is damaged."""
        with self._reading():
            return store.commit_time_s(self._truth, seq)

    @property
    def segments(self) -> int:
        with self._reading():
            return len(live_segments(self._truth))


class SnapshotReader:
    """Gives the newest snapshot of a store; safe to share between threads."""

    def __init__(
        self, folder: Path, *, mapped_vectors: bool = False, is_told: bool = False
    ) -> None:
        """Open a store for reading.

        Args:
            mapped_vectors: vectors of large segments stay in their files; see
                `segments.read_segment`.
            is_told: whoever writes to the store calls `refresh` before it says that a change is
                made, so a question need not look for one, nor wait for its snapshot.

        Raises:
            StoreFormatError: the folder is no store, or one of a newer format.
        """
        self._folder = folder
        self._mapped_vectors, self._is_told = mapped_vectors, is_told
        self._watch = store_folder.open_readonly(folder)
        self._connections = ReadConnections(folder)
        self._guard = threading.Lock()
        self._words: WordsReader | None = None
        self._kept_rows = KeptRows()
        self._loaded: dict[str, segments.Segment] = {}
        self._snapshot: Snapshot | None = None
        self._alive: WeakSet[Snapshot] = WeakSet()  # that one and those that are still read
        self._known = (0, EMPTY)  # horizon and columns of the one made last
        self._state: tuple[int, ...] = ()
        # What the tail goes on from: of which segments and model, and up to which commit.
        self._tail, self._tail_of, self._tail_seq = GrowingTail(), (0, 0, ""), 0

    def model(self) -> tuple[str, str] | None:
        """The model of the store's vectors, by name and fingerprint, without a snapshot.

        None: there are no vectors yet.

        Raises:
            StoreUnreadableError, StoreCorruptError: as `latest`.
        """
        with self._guard, store_folder.readable(self._folder):
            if not self._watch.execute("SELECT EXISTS (SELECT 1 FROM vectors)").fetchone()[0]:
                return None
            name, fingerprint = (store.meta(self._watch, key) for key in ("model", "fingerprint"))
        return str(name or ""), str(fingerprint or "")

    def latest(self) -> Snapshot:
        """The newest snapshot; cheap when nothing was committed since the last call.

        Of a reader that is told of changes, the one of the last `refresh`.

        Raises:
            StoreCorruptError: the word index is missing or damaged, or does not come to agree
                with the store; the message says what to do.
            StoreUnreadableError: the disk failed; the next call tries again.
        """
        return (self._snapshot if self._is_told else None) or self.refresh()

    def refresh(self) -> Snapshot:
        """The snapshot of what is committed now, made anew if that has changed.

        Raises:
            StoreCorruptError, StoreUnreadableError: as `latest`; the next call tries again.
        """
        with self._guard, store_folder.readable(self._folder):
            state = self._committed_state()
            if self._snapshot is None or state != self._state:
                self._snapshot = self._next_snapshot()
                self._state = state
            return self._snapshot

    def at_hand(self) -> Snapshot | None:
        """The newest snapshot; None where it is yet to be made, or somebody is just about it.

        Raises:
            StoreUnreadableError: as `latest`.
        """
        if self._is_told:
            return self._snapshot
        if not self._guard.acquire(blocking=False):
            return None
        try:
            with store_folder.readable(self._folder):
                return self._snapshot if self._committed_state() == self._state else None
        finally:
            self._guard.release()

    def renew(self) -> Callable[[], bool]:
        """Give up the newest snapshot for one that is the same and begins to read now.

        What it reads from then on need not be in the write-ahead log any more, if that was copied
        into the database.

        Returns:
            Says whether none of the snapshots from before is read any more.

        Raises:
            StoreCorruptError, StoreUnreadableError: as `latest`.
        """
        with self._guard, store_folder.readable(self._folder):
            state = self._committed_state()
            earlier = [ref(snapshot) for snapshot in self._alive]
            self._snapshot = self._next_snapshot()
            self._state = state
        return lambda: all(snapshot() is None for snapshot in earlier)

    def let_go(self) -> None:
        """Give up the newest snapshot; the next call of `latest` makes it anew from its columns.

        Until then this reader needs nothing of the write-ahead log, so that whoever writes can
        empty it: a reader that goes on from commit to commit always needs the last one.
        """
        with self._guard:
            self._snapshot = None

    def close(self) -> None:
        self.let_go()
        with self._guard:
            self._watch.close()
        self._connections.close()

    def _committed_state(self) -> tuple[int, ...]:
        """Changes whenever the truth or the word index commits."""
        version = self._watch.execute("PRAGMA data_version").fetchone()[0]
        try:
            return (version, *commit_of(self._folder / store_folder.WORDS))
        except FileNotFoundError:
            return (version,)

    def _next_snapshot(self) -> Snapshot:
        patient_until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                snapshot = self._try_snapshot()
            except StoreCorruptError:
                if time.monotonic() > patient_until - _PATIENCE_S + _RENAMES_S:
                    raise
                snapshot = None
            if snapshot is not None:
                self._known = (snapshot.horizon, snapshot.columns)
                self._alive.add(snapshot)
                self._kept_rows.keep_live(snapshot.columns.number)
                return snapshot
            if time.monotonic() > patient_until:
                raise StoreCorruptError(
                    f"{self._folder}: the word index and the store do not agree; "
                    "run `nutgraf add` once to bring them together"
                )
            deadline.check()
            time.sleep(0.02)

    def _try_snapshot(self) -> Snapshot | None:
        """A snapshot at the word index's horizon; None when the two files do not meet just now."""
        view = self._words_view()
        truth = self._connections.take()
        try:
            begun_s = time.monotonic()
            truth.execute("BEGIN")
            seq = int(store.meta(truth, "seq") or 0)
            if not int(store.meta(truth, "purged_seq") or 0) <= view.horizon <= seq:
                self._connections.give_back(truth)
                return None
            generation = _newest_generation(truth)
            columns = self._columns(truth, view.horizon)
            try:
                loaded = [self._load(info) for info in live_segments(truth)]
            except StoreCorruptError as error:
                if generation != _newest_generation(self._watch):
                    # Another was published, and the files of this one are gone.
                    self._connections.give_back(truth)
                    return None
                # The truth has every vector: slower to load, but right.
                logger.warning("%s", error)
                loaded = None
            vectors, tail_seq = self._vectors(truth, columns, loaded, generation)
        except BaseException:
            truth.close()
            raise
        return Snapshot(
            self._folder,
            self._connections,
            truth,
            view,
            columns,
            vectors,
            self._kept_rows,
            seq=seq,
            generation=generation,
            tail_seq=tail_seq,
            begun_s=begun_s,
        )

    def _words_view(self) -> WordsView:
        try:
            if self._words is None:
                self._words = WordsReader(self._folder / store_folder.WORDS)
            return self._words.view()
        except (OSError, ValueError) as error:
            self._words = None
            raise StoreCorruptError(
                f"{self._folder / store_folder.WORDS}: not readable ({error}); "
                "run `nutgraf add` once to rebuild it from the store"
            ) from error

    def _columns(self, truth: sqlite3.Connection, horizon: int) -> Columns:
        since, before = self._known if self._known[0] else self._saved(truth)
        if since == horizon:
            return before
        if not 0 < since < horizon:
            return extended(EMPTY, truth, 0, horizon)
        return tidied(extended(before, truth, since, horizon))

    def _saved(self, truth: sqlite3.Connection) -> tuple[int, Columns]:
        try:
            saved = saved_columns.read(self._folder, truth)
        except (OSError, StoreCorruptError) as error:
            logger.warning("%s", error)
            saved = None
        return (saved.seq, saved.columns) if saved else (0, EMPTY)

    def _vectors(
        self,
        truth: sqlite3.Connection,
        columns: Columns,
        loaded: Sequence[segments.Segment] | None,
        generation: int,
    ) -> tuple[VectorsView, int]:
        """The vectors of these segments and the tail; without segments, all from the truth."""
        covered = generation_max_seq(truth) if loaded is not None else 0
        self._loaded = {segment.name: segment for segment in loaded or ()}
        fingerprint = str(store.meta(truth, "fingerprint") or "")
        tail_of = (generation, covered, fingerprint)
        if tail_of != self._tail_of:
            self._tail, self._tail_of, self._tail_seq = GrowingTail(), tail_of, covered
        rows = truth.execute(
            f"SELECT p.number, {columns_of('vectors', 'v')} FROM passages p "
            "CROSS JOIN vectors v ON v.model = ? AND v.embedding = p.embedding "
            "WHERE p.embedded_seq > ? ORDER BY +p.number",  # by the index of embedded_seq
            (fingerprint, self._tail_seq),
        )
        tail = self._tail.grown(*checked_vectors(rows))
        last = (
            truth.execute(
                "SELECT max(embedded_seq) FROM passages WHERE embedded_seq IS NOT NULL"
            ).fetchone()[0]
            or 0
        )
        self._tail_seq = max(self._tail_seq, last)
        return VectorsView(columns.number, loaded or (), tail), int(last)

    def _load(self, info: segments.SegmentInfo) -> segments.Segment:
        loaded = self._loaded.get(info.name)
        return loaded or segments.read_segment(
            self._folder / store_folder.SEGMENTS, info, mapped=self._mapped_vectors
        )


def _newest_generation(truth: sqlite3.Connection) -> int:
    return int(truth.execute("SELECT max(number) FROM generations").fetchone()[0])
