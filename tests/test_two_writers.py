"""Two writers of one store: one at a time, whatever becomes of the lock file between them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from oracle import Model, record, shown

from index.errors import StoreLockedError, StoreReadOnlyError
from index.snapshot import SnapshotReader
from index.writer import Writer

ROOT = Path(__file__).resolve().parent.parent
EX_TEMPFAIL = 75

# Opens a store, adds an article for each name it reads, and says so when each is acknowledged.
_WRITE = """
import sys
from pathlib import Path
from oracle import record
from index.errors import StoreError
from index.writer import Writer
try:
    writer = Writer(Path(sys.argv[1]))
except StoreError as error:
    print(type(error).__name__, flush=True)
    sys.exit(error.exit_code)
print("open", flush=True)
for name in sys.stdin:
    try:
        writer.add([record(name.strip(), "weir")])
        print("added", flush=True)
    except StoreError as error:
        print(type(error).__name__, flush=True)
writer.close()
"""


class OtherWriter:
    """A writer in a process of its own."""

    def __init__(self, folder: Path) -> None:
        path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        self.process = subprocess.Popen(
            [sys.executable, "-c", _WRITE, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )

    def hear(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def add(self, name: str) -> str:
        """`added`, or the name of the error."""
        assert self.process.stdin
        self.process.stdin.write(f"{name}\n")
        self.process.stdin.flush()
        return self.hear()


@contextmanager
def another(folder: Path) -> Iterator[OtherWriter]:
    other = OtherWriter(folder)
    try:
        yield other
        other.process.communicate(timeout=30)
    finally:
        other.process.kill()
        other.process.wait()


def shown_in(folder: Path) -> list[str]:
    reader = SnapshotReader(folder)
    try:
        return sorted(shown(reader.latest()))
    finally:
        reader.close()


def test_of_writers_that_come_at_once_one_opens_and_the_others_end_with_code_75(
    tmp_path: Path,
) -> None:
    folder, acknowledged = tmp_path / "store", []
    for turn in range(3):
        others = [OtherWriter(folder) for _ in range(4)]
        said = [other.hear() for other in others]
        assert sorted(said) == ["StoreLockedError"] * 3 + ["open"]
        for other, word in zip(others, said, strict=True):
            if word == "open":
                assert other.add(f"story-{turn}") == "added"
                acknowledged.append(f"story-{turn}")
            other.process.communicate(timeout=30)
            assert other.process.returncode == (0 if word == "open" else EX_TEMPFAIL)
        assert shown_in(folder) == acknowledged


def test_a_lock_file_that_a_dead_writer_left_is_no_hindrance(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    with another(folder) as other:
        assert other.hear() == "open"
        assert other.add("flood") == "added"
        other.process.kill()
        other.process.wait()
        assert "process" in (folder / "writer.lock").read_text()
    with Writer(folder) as writer:
        writer.add([record("fire", "ridge")])
        assert f"process {os.getpid()} " in (folder / "writer.lock").read_text()
        with pytest.raises(StoreLockedError, match=f"process {os.getpid()} "):
            Writer(folder)
    assert shown_in(folder) == ["fire", "flood"]


def test_a_writer_whose_lock_file_was_deleted_keeps_its_place(tmp_path: Path) -> None:
    """It goes on; the one that came second is told that it is locked out, and changes nothing."""
    folder = tmp_path / "store"
    with another(folder) as other:
        assert other.hear() == "open"
        assert other.add("flood") == "added"
        (folder / "writer.lock").unlink()
        with pytest.raises(StoreLockedError, match="another process is writing"):
            Writer(folder)
        assert other.add("storm") == "added"
    assert shown_in(folder) == ["flood", "storm"]


def test_of_two_that_both_believe_that_they_write_the_earlier_one_changes_nothing(
    tmp_path: Path,
) -> None:
    """Both locks lost, as on a network disk: the epoch in the database is the last that holds."""
    folder, model = tmp_path / "store", Model()
    earlier = Writer(folder)
    model.add([record("flood", "weir")])
    earlier.add([record("flood", "weir")])
    (folder / "writer.lock").unlink()
    earlier._words.close()
    with Writer(folder) as later:
        later.add([record("storm", "harbour")])
        model.add([record("storm", "harbour")])
        for change in (
            lambda: earlier.add([record("fire", "ridge")]),
            lambda: earlier.remove(["flood"]),
            lambda: earlier.compact(),
            lambda: earlier.desk().__enter__(),
        ):
            with pytest.raises(StoreReadOnlyError, match="another writer has taken over"):
                change()
        later.remove(["flood"])
        model.remove(["flood"])
        reader = SnapshotReader(folder)
        assert not model.differs_from(shown(reader.latest()))
        reader.close()
    earlier.close()
