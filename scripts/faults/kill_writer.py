"""Kills a writer with SIGKILL at a chosen moment of a chosen operation.

A server of forks: it loads what a writer needs once, then each plan is carried out by a child of
its own that dies by SIGKILL, and the server reports what the child had acknowledged. It reads
plans from stdin and writes reports to stdout, both pickled; `Killer` speaks to it, and
scripts/faults/kill_points.py judges what is left of the store.
"""

import contextlib
import ctypes
import json
import os
import pickle
import re
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import FrameType
from typing import Final, Self

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1]), str(HERE.parents[1] / "tests")]

import tantivy  # noqa: E402
from oracle import record  # noqa: E402
from writer_operations import OF_A_FOLDER, Operation, perform, perform_on  # noqa: E402

from index.preparing import prepare  # noqa: E402
from index.writer import Writer  # noqa: E402

# All by which a file or a folder changes. The children say what they have to say by `sendto`.
SYSTEM_CALLS: Final = (
    *("write", "writev", "pwrite64", "pwritev", "copy_file_range", "sendfile"),
    *("fsync", "fdatasync", "sync_file_range", "msync"),
    *("rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat"),
    *("mkdir", "mkdirat", "rmdir", "ftruncate", "truncate", "fallocate"),
)
_PR_SET_PTRACER: Final = 0x59616D61  # prctl(2)
_ANY: Final = ctypes.c_ulong(-1)


@dataclass(frozen=True, slots=True)
class Plan:
    """Operations on a store, and when the writer dies in the last of them, or opening it.

    What is done to a folder without a writer stands alone.

    At the `boundary`-th moment (from 1) just before or just after a call that leaves Python for
    the operating system, SQLite or tantivy; or `delay_s` after the operation began, wherever it is
    then; or when a thread is about to make its n-th system call of a name in that operation. A
    child that outlives its moment dies after the last acknowledgement.
    """

    folder: Path
    operations: tuple[Operation, ...]
    boundary: int | None = None
    delay_s: float | None = None
    system_call: tuple[str, int] | None = None  # its name, and n, from 1
    count_calls: bool = False  # report how many of `SYSTEM_CALLS` the last operation makes


@dataclass(slots=True)
class Report:
    """What a child said before it died."""

    killed: bool = False
    begun: int = -2  # the operation begun last; -1: opening the store
    acknowledged: list[object] = field(default_factory=list)  # what each operation returned
    boundaries: list[int] = field(default_factory=list)  # moments in each, the opening first
    seconds: list[float] = field(default_factory=list)  # likewise
    texts: list[str] = field(default_factory=list)  # that an operation in flight would embed
    calls: dict[str, int] = field(default_factory=dict)  # by name, of the thread that makes most
    failure: str = ""


# ------------------------------------------------------------------ the child that dies


class Boundaries:
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


def _carry_out(plan: Plan, server: socket.socket) -> None:
    """Perform a plan and die; every acknowledgement is sent before the next step."""
    boundaries = Boundaries()
    began_s = 0.0

    def tell(**what: object) -> None:
        sys.setprofile(None)
        server.sendall(json.dumps(what).encode() + b"\n")
        sys.setprofile(boundaries)

    def begin(at: int) -> None:
        nonlocal began_s
        tell(begin=at)
        if at == len(plan.operations) - 1:
            boundaries.last = plan.boundary
            if _needs_tracer(plan):
                server.recv(1)  # until strace is there
        boundaries.seen = 0
        began_s = time.monotonic()

    def end(**what: object) -> None:
        tell(seconds=time.monotonic() - began_s, boundaries=boundaries.seen, **what)

    if plan.operations and plan.operations[0].kind in OF_A_FOLDER:
        begin(0)
        perform_on(plan.folder, plan.operations[0])
        end(done=None)
        os.kill(os.getpid(), signal.SIGKILL)
    begin(-1)
    writer = Writer(plan.folder)
    end()
    for at, operation in enumerate(plan.operations):
        begin(at)
        answer = perform(writer, operation, lambda texts: tell(texts=texts))
        end(done=answer)
    os.kill(os.getpid(), signal.SIGKILL)


# ------------------------------------------------------------------ the server of forks

_READY = b"ready"


def serve() -> None:
    """Carry out plans until stdin ends. No thread of ours is started here: forks must be whole."""
    prepare(record("warm", "up"))  # loads what every child would have to load
    _write(_READY)
    while True:
        try:
            plan = Plan(**pickle.load(sys.stdin.buffer))  # noqa: S301  # from our parent
        except EOFError:
            return
        _write(pickle.dumps(_fields(_run(plan))))


