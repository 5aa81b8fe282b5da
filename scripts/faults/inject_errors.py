"""Makes calls of a writer to the operating system fail, and judges what it does then and after.

Each trial takes one operation on a copy of a store and lets one kind of call on one of its files
fail, at random when, for how long and how: a write, a sync, a rename, an opening, a read. While
the fault lasts reads go on, and whatever is refused is refused by one of our errors. When it has
ended the same writer, or another one after its death, has to write again within seconds, and to
answer the same operation sent again as if it had been sent once. Then the power is cut: what was
acknowledged must be there, also where a system forgets what it could not sync.

    python scripts/faults/inject_errors.py [--trials N] [--seed N]
"""

import argparse
import contextlib
import errno
import os
import pickle
import random
import select
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1]), str(HERE.parents[1] / "tests")]

from desk_oracle import kept  # noqa: E402
from failing_calls import Call, FailingCalls, Fault, How, Place, build  # noqa: E402
from kill_points import CASES, Case, Expected, folder_in_memory  # noqa: E402
from oracle import record, shown  # noqa: E402
from writer_operations import Operation, perform  # noqa: E402

from index import store_folder  # noqa: E402
from index.errors import NutgrafError  # noqa: E402
from index.preparing import prepare  # noqa: E402
from index.snapshot import SnapshotReader  # noqa: E402
from index.writer import Writer  # noqa: E402

HEALING_S: Final = 5.0  # longest until a change is taken again after a fault has ended
WEDGED_S: Final = 60.0  # a trial takes a second
_PROCESSES: Final = 2
# What each call may fail of.
_ERRORS: Final[dict[Call, tuple[tuple[int, How], ...]]] = {
    Call.WRITE: (
        (errno.EIO, How.REFUSED),
        (errno.ENOSPC, How.REFUSED),
        (errno.EIO, How.TORN),
        (errno.ENOSPC, How.TORN),
        (errno.EIO, How.SHORT),
    ),
    Call.SYNC: ((errno.EIO, How.REFUSED), (errno.ENOSPC, How.REFUSED)),
    Call.RENAME: ((errno.EIO, How.REFUSED), (errno.ENOSPC, How.REFUSED)),
    Call.UNLINK: ((errno.EIO, How.REFUSED),),
    Call.OPEN: ((errno.EIO, How.REFUSED), (errno.ENOSPC, How.REFUSED), (errno.EMFILE, How.REFUSED)),
    Call.READ: ((errno.EIO, How.REFUSED),),
    Call.TRUNCATE: ((errno.EIO, How.REFUSED), (errno.ENOSPC, How.REFUSED)),
    Call.MKDIR: ((errno.EIO, How.REFUSED), (errno.ENOSPC, How.REFUSED)),
    Call.MAP: ((errno.ENOMEM, How.REFUSED),),
}
_TIMES: Final = (1, 1, 3, None)
# With these, reading fails as well; it must say so in our words, and be right again afterwards.
_READING: Final = (Call.OPEN, Call.READ, Call.MAP)
_AFTERWARDS: Final = Operation("add", records=(record("afterwards", "calm"),))

Ending = Literal["goes on", "dies"]


@dataclass(frozen=True, slots=True)
class Trial:
    """A fault in the last operation of a case, or while it is opened where it has none."""

    case: Case
    fault: Fault
    ending: Ending  # what the writer does when the operation was refused

    def __str__(self) -> str:
        return f"{self.case.name}: {self.fault}; the writer {self.ending}"


@dataclass(slots=True)
class Tally:
    """What became of the trials."""

    injected: int = 0
    missed: int = 0  # the call was not made again
    refused: int = 0  # operations that were not acknowledged; the others came through
    calls: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0  # until a change was taken again
    broken: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.injected += other.injected
        self.missed += other.missed
        self.refused += other.refused
        self.calls += other.calls
        self.slowest_s = max(self.slowest_s, other.slowest_s)
        self.broken += other.broken


# ------------------------------------------------------------------ one trial


