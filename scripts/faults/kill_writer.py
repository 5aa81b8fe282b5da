"""Kills a writer with SIGKILL at a chosen moment of a chosen operation.

A server of forks: it loads what a writer needs once, then each plan is carried out by a child of
its own that dies by SIGKILL, and the server reports what the child had acknowledged. It reads
plans from stdin and writes reports to stdout, both pickled; `Killer` speaks to it, and
tests/test_crash.py judges what is left of the store.

By hand, to see where the moments lie:  python scripts/faults/kill_writer.py FOLDER
"""

import contextlib
import json
import os
import pickle
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import BinaryIO, Literal, Self

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parents[1] / "tests")]

import tantivy  # noqa: E402
from oracle import embed, record  # noqa: E402

from index.article import SourceRecord  # noqa: E402
from index.preparing import prepare  # noqa: E402
from index.writer import Writer  # noqa: E402

Kind = Literal["add", "replace", "remove", "embed", "publish", "compact", "finish"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of a writer, with what it is called with."""

    kind: Kind
    records: tuple[SourceRecord, ...] = ()
    ids: tuple[str, ...] = ()
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """Operations on a store, and when the writer dies in the last of them, or opening it.

    At the `boundary`-th moment (from 1) just before or just after a call that leaves Python for
    the operating system, SQLite or tantivy; or `delay_s` after the operation began, wherever it is
    then; or when a thread makes its n-th system call of a set, in whichever operation that is. A
    child that outlives its moment dies after the last acknowledgement.
    """

    folder: Path
    operations: tuple[Operation, ...]
    boundary: int | None = None
    delay_s: float | None = None
    system_call: tuple[str, int] | None = None  # as strace names a set, and n, from 1


@dataclass(slots=True)
class Report:
    """What a child said before it died."""

    killed: bool = False
    begun: int = -2  # the operation begun last; -1: opening the store
    acknowledged: list[object] = field(default_factory=list)  # what each operation returned
    boundaries: list[int] = field(default_factory=list)  # moments in each, the opening first
    seconds: list[float] = field(default_factory=list)  # likewise
    texts: list[str] = field(default_factory=list)  # that an operation in flight would embed
    failure: str = ""


# ------------------------------------------------------------------ the child that dies


class _Boundaries:
    """Counts calls from Python into what touches the disk, and dies at one of them."""

    def __init__(self) -> None:
        self.seen = 0
        self.last: int | None = None

    def __call__(self, _: FrameType, event: str, called: object) -> None:
        if event not in ("c_call", "c_return") or not _touches_the_disk(called):
            return
        self.seen += 1
        if self.seen == self.last:
            os.kill(os.getpid(), signal.SIGKILL)


_SYSTEM = {"open", "fsync", "rename", "replace", "unlink", "mkdir", "rmdir", "write", "flush"}


def _touches_the_disk(called: object) -> bool:
    owner = getattr(called, "__self__", None)
    if isinstance(owner, sqlite3.Connection | sqlite3.Cursor):
        return True
    if type(owner).__module__ == tantivy.IndexWriter.__module__ or owner is tantivy.Index:
        return True
    return getattr(called, "__name__", "") in _SYSTEM


def _carry_out(plan: Plan, say: BinaryIO) -> None:
    """Perform a plan and die; every acknowledgement is in the pipe before the next step."""
    boundaries = _Boundaries()
    began_s = 0.0

    def tell(**what: object) -> None:
        sys.setprofile(None)
        say.write(json.dumps(what).encode() + b"\n")
        sys.setprofile(boundaries)

    def begin(at: int) -> None:
        nonlocal began_s
        boundaries.seen = 0
        if at == len(plan.operations) - 1:
            boundaries.last = plan.boundary
        tell(begin=at)
        began_s = time.monotonic()

    def end(**what: object) -> None:
        tell(seconds=time.monotonic() - began_s, boundaries=boundaries.seen, **what)

    begin(-1)
    writer = Writer(plan.folder)
    end()
    for at, operation in enumerate(plan.operations):
        begin(at)
        answer = perform(writer, operation, lambda texts: tell(texts=texts))
        end(done=answer)
    os.kill(os.getpid(), signal.SIGKILL)


def perform(
    writer: Writer, operation: Operation, begin: Callable[[list[str]], None] = lambda _: None
) -> object:
    """Carry an operation out; `begin` is told what will be embedded, before it is."""
    if operation.kind in ("add", "replace"):
        return [[o.status, o.article_id, o.version] for o in writer.add(operation.records)]
    if operation.kind == "remove":
        return writer.remove(operation.ids)  # type: ignore[arg-type]
    if operation.kind == "embed":
        return embed(writer, operation.limit, begin)
    return {"publish": writer.publish, "compact": writer.compact, "finish": writer.finish}[
        operation.kind
    ]()


# ------------------------------------------------------------------ the server of forks

_READY = b"ready"


def serve() -> None:
    """Carry out plans until stdin ends. No thread of ours is started here: forks must be whole."""
    prepare(record("warm", "up"))  # loads what every child would have to load
    os.writev(sys.stdout.fileno(), [_READY])
    while True:
        try:
            plan = pickle.load(sys.stdin.buffer)  # noqa: S301  # from the process that started this one
        except EOFError:
            return
        # Not by `write`, which strace may be counting: the server itself must live.
        os.writev(sys.stdout.fileno(), [pickle.dumps(_run(plan))])


def _run(plan: Plan) -> Report:
    hear_end, say_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(hear_end)
        with os.fdopen(say_end, "wb", buffering=0) as say:
            try:
                _carry_out(plan, say)
            except BaseException as error:
                say.write(json.dumps({"failure": repr(error)}).encode() + b"\n")
        os._exit(1)
    os.close(say_end)
    report = Report()
    with os.fdopen(hear_end, "rb", buffering=0) as hear:
        for line in _lines(hear, plan, child):
            _note(report, json.loads(line))
    _, status = os.waitpid(child, 0)
    report.killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return report


def _lines(hear: BinaryIO, plan: Plan, child: int) -> Iterator[bytes]:
    """What the child says, line by line; kills it `delay_s` after its last operation began."""
    last = json.dumps({"begin": len(plan.operations) - 1}).encode()
    said, deadline = b"", None
    while True:
        wait_s = None if deadline is None else max(0.0, deadline - time.monotonic())
        if not select.select([hear], [], [], wait_s)[0]:
            os.kill(child, signal.SIGKILL)
            deadline = None
            continue
        data = hear.read(65536)
        if not data:
            return
        *lines, said = (said + data).split(b"\n")
        if last in lines and plan.delay_s is not None:
            deadline = time.monotonic() + plan.delay_s
        yield from lines


def _note(report: Report, said: dict[str, object]) -> None:
    if "begin" in said:
        report.begun, report.texts = said["begin"], []  # type: ignore[assignment]
    if "texts" in said:
        report.texts = said["texts"]  # type: ignore[assignment]
    if "done" in said:
        report.acknowledged.append(said["done"])
    if "boundaries" in said:
        report.boundaries.append(said["boundaries"])  # type: ignore[arg-type]
        report.seconds.append(said["seconds"])  # type: ignore[arg-type]
    if "failure" in said:
        report.failure = said["failure"]  # type: ignore[assignment]


# ------------------------------------------------------------------ the side of the tests


class Killer:
    """Runs plans in the server of forks."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", "import kill_writer; kill_writer.serve()"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        # strace must not find the server importing: Python renames the bytecode that it writes.
        assert self._process.stdout
        assert self._process.stdout.read(len(_READY)) == _READY

    def run(self, plan: Plan) -> Report:
        assert self._process.stdin
        assert self._process.stdout
        with self._traced(plan.system_call):
            pickle.dump(plan, self._process.stdin)
            self._process.stdin.flush()
            report = pickle.load(self._process.stdout)  # noqa: S301  # our own child's
        assert isinstance(report, Report)
        return report

    def can_trace(self) -> bool:
        """Whether strace is here and may attach to the server."""
        if shutil.which("strace") is None:
            return False
        try:
            with self._traced(("fsync", 1)):
                return True
        except PermissionError:
            return False

    @contextlib.contextmanager
    def _traced(self, system_call: tuple[str, int] | None) -> Iterator[None]:
        """strace kills a child of the server at a system call; it counts in each thread anew."""
        if system_call is None:
            yield
            return
        names, nth = system_call
        options = [f"--trace={names}", f"--inject={names}:signal=KILL:when={nth}"]
        tracer = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", os.devnull, *options, "-p", str(self._process.pid)],
            stderr=subprocess.DEVNULL,
        )
        try:
            while not self._is_traced():
                if tracer.poll() is not None:
                    raise PermissionError("strace may not attach to a process here")
                time.sleep(0.002)
            yield
        finally:
            tracer.terminate()
            tracer.wait()

    def _is_traced(self) -> bool:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return "TracerPid:\t0\n" not in status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._process.communicate(timeout=30)


def main(folder: Path) -> None:
    """Print how many moments each operation has in a small store, and die once in each."""
    story = (record("flood", "weir", "bridge"), record("fire", "ridge"))
    edited = (record("flood", "weir", "dam"),)
    operations = (
        Operation("add", records=story),
        Operation("replace", records=edited),
        Operation("embed", limit=10),
        Operation("publish"),
        Operation("remove", ids=("fire",)),
        Operation("compact"),
        Operation("finish"),
    )
    with Killer() as killer:
        report = killer.run(Plan(folder, operations))
    names = ["open", *(operation.kind for operation in operations)]
    for name, count in zip(names, report.boundaries, strict=True):
        print(f"{name:8} {count:5} moments between calls")
    print(f"killed: {report.killed}")


if __name__ == "__main__":
    # By its name, so that what is pickled is called the same on both sides.
    import kill_writer

    kill_writer.main(Path(sys.argv[1]))
