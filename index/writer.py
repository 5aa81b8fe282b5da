"""The one writer of a store: adds, replaces and removes articles, and keeps every follower in step.

A change is committed to the SQLite truth first, then applied to the word index; only then does the
call return, and what it returned for is synced to the disk. A crash in between loses nothing: the
word index knows how far it got and is brought up from the truth.
"""

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from index import (
    article_changes,
    generations,
    idempotency,
    lessons,
    saved_columns,
    segments,
    store,
    store_folder,
    stories,
)
from index.article import ArticleId, SourceRecord, embedding_text
from index.article_changes import ArticleChange
from index.checksums import crc_after, insert_into, sealed
from index.errors import (
    BadArticleError,
    ModelMismatchError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
)
from index.groundwork import Groundwork, embedding_hash, groundworks
from index.held_truth import HeldTruth, write_error
from index.idempotency import Outcome
from index.model import DEFAULT_MODEL, model_fingerprint
from index.precedence import give_way
from index.segment_files import SegmentFiles
from index.words_follower import WordsFollower

logger = logging.getLogger(__name__)

_PATIENCE_S = 1.0  # with questions that read from the log; articles wait meanwhile
_VECTORS_A_STEP = 32  # before questions are let go first
_CLEANED_A_STEP = 500  # articles, in one commit
_TOLD_A_STEP = 500
# In the midst of a run a line must stand in so many times as many articles as it takes at the end:
# of the tables of reuters-1987 "Year" is in 4 % of the first thousands and in 2.7 % of all.
_SURELY = 2
# By name, or the planner goes through all passages to find the few that wait.
_WAITING_PASSAGES = "passages p INDEXED BY passages_waiting"


# Groundwork of batches of records with the recurring lines of their outlets, in order.
Cleaning = Callable[
    [Iterable[Sequence[SourceRecord]], Mapping[str, frozenset[bytes]]],
    Iterator[tuple[Sequence[SourceRecord], Sequence[Groundwork | BadArticleError]]],
]


