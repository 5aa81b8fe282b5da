"""Kills a writer at each system call of each operation, and judges what is left of the store.

Two ways. The sweep takes one store for each operation, copies it, and kills the operation at the
first system call of a name that a thread makes, at the second, and so on. The trials kill at
random, a writer that goes on from what the kill before left. Where strace is missing or may not
trace, the sweep goes by the calls that leave Python instead.

After a kill the store is read as it lies, by a reader that was open before and by a new one; then
a new writer recovers it, it is read again, and the operation that was cut off is repeated.

    python scripts/faults/kill_points.py [--every N] [--trials N]
"""

import argparse
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Final

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1]), str(HERE.parents[1] / "tests")]

from desk_oracle import Desk  # noqa: E402
from kill_writer import Killer, Plan, Report, can_trace  # noqa: E402
from oracle import Model, record  # noqa: E402
from store_judge import REOPENING_S, Expected, Judge, folder_in_memory  # noqa: E402
from writer_operations import Operation, perform  # noqa: E402

from index import store_folder  # noqa: E402
from index.article import SourceRecord  # noqa: E402
from index.writer import Writer  # noqa: E402

KILLS_PER_STORE: Final = 20
WAYS: Final = ("call", "clock", "system call")


# ------------------------------------------------------------------ the sweep


@dataclass(frozen=True, slots=True)
class Case:
    """An operation that is killed, and what makes its store."""

    name: str
    operations: tuple[Operation, ...]  # none: opening is what is killed
    made_by: tuple[Operation, ...] = ()
    damage: Callable[[Path], None] = lambda _: None  # what the next writer has to mend
    reader: bool = True  # one is open all the time
    readable: bool = True  # before it is mended


def _desk(step: str, *arguments: str | tuple[str, ...]) -> Operation:
    return Operation("desk", step=step, arguments=arguments)


_STORIES: Final = (
    record("flood", "weir", "bridge"),
    record("fire", "ridge", "shared"),
    record("storm", "harbour", "shared"),
    record("strike", "depot"),
)
_FULL: Final = (
    Operation("add", records=_STORIES),
    Operation("replace", records=(record("fire", "ridge", "creek"),)),
    Operation("embed", limit=3),
    Operation("publish"),
    Operation("embed", limit=10),
    Operation("remove", ids=("strike",)),
    Operation("add", records=(record("match", "goal"),), key="monday"),
    _desk("save", "floods", ("flood",)),
    _desk("enter", "floods", ("storm",)),
    _desk("collect", "cuttings"),
    _desk("mark", "cuttings", "the weir broke", "ask again"),
    _desk("reject", "it has no text"),
)
# Long enough to be a passage by itself, short enough to be a line that recurs.
_SLOGAN: Final = " ".join(["The wombat sat on the mat and the dog ran to the den."] * 7)
_CLEAN: Final = tuple(record(f"wire-{n}", f"tok{n}", "shared") for n in range(7))
_WITH_SLOGAN: Final = tuple(replace(r, body=f"{r.body}\n\n{_SLOGAN}") for r in _CLEAN)
_BATCH: Final = tuple(record(f"wire-{n}", f"tok{n}", "shared") for n in range(6))


def _without_words(folder: Path) -> None:
    shutil.rmtree(folder / store_folder.WORDS)


def _without_segments(folder: Path) -> None:
    shutil.rmtree(folder / store_folder.SEGMENTS)


def _with_damaged_words(folder: Path) -> None:
    for path in (folder / store_folder.WORDS).glob("*.store"):
        path.write_bytes(path.read_bytes()[:-9])


