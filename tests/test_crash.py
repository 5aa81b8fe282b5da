"""A writer killed with SIGKILL, wherever it is, loses nothing that it had acknowledged.

Stores are killed many times over: each plan starts from what the kill before it left. After a
kill the store is read as it lies, by a reader that was open before and by a new one; then a new
writer recovers it, it is read again, and the operation that was cut off is repeated.
"""

import importlib.util
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from oracle import Model, record, shown

from index import store
from index.article import SourceRecord
from index.generations import live_segments
from index.snapshot import SnapshotReader
from index.writer import Writer

ROOT = Path(__file__).resolve().parent.parent


def _kill_writer():  # type: ignore[no-untyped-def]  # a script, not a package
    path = ROOT / "scripts" / "faults" / "kill_writer.py"
    spec = importlib.util.spec_from_file_location("kill_writer", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["kill_writer"] = module
    spec.loader.exec_module(module)
    return module


faults = _kill_writer()
Killer, Operation, Plan, Report = faults.Killer, faults.Operation, faults.Plan, faults.Report
KINDS = ("open", "add", "replace", "remove", "embed", "publish", "compact", "finish")
KILLS_PER_STORE = 20


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder in memory where there is one: SIGKILL spares the page cache, so it is as good."""
    parent = "/dev/shm" if Path("/dev/shm").is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="nutgraf-crash-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class _Trial:
    """A store that is killed again and again, and what it must show."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        self.model = Model()
        self.names = 0
        self.moments = dict.fromkeys(KINDS, 100)  # in each operation, as last seen
        self.seconds = dict.fromkeys(KINDS, 0.01)
        Writer(folder).close()
        self.reader = SnapshotReader(folder)

    def kill(self, killer: Killer, kind: str, by: str) -> str:
        """Kill a writer in an operation of a kind and judge what is left.

        Returns what was in flight; `nothing` when the kill came after the acknowledgement.
        """
        operations = self._operations(kind)
        report = killer.run(self._plan(operations, kind, by))
        assert not report.failure, report.failure
        assert report.killed
        for operation, answer in zip(operations, report.acknowledged, strict=False):
            expected = _apply(self.model, operation, answer)
            assert answer == expected, f"{operation.kind} answered {answer}, expected {expected}"
        struck = self._struck(operations, report)
        if by != "system call":  # which strikes wherever it comes to pass
            self._note_length(kind, report, struck)
        in_flight = operations[report.begun] if struck not in ("open", "nothing") else None
        self._judge(in_flight, report.texts)
        return struck

    def _operations(self, kind: str) -> list[Operation]:
        """Something at random, what the kind needs to have something to do, and the kind."""
        if kind == "open":
            return []
        needed = {"publish": ["embed"], "compact": ["remove"]}.get(kind, [])
        planned, operations = self.model.copy(), []
        for name in (self.random.choice(KINDS[1:-1]), *needed, kind):
            operations.append(self._operation(name, planned))
            _apply(planned, operations[-1], [])
        return operations

    def _operation(self, kind: str, planned: Model) -> Operation:
        ids = list(planned.live)
        if kind == "add":
            gone = [key for key in planned.last_version if key not in planned.live]
            fresh = [f"wire-{self.random.randrange(10**6)}" for _ in range(2)]
            return Operation("add", records=self._records([*fresh, *gone[:1]]))
        if kind == "replace":
            # The last one comes again as it is: nothing happens to it.
            again = tuple(planned.live[key][1] for key in ids[-1:])
            return Operation("replace", records=self._records(self._some(ids)) + again)
        if kind == "remove":
            return Operation("remove", ids=(*self._some(ids), "never-was"))
        return Operation(kind, limit=self.random.randint(1, 6))

    def _some(self, ids: list[str]) -> list[str]:
        # Enough of a large store is removed to keep it small, and so the trial quick.
        count = self.random.randint(1, 3) if len(ids) < 15 else 8
        return self.random.sample(ids, min(len(ids), count))

    def _records(self, ids: list[str]) -> tuple[SourceRecord, ...]:
        records = []
        for key in ids:
            self.names += 1
            # The second passage is in other articles too: an equal text is embedded once.
            shared = f"shared{self.random.randrange(5)}"
            records.append(record(key, f"tok{self.names}", shared))
        return tuple(records)

    def _plan(self, operations: list[Operation], kind: str, by: str) -> Plan:
        plan = Plan(self.folder, tuple(operations))
        if by == "call":
            return replace(plan, boundary=self.random.randint(1, self.moments[kind]))
        if by == "clock":
            return replace(plan, delay_s=self.random.random() * self.seconds[kind])
        names, most = self.random.choice(_SYSTEM_CALLS)
        # Each thread counts for itself, and most make few calls: small numbers come more often.
        return replace(plan, system_call=(names, round(most ** self.random.random())))

    def _struck(self, operations: list[Operation], report: Report) -> str:
        if len(report.boundaries) == len(operations) + 1:
            return "nothing"
        return operations[report.begun].kind if report.begun >= 0 else "open"

    def _note_length(self, kind: str, report: Report, struck: str) -> None:
        """An operation that was outlived says how long it is; one that was struck is longer."""
        if struck == "nothing":
            self.moments[kind], self.seconds[kind] = report.boundaries[-1], report.seconds[-1]
        else:
            self.moments[kind] += 5
            self.seconds[kind] *= 1.2

    def _judge(self, in_flight: Operation | None, texts: list[str]) -> None:
        before, after = self.model, self.model.copy()
        if in_flight:
            _apply(after, in_flight, texts)
            before.compact(certainly=False)  # a compaction may have dropped what none needs
        as_it_lies = self._shown_by_all((before, after))
        with Writer(self.folder) as writer:
            self.model = self._shown_by_all((before, after))
            assert as_it_lies is before or self.model is after, "recovery undid a change"
            self._assert_nothing_is_left_over()
            if in_flight:
                answer = faults.perform(writer, in_flight)
                expected = _apply(self.model, in_flight, answer)
                assert answer == expected, f"repeated, {in_flight.kind} answered {answer}"
            self._shown_by_all((self.model,))

    def _shown_by_all(self, models: tuple[Model, ...]) -> Model:
        """Which of the models two readers show: one that was open before the kill, one that is new.

        The first model of those that fit: a change that was in flight is wholly there or not.
        """
        newcomer = SnapshotReader(self.folder)
        try:
            seen = shown(self.reader.latest())
            assert shown(newcomer.latest()) == seen, "an old reader and a new one disagree"
        finally:
            newcomer.close()
        wrong = []
        for model in models:
            difference = model.differs_from(seen)
            if not difference:
                return model
            wrong.append(difference)
        pytest.fail(" / ".join(wrong))

    def _assert_nothing_is_left_over(self) -> None:
        truth = store.open_readonly(self.folder)
        try:
            live = {info.name for info in live_segments(truth)}
        finally:
            truth.close()
        assert {path.name for path in (self.folder / store.SEGMENTS).iterdir()} == live


# SQLite writes pages by the first; the others are tantivy's and ours as well. How many the thread
# that makes the most of them makes in a plan.
_SYSTEM_CALLS = (
    ("pwrite64", 150),
    ("fsync,fdatasync", 28),
    ("write", 68),
    ("rename,unlink,ftruncate", 11),
)


def _apply(model: Model, operation: Operation, answer: object) -> object:
    """Apply an operation to the model; returns what it must answer.

    What is embedded depends on the order of waiting, which is for another test: it is believed.
    """
    if operation.kind in ("add", "replace"):
        return [list(outcome) for outcome in model.add(operation.records)]
    if operation.kind == "remove":
        return model.remove(operation.ids)
    if operation.kind == "embed":
        model.embed(answer)
        return answer
    if operation.kind in ("compact", "publish"):
        # To publish compacts as well, when there are many segments or dead vectors.
        model.compact(certainly=operation.kind == "compact")
    return None


def _kill_many(strikes: int, seed: int, by: tuple[str, ...]) -> Counter[str]:
    """Kill writers in every kind of operation in turn, until `strikes` kills met one in flight.

    A kill may come too late or too early, more often on a busy machine: those are checked and
    counted as "nothing".
    """
    struck: Counter[str] = Counter()
    began = time.monotonic()
    with ExitStack() as stack:
        killer = stack.enter_context(Killer())
        if "system call" in by and not killer.can_trace():
            pytest.skip("strace is missing, or may not attach to a process here")
        while struck.total() - struck["nothing"] < strikes and struck.total() < 10 * strikes:
            at = struck.total()
            if at % KILLS_PER_STORE == 0:
                trial = _Trial(stack.enter_context(_folder()) / "store", seed + at)
            kind, means = KINDS[at % len(KINDS)], by[at // len(KINDS) % len(by)]
            struck[trial.kill(killer, kind, means)] += 1
    seconds = time.monotonic() - began
    print(f"{struck.total()} kills by {by} in {seconds:.0f} s; in flight: {dict(struck)}")  # noqa: T201
    return struck


def test_a_writer_killed_at_any_moment_loses_nothing_and_shows_nothing_by_half() -> None:
    struck = _kill_many(16, seed=1, by=("call", "clock"))
    assert struck.total() - struck["nothing"] >= 16, f"few kills reach an operation: {struck}"


@pytest.mark.slow
@pytest.mark.parametrize("by", ["call", "clock", "system call"])
def test_a_writer_killed_at_hundreds_of_moments_loses_nothing(by: str) -> None:
    struck = _kill_many(100, seed=100, by=(by,))
    assert struck.total() - struck["nothing"] >= 100, f"few kills reach an operation: {struck}"
    assert len(struck.keys() - {"nothing"}) >= 7, f"some operations were never struck: {struck}"