def _cleaned_here(
    batches: Iterable[Sequence[SourceRecord]], recurring: Mapping[str, frozenset[bytes]]
) -> Iterator[tuple[Sequence[SourceRecord], Sequence[Groundwork | BadArticleError]]]:
    for records in batches:
        yield records, groundworks(records, recurring, stories_wait=True)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A text that waits for its embedding, and the hash that names it."""

    embedding: bytes
    text: str


class Writer:
    """Writes to a store; at most one at a time, and any number of threads may share it."""

    def __init__(self, folder: Path, *, model: str | None = None) -> None:
        """Take the store's lock, make the store if there is none, and finish what a crash left.

        Raises:
            StoreLockedError: another process writes to this store.
            StoreFormatError: the folder holds something else, or a newer format.
            ModelMismatchError: the store's vectors come from another model than `model`.
            StoreFullError, StoreReadOnlyError: the disk failed.
        """
        self.folder = folder
        self._guard = threading.RLock()
        # Taken before the other: one thread at a time makes segments, while others add and remove.
        self._publishing = threading.RLock()
        with contextlib.ExitStack() as opened:
            try:
                self._held = HeldTruth(folder)
                opened.callback(self._held.close)
                # Before the epoch: tantivy's lock is the second one, should ours have been deleted
                # under a writer that is at work, which must not lose its place to one that cannot
                # open.
                self._words = WordsFollower(self._held)
                opened.callback(self._words.close)
                self._segments = SegmentFiles(self._held)
                self._held.begin_epoch()
                self._choose_model(model)
                self._recover()
            except (sqlite3.Error, OSError) as error:
                raise write_error(folder, error) from error
            opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def model(self) -> str:
        """Name or folder of the model whose vectors answer."""
        with self._at_work():
            return str(store.meta(self._truth, "model"))

    @property
    def fingerprint(self) -> str:
        with self._at_work():
            return str(store.meta(self._truth, "fingerprint"))

    # ---------------------------------------------------------------- articles

    def recurring_lines(self, records: Iterable[SourceRecord]) -> dict[str, frozenset[bytes]]:
        """What `groundwork` needs to know of the store: by outlet, the lines that recur there."""
        with self._at_work():
            return lessons.learned(self._truth, {record.outlet for record in records})

    def add(
        self,
        records: Sequence[SourceRecord],
        *,
        works: Sequence[Groundwork | BadArticleError] | None = None,
        recurring: Mapping[str, frozenset[bytes]] = MappingProxyType({}),
        idempotency_key: str | None = None,
        stories_wait: bool = False,
    ) -> list[Outcome]:
        """Clean, chunk and commit records; once this returns they are safe and found by words.

        Returns one outcome a record, in order. With an idempotency key seen before, the outcomes
        of that time and no change.

        Args:
            works: the groundwork of the records, where it was done elsewhere.
            recurring: what it was done with: what `recurring_lines` gave then. Of articles with
                lines that were learned since it is done anew.
            stories_wait: new articles are in no story until `tell_stories`; in a long run of adds
                the others are found the sooner.

        Raises:
            ConflictError: the key was used before, for other records.
            StoreFullError, StoreReadOnlyError: nothing of this call was acknowledged; what the
                store held before is safe. Repeat the call, with the same key if it had one.
        """
        if works is None:
            recurring = self.recurring_lines(records)
            works = groundworks(records, recurring, stories_wait=stories_wait)
        with self._at_work():
            works = self._as_learned_since(records, works, recurring)
            with self._transaction() as seq:
                outcomes = idempotency.recall(self._truth, idempotency_key, records)
                if outcomes is None:
                    change = self._change(seq)
                    outcomes = [
                        Outcome("rejected", error=work)
                        if isinstance(work, BadArticleError)
                        else change.put(record, work)
                        for record, work in zip(records, works, strict=True)
                    ]
                    change.group(stories_wait=stories_wait)
                    idempotency.remember(self._truth, idempotency_key, records, outcomes)
            self._words.follow()
        return outcomes

    def remove(self, ids: Sequence[ArticleId]) -> list[bool]:
        """Remove articles from every arm; True for those that were there."""
        with self._at_work():
            with self._transaction() as seq:
                change = self._change(seq)
                removed = [change.remove(article_id) for article_id in ids]
                change.group()
            self._words.follow()
        return removed

    def learn_midway(self, cleaned: Cleaning = _cleaned_here) -> None:
        """In a long run of adds, learn lines that surely recur, and clean what was added before.

        What comes later is spared from being cleaned twice. `finish` learns what else recurs.

        Args:
            cleaned: does the groundwork.
        """
        with self._at_work():
            self._learn(lessons.outlets_to_learn(self._truth), cleaned, _SURELY)

    def finish(self, cleaned: Cleaning = _cleaned_here) -> None:
        """End a run of adds: learn the lines that recur, and clean what was added before that.

        `cleaned` as for `learn_midway`.
        """
        with self._at_work():
            outlets = lessons.outlets_to_learn(self._truth)
            self._learn(outlets, cleaned)
            if outlets:
                with self._transaction():
                    lessons.end(self._truth)
            with contextlib.suppress(sqlite3.Error):
                # Of a large table some rows tell enough; to read all would hold up what comes next.
                self._truth.execute("PRAGMA analysis_limit = 1000")
                self._truth.execute("PRAGMA optimize")

    def tell_stories(self) -> int:
        """Tell the stories of the next articles that wait for it; how many, 0: none waits."""
        with self._at_work():
            waiting = stories.waiting(self._truth, _TOLD_A_STEP)
            if waiting:
                with self._transaction() as seq:
                    stories.tell_waiting(self._truth, seq, waiting)
                self._words.follow()
        return len(waiting)

    # -------------------------------------------------------------- embeddings

    def pending(self) -> int:
        """How many passages wait for their embedding."""
        with self._at_work():
            row = self._truth.execute(
                f"SELECT count(*) FROM {_WAITING_PASSAGES} "
                f"WHERE p.embedded_seq IS NULL AND {store.OF_LIVE_ARTICLE}"
            ).fetchone()
        return int(row[0])

    def waiting_order(self, limit: int, *, fingerprint: str | None = None) -> list[int]:
        """Numbers of passages that wait: leads of the newest articles first, then the rest.

        With a fingerprint, those that have no vector of that model.
        """
        passages, condition = _WAITING_PASSAGES, "p.embedded_seq IS NULL"
        if fingerprint is not None:
            passages, condition = (
                "passages p",
                "NOT EXISTS (SELECT 1 FROM vectors v WHERE v.model = :model "
                "AND v.embedding = p.embedding)",
            )
        with self._at_work():
            rows = self._truth.execute(
                f"SELECT p.number FROM {passages} WHERE {condition} AND {store.OF_LIVE_ARTICLE} "
                "ORDER BY p.ordinal > 0, "
                "(SELECT published FROM articles WHERE number = p.article) DESC, p.number "
                "LIMIT :limit",
                {"limit": limit, "model": fingerprint},
            ).fetchall()
        return [row[0] for row in rows]

    def waiting_texts(
        self, numbers: Sequence[int], *, fingerprint: str | None = None
    ) -> list[Waiting]:
        """What the model has to see of these passages, equal texts once.

        Passages that got their vector or were removed meanwhile, and damaged ones, have no part
        in it. `fingerprint` as in `waiting_order`.
        """
        with self._at_work():
            rows = store.passage_rows(self._truth, numbers, self._held.seq)
            texts = {}
            for number in numbers:
                if row := rows.get(number):
                    text = embedding_text(row.article.headline, row.text)
                    texts[embedding_hash(text)] = text
            known = generations.known_embeddings(
                self._truth, list(texts), fingerprint or self.fingerprint
            )
        return [Waiting(name, text) for name, text in texts.items() if name not in known]

    def store_embeddings(
        self, waiting: Sequence[Waiting], vectors: NDArray[np.float32], fingerprint: str
    ) -> None:
        """Commit vectors, shape (len(waiting), dim), float32; they answer from now on.

        Vectors of another model than the store's are kept beside them until `switch_model`.
        """
        with self._at_work(), self._transaction() as seq:
            they_answer = fingerprint == self.fingerprint
            for at, (item, vector) in enumerate(zip(waiting, vectors, strict=True)):
                if at % _VECTORS_A_STEP == 0:
                    give_way()
                data = vector.astype("<f2").tobytes()
                self._truth.execute(
                    insert_into("vectors", instead=True),
                    sealed("vectors", fingerprint, item.embedding, data),
                )
                if they_answer:
                    self._truth.execute(
                        f"UPDATE passages SET embedded_seq = :seq, "
                        f"crc = {crc_after('embedded_seq', ':seq')} "
                        "WHERE embedding = :embedding AND embedded_seq IS NULL",
                        {"seq": seq, "embedding": item.embedding},
                    )

    def switch_model(self, model: str, fingerprint: str) -> None:
        """Let another model's vectors answer, in one commit; drop those of the model before."""
        with self._publishing, self._at_work():
            self._words.follow()
            infos = self._segments.write(
                fingerprint, generations.live_numbers(self._truth, fingerprint), self._at_work
            )
            with self._transaction() as seq:
                store.set_meta(self._truth, model=model, fingerprint=fingerprint)
                now = (
                    "CASE WHEN EXISTS (SELECT 1 FROM vectors v "
                    "WHERE v.model = :model AND v.embedding = passages.embedding) THEN :seq END"
                )
                self._truth.execute(
                    f"UPDATE passages SET embedded_seq = {now}, "
                    f"crc = {crc_after('embedded_seq', now)}",
                    {"model": fingerprint, "seq": seq},
                )
                self._truth.execute("DELETE FROM vectors WHERE model <> ?", (fingerprint,))
                generations.publish(self._truth, infos, self.fingerprint, keep=(), max_seq=seq)
            self._segments.sweep()

    # -------------------------------------------------------------------- desk

    @contextlib.contextmanager
    def desk(self) -> Iterator[sqlite3.Connection]:
        """One commit of what its users keep beside the articles; yields where to write it.

        Searches and collections have no part in answers: snapshots and cursors stay as they are.
        Whoever comes holds no snapshot: `begin_log_anew` has its turn until there is none.

        Raises:
            StoreFullError, StoreReadOnlyError: nothing of it was kept.
        """
        with self._at_work(), self._held.commit():
            yield self._truth

    # ----------------------------------------------------------- derived data

    @contextlib.contextmanager
    def mending(self) -> Iterator[tuple[sqlite3.Connection, int]]:
        """One commit that makes derived rows anew; yields where to write them, and its `seq`.

        Raises:
            StoreFullError, StoreReadOnlyError: nothing of it was written.
        """
        with self._at_work():
            saved_columns.remove(self.folder)  # they may be of what is damaged
            with self._transaction() as seq:
                yield self._truth, seq
            self._words.follow()  # readers see what came up to the word index's horizon

    def rebuild_words(self) -> None:
        """Build the word index anew from the truth; readers keep the one they have meanwhile."""
        with self._at_work():
            self._words.rebuild("is not what the store says")

    # ---------------------------------------------------------------- segments

    def publish(self, *, at_least: int = 1) -> None:
        """Put vectors committed since the last generation into a segment of their own.

        Answers of small segments are the same before and after; they come faster. Fewer than
        `at_least` vectors stay in the tail. Segments that are many and small are merged then. To
        make them takes no article's turn: others may add and remove meanwhile.
        """
        with self._publishing:
            with self._at_work():
                self._words.follow()
                if generations.need_compaction(self._truth):
                    tail = None
                else:
                    tail = generations.tail(self._truth, self.fingerprint)
                max_seq, fingerprint = self._held.seq, self.fingerprint
            if tail is None:
                self.compact()
            elif len(tail) >= at_least:
                self._name_live(self._segments.write(fingerprint, tail, self._at_work), max_seq)
                self._merge()
            self._save_columns()

    def compact(self) -> None:
        """Rewrite all live vectors into as few segments as possible; purge what was removed."""
        with self._publishing:
            with self._at_work():
                self._words.follow()
                with self._transaction():
                    idempotency.forget_old(self._truth)
                    self._truth.execute(
                        "DELETE FROM vectors WHERE NOT EXISTS "
                        "(SELECT 1 FROM passages p WHERE p.embedding = vectors.embedding)"
                    )
                max_seq, fingerprint = self._held.seq, self.fingerprint
                numbers = generations.live_numbers(self._truth, fingerprint)
            self._name_live(
                self._segments.write(fingerprint, numbers, self._at_work), max_seq, instead=None
            )

    def log_bytes(self) -> int:
        """Size of the write-ahead log; 0: there is none."""
        return self._held.log_bytes()

    def begin_log_anew(self, renew: Callable[[], Callable[[], bool]]) -> bool:
        """Copy the write-ahead log into the database and empty it; whether that came about.

        SQLite does the first after every commit, as far as the oldest snapshot allows, and the
        second once none reads from the log. In a process that takes a snapshot after each commit
        there is always one that does, and the log would grow as long as the process lives.

        Args:
            renew: lets go of this process's snapshots, but for a new one of the last commit, and
                gives what says whether the others are read no more. It is called before the log is
                copied, and once more when it is and a snapshot that begins then has no need of it.
                Questions that are under way are waited for a moment, other processes not at all.

        Raises:
            StoreFullError, StoreReadOnlyError: the disk failed.
        """
        with self._at_work():
            until = time.monotonic() + _PATIENCE_S
            are_over = renew()
            is_copied = False
            while True:
                only_others = are_over()
                busy, pages, copied = self._held.settle_log()
                if not busy:
                    return True
                if pages == copied and not is_copied:
                    is_copied = True
                    are_over = renew()
                elif only_others or time.monotonic() > until:
                    return False
                else:
                    time.sleep(0.01)

    def close(self) -> None:
        """Purge what was removed, shorten the log, and let the next writer in."""
        with self._guard:
            if self._held.is_closed:
                return
            try:
                with contextlib.suppress(StoreFullError, StoreReadOnlyError), self._at_work():
                    if article_changes.has_purgeable(self._truth, self._words.horizon):
                        with self._transaction():
                            pass
            finally:
                self._words.close()
                self._held.close()

    @property
    def _truth(self) -> sqlite3.Connection:
        return self._held.connection

    @contextlib.contextmanager
    def _at_work(self) -> Iterator[None]:
        """One thread at a time, on handles that no failed call has left in an unknown state.

        Raises:
            StoreFullError, StoreReadOnlyError: the disk failed; the next call tries again.
        """
        with self._guard, self._held.at_work():
            self._words.settle()
            yield

    # ------------------------------------------------------------- transaction

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[int]:
        """One commit that readers see in their next snapshot; yields its `seq`."""
        with self._held.commit():
            seq = self._held.seq + 1
            article_changes.purge(self._truth, self._words.horizon)
            yield seq
            store.set_meta(self._truth, seq=seq)
            self._truth.execute(insert_into("commits"), sealed("commits", seq, int(time.time())))

    def _change(self, seq: int) -> ArticleChange:
        return ArticleChange(self._truth, seq, self.fingerprint)

    def _choose_model(self, asked: str | None) -> None:
        stored = store.meta(self._truth, "fingerprint")
        if stored is None and self._held.seq:
            raise StoreCorruptError(
                f"{self.folder}: the store does not say which model its vectors come from "
                "(table meta); nothing was changed; restore the folder from a backup"
            )
        if stored is None:
            model = asked or DEFAULT_MODEL
            self._truth.execute("BEGIN IMMEDIATE")
            store.set_meta(self._truth, model=model, fingerprint=model_fingerprint(model))
            self._truth.execute("COMMIT")
        elif asked is not None and model_fingerprint(asked) != stored:
            raise ModelMismatchError(
                f"{self.folder}: its vectors come from the model {self.model}, not {asked}; "
                f"run `nutgraf reembed --model {asked}` to change them"
            )

    # ---------------------------------------------------------------- recovery

    def _recover(self) -> None:
        """Finish what a crash or damage left undone."""
        try:
            self._words.follow()
        except StoreReadOnlyError as error:
            self._words.rebuild(f"cannot be written to ({error})")
        if not self._segments.are_sound():
            self.compact()
        self._segments.sweep()

    # ---------------------------------------------------------------- segments

    def _merge(self) -> None:
        """Put segments of one size into a larger one, if there are enough of them."""
        folder = self.folder / store_folder.SEGMENTS
        while True:
            with self._at_work():
                infos = generations.to_merge(generations.live_segments(self._truth))
                max_seq = generations.generation_max_seq(self._truth)
                fingerprint = self.fingerprint
            if not infos:
                return
            try:
                held = [segments.read_segment(folder, info, mapped=True).numbers for info in infos]
            except StoreCorruptError as error:  # the truth has what they held
                logger.warning("%s", error)
                self.compact()
                return
            merged = self._segments.write(fingerprint, np.sort(np.concatenate(held)), self._at_work)
            self._name_live(merged, max_seq, instead=infos)

    def _name_live(
        self,
        infos: Sequence[segments.SegmentInfo],
        max_seq: int,
        *,
        instead: Sequence[segments.SegmentInfo] | None = (),
    ) -> None:
        """Publish segments, and those that are live but for `instead`; None: these alone."""
        with self._at_work():
            # What is removed must be gone for every reader before its vectors are.
            self._words.follow()
            with self._transaction():
                live = [] if instead is None else generations.live_segments(self._truth)
                kept = [info for info in live if info not in (instead or ())]
                generations.publish(
                    self._truth, infos, self.fingerprint, keep=kept, max_seq=max_seq
                )
            self._segments.sweep()

    def _save_columns(self) -> None:
        """Spare whoever opens the store next to make the columns; without them it takes longer."""
        with self._at_work():
            horizon = self._words.horizon
        try:
            with store_folder.reading(self.folder) as truth:
                saved_columns.save(self.folder, truth, horizon)
        except (OSError, StoreError) as error:
            logger.warning("columns not saved: %s", error)

    # ---------------------------------------------------------- recurring lines

    def _as_learned_since(
        self,
        records: Sequence[SourceRecord],
        works: Sequence[Groundwork | BadArticleError],
        recurring: Mapping[str, frozenset[bytes]],
    ) -> list[Groundwork | BadArticleError]:
        """`works`, but anew of the articles that hold lines which were learned since."""
        now = lessons.learned(self._truth, {record.outlet for record in records})
        fresh = {
            outlet: lines - recurring.get(outlet, frozenset()) for outlet, lines in now.items()
        }
        return [
            groundworks([record], now, stories_wait=work.terms is None)[0]
            if isinstance(work, Groundwork)
            and fresh[record.outlet]
            and not fresh[record.outlet].isdisjoint(lessons.hashes_in(work.lines))
            else work
            for record, work in zip(records, works, strict=True)
        ]

    def _learn(self, outlets: Iterable[str], cleaned: Cleaning, times: int = 1) -> None:
        """Learn lines that stand in so many times as many articles as it takes to recur.

        They are kept when all that holds such lines is clean: cut off before, they are learned
        again.
        """
        fresh: dict[str, frozenset[bytes]] = {}
        holders: list[int] = []
        for outlet in outlets:
            lesson = lessons.lesson(self._truth, outlet, times)
            if lesson.lines:
                fresh[outlet] = lesson.lines
                holders += lesson.holders
        if not fresh:
            return
        known = lessons.learned(self._truth, fresh)
        recurring = {outlet: known[outlet] | lines for outlet, lines in fresh.items()}
        for records, works in cleaned(self._sources(sorted(holders)), recurring):
            with self._transaction() as seq:
                change = self._change(seq)
                for record, work in zip(records, works, strict=True):
                    if isinstance(work, Groundwork):  # else nothing but such lines: it stays
                        change.clean(record, work)
                change.group(stories_wait=True)
            self._words.follow()
        with self._transaction():
            lessons.keep(self._truth, fresh)

    def _sources(self, numbers: Sequence[int]) -> Iterator[list[SourceRecord]]:
        """What articles were made from, some at a time; damaged ones are left out."""
        for at in range(0, len(numbers), _CLEANED_A_STEP):
            sources = []
            for number in numbers[at : at + _CLEANED_A_STEP]:
                try:
                    sources.append(store.source_of(self._truth, number))
                except StoreCorruptError as error:
                    logger.warning("%s", error)
            yield sources
