"""A disk that may lose whatever was not synced: what can lie on it after a power cut.

A file's bytes and size are safe once the file was synced, a name once its folder was. Of all else
any part may be there or not, in any order: each name by itself, each write by itself, and of a
write any of its sectors of 512 bytes; a file whose last bytes were lost may be short or have
zeros there. That is more than any file system loses that keeps its journal in order, so what
survives this survives those.

Source: Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014.
"""

import hashlib
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from disk_trace import Make, Mark, Remove, Rename, Resize, Step, Sync, Write

SECTOR_BYTES: Final = 512

Tree = dict[str, bytes | None]  # by path; None: a folder


@dataclass(frozen=True, slots=True)
class Loss:
    """How much of what was not synced is there after a cut; the shares are chances."""

    kept_writes: float
    kept_names: float
    random: random.Random

    def keeps_name(self) -> bool:
        return self.random.random() < self.kept_names

    def keeps(self, data: bytes, offset: int) -> list[tuple[int, bytes]]:
        """Where which bytes of a write arrived."""
        if self.random.random() < self.kept_writes:
            return [(offset, data)]
        if not self.kept_writes or self.random.random() < 0.5:
            return []
        first = offset - offset % SECTOR_BYTES
        sectors = range(first, offset + len(data), SECTOR_BYTES)
        spans = [(max(at, offset), min(at + SECTOR_BYTES, offset + len(data))) for at in sectors]
        return [
            (start, data[start - offset : end - offset])
            for start, end in spans
            if self.random.random() < 0.5
        ]

    def keeps_size(self) -> bool:
        """Whether a file has the size of what it lost."""
        return self.random.random() < max(self.kept_writes, self.kept_names)


@dataclass(slots=True)
class _File:
    synced: bytearray = field(default_factory=bytearray)
    unsynced: list[tuple[int, Write | Resize]] = field(default_factory=list)

    def sync(self, began: int) -> None:
        for step, change in self.unsynced:
            if step < began:
                _change(self.synced, change)
        self.unsynced = [each for each in self.unsynced if each[0] >= began]

    def after(self, loss: Loss) -> bytes:
        data, size = bytearray(self.synced), len(self.synced)
        for _, change in self.unsynced:
            if isinstance(change, Write):
                size = max(size, change.offset + len(change.data))
                for offset, part in loss.keeps(change.data, change.offset):
                    _change(data, Write(change.path, offset, part))
            else:
                size = change.size
                if loss.keeps_name():
                    _change(data, change)
        if size > len(data) and loss.keeps_size():
            data.extend(bytes(size - len(data)))
        return bytes(data)


@dataclass(slots=True)
class _Folder:
    synced: "dict[str, _File | _Folder]" = field(default_factory=dict)
    latest: "dict[str, _File | _Folder]" = field(default_factory=dict)
    # A rename is one change of two names: it is there or not, never by half.
    unsynced: "list[tuple[int, dict[str, _File | _Folder | None]]]" = field(default_factory=list)

    def name(self, step: int, names: "dict[str, _File | _Folder | None]") -> None:
        _rename(self.latest, names)
        self.unsynced.append((step, names))

    def sync(self, began: int) -> None:
        for step, names in self.unsynced:
            if step < began:
                _rename(self.synced, names)
        self.unsynced = [each for each in self.unsynced if each[0] >= began]

    def after(self, loss: Loss) -> "dict[str, _File | _Folder]":
        names = dict(self.synced)
        for _, change in self.unsynced:
            if loss.keeps_name():
                _rename(names, change)
        return names


class UnsyncedDisk:
    """Carries out recorded steps, and says what a power cut may leave of them."""

    def __init__(self) -> None:
        self._root = _Folder()
        self._step = 0

    def carry_out(self, step: Step) -> None:
        match step:
            case Make(path, is_folder):
                self._name(path, _Folder() if is_folder else _File())
            case Remove(path):
                self._name(path, None)
            case Rename(old, new):
                folder, name = self._place(old)
                renamed = {name: None, PurePosixPath(new).name: folder.latest[name]}
                folder.name(self._step, renamed)
            case Write(path) | Resize(path):
                file = self._at(path)
                assert isinstance(file, _File)
                file.unsynced.append((self._step, step))
            case Sync(path, began):
                self._at(path).sync(began)
            case Mark():
                pass
        self._step += 1

    def after_a_cut(self, loss: Loss) -> Tree:
        """Files and folders as one power cut at this moment may leave them."""
        tree: Tree = {}
        _grow(tree, self._root, "", loss)
        return tree

    def _name(self, path: str, node: _File | _Folder | None) -> None:
        folder, name = self._place(path)
        folder.name(self._step, {name: node})

    def _place(self, path: str) -> tuple[_Folder, str]:
        folder = self._at(PurePosixPath(path).parent.as_posix())
        assert isinstance(folder, _Folder)
        return folder, PurePosixPath(path).name

    def _at(self, path: str) -> _File | _Folder:
        node: _File | _Folder = self._root
        for name in PurePosixPath(path).parts:
            assert isinstance(node, _Folder)
            node = node.latest[name]
        return node


def replayed(steps: Iterable[Step]) -> Tree:
    """Files and folders when nothing is lost."""
    disk = UnsyncedDisk()
    for step in steps:
        disk.carry_out(step)
    return disk.after_a_cut(Loss(1.0, 1.0, random.Random(0)))


def tree_of(folder: Path) -> Tree:
    """What lies in a folder, but for SQLite's shared memory, which no power cut spares."""
    return {
        path.relative_to(folder).as_posix(): None if path.is_dir() else path.read_bytes()
        for path in folder.rglob("*")
        if not path.name.endswith("-shm")
    }


def fingerprint(tree: Tree) -> bytes:
    """The same for equal trees only."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(tree):
        data = tree[path]
        digest.update(f"{path}\0{-1 if data is None else len(data)}\0".encode())
        digest.update(data or b"")
    return digest.digest()


def write_tree(tree: Tree, folder: Path) -> None:
    """Lay a tree out in an empty folder."""
    for path in sorted(tree):
        data = tree[path]
        if data is None:
            (folder / path).mkdir()
        else:
            (folder / path).write_bytes(data)


def _grow(tree: Tree, folder: _Folder, prefix: str, loss: Loss) -> None:
    for name, node in folder.after(loss).items():
        path = f"{prefix}{name}"
        if isinstance(node, _File):
            tree[path] = node.after(loss)
        else:
            tree[path] = None
            _grow(tree, node, f"{path}/", loss)


def _change(data: bytearray, change: Write | Resize) -> None:
    end = change.offset if isinstance(change, Write) else change.size
    if end > len(data):
        data.extend(bytes(end - len(data)))
    if isinstance(change, Write):
        data[change.offset : change.offset + len(change.data)] = change.data
    else:
        del data[change.size :]


def _rename(
    names: "dict[str, _File | _Folder]", change: "dict[str, _File | _Folder | None]"
) -> None:
    for name, node in change.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node
