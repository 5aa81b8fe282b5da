"""Cuts the power of a writer at any moment, and judges what is left of the store.

A writer adds, replaces, removes, embeds, publishes, compacts, keeps the desk, closes and opens
again, while strace records what it does to the disk. The record is then replayed to states that a
power cut may leave (unsynced_disk.py), at random moments: what was synced and no more, everything,
and any part of the rest. In each a writer recovers the store, and every row of every table must be
as after one of the commits in flight at the cut: none older than the last acknowledgement. What a
reader shows, arm by arm, must be what the oracle of the tests expects.

Two controls break a promise on purpose and must be caught: SQLite that does not sync at each
commit, and names that are made without a sync of their folder.

    PYTHONPATH=. python scripts/faults/power_loss.py [--states 10000] [--control none]
"""

import argparse
import concurrent.futures
import contextlib
import hashlib
import itertools
import logging
import multiprocessing
import os
import pickle
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, get_args
from unittest import mock

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1]), str(HERE.parents[1] / "tests")]

import numpy as np  # noqa: E402
from disk_trace import Mark, Step, record  # noqa: E402
from oracle import Model, Shown, embed, found_by_word, shown  # noqa: E402
from oracle import record as article  # noqa: E402
from unsynced_disk import Loss, UnsyncedDisk, fingerprint, replayed, tree_of, write_tree  # noqa: E402

from index import collections, rejections, saved_searches, snapshot, store_folder  # noqa: E402
from index.article import ArticleId, PassageId, SourceRecord  # noqa: E402
from index.errors import BadArticleError, NutgrafError  # noqa: E402
from index.snapshot import SnapshotReader  # noqa: E402
from index.writer import Writer  # noqa: E402

Control = Literal["none", "commits not synced", "folders not synced"]
CONTROLS: Final[tuple[Control, ...]] = get_args(Control)

STORE: Final = "archives/news/store"  # in the folder that was there before
_OPENS_WITHIN_S: Final = 2.0  # what is promised
_ROUND: Final = (
    "add", "desk", "embed", "publish", "replace", "remove", "embed", "desk", "publish", "add_many",
    "compact", "finish", "tell", "desk", "reopen",
)  # fmt: skip


# ------------------------------------------------------------------ the writer that is recorded

Contents = dict[str, bytes]  # a digest of each table's rows


@dataclass(frozen=True, slots=True)
class Commit:
    """What the truth holds after a commit."""

    operation: int  # in which it was made, counted from 0
    contents: Contents


@dataclass(slots=True)
class Expected:
    """What a store must hold and show, as the writer's own process saw it without a power cut."""

    commits: list[Commit] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)  # after each operation
    kinds: list[str] = field(default_factory=list)


def contents(truth: sqlite3.Connection) -> Contents:
    """A digest of the rows of every table, but for what opening a store changes."""
    tables = truth.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    digests = {}
    for (table,) in tables.fetchall():
        if table.startswith("sqlite_stat"):
            continue  # what SQLite learned for its plans
        which = " WHERE key <> 'epoch'" if table == "meta" else ""
        rows = sorted(map(repr, truth.execute(f"SELECT * FROM {table}{which}")))
        digests[table] = hashlib.blake2b("\n".join(rows).encode(), digest_size=8).digest()
    return digests


