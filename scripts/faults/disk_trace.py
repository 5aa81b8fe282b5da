"""What a process did to the files under one folder, call by call, as strace saw it.

Only what a disk can lose is kept: names, sizes and bytes, with the calls that make them safe. A
call that changes files in a way that is not known here is an error, never passed over.
"""

import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final


@dataclass(frozen=True, slots=True)
class Make:
    """A new, empty file or folder."""

    path: str  # under the folder that was watched, as all paths here
    is_folder: bool


@dataclass(frozen=True, slots=True)
class Write:
    path: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Resize:
    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Rename:
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Remove:
    path: str


@dataclass(frozen=True, slots=True)
class Sync:
    """A sync that returned: of a file's bytes and size, or of the names in a folder.

    What was done before the `began`-th step is safe now; a later step may have come too late.
    """

    path: str
    began: int


@dataclass(frozen=True, slots=True)
class Mark:
    """What the process wrote to its file of marks."""

    text: str


Step = Make | Write | Resize | Rename | Remove | Sync | Mark

# With a question mark: not every processor's Linux has it.
_CALLS: Final = (
    "?open,?creat,openat,?openat2,write,pwrite64,writev,pwritev,pwritev2,lseek,ftruncate,truncate,"
    "fallocate,?rename,?renameat,renameat2,?unlink,unlinkat,?rmdir,?mkdir,mkdirat,?link,linkat,"
    "?symlink,symlinkat,fsync,fdatasync,sync_file_range,copy_file_range,?sendfile,splice,mmap,"
    "fcntl"
)
_LONGEST_WRITE_BYTES: Final = 1 << 28


def record(command: Sequence[str], folder: Path, marks: Path, scratch: Path) -> list[Step]:
    """Run a command under strace and return what it did under `folder`, which must be empty.

    Args:
        marks: a file outside `folder`; what the command writes to it becomes `Mark`s.
        scratch: where the trace is written, and deleted once read.

    Raises:
        PermissionError: strace may not watch a process here.
        subprocess.CalledProcessError: the command failed.
    """
    strace = ["strace", "-f", "-y", "-xx", "-s", str(_LONGEST_WRITE_BYTES), "-qq"]
    options = ["--seccomp-bpf", "-e", f"trace={_CALLS}", "-e", "signal=none", "-o", str(scratch)]
    ended = subprocess.run([*strace, *options, *command], capture_output=True, text=True)
    if ended.returncode and "ptrace" in ended.stderr:
        raise PermissionError(ended.stderr.strip())
    if ended.returncode:
        print(ended.stderr)
        ended.check_returncode()
    with scratch.open() as lines:
        steps = _Reader(folder.resolve(), marks.resolve()).steps(lines)
    scratch.unlink()
    return steps


_CALL = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+)", re.DOTALL)
_BEGUN = re.compile(r"(\d+) +(\w+)\((.*) <unfinished \.\.\.>$", re.DOTALL)
_RESUMED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*)$", re.DOTALL)
_DESCRIPTOR = re.compile(r"(\d+|AT_FDCWD)<([^>]*)>(\(deleted\))?")


@dataclass(slots=True)
class _Open:
    """An open file of the watched process."""

    offset: int
    appends: bool


