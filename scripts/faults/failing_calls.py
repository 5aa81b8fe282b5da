"""Makes chosen calls of a process fail, knows what a power cut would leave, and sets its clock.

The other half of failing_calls.c: builds it, lays out the memory that both sides share, and says
what shall fail.
"""

import ctypes
import errno
import mmap
import os
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

HERE = Path(__file__).resolve().parent
MOST_RANGES: Final = 65536


class Call(IntEnum):
    """What a process asks of the operating system."""

    WRITE = 0
    SYNC = 1
    RENAME = 2
    UNLINK = 3
    OPEN = 4
    READ = 5
    TRUNCATE = 6
    MKDIR = 7
    MAP = 8


class Place(IntEnum):
    """Which of a store's files it asks it of."""

    DATABASE = 0
    LOG = 1
    WORDS = 2
    SEGMENTS = 3
    OTHER = 4


class How(IntEnum):
    """What a call does that fails."""

    REFUSED = 0  # nothing but an error
    SHORT = 1  # half of a write, and says so
    TORN = 2  # half of a write, and an error


@dataclass(frozen=True, slots=True)
class Fault:
    """Which call fails: the `nth` (from 1) of a kind, and `times` in all; None: until it ends."""

    call: Call
    place: Place | None
    nth: int
    times: int | None
    error: int = errno.EIO
    how: How = How.REFUSED

    def __str__(self) -> str:
        where = self.place.name.lower() if self.place is not None else "any"
        lasts = "from then on" if self.times is None else f"{self.times} times"
        name = "half of it" if self.how is How.SHORT else errno.errorcode[self.error]
        torn = ", torn" if self.how is How.TORN else ""
        return f"{self.call.name.lower()} {self.nth} of {where}: {name}{torn}, {lasts}"


class _Control(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int32) for name in ("armed", "call", "place", "how", "error")),
        *((name, ctypes.c_int32) for name in ("skip", "times", "failed")),
        ("seen", ctypes.c_int32 * len(Place) * len(Call)),
        ("clock_s", ctypes.c_int64),
        ("folder", ctypes.c_char * 512),
        ("disk", ctypes.c_char * 512),
        ("ranges", ctypes.c_uint64),
        ("unsynced", ctypes.c_uint64 * 3 * MOST_RANGES),
    )


class FailingCalls:
    """What the processes suffer that were started with `environment`."""

    def __init__(self, control: Path) -> None:
        """`control`: the file to share; made when it is not there."""
        with control.open("ab") as file:
            file.truncate(ctypes.sizeof(_Control))
        self._path = control
        with control.open("r+b") as file:
            self._control = _Control.from_buffer(mmap.mmap(file.fileno(), 0))

    def environment(self, library: Path) -> dict[str, str]:
        """What to start a process with, so that its calls can fail."""
        return {"LD_PRELOAD": str(library), "FAILING_CALLS": str(self._path)}

    def watch(self, folder: Path, disk: Path | None = None) -> None:
        """Count the calls on files under `folder`, and keep in `disk` what is synced of them.

        What lies there now is taken to be synced.
        """
        self.end()
        self._control.folder = self._control.disk = b""
        self._control.ranges = 0
        ctypes.memset(self._control.seen, 0, ctypes.sizeof(self._control.seen))
        if disk is not None:
            disk.mkdir()
            for path in _files(folder):
                shutil.copyfile(path, disk / str(path.stat().st_ino))
            self._control.disk = os.fsencode(disk)
        self._control.folder = os.fsencode(folder.resolve())

    def begin(self, fault: Fault) -> None:
        """Let calls fail from now on."""
        control = self._control
        control.call, control.how, control.error = fault.call, fault.how, fault.error
        control.place = -1 if fault.place is None else fault.place
        control.skip = fault.nth - 1
        control.times = -1 if fault.times is None else fault.times
        control.failed = 0
        control.armed = 1

    def end(self) -> int:
        """Let all calls succeed again; returns how many failed."""
        self._control.armed = 0
        return self._control.failed

    def set_clock(self, ahead_s: int) -> None:
        """Put the clock on the wall forward by `ahead_s` seconds, or back; 0: as it is."""
        self._control.clock_s = ahead_s

    @property
    def failed(self) -> int:
        """How many calls failed since the fault began."""
        return self._control.failed

    def seen(self) -> dict[tuple[Call, Place], int]:
        """How many calls of each kind were made of each place since watching began."""
        return {
            (call, place): count
            for call in Call
            for place in Place
            if (count := self._control.seen[call][place])
        }

    def power_cut(self, into: Path) -> None:
        """Make in `into` the folder that a power cut now would leave: what is synced, no more.

        Names are kept as they are; scripts/faults/power_loss.py loses those as well.
        """
        folder, disk = (Path(os.fsdecode(p)) for p in (self._control.folder, self._control.disk))
        for path in _files(folder):
            image = disk / str(path.stat().st_ino)
            copy = into / path.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.touch()
            with suppress(FileNotFoundError):  # nothing of it was ever synced
                shutil.copyfile(image, copy)


def _files(folder: Path) -> list[Path]:
    """A store's files, without the memory that SQLite's readers share."""
    return [p for p in folder.rglob("*") if p.is_file() and not p.name.endswith("-shm")]


def compiler() -> str | None:
    """The C compiler of this machine."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def build(into: Path) -> Path:
    """Compile the library.

    Raises:
        FileNotFoundError: there is no C compiler.
    """
    cc = compiler()
    if cc is None:
        raise FileNotFoundError("no C compiler here: install cc, gcc or clang")
    library = into / "failing_calls.so"
    source = HERE / "failing_calls.c"
    options = ["-O2", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl", "-lpthread"]
    subprocess.run([cc, *options], check=True)
    return library
