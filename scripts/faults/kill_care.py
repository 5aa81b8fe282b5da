"""Kills what looks after a store: its migration, repair, backup and restoring.

Each begins with a golden store, is killed at each system call, and is repeated. In between, the
store must give the answers that it gave when it was made, or be as it was; half repaired it may
say less, and nothing else; a backup, or what is restored of one, is there whole or not at all.

    python scripts/faults/kill_care.py [--every N]
"""

import argparse
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1]), str(HERE.parents[1] / "tests")]

import golden_store  # noqa: E402
from damage import flip  # noqa: E402
from kill_points import (  # noqa: E402
    SHARES,
    Tally,
    folder_in_memory,
    place_of,
    points,
    print_tallies,
    sum_of,
)
from kill_writer import Killer, Plan  # noqa: E402
from store_answers import answers as all_answers  # noqa: E402
from writer_operations import Operation, perform_on  # noqa: E402

from index import store_folder, tables  # noqa: E402
from index.backup import back_up  # noqa: E402
from index.restore import restore  # noqa: E402
from index.verify import Depth, verify  # noqa: E402
from index.writer import Writer  # noqa: E402

_GOLDEN: Final = HERE.parents[1] / "tests" / "data" / "stores"
_BACKUP: Final = "backup"
# Each part that can be made again; files of the words and of the vectors are damaged beside it.
_DAMAGE: Final = (
    "DELETE FROM fingerprints",
    "UPDATE reports SET report = 3",
    "DELETE FROM points",
    "UPDATE term_vectors SET vector = X'00' WHERE article = 1",
    "UPDATE lines SET hashes = X'00'",
    "UPDATE generations SET max_seq = 0",
)


@dataclass(frozen=True, slots=True)
class Care:
    """Something that looks after a store, what it begins with, and what it must leave."""

    name: str
    format: int  # of the golden store
    prepare: Callable[[Path], None]  # the folder that holds the store
    operations: Callable[[Path], tuple[Operation, ...]]  # none: opening it for writing
    check: Callable[[Path, dict[str, Any]], None]  # after a kill; AssertionError: broken


def _nothing(place: Path) -> None:
    pass


def _damage(place: Path) -> None:
    with closing(sqlite3.connect(_store(place) / store_folder.DATABASE)) as truth:
        for statement in _DAMAGE:
            truth.execute(statement)
        truth.commit()
    words, segments = (_store(place) / name for name in (store_folder.WORDS, store_folder.SEGMENTS))
    for path in (*words.glob("*.term"), *segments.glob("*.seg")):
        flip(path, 60)


def _back_up_and_remove(place: Path) -> None:
    back_up(_store(place), place / _BACKUP)
    shutil.rmtree(_store(place))


def _check_migrated(place: Path, answers: dict[str, Any]) -> None:
    Writer(_store(place)).close()
    _check_store(_store(place), answers)
    assert len(list(place.glob("*.format-1*"))) == 1, "not one backup"
    assert not list(place.glob(".*.draft")), "a draft is left"


def _check_repaired(place: Path, answers: dict[str, Any]) -> None:
    made_up = all_answers(_store(place)).said - _said_when_sound()
    assert not made_up, f"half repaired it says {sorted(map(str, made_up))[:3]}"
    perform_on(_store(place), Operation("repair"))
    _check_store(_store(place), answers)


def _check_backed_up(place: Path, answers: dict[str, Any]) -> None:
    _check_store(_store(place), answers)
    backup = place / _BACKUP
    if not backup.exists():
        back_up(_store(place), backup)
    restore(backup, place / "restored")
    _check_store(place / "restored", answers)


def _check_restored(place: Path, answers: dict[str, Any]) -> None:
    if not _store(place).exists():
        restore(place / _BACKUP, _store(place))
    _check_store(_store(place), answers)


@cache
def _said_when_sound() -> frozenset[tuple[object, ...]]:
    with folder_in_memory() as parent:
        folder, _ = golden_store.unpack(_GOLDEN / f"format-{tables.FORMAT}.tar.gz", parent)
        return all_answers(folder).said


def _check_store(folder: Path, answers: dict[str, Any]) -> None:
    findings = verify(folder, Depth.DEEP).findings
    assert not findings, findings[0]
    assert golden_store.answers(folder) == answers, "other answers than when it was made"


def _store(place: Path) -> Path:
    return place / golden_store.STORE


CARES: Final = (
    Care("migrate", 1, _nothing, lambda _: (), _check_migrated),
    Care("repair", tables.FORMAT, _damage, lambda _: (Operation("repair"),), _check_repaired),
    Care(
        "back up",
        tables.FORMAT,
        _nothing,
        lambda place: (Operation("back up", backup=place / _BACKUP),),
        _check_backed_up,
    ),
    Care(
        "restore",
        tables.FORMAT,
        _back_up_and_remove,
        lambda place: (Operation("restore", backup=place / _BACKUP),),
        _check_restored,
    ),
)


def sweep_care(killer: Killer, care: Care, *, every: int = 1, first: int = 0) -> Tally:
    """Kill a care at every `every`-th of its points, from the `first`-th."""
    tally = Tally(care.name)
    with folder_in_memory() as parent:
        made, place = parent / "made", parent / "place"
        made.mkdir()
        _, answers = golden_store.unpack(_GOLDEN / f"format-{care.format}.tar.gz", made)
        care.prepare(made)
        shutil.copytree(made, place)
        plans = points(killer, Plan(_store(place), care.operations(place)))
        shutil.rmtree(place)
        for plan in plans[first::every]:
            shutil.copytree(made, place)
            _kill(killer, care, plan, answers, tally)
            shutil.rmtree(place)
    return tally


def _kill(killer: Killer, care: Care, plan: Plan, answers: dict[str, Any], tally: Tally) -> None:
    try:
        report = killer.run(plan)
        assert not report.failure, report.failure
        tally.note("nothing" if report.boundaries else care.name)
        care.check(plan.folder.parent, answers)
    except Exception as error:  # whatever it is, a promise is broken, and the next point is tried
        tally.broken.append(f"{care.name} at {place_of(plan)}: {error or type(error).__name__}")


# ------------------------------------------------------------------ by hand


def _share(share: int, every: int) -> list[Tally]:
    with Killer() as killer:
        return [
            sweep_care(killer, care, every=every * SHARES, first=share * every) for care in CARES
        ]


def main() -> int:
    """Print what became of all kills; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--every", type=int, default=1, help="only every N-th point [all]")
    every = parser.parse_args().every
    began_s = time.monotonic()
    with ProcessPoolExecutor(SHARES, mp_context=get_context("spawn")) as pool:
        shares = [pool.submit(_share, share, every) for share in range(SHARES)]
        tallies = sum_of(tally for share in shares for tally in share.result())
    return print_tallies(tallies, time.monotonic() - began_s)


if __name__ == "__main__":
    import kill_care

    sys.exit(kill_care.main())