CASES: Final = (
    Case("create", (), reader=False, readable=False),
    Case("open", (), _FULL),
    Case("open without words", (), _FULL, _without_words, reader=False, readable=False),
    Case("open with damaged words", (), _FULL, _with_damaged_words, reader=False, readable=False),
    Case("open without segments", (), _FULL, _without_segments),
    Case("add", (Operation("add", records=_BATCH),), _FULL),
    Case("add many", (Operation("add many", records=_BATCH),), _FULL),
    Case("tell", (Operation("tell"),), (*_FULL, Operation("add many", records=_BATCH))),
    Case("add with key", (Operation("add", records=_BATCH, key="tuesday"),), _FULL),
    Case(
        "replace", (Operation("replace", records=(record("flood", "weir", "dam"), *_BATCH)),), _FULL
    ),
    Case("remove", (Operation("remove", ids=("flood", "fire")),), _FULL),
    Case("embed", (Operation("embed", limit=9),), (*_FULL, Operation("add", records=_BATCH))),
    Case("publish", (Operation("publish"),), _FULL),
    Case("compact", (Operation("compact"),), _FULL),
    Case("switch", (Operation("switch"),), _FULL),
    Case("finish", (Operation("finish"),), _FULL),
    Case(
        "finish that learns",
        (Operation("finish", records=_CLEAN),),
        (Operation("add", records=_WITH_SLOGAN), Operation("embed", limit=20)),
    ),
    Case("close", (Operation("close"),), (*_FULL, Operation("add", records=_BATCH)), reader=False),
    Case(
        "close after a removal",
        (Operation("remove", ids=("fire",)), Operation("close")),
        _FULL,
        reader=False,
    ),
    Case("save", (_desk("save", "fires", ("fire",)),), _FULL),
    Case("enter", (_desk("enter", "floods", ("fire", "match")),), _FULL),
    Case("deliver", (_desk("deliver"),), _FULL),
    Case("forget", (_desk("forget", "floods"),), _FULL),
    Case("collect", (_desk("collect", "quotes"),), _FULL),
    Case("mark", (_desk("mark", "cuttings", "the ridge burned", ""),), _FULL),
    Case("unmark", (_desk("unmark", "cuttings"),), _FULL),
    Case("discard", (_desk("discard", "cuttings"),), _FULL),
    Case("reject", (_desk("reject", "the date is none"),), _FULL),
)


@dataclass(slots=True)
class Tally:
    """What became of the kills of one case."""

    name: str
    kills: int = 0
    cut_off: int = 0  # the others came after the last acknowledgement
    slowest_s: float = 0.0  # reopening
    broken: list[str] = field(default_factory=list)  # promises, with where

    def note(self, struck: str) -> None:
        self.kills += 1
        self.cut_off += struck != "nothing"


def sweep(killer: Killer, case: Case, *, every: int = 1, first: int = 0) -> Tally:
    """Kill a case at every `every`-th of its points, from the `first`-th."""
    tally = Tally(case.name)
    with folder_in_memory() as parent:
        made, expected = parent / "made", _made(case, parent / "made")
        _copy(made, parent / "counted")
        plan = Plan(parent / "counted", case.operations)
        for point in points(killer, plan)[first::every]:
            _kill(killer, case, point, (made, parent / "store"), expected.copy(), tally)
    return tally


def _made(case: Case, folder: Path) -> Expected:
    expected = Expected()
    if case.made_by:
        with Writer(folder) as writer:
            for operation in case.made_by:
                expected.apply(operation, perform(writer, operation))
        case.damage(folder)
    return expected


def points(killer: Killer, plan: Plan) -> list[Plan]:
    """A plan for every moment at which the last operation of `plan` is killed.

    It is carried out once, to count them.
    """
    counted = killer.run(replace(plan, count_calls=can_trace()))
    assert not counted.failure, counted.failure
    if not can_trace():
        moments = range(1, counted.boundaries[-1] + 1)
        return [replace(plan, boundary=moment) for moment in moments]
    return [
        replace(plan, system_call=(name, nth))
        for name, count in sorted(counted.calls.items())
        for nth in range(1, count + 1)
    ]