class Patient:
    """A store whose writer suffers a fault, and what it must show."""

    def __init__(self, trial: Trial, folder: Path, expected: Expected, calls: FailingCalls) -> None:
        self.trial, self.folder, self.calls = trial, folder, calls
        self.may_be = [expected]  # what it must show: one of these
        self.refused = False
        self._reads = False  # whether a reader could be asked before the fault
        self.writer: Writer | None = None
        self.reader: SnapshotReader | None = None
        self._texts: list[str] = []  # that an embedding under way would store

    @property
    def operation(self) -> Operation | None:
        """The one in which the fault begins; None: opening the store."""
        return self.trial.case.operations[-1] if self.trial.case.operations else None

    def suffer(self) -> None:
        """Carry the operation out under the fault; afterwards it was answered, or `refused`."""
        self.prepare()
        self.calls.begin(self.trial.fault)
        try:
            answer = self.attempt()
        except NutgrafError:
            self.refused = True
            self._allow_in_flight()
        else:
            self._take(answer)

    def prepare(self) -> None:
        """Do what comes before the operation."""
        if self.trial.case.reader and (self.folder / store_folder.DATABASE).exists():
            self.reader = SnapshotReader(self.folder)
            self.reader.latest()
        if self.operation:
            self.writer = Writer(self.folder)
            for earlier in self.trial.case.operations[:-1]:
                self.may_be[0].apply(earlier, perform(self.writer, earlier))
        if (self.folder / store_folder.DATABASE).exists():
            with contextlib.suppress(NutgrafError):
                self._look()
                self._reads = True

    def attempt(self) -> object:
        """Carry the operation out; with no writer, after opening the store."""
        if self.writer is None:
            self.writer = Writer(self.folder)
        if self.operation is None:
            return None
        self._texts.clear()
        answer = perform(self.writer, self.operation, self._texts.extend)
        if self.operation.kind == "close":
            self.writer = None
        return answer

    def endure(self) -> None:
        """While the fault lasts: reads go on, and what is sent again is refused or right."""
        for _ in range(2):
            try:
                self._look()
            except NutgrafError:
                may_fail = self.trial.fault.call in _READING or not self._reads
                assert may_fail, "a reader was refused"
            if self.refused and self.operation and self.operation.kind != "desk":
                with contextlib.suppress(NutgrafError):
                    self._take(self.attempt())
                    self.refused = False

    def heal(self) -> float:
        """Send again what was refused, and then another change; seconds until both were taken."""
        self.calls.end()
        began_s = time.monotonic()
        if self.refused and not self._is_in_the_desk():
            self._take(self._insist(self.attempt))
        answer = self._insist(self._afterwards)
        seconds = time.monotonic() - began_s
        for state in self.may_be:
            expected = state.apply(_AFTERWARDS, answer)
            assert answer == expected, f"another change was answered by {answer}"
        assert seconds <= HEALING_S, f"writes were back after {seconds:.1f} s"
        self._look()
        return seconds

    def cut_power(self, into: Path) -> None:
        """Judge what a power cut at this moment leaves."""
        self.calls.power_cut(into)
        for state in self.may_be:
            state.model.compact(certainly=False)  # to recover may have been to compact
        with Writer(into):
            _judge(into, None, self.may_be)

    def _afterwards(self) -> object:
        if self.writer is None:
            self.writer = Writer(self.folder)
        return perform(self.writer, _AFTERWARDS)

    def _insist(self, send: Callable[[], object]) -> object:
        deadline = time.monotonic() + HEALING_S
        while True:
            try:
                return send()
            except NutgrafError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def _allow_in_flight(self) -> None:
        """What was refused may be there all the same, and comes to light when it is sent again."""
        if self.operation:
            after = self.may_be[0].copy()
            after.apply(self.operation, list(self._texts))
            self.may_be.append(after)
        for state in self.may_be:
            state.model.compact(certainly=False)

    def _take(self, answer: object) -> None:
        """Hold an answer against all states that may be; those that it does not fit are out."""
        if self.operation is None:
            return
        wanted = [state.apply(self.operation, answer) for state in self.may_be]
        assert answer in wanted, f"answered {answer}, expected one of {wanted}"
        fitting = zip(self.may_be, wanted, strict=True)
        self.may_be = [state for state, expected in fitting if answer == expected]

    def _is_in_the_desk(self) -> bool:
        """A step of the desk that was taken is not taken twice: it names what is no more there."""
        if self.operation is None or self.operation.kind != "desk":
            return False
        with store_folder.reading(self.folder) as truth:
            desk = kept(truth)
        before, after = self.may_be
        taken = not after.desk.differs_from(desk)
        self.may_be = [after if taken else before]
        return taken

    def _look(self) -> None:
        _judge(self.folder, self.reader, self.may_be)