class _Workload:
    """Operations at random, each acknowledged by a mark once it returned."""

    def __init__(self, folder: Path, marks: Path, seed: int) -> None:
        self._folder = folder
        self._random = random.Random(seed)
        self._marks = os.open(marks, os.O_WRONLY | os.O_CREAT)
        self._model = Model()
        self._names = 0
        self.expected = Expected()
        self._writer = self._opened()
        self._reader = SnapshotReader(folder)
        self._acknowledge("open")

    def run(self, rounds: int) -> None:
        for _ in range(rounds):
            kinds = list(_ROUND)
            self._random.shuffle(kinds)
            for kind in kinds:
                getattr(self, f"_{kind}")()
                self._acknowledge(kind)
        self._writer.close()
        self._acknowledge("close")

    def _opened(self) -> Writer:
        """A writer of which is kept what the truth holds after each of its commits."""
        writer = Writer(self._folder)
        self._note_commit(writer)
        commit = writer._held.commit

        @contextlib.contextmanager
        def noted() -> Iterator[None]:
            with commit():
                yield
            self._note_commit(writer)

        writer._held.commit = noted
        return writer

    def _note_commit(self, writer: Writer) -> None:
        at = len(self.expected.shown)
        self.expected.commits.append(Commit(at, contents(writer._truth)))

    def _acknowledge(self, kind: str) -> None:
        """The mark is what a client would have got; what is expected is looked up after it."""
        os.write(self._marks, f"{len(self.expected.shown)}\n".encode())
        seen = shown(self._reader.latest())
        if wrong := self._model.differs_from(seen):
            raise AssertionError(f"without a power cut, after {kind}: {wrong}")
        self.expected.shown.append(seen)
        self.expected.kinds.append(kind)

    def _records(self, ids: list[str]) -> list[SourceRecord]:
        records = []
        for own_id in ids:
            self._names += 1
            shared = f"shared{self._random.randrange(4)}"
            records.append(article(own_id, f"tok{self._names}", shared))
        return records

    def _add(self) -> None:
        gone = [key for key in self._model.last_version if key not in self._model.live]
        fresh = [f"wire-{self._random.randrange(10**6)}" for _ in range(2)]
        records = self._records([*fresh, *gone[:1]])
        self._writer.add(records, idempotency_key=f"key-{self._names}")
        self._model.add(records)

    def _add_many(self) -> None:
        records = self._records([f"wire-{self._random.randrange(10**6)}" for _ in range(2)])
        self._writer.add(records, stories_wait=True)
        self._model.add(records)

    def _replace(self) -> None:
        live = list(self._model.live)
        records = self._records(self._random.sample(live, min(2, len(live))))
        self._writer.add(records)
        self._model.add(records)

    def _remove(self) -> None:
        live = list(self._model.live)
        ids = self._random.sample(live, min(3 if len(live) > 8 else 1, len(live)))
        self._writer.remove([ArticleId(each) for each in ids])
        self._model.remove(ids)

    def _embed(self) -> None:
        self._model.embed(embed(self._writer, self._random.randint(2, 6)))

    def _publish(self) -> None:
        self._writer.publish()
        self._model.compact(certainly=False)

    def _compact(self) -> None:
        self._writer.compact()
        self._model.compact()

    def _finish(self) -> None:
        self._writer.finish()

    def _tell(self) -> None:
        while self._writer.tell_stories():
            pass

    def _reopen(self) -> None:
        self._writer.close()
        self._writer = self._opened()

    def _desk(self) -> None:
        self._names += 1
        with self._writer.desk() as truth:
            self._random.choice((_collect, _annotate, _unmark, _save, _enter, _forget, _reject))(
                truth, f"n{self._names}"
            )


def _collect(truth: sqlite3.Connection, name: str) -> None:
    collection, _ = collections.make(truth, name)
    for start in (0, 40):
        marked = collections.Marked(
            ArticleId("wire"), PassageId("p"), start, start + 5, "quote", "Wombats counted",
            "Bush Telegraph", "", "", "en", "", None, name,
        )  # fmt: skip
        collections.put(truth, collection.id, marked, note=f"see {name}")


def _annotate(truth: sqlite3.Connection, name: str) -> None:
    for collection, _ in collections.listed(truth)[:1]:
        collections.rename(truth, collection.id, f"{name} again")
        for mark in collections.marks(truth, collection.id)[0]:
            collections.annotate(truth, collection.id, mark.number, f"more on {name}")


def _unmark(truth: sqlite3.Connection, _: str) -> None:
    for collection, count in collections.listed(truth)[-1:]:
        if count:
            mark = collections.marks(truth, collection.id)[0][-1]
            collections.unmark(truth, collection.id, mark.number)
        else:
            collections.remove(truth, collection.id)


def _save(truth: sqlite3.Connection, name: str) -> None:
    none = np.zeros(0, dtype=np.uint64)
    saved_searches.insert(truth, saved_searches.SearchRow(name, name, "{}", 1, none, 0))