def _kill(
    killer: Killer,
    case: Case,
    plan: Plan,
    folders: tuple[Path, Path],
    expected: Expected,
    tally: Tally,
) -> None:
    made, folder = folders
    _copy(made, folder)
    try:
        judge = Judge(folder, expected, reader=case.reader, readable=case.readable)
        with closing(judge):
            report = killer.run(replace(plan, folder=folder))
            tally.note(judge.judge(case.operations, report))
        tally.slowest_s = max(tally.slowest_s, judge.slowest_s)
    except Exception as error:  # whatever it is, a promise is broken, and the next point is tried
        tally.broken.append(f"{case.name} at {place_of(plan)}: {error or type(error).__name__}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def place_of(plan: Plan) -> str:
    """Where a plan kills, as messages say it."""
    if plan.system_call:
        return "{} {}".format(*plan.system_call)
    return f"moment {plan.boundary}"


def _copy(made: Path, folder: Path) -> None:
    if made.exists():
        shutil.copytree(made, folder)


# ------------------------------------------------------------------ the trials

KINDS: Final = (
    *("open", "add", "add many", "tell", "keyed", "replace", "remove", "embed", "publish"),
    *("compact", "switch", "finish", "desk", "close"),
)
# What goes before, so that there is something to do.
_NEEDED: Final = {
    "tell": ["add many"],
    "publish": ["embed"],
    "compact": ["remove"],
    "close": ["remove"],
}
# How many of each the thread that makes the most of them makes in an operation.
_SYSTEM_CALLS: Final = (
    *(("pwrite64", 100), ("fsync", 20), ("fdatasync", 6), ("write", 60)),
    *(("rename", 4), ("unlink", 8), ("ftruncate", 2)),
)
SHARES: Final = 2  # processes side by side
_TRIALS_AT_ONCE: Final = 20
_AT_RANDOM: Final = "at random"


class Trial:
    """A store that is killed again and again, and what it must show."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        self.names = 0
        self.sent: dict[str, tuple[SourceRecord, ...]] = {}  # with which idempotency key
        self.moments = dict.fromkeys(KINDS, 100)  # in each operation, as last seen
        self.seconds = dict.fromkeys(KINDS, 0.01)
        Writer(folder).close()
        self.judge = Judge(folder, Expected())

    def kill(self, killer: Killer, kind: str, way: str) -> str:
        """Kill a writer in an operation of a kind; what was cut off, see `Judge.judge`."""
        operations = self._operations(kind)
        report = killer.run(self._plan(operations, kind, way))
        struck = self.judge.judge(operations, report)
        if way != "system call":  # which strikes wherever it comes to pass
            self._note_length(kind, report, struck)
        return struck

    def _operations(self, kind: str) -> list[Operation]:
        """Something at random, what the kind needs to have something to do, and the kind."""
        if kind == "open":
            return []
        needed = _NEEDED.get(kind, [])
        planned, operations = self.judge.expected.copy(), []
        for name in (self.random.choice(KINDS[1:-2]), *needed, kind):
            operations.append(self._operation(name, planned))
            planned.apply(operations[-1], [])
        return operations

    def _operation(self, kind: str, planned: Expected) -> Operation:
        model = planned.model
        ids = list(model.live)
        if kind in ("add", "add many"):
            return Operation(kind, records=self._fresh(model))  # type: ignore[arg-type]
        if kind == "keyed":
            return self._keyed(model)
        if kind == "replace":
            # The last one comes again as it is: nothing happens to it.
            again = tuple(model.live[key][1] for key in ids[-1:])
            return Operation("replace", records=self._records(self._some(ids)) + again)
        if kind == "remove":
            return Operation("remove", ids=(*self._some(ids), "never-was"))
        if kind == "desk":
            return self._step(planned.desk)
        return Operation(kind, limit=self.random.randint(1, 6))  # type: ignore[arg-type]

    def _keyed(self, model: Model) -> Operation:
        """An add with a key; every third time a key that was used before."""
        if model.keys and self.random.randrange(3) == 0:
            key = self.random.choice(list(model.keys))
            return Operation("add", records=self.sent[key], key=key)
        key = f"key-{self.random.randrange(10**9)}"
        self.sent[key] = self._fresh(model)
        return Operation("add", records=self.sent[key], key=key)

    def _step(self, desk: Desk) -> Operation:
        name = self.random.choice(["floods", "fires", "strikes"])
        if name not in desk.searches:
            return _desk("save", name, ("flood",))
        if name not in desk.collections:
            return _desk("collect", name)
        steps = [
            _desk("enter", name, (f"wire-{self.random.randrange(10**6)}",)),
            _desk("deliver"),
            _desk("mark", name, f"quote {self.random.randrange(4)}", "ask again"),
            _desk("reject", f"reason {self.random.randrange(10**6)}"),
            _desk("forget", name),
            _desk("discard", name),
        ]
        if desk.collections[name]:
            steps.append(_desk("unmark", name))
        return self.random.choice(steps)

    def _fresh(self, model: Model) -> tuple[SourceRecord, ...]:
        gone = [key for key in model.last_version if key not in model.live]
        return self._records(
            [*(f"wire-{self.random.randrange(10**6)}" for _ in range(2)), *gone[:1]]
        )

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

    def _plan(self, operations: list[Operation], kind: str, way: str) -> Plan:
        plan = Plan(self.folder, tuple(operations))
        if way == "call":
            return replace(plan, boundary=self.random.randint(1, self.moments[kind]))
        if way == "clock":
            return replace(plan, delay_s=self.random.random() * self.seconds[kind])
        name, most = self.random.choice(_SYSTEM_CALLS)
        # Each thread counts for itself, and most make few calls: small numbers come more often.
        return replace(plan, system_call=(name, round(most ** self.random.random())))

    def _note_length(self, kind: str, report: Report, struck: str) -> None:
        """An operation that was outlived says how long it is; one that was struck is longer."""
        if struck == "nothing":
            self.moments[kind], self.seconds[kind] = report.boundaries[-1], report.seconds[-1]
        else:
            self.moments[kind] += 5
            self.seconds[kind] *= 1.2


def kill_at_random(
    killer: Killer, kills: int, seed: int, ways: Sequence[str] = WAYS
) -> Counter[str]:
    """Kill writers in every kind of operation in turn, until `kills` of them cut one off.

    A kill may come too late or too early, more often on a busy machine: those are checked and
    counted as "nothing".

    Raises:
        AssertionError: a promise is broken.
    """
    struck: Counter[str] = Counter()
    with ExitStack() as stack:
        while struck.total() - struck["nothing"] < kills and struck.total() < 10 * kills:
            at = struck.total()
            if at % KILLS_PER_STORE == 0:
                folder = stack.enter_context(folder_in_memory())
                trial = Trial(folder / "store", seed + at)
                stack.callback(trial.judge.close)
            kind, way = KINDS[at % len(KINDS)], ways[at // len(KINDS) % len(ways)]
            struck[trial.kill(killer, kind, way)] += 1
    return struck


# ------------------------------------------------------------------ by hand


def _share(share: int, every: int, trials: int) -> list[Tally]:
    """What one of `SHARES` processes does: its share of each case's points, and of the trials."""
    with Killer() as killer:
        tallies = [sweep(killer, case, every=every * SHARES, first=share * every) for case in CASES]
        seeds = range(share, trials // _TRIALS_AT_ONCE, SHARES)
        return [*tallies, *(_trials(killer, 1000 * seed) for seed in seeds)]


def _trials(killer: Killer, seed: int) -> Tally:
    tally = Tally(_AT_RANDOM)
    ways = WAYS if can_trace() else WAYS[:-1]
    try:
        struck = kill_at_random(killer, _TRIALS_AT_ONCE, seed, ways)
    except Exception as error:
        tally.broken.append(f"trials of seed {seed}: {error}")
    else:
        tally.kills, tally.cut_off = struck.total(), struck.total() - struck["nothing"]
    return tally


def main() -> int:
    """Print what became of all kills; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--every", type=int, default=1, help="only every N-th point [all]")
    parser.add_argument("--trials", type=int, default=400, help="kills at random as well [400]")
    asked = parser.parse_args()
    began_s = time.monotonic()
    with ProcessPoolExecutor(SHARES, mp_context=get_context("spawn")) as pool:
        shares = [pool.submit(_share, share, asked.every, asked.trials) for share in range(SHARES)]
        tallies = sum_of(tally for share in shares for tally in share.result())
    return print_tallies(tallies, time.monotonic() - began_s)


def sum_of(tallies: Iterable[Tally]) -> list[Tally]:
    """One tally for each name, in the order in which they come first."""
    sums: dict[str, Tally] = {}
    for more in tallies:
        tally = sums.setdefault(more.name, Tally(more.name))
        tally.kills += more.kills
        tally.cut_off += more.cut_off
        tally.slowest_s = max(tally.slowest_s, more.slowest_s)
        tally.broken += more.broken
    return list(sums.values())


def print_tallies(tallies: list[Tally], seconds: float) -> int:
    """Print a table, what is broken, and the totals; 1 when a promise is broken, else 0."""
    print(f"{'operation':26} {'kills':>6} {'cut off':>8} {'reopened in s':>14} {'broken':>7}")
    for t in tallies:
        print(f"{t.name:26} {t.kills:6} {t.cut_off:8} {t.slowest_s:14.2f} {len(t.broken):7}")
    broken = [line for tally in tallies for line in tally.broken]
    for line in broken:
        print(f"BROKEN {line}")
    slowest_s = max(tally.slowest_s for tally in tallies)
    print(
        f"{sum(t.kills for t in tallies)} kills, {sum(t.cut_off for t in tallies)} in an "
        f"operation; {len(broken)} promises broken; slowest reopening {slowest_s:.2f} s; "
        f"{seconds:.0f} s"
    )
    return int(bool(broken) or slowest_s > REOPENING_S)


if __name__ == "__main__":
    # Workers import this file by its name; so must what is sent to them.
    import kill_points

    sys.exit(kill_points.main())