class _Reader:
    """Turns strace's lines into steps."""

    def __init__(self, folder: Path, marks: Path) -> None:
        self._folder, self._marks = folder, marks
        self._steps: list[Step] = []
        self._sizes: dict[str, int] = {}  # of the files there are
        self._folders: set[str] = {"."}
        self._open: dict[int, _Open] = {}

    def steps(self, lines: Iterator[str]) -> list[Step]:
        begun: dict[str, tuple[str, int]] = {}
        for line in lines:
            if found := _BEGUN.match(line.rstrip("\n")):
                thread, name, arguments = found.groups()
                begun[thread] = (f"{thread} {name}({arguments}", len(self._steps))
                continue
            began = len(self._steps)
            if found := _RESUMED.match(line.rstrip("\n")):
                head, began = begun.pop(found[1])
                line = head + found[3]
            if (found := _CALL.match(line)) and not found[4].startswith("-"):
                self._call(found[2], found[3].split(", "), int(found[4]), began)
        return self._steps

    def _call(self, name: str, arguments: list[str], result: int, began: int) -> None:
        if name in ("open", "creat", "openat", "openat2"):
            self._opened(name, arguments, result)
        elif name in ("mkdir", "mkdirat"):
            if (path := self._named(arguments)) is not None:
                self._folders.add(path)
                self._steps.append(Make(path, True))
        elif name in ("rename", "renameat", "renameat2"):
            self._renamed(arguments)
        elif name in ("unlink", "unlinkat", "rmdir"):
            if (path := self._named(arguments)) is not None:
                self._sizes.pop(path, None)
                self._folders.discard(path)
                self._steps.append(Remove(path))
        elif name in ("write", "pwrite64", "lseek", "ftruncate", "fsync", "fdatasync"):
            self._on_descriptor(name, arguments, result, began)
        elif name == "fcntl":
            self._duplicated(arguments, result)
        elif name != "mmap" or _writes_through(arguments):
            self._refuse(name, arguments)

    def _opened(self, name: str, arguments: list[str], result: int) -> None:
        path = self._named(arguments)
        if path is None:
            return
        flags = arguments[2].split("|")
        if name != "openat" or "O_TMPFILE" in flags:
            raise ValueError(f"not known to the model: {name}({arguments})")
        self._open[result] = _Open(0, "O_APPEND" in flags)
        if path in self._folders:
            return
        if path not in self._sizes:
            self._sizes[path] = 0
            self._steps.append(Make(path, False))
        elif "O_TRUNC" in flags and self._sizes[path]:
            self._resized(path, 0)

    def _duplicated(self, arguments: list[str], result: int) -> None:
        found = _DESCRIPTOR.match(arguments[0])
        if found and "F_DUPFD" in arguments[1] and int(found[1]) in self._open:
            self._open[result] = self._open[int(found[1])]  # they move together

    def _renamed(self, arguments: list[str]) -> None:
        paths = [self._under(_text(each)) for each in arguments if each.startswith('"')]
        old, new = paths
        if old is None and new is None:
            return
        if old is None or new is None or PurePosixPath(old).parent != PurePosixPath(new).parent:
            raise ValueError(f"not known to the model: a rename from one folder to another, {new}")
        for names in (self._sizes, self._folders):
            for path in [each for each in names if each == old or each.startswith(f"{old}/")]:
                moved = new + path[len(old) :]
                if isinstance(names, dict):
                    names[moved] = names.pop(path)
                else:
                    names.remove(path)
                    names.add(moved)
        self._steps.append(Rename(old, new))

    def _on_descriptor(self, name: str, arguments: list[str], result: int, began: int) -> None:
        found = _DESCRIPTOR.match(arguments[0])
        if not found or found[3]:
            return  # a file without a name cannot come back
        place = _decoded(found[2]).decode()
        if place == str(self._marks) and name == "write":
            self._steps.append(Mark(_data(arguments[1]).decode()))
        path = self._under(place)
        if path is None:
            return
        if name in ("fsync", "fdatasync"):
            self._steps.append(Sync(path, began))
        elif name == "ftruncate":
            self._resized(path, int(arguments[1]))
        elif name == "lseek":
            self._open[int(found[1])].offset = result
        elif name == "pwrite64":
            self._written(path, int(arguments[3]), _data(arguments[1])[:result])
        else:
            at = self._open[int(found[1])]
            offset = self._sizes[path] if at.appends else at.offset
            self._written(path, offset, _data(arguments[1])[:result])
            at.offset = offset + result

    def _written(self, path: str, offset: int, data: bytes) -> None:
        self._sizes[path] = max(self._sizes[path], offset + len(data))
        self._steps.append(Write(path, offset, data))

    def _resized(self, path: str, size: int) -> None:
        self._sizes[path] = size
        self._steps.append(Resize(path, size))

    def _named(self, arguments: list[str]) -> str | None:
        """The path that a call names, which is its first argument or the second."""
        return self._under(_text(next(each for each in arguments if each.startswith('"'))))

    def _under(self, place: str) -> str | None:
        """A path under the watched folder, None if it is not, or is SQLite's shared memory.

        That is mapped, not written, and made anew by who opens the database first.
        """
        path = Path(place)
        if place.endswith("-shm") or not path.is_relative_to(self._folder):
            return None
        return path.relative_to(self._folder).as_posix()

    def _refuse(self, name: str, arguments: list[str]) -> None:
        for each in arguments:
            found = _DESCRIPTOR.match(each)
            place = _decoded(found[2]).decode() if found else _text(each)
            if place and self._under(place) not in (None, "."):
                raise ValueError(f"not known to the model: {name} on {place}")


def _writes_through(arguments: list[str]) -> bool:
    return "PROT_WRITE" in arguments[2] and "MAP_SHARED" in arguments[3]


def _text(argument: str) -> str:
    return _data(argument).decode(errors="replace") if argument.startswith('"') else ""


def _data(argument: str) -> bytes:
    if argument.endswith("..."):
        raise ValueError("a write is longer than what is recorded of it")
    return _decoded(argument[1:-1])


def _decoded(escaped: str) -> bytes:
    if not escaped.startswith("\\x"):
        return escaped.encode()  # a pipe or a socket
    return bytes.fromhex(escaped.replace("\\x", ""))