def _enter(truth: sqlite3.Connection, name: str) -> None:
    for search in saved_searches.searches(truth)[:2]:
        entry = saved_searches.EntryRow(
            0, search.id, ArticleId(name), ArticleId(name), PassageId("p"), 1
        )
        saved_searches.enter(truth, search, [entry], saved_searches.digests([name]))
    saved_searches.deliver(truth, saved_searches.last_number(truth))


def _forget(truth: sqlite3.Connection, _: str) -> None:
    for search in saved_searches.searches(truth)[:1]:
        saved_searches.delete(truth, search.id)


def _reject(truth: sqlite3.Connection, name: str) -> None:
    error = BadArticleError(f"{name}.jsonl", 1, "no text", "add a text")
    rejections.insert(truth, [error], datetime.fromtimestamp(1, UTC))


def _break_a_promise(control: Control) -> None:
    if control == "commits not synced":
        create_or_open = store_folder.create_or_open

        def unsynced(folder: Path) -> sqlite3.Connection:
            connection = create_or_open(folder)
            connection.execute("PRAGMA synchronous = NORMAL")
            return connection

        store_folder.create_or_open = unsynced
    elif control == "folders not synced":
        for name, module in list(sys.modules.items()):
            if name.startswith("index.") and hasattr(module, "sync_folder"):
                module.sync_folder = lambda _: None


def work(folder: Path, seed: int, rounds: int, control: Control) -> None:
    """What is recorded: a writer on the disk, with `folder`/expected for the judge."""
    _break_a_promise(control)
    workload = _Workload(folder / "disk" / STORE, folder / "marks", seed)
    workload.run(rounds)
    (folder / "expected").write_bytes(pickle.dumps(workload.expected))


@dataclass(frozen=True, slots=True)
class Recording:
    """What a writer did to the disk, with a mark at each acknowledgement."""

    steps: list[Step]
    expected: Expected

    def operations(self) -> list[range]:
        """The steps of each operation, its acknowledgement the last."""
        marks = [at for at, step in enumerate(self.steps) if isinstance(step, Mark)]
        return [range(a + 1, b + 1) for a, b in itertools.pairwise([-1, *marks])]


def recorded(seed: int, rounds: int, control: Control = "none") -> Recording:
    """Run a writer under strace.

    Raises:
        FileNotFoundError, PermissionError: strace is missing, or may not watch a process here.
    """
    with scratch() as folder:
        (folder / "disk").mkdir()
        call = f"power_loss.work(power_loss.Path({str(folder)!r}), {seed}, {rounds}, {control!r})"
        code = f"import sys; sys.path[:] = {sys.path!r}; import power_loss; {call}"
        command = [sys.executable, "-c", code]
        steps = record(command, folder / "disk", folder / "marks", folder / "trace")
        if replayed(steps) != tree_of(folder / "disk"):
            raise AssertionError("the record does not replay to what the writer left on the disk")
        return Recording(steps, pickle.loads((folder / "expected").read_bytes()))  # noqa: S301


# ------------------------------------------------------------------ the judge


@dataclass(slots=True)
class Verdicts:
    """What became of the states."""

    judged: int = 0
    equal: int = 0  # to one judged before, at a moment of the same operation
    unreadable: int = 0  # until a writer came, as they may be while an operation is cut off
    rebuilt: int = 0  # the word index was built anew from the truth, likewise
    slowest_s: float = 0.0  # a writer's opening, recovery included
    seconds: float = 0.0
    in_flight: Counter[str] = field(default_factory=Counter)  # the operation that was cut off
    wrong: Counter[str] = field(default_factory=Counter)  # by kind
    examples: list[str] = field(default_factory=list)

    def add(self, other: "Verdicts") -> None:
        self.judged += other.judged
        self.equal += other.equal
        self.unreadable += other.unreadable
        self.rebuilt += other.rebuilt
        self.slowest_s = max(self.slowest_s, other.slowest_s)
        self.seconds += other.seconds
        self.in_flight += other.in_flight
        self.wrong += other.wrong
        self.examples += other.examples

    @property
    def states(self) -> int:
        return self.judged + self.equal