def _judge(folder: Path, reader: SnapshotReader | None, may_be: Sequence[Expected]) -> None:
    """AssertionError unless a new reader, and the one given, show one of these states."""
    if not (folder / store_folder.DATABASE).exists():
        return
    newcomer = SnapshotReader(folder)
    with closing(newcomer), store_folder.reading(folder) as truth:
        snapshot = newcomer.latest()
        seen, desk = shown(snapshot), kept(truth)
        if reader:
            assert shown(reader.latest()) == seen, "an old and a new reader disagree"
        wrong = [
            expected.model.differs_from(seen)
            or expected.model.former_differs_from(snapshot)
            or expected.desk.differs_from(desk)
            for expected in may_be
        ]
    assert not all(wrong), " / ".join(wrong)


# ------------------------------------------------------------------ children that suffer


def _in_child(work: Callable[[], object]) -> object:
    """What `work` returns in a child of this process; none of our threads may run here.

    Raises:
        AssertionError: it raised, died, or did not end.
    """
    hear_end, say_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(hear_end)
        try:
            said = pickle.dumps((work(), ""))
        except BaseException as error:
            shown_fault = error if isinstance(error, AssertionError) else traceback.format_exc()
            said = pickle.dumps((None, str(shown_fault)))
        with open(say_end, "wb") as say:
            say.write(said)
        os._exit(0)
    os.close(say_end)
    with open(hear_end, "rb") as hear:
        ended = bool(select.select([hear], [], [], WEDGED_S)[0])
        if not ended:
            os.kill(child, signal.SIGKILL)
        said = hear.read()
    os.waitpid(child, 0)
    assert ended, "wedged"
    assert said, "the process died"
    answer, failure = pickle.loads(said)  # noqa: S301  # our own child's
    assert not failure, failure
    return answer


def _try(trial: Trial, folder: Path, made: Path, expected: Expected, calls: FailingCalls) -> Tally:
    """Carry a trial out on a copy of the store `made`."""
    tally = Tally()
    parent = folder.parent
    if made.exists():
        shutil.copytree(made, folder)
    else:
        folder.mkdir()
    calls.watch(folder, parent / "disk")
    patient = Patient(trial, folder, expected.copy(), calls)

    def suffer() -> Patient:
        """What is left of it travels without its handles."""
        patient.suffer()
        patient.writer = patient.reader = None
        return patient

    def go_on() -> tuple[bool, float]:
        if trial.ending == "goes on":
            patient.suffer()
        refused = patient.refused
        patient.endure()
        return refused, patient.heal()

    def to_the_end() -> tuple[bool, float]:
        answer = go_on()
        patient.cut_power(parent / "cut")
        return answer

    try:
        if trial.ending == "dies":
            left = _in_child(lambda: _state(suffer()))
            patient.may_be, patient.refused, patient._reads = left  # type: ignore[misc]
        refused, seconds = _in_child(to_the_end)  # type: ignore[misc]
        tally.refused, tally.slowest_s = int(refused), seconds
    except Exception as error:  # whatever it is, a promise is broken, and the next trial is made
        tally.broken.append(f"{trial}: {error or type(error).__name__}")
    struck = bool(calls.end())
    tally.injected, tally.missed = int(struck), int(not struck)
    if struck:
        tally.calls[trial.fault.call.name.lower()] += 1
    for left_over in ("store", "disk", "cut"):
        shutil.rmtree(parent / left_over, ignore_errors=True)
    return tally


def _state(patient: Patient) -> tuple[list[Expected], bool, bool]:
    return patient.may_be, patient.refused, patient._reads


# ------------------------------------------------------------------ many trials


def _made(case: Case, folder: Path) -> Expected:
    expected = Expected()
    if case.made_by:
        with Writer(folder) as writer:
            for operation in case.made_by:
                expected.apply(operation, perform(writer, operation))
        case.damage(folder)
    return expected


_Counts = dict[tuple[Call, Place], int]


def _calls_of(
    case: Case, made: Path, folder: Path, expected: Expected, calls: FailingCalls
) -> _Counts:
    """How often the last operation of a case makes each call on each place."""
    if made.exists():
        shutil.copytree(made, folder)
    else:
        folder.mkdir()

    def count() -> object:
        calls.watch(folder)
        patient = Patient(Trial(case, _NEVER, "goes on"), folder, expected.copy(), calls)
        patient.prepare()
        earlier = calls.seen()
        patient.attempt()
        return {
            key: count - earlier.get(key, 0)
            for key, count in calls.seen().items()
            if count > earlier.get(key, 0)
        }

    counts = _in_child(count)
    shutil.rmtree(folder)
    assert isinstance(counts, dict)
    return counts


