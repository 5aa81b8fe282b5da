"""Whatever is done to a store, in whatever order, it shows what a dict would show.

After each step a reader that has been open all the time and a new one show exactly the articles,
versions, passages and vectors of the model, in every arm; snapshots taken earlier still show what
they showed then.
"""

import contextlib
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from oracle import Model, Shown, embed, shown
from strategies import IDS, batches

from index.article import SourceRecord
from index.errors import ConflictError
from index.snapshot import Snapshot, SnapshotReader
from index.writer import Writer

_HELD_SNAPSHOTS = 3


class _Killed(BaseException):
    """Stands for the moment of a crash."""


class StoreStates(RuleBasedStateMachine):
    """A store, the model of it, and readers of both ages."""

    def __init__(self) -> None:
        super().__init__()
        self.parent = Path(tempfile.mkdtemp(prefix="nutgraf-states-"))
        self.folder = self.parent / "store"
        self.writer = Writer(self.folder)
        self.reader = SnapshotReader(self.folder)
        self.model = Model()
        self.keys: dict[str, tuple[list[SourceRecord], list[tuple[str, str, int]]]] = {}
        self.held: list[tuple[Snapshot, Shown]] = []
        self.dead: list[Writer] = []

    def teardown(self) -> None:
        self.writer.close()
        self.held.clear()
        self.reader.close()
        for writer in self.dead:
            writer._truth.close()
        shutil.rmtree(self.parent)

    # ------------------------------------------------------------ what is done

    @rule(records=batches())
    def add(self, records: list[SourceRecord]) -> None:
        outcomes = self.writer.add(records)
        answered = [(o.status, o.article_id, o.version) for o in outcomes]
        assert answered == self.model.add(records)

    @rule(records=batches())
    def add_many(self, records: list[SourceRecord]) -> None:
        outcomes = self.writer.add(records, stories_wait=True)
        answered = [(o.status, o.article_id, o.version) for o in outcomes]
        assert answered == self.model.add(records)

    @rule()
    def tell(self) -> None:
        while self.writer.tell_stories():
            pass

    @rule(records=batches(), key=st.sampled_from(["monday", "tuesday"]))
    def add_with_key(self, records: list[SourceRecord], key: str) -> None:
        if key in self.keys and self.keys[key][0] != records:
            with pytest.raises(ConflictError):
                self.writer.add(records, idempotency_key=key)
            records = self.keys[key][0]
        outcomes = self.writer.add(records, idempotency_key=key)
        answered = [(o.status, o.article_id, o.version) for o in outcomes]
        if key not in self.keys:
            self.keys[key] = (records, self.model.add(records))
        assert answered == self.keys[key][1]

    @rule(ids=st.lists(st.sampled_from([*IDS, "never-was"]), min_size=1, max_size=3))
    def remove(self, ids: list[str]) -> None:
        assert self.writer.remove(ids) == self.model.remove(ids)

    @rule(limit=st.integers(1, 6))
    def embed_some(self, limit: int) -> None:
        self.model.embed(embed(self.writer, limit))

    @rule()
    def publish(self) -> None:
        self.writer.publish()
        self.model.compact(certainly=False)

    @rule()
    def compact(self) -> None:
        self.writer.compact()
        self.model.compact()

    @rule()
    def finish(self) -> None:
        self.writer.finish()

    @rule()
    def close_and_open(self) -> None:
        self.writer.close()
        self.writer = Writer(self.folder)

    @rule()
    def crash(self) -> None:
        self._abandon()
        self._check()
        self.writer = Writer(self.folder)

    @rule(records=batches(), ids=st.lists(st.sampled_from(IDS), max_size=2))
    def crash_between_the_truth_and_the_words(
        self, records: list[SourceRecord], ids: list[str]
    ) -> None:
        """Committed, but neither acknowledged nor shown, until a new writer comes."""
        committed = self.model.copy()

        def killed() -> None:
            raise _Killed

        self.writer._words.follow = killed
        with contextlib.suppress(_Killed):
            self.writer.remove(ids)
        committed.remove(ids)
        with contextlib.suppress(_Killed):
            self.writer.add(records)
        committed.add(records)
        self._abandon()
        self._check()
        self.writer = Writer(self.folder)
        self.model = committed

    @rule()
    @precondition(lambda self: self.model.live)
    def hold_a_snapshot(self) -> None:
        snapshot = self.reader.latest()
        self.held = [*self.held, (snapshot, shown(snapshot))][-_HELD_SNAPSHOTS:]

    def _abandon(self) -> None:
        """Let go of the writer as its death would: nothing is closed, the locks are free."""
        self.writer._held._lock.close()
        del self.writer._words
        self.dead.append(self.writer)

    # ------------------------------------------------------------ what must hold

    @invariant()
    def every_reader_shows_what_the_model_says(self) -> None:
        self._check()
        pending = self.writer.pending()
        latest = self.reader.latest()
        assert pending == latest.passages - latest.embedded

    @invariant()
    def held_snapshots_show_what_they_showed(self) -> None:
        for snapshot, then in self.held:
            assert shown(snapshot) == then

    def _check(self) -> None:
        newcomer = SnapshotReader(self.folder)
        try:
            new, old = newcomer.latest(), self.reader.latest()
            assert new.id == old.id
            seen = shown(new)
            assert shown(old) == seen
        finally:
            newcomer.close()
        assert not self.model.differs_from(seen), self.model.differs_from(seen)
        assert not self.model.former_differs_from(old), self.model.former_differs_from(old)


_SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)


def test_a_store_shows_what_a_dict_would_after_any_sequence_of_steps() -> None:
    run_state_machine_as_test(
        StoreStates, settings=settings(_SETTINGS, max_examples=12, stateful_step_count=15)
    )


@pytest.mark.slow
def test_a_store_shows_what_a_dict_would_after_any_long_sequence_of_steps() -> None:
    run_state_machine_as_test(
        StoreStates, settings=settings(_SETTINGS, max_examples=20, stateful_step_count=50)
    )