def _fields(value: Plan | Report) -> dict[str, object]:
    """What travels: not the class, which a test may have loaded twice under one name."""
    return {each.name: getattr(value, each.name) for each in fields(value)}


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _run(plan: Plan) -> Report:
    ours, childs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        try:
            # Where only a parent may trace, strace is a sister.
            ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANY, 0, 0, 0)
            _carry_out(plan, childs)
        except BaseException as error:
            childs.sendall(json.dumps({"failure": repr(error)}).encode() + b"\n")
        os._exit(1)
    childs.close()
    report = Report()
    with ours, _Tracer(plan, child) as tracer:
        for line in _lines(ours, plan, child, tracer):
            _note(report, json.loads(line))
        _, status = os.waitpid(child, 0)
    report.killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    report.calls = tracer.calls
    return report


def _lines(child_says: socket.socket, plan: Plan, child: int, tracer: "_Tracer") -> Iterator[bytes]:
    """What the child says, line by line.

    When its last operation begins it is traced, or killed `delay_s` after that, as planned.
    """
    last = json.dumps({"begin": len(plan.operations) - 1}).encode()
    said, deadline = b"", None
    while True:
        wait_s = None if deadline is None else max(0.0, deadline - time.monotonic())
        if not select.select([child_says], [], [], wait_s)[0]:
            os.kill(child, signal.SIGKILL)
            deadline = None
            continue
        try:
            data = child_says.recv(65536)
        except ConnectionResetError:  # it died before it had heard that strace is there
            return
        if not data:
            return
        *lines, said = (said + data).split(b"\n")
        if last in lines and plan.delay_s is not None:
            deadline = time.monotonic() + plan.delay_s
        if last in lines and _needs_tracer(plan):
            tracer.start()
            child_says.send(b"!")
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


# ------------------------------------------------------------------ strace


def _needs_tracer(plan: Plan) -> bool:
    return plan.count_calls or plan.system_call is not None


class _Tracer:
    """strace at the child: counts its system calls, or kills it at one of them."""

    def __init__(self, plan: Plan, child: int) -> None:
        self._child = child
        self._log = Path(tempfile.mkstemp(prefix="strace-")[1]) if plan.count_calls else None
        self._options = ["-o", str(self._log or os.devnull)]
        if plan.system_call:
            # strace counts in each thread, and each name, anew.
            name, nth = plan.system_call
            self._options += [f"--trace={name}", f"--inject={name}:signal=KILL:when={nth}"]
        else:
            self._options += [f"--trace={','.join(f'?{name}' for name in SYSTEM_CALLS)}"]
        self._process: subprocess.Popen[bytes] | None = None
        self.calls: dict[str, int] = {}

    def start(self) -> None:
        """Attach to every thread of the child.

        Raises:
            PermissionError: strace may not.
        """
        self._process = subprocess.Popen(
            ["strace", "-f", "-qq", *self._options, "-p", str(self._child)],
            stderr=subprocess.DEVNULL,
        )
        while not _is_traced(self._child):
            if self._process.poll() is not None:
                raise PermissionError("strace may not attach to a process here")
            time.sleep(0.001)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for strace to end, as it does when the child has died."""
        if self._process:
            self._process.wait()
        if self._log:
            self.calls = _most_of_a_thread(self._log.read_text())
            self._log.unlink()


def _is_traced(process: int) -> bool:
    for task in Path(f"/proc/{process}/task").iterdir():
        with contextlib.suppress(OSError):  # a thread that ended meanwhile
            if "TracerPid:\t0\n" in (task / "status").read_text():
                return False
    return True


def _most_of_a_thread(log: str) -> dict[str, int]:
    """By name, how many calls the thread makes that makes the most of them."""
    calls = Counter(re.findall(r"^(\d+) +(\w+)\(", log, re.MULTILINE))
    most: dict[str, int] = {}
    for (_, name), count in calls.items():
        most[name] = max(most.get(name, 0), count)
    return most


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
        assert self._process.stdout
        assert self._process.stdout.read(len(_READY)) == _READY

    def run(self, plan: Plan) -> Report:
        """Carry out a plan; one with system calls needs that `can_trace`."""
        assert self._process.stdin
        assert self._process.stdout
        pickle.dump(_fields(plan), self._process.stdin)
        self._process.stdin.flush()
        return Report(**pickle.load(self._process.stdout))  # noqa: S301  # our own child's

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._process.communicate(timeout=30)


def can_trace() -> bool:
    """Whether strace is here and may attach to a process that lets it."""
    if shutil.which("strace") is None:
        return False
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import ctypes, time; ctypes.CDLL(None).prctl({_PR_SET_PTRACER}, "
            "ctypes.c_ulong(-1), 0, 0, 0); print(flush=True); time.sleep(60)",
        ],
        stdout=subprocess.PIPE,
    )
    try:
        assert child.stdout
        child.stdout.read(1)
        with _Tracer(Plan(Path(), (), system_call=("fsync", 1)), child.pid) as tracer:
            tracer.start()
            child.kill()
        return True
    except PermissionError:
        return False
    finally:
        child.kill()
        child.communicate()