_NEVER: Final = Fault(Call.WRITE, None, 1 << 30, 0)


def _trials(case: Case, counts: _Counts, seed: int) -> Iterator[Trial]:
    """Trials without end; each call on each place has its turn."""
    chance = random.Random(f"{seed} {case.name}")
    kinds = list(counts.items())
    while True:
        chance.shuffle(kinds)
        for (call, place), count in kinds:
            error, how = chance.choice(_ERRORS[call])
            times = chance.choice(_TIMES)
            fault = Fault(call, place, chance.randint(1, count), times, error, how)
            yield Trial(case, fault, chance.choice(("goes on", "goes on", "dies")))


@dataclass(frozen=True, slots=True)
class Share:
    """What one process does: about `trials` trials, shared between the cases."""

    cases: tuple[str, ...]
    trials: int
    seed: int
    only: tuple[Call, Place] | None  # the one call to fail


def suffer_all(share: Share, control: Path) -> Tally:
    """Make a share of the trials, in a process that can be struck."""
    calls, total = FailingCalls(control), Tally()
    prepare(record("warm", "up"))  # loads what every child would have to load
    for case in (case for case in CASES if case.name in share.cases):
        with folder_in_memory() as parent:
            made = parent / "made"
            expected = _made_in_child(case, made)
            counts = _calls_of(case, made, parent / "store", expected, calls)
            if share.only:
                counts = {share.only: counts[share.only]}
            planned = _trials(case, counts, share.seed)
            for _ in range(-(-share.trials // len(share.cases))):
                total.add(_try(next(planned), parent / "store", made, expected, calls))
    return total


def _made_in_child(case: Case, made: Path) -> Expected:
    # Not here: a writer leaves threads, and forks must be whole.
    expected = _in_child(lambda: _made(case, made))
    assert isinstance(expected, Expected)
    return expected


def run(
    trials: int,
    seed: int,
    *,
    cases: Sequence[str] = tuple(case.name for case in CASES),
    only: tuple[Call, Place] | None = None,
) -> Tally:
    """Make about `trials` trials by processes of their own, in these cases and of this call alone.

    Raises:
        FileNotFoundError: there is no C compiler.
    """
    with folder_in_memory() as parent:
        library = build(parent)
        processes = []
        for at in range(min(_PROCESSES, len(cases))):
            mine = tuple(cases[at::_PROCESSES])
            share = Share(mine, round(trials * len(mine) / len(cases)), seed, only)
            control = parent / f"control-{at}"
            environment = FailingCalls(control).environment(library)
            process = subprocess.Popen(
                [sys.executable, "-c", "import inject_errors; inject_errors.work()", str(control)],
                env={**os.environ, **environment, "PYTHONPATH": os.pathsep.join(sys.path)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            assert process.stdin
            pickle.dump(share, process.stdin)
            process.stdin.close()
            processes.append(process)
        total = Tally()
        for process in processes:
            assert process.stdout
            with process:
                said = process.stdout.read()
            if process.returncode:
                total.broken.append(f"a process ended with {process.returncode}")
            else:
                total.add(pickle.loads(said))  # noqa: S301  # our own child's
    return total


def work() -> None:
    """What each of the processes does that `run` starts."""
    share = pickle.load(sys.stdin.buffer)  # noqa: S301  # from the process that started this one
    sys.stdout.buffer.write(pickle.dumps(suffer_all(share, Path(sys.argv[1]))))


def main() -> None:
    """Print what became of the trials; exit code 1: a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began_s = time.monotonic()
    tally = run(options.trials, options.seed)
    for line in tally.broken:
        print(f"BROKEN {line}")
    for call, count in tally.calls.most_common():
        print(f"{call:9} {count:5} failed")
    print(
        f"{tally.injected} injected errors ({tally.missed} missed) in "
        f"{time.monotonic() - began_s:.0f} s: {tally.refused} operations refused, writes back "
        f"after at most {tally.slowest_s:.2f} s, {len(tally.broken)} promises broken"
    )
    sys.exit(bool(tally.broken))


if __name__ == "__main__":
    # By its name, so that what is pickled is called the same on both sides.
    import inject_errors

    inject_errors.main()
