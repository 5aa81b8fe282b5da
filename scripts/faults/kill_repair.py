"""Kills a repair with SIGKILL at one moment after another; the next one must finish it.

Each kill strikes a copy of one damaged store, just before or after a call that leaves Python for
the operating system, SQLite or tantivy. What is left is read, repaired, and must answer as the
sound store did.

    PYTHONPATH=. python scripts/faults/kill_repair.py --kills 200
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1]), str(HERE.parents[1] / "tests")]

from damage import change, damageable  # noqa: E402
from flip_bits import in_child  # noqa: E402
from kill_writer import Boundaries  # noqa: E402
from store_answers import Answers, answers  # noqa: E402

from index import store  # noqa: E402
from index.repair import repair  # noqa: E402

_DAMAGE = (
    "DELETE FROM fingerprints",
    "UPDATE reports SET report = 3",
    "DELETE FROM points",
    "UPDATE lines SET hashes = X'00'",
    "UPDATE generations SET max_seq = 0",
)


def kill_many(kills: int) -> int:
    """Kill repairs at `kills` moments, evenly spread; returns how many promises were broken."""
    parent = "/dev/shm" if Path("/dev/shm").is_dir() else None
    broken = 0
    with tempfile.TemporaryDirectory(prefix="nutgraf-repair-", dir=parent) as scratch:
        folder = Path(scratch) / "store"
        expected = in_child(lambda: _damaged(folder))
        assert isinstance(expected, Answers)
        moments = _moments(_copied(folder))
        print(f"a repair has {moments} moments between calls")
        for kill in range(kills):
            copy = _copied(folder)
            try:
                _killed(copy, 1 + kill * moments // kills)
                in_child(lambda: _judge(copy, expected))  # noqa: B023
            except RuntimeError as error:
                broken += 1
                print(f"moment {1 + kill * moments // kills}: {str(error)[-500:]}")
            shutil.rmtree(copy)
    print(f"{kills} kills, {broken} broken promises")
    return broken


def _damaged(folder: Path) -> Answers:
    """Make a store, hear what it says, and damage every part of it that can be made again."""
    damageable(folder)
    expected = answers(folder)
    for sql in _DAMAGE:
        change(folder, sql)
    for path in [*(folder / store.SEGMENTS).glob("*.seg"), *(folder / store.WORDS).glob("*.term")]:
        data = bytearray(path.read_bytes())
        data[60] ^= 1
        path.write_bytes(data)
    return expected


def _copied(folder: Path) -> Path:
    return Path(shutil.copytree(folder, folder.with_name("copy")))


def _moments(folder: Path) -> int:
    boundaries = Boundaries()

    def count() -> int:
        _watched(boundaries, lambda: repair(folder))
        return boundaries.seen

    moments = in_child(count)
    shutil.rmtree(folder)
    assert isinstance(moments, int)
    return moments


def _killed(folder: Path, moment: int) -> None:
    """Repair in a child that dies at its `moment`-th boundary, from 1."""
    child = os.fork()
    if child == 0:
        boundaries = Boundaries()
        boundaries.last = moment
        _watched(boundaries, lambda: repair(folder))
        os.kill(os.getpid(), signal.SIGKILL)  # there were fewer moments this time
    os.waitpid(child, 0)


def _watched(boundaries: Boundaries, work: Callable[[], object]) -> None:
    sys.setprofile(boundaries)
    try:
        work()
    finally:
        sys.setprofile(None)


def _judge(folder: Path, expected: Answers) -> None:
    said = answers(folder).said
    if said - expected.said:
        # A story or report that is put together anew is one that was there before.
        raise RuntimeError(f"half mended, it says {sorted(map(str, said - expected.said))[:3]}")
    repaired = repair(folder)
    if repaired.verified.findings:
        raise RuntimeError(f"repaired again: {repaired.verified.findings}")
    if answers(folder) != expected:
        raise RuntimeError("repaired again, an answer differs")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--kills", type=int, default=200)
    began = time.monotonic()
    broken = kill_many(options.parse_args().kills)
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