class _Wrong(Exception):
    """A promise is broken: `kind` is what is counted."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(why)
        self.kind = kind


def judged(recording: Recording, states: int, seed: int, share: int = 0, of: int = 1) -> Verdicts:
    """Replay a recording to states and judge each; `share` takes every `of`-th."""
    verdicts = Verdicts()
    randomly = random.Random(seed)
    moments = sorted(_moment(recording.operations(), randomly) for _ in range(states))
    disk, at, acknowledged, seen = UnsyncedDisk(), 0, -1, set()
    noted = _Warnings()
    logging.getLogger("index").addHandler(noted)
    logging.getLogger("index").propagate = False
    for number, moment in enumerate(moments):
        while at < moment:
            step = recording.steps[at]
            disk.carry_out(step)
            acknowledged = int(step.text) if isinstance(step, Mark) else acknowledged
            at += 1
        if number % of != share:
            continue
        loss = _loss(number, random.Random(seed * 1_000_003 + number))
        tree = disk.after_a_cut(loss)
        name = (fingerprint(tree), acknowledged)
        if name in seen:
            verdicts.equal += 1
            continue
        seen.add(name)
        began = time.monotonic()
        noted.texts.clear()
        with scratch() as folder:
            write_tree(tree, folder)
            try:
                _judge(folder / STORE, recording.expected, acknowledged, verdicts)
            except _Wrong as wrong:
                verdicts.wrong[wrong.kind] += 1
                cut = f"step {moment} of {len(recording.steps)}, state {number}"
                verdicts.examples.append(f"{wrong.kind}: {wrong} ({cut}; {noted.texts})")
        verdicts.rebuilt += any("word index" in text for text in noted.texts)
        verdicts.judged += 1
        verdicts.in_flight[(*recording.expected.kinds, "closed")[acknowledged + 1]] += 1
        verdicts.seconds += time.monotonic() - began
    return verdicts


def _moment(operations: list[range], randomly: random.Random) -> int:
    """How many steps were done: any moment of any operation, long ones no more often."""
    return randomly.choice(randomly.choice(operations)) + 1


def _loss(number: int, randomly: random.Random) -> Loss:
    """Every fourth state has what was synced and no more, every eighth everything."""
    if number % 8 in (0, 4):
        return Loss(0.0, 0.0, randomly)
    if number % 8 == 1:
        return Loss(1.0, 1.0, randomly)
    chances = (0.0, 0.1, 0.5, 0.9, 1.0)
    return Loss(randomly.choice(chances), randomly.choice(chances), randomly)


def _judge(folder: Path, expected: Expected, acknowledged: int, verdicts: Verdicts) -> None:
    """Read the store as it lies, recover it as a writer does, and hold all against what must be."""
    allowed = expected.shown[max(acknowledged, 0) : acknowledged + 2]
    verdicts.unreadable += not is_shown_as_it_lies(folder, allowed)
    began = time.monotonic()
    try:
        writer = Writer(folder)
    except (NutgrafError, sqlite3.Error, OSError, ValueError) as error:
        raise _Wrong("does not open", repr(error)) from error
    opened_s = time.monotonic() - began
    verdicts.slowest_s = max(verdicts.slowest_s, opened_s)
    if opened_s > _OPENS_WITHIN_S:
        raise _Wrong("slow", f"it opens in {opened_s:.1f} s")
    with writer:
        truth = store_folder.open_readonly(folder)
        try:
            _judge_truth(truth, expected, acknowledged)
        finally:
            truth.close()
        with contextlib.closing(SnapshotReader(folder)) as reader:
            if _shown_by(reader) not in allowed:
                raise _Wrong("corrupt", "what is shown is of no operation in flight")
            outcomes = writer.add([article("after the cut", "afterwards")])
            if [outcome.status for outcome in outcomes] != ["added"]:
                raise _Wrong("corrupt", f"nothing can be added: {outcomes}")
            if len(found_by_word(reader.latest(), "afterwards")) != 1:
                raise _Wrong("corrupt", "what is added is not found")


def _shown_by(reader: SnapshotReader) -> Shown:
    try:
        return shown(reader.latest())
    except AssertionError as error:
        raise _Wrong("corrupt", f"its arms do not agree: {error}") from error


def is_shown_as_it_lies(folder: Path, allowed: list[Shown]) -> bool:
    """Whether a reader that comes before any writer shows the store; False: it says why not."""
    impatient = mock.patch.multiple(snapshot, _PATIENCE_S=0.0, _RENAMES_S=0.0)
    try:  # a writer that it would wait for is not there
        with impatient, contextlib.closing(SnapshotReader(folder)) as reader:
            seen = _shown_by(reader)
    except NutgrafError:
        return False
    if seen not in allowed:
        raise _Wrong("not shown", "a reader that came before the writer shows an earlier state")
    return True


def _judge_truth(truth: sqlite3.Connection, expected: Expected, acknowledged: int) -> None:
    if (check := truth.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
        raise _Wrong("corrupt", f"integrity_check: {check}")
    held = contents(truth)
    until = [c for c in expected.commits if c.operation <= acknowledged]
    in_flight = [c for c in expected.commits if c.operation == acknowledged + 1]
    allowed = [*until[-1:], *in_flight]
    if any(held == commit.contents for commit in allowed):
        return
    for commit in reversed(until[:-1]):
        if held == commit.contents:
            raise _Wrong("lost", f"as after operation {commit.operation}, not {acknowledged}")
    nearest = min((_differing(held, commit.contents) for commit in allowed), key=len)
    raise _Wrong("corrupt", f"rows of {', '.join(nearest)} are of no commit in flight")


def _differing(held: Contents, other: Contents) -> list[str]:
    return [name for name in held.keys() | other.keys() if held.get(name) != other.get(name)]


class _Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, entry: logging.LogRecord) -> None:
        self.texts.append(entry.getMessage())


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder in memory where there is one."""
    parent = "/dev/shm" if Path("/dev/shm").is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="nutgraf-power-", dir=parent))
    try:
        yield folder
    finally:
        # A thread of tantivy's that is on its way out may make a last lock file meanwhile.
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            time.sleep(0.2)
            shutil.rmtree(folder)


# ------------------------------------------------------------------ by hand

_ROUNDS: Final = 6
_STATES_PER_RECORDING: Final = 2_500


def run(states: int, control: Control, seed: int) -> Verdicts:
    """Record as many writers as the states need, and judge on every processor."""
    verdicts = Verdicts()
    processes = os.cpu_count() or 1
    spawn = multiprocessing.get_context("spawn")  # tantivy's threads do not survive a fork
    with concurrent.futures.ProcessPoolExecutor(processes, mp_context=spawn) as pool:
        for at in range(0, states, _STATES_PER_RECORDING):
            count = min(_STATES_PER_RECORDING, states - at)
            recording = recorded(seed + at, _ROUNDS, control)
            shares = [
                pool.submit(judged, recording, count, seed + at, share, processes)
                for share in range(processes)
            ]
            for share in shares:
                verdicts.add(share.result())
    return verdicts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--states", type=int, default=10_000)
    parser.add_argument("--control", choices=CONTROLS, help="this one only; none: no control")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    controls = CONTROLS if asked.control is None else (asked.control,)
    kept = True
    for control in controls:
        states = asked.states if control == "none" else max(asked.states // 50, 10)
        began = time.monotonic()
        verdicts = run(states, control, asked.seed)
        wrong = verdicts.wrong.total()
        print(f"\ncontrol: {control}; {time.monotonic() - began:.0f} s")
        print("  cut off in: " + ", ".join(f"{k} {n}" for k, n in verdicts.in_flight.most_common()))
        for example in verdicts.examples[:5]:
            print(f"  {example}")
        print(
            f"  {verdicts.states} states ({verdicts.equal} equal to one judged before), "
            f"{dict(verdicts.wrong) or '0 lost, 0 corrupt'}; unreadable before "
            f"a writer came {verdicts.unreadable}, word index rebuilt {verdicts.rebuilt}, "
            f"slowest opening {verdicts.slowest_s * 1000:.0f} ms"
        )
        kept = kept and (wrong > 0) == (control != "none")
    print("all promises kept, all controls caught" if kept else "A PROMISE IS BROKEN")
    return 0 if kept else 1


if __name__ == "__main__":
    # By its name, so that what other processes are sent is called the same there.
    import power_loss

    sys.exit(power_loss.main())
