"""A power cut loses nothing that was acknowledged, wherever it comes and whatever it tears.

A writer is recorded under strace, and its record replayed to what a power cut may leave; see
scripts/faults/power_loss.py. The disk of the replay has rules of its own, tested here as well.
"""

import importlib
import random
import sys
from functools import cache
from pathlib import Path

import pytest

FAULTS = Path(__file__).resolve().parent.parent / "scripts" / "faults"
sys.path.insert(0, str(FAULTS))  # processes that are started look there too
power_loss = importlib.import_module("power_loss")
disk_trace = importlib.import_module("disk_trace")
unsynced_disk = importlib.import_module("unsynced_disk")
Make, Write, Resize = disk_trace.Make, disk_trace.Write, disk_trace.Resize
Rename, Remove, Sync = disk_trace.Rename, disk_trace.Remove, disk_trace.Sync

NOTHING_MORE, HALF, EVERYTHING = 0.0, 0.5, 1.0  # of what was not synced


def _after(steps: list[object], kept: float, seed: int = 0) -> dict[str, bytes | None]:
    disk = unsynced_disk.UnsyncedDisk()
    for step in steps:
        disk.carry_out(step)
    return disk.after_a_cut(unsynced_disk.Loss(kept, kept, random.Random(seed)))


def _possible(steps: list[object]) -> list[dict[str, bytes | None]]:
    return [_after(steps, HALF, seed) for seed in range(200)]


def test_bytes_are_safe_once_the_file_was_synced_and_its_name_once_the_folder_was() -> None:
    steps = [Make("a", False), Write("a", 0, b"old"), Sync("a", 2), Write("a", 0, b"new")]
    assert _after(steps, NOTHING_MORE) == {}
    assert _after([*steps, Sync(".", 4)], NOTHING_MORE) == {"a": b"old"}
    assert _after(steps, EVERYTHING) == {"a": b"new"}


def test_a_sync_covers_what_was_done_before_it_began() -> None:
    steps = [Make("a", False), Sync(".", 1), Write("a", 0, b"in time"), Write("a", 7, b" late")]
    assert _after([*steps, Sync("a", 3)], NOTHING_MORE) == {"a": b"in time"}


def test_a_write_is_torn_at_sectors_of_512_bytes() -> None:
    steps = [Make("a", False), Sync(".", 1), Write("a", 100, b"x" * 1000)]
    found = {bytes(tree["a"] or b"") for tree in _possible(steps)}
    pieces = {data[:100] + b"|" + data[512:1024][:1] for data in found}
    assert len(found) > 4, "a write is there or not, and never torn"
    assert all(set(data[100:512]) in ({0}, {120}, set()) for data in found)
    assert all(set(data[512:1024]) in ({0}, {120}, set()) for data in found)
    assert any(piece.endswith(b"|x") for piece in pieces)


def test_a_rename_is_there_or_not_and_never_by_half() -> None:
    steps = [Make("a", False), Write("a", 0, b"1"), Sync("a", 2), Sync(".", 3), Rename("a", "b")]
    found = _possible(steps)
    assert all(tree in ({"a": b"1"}, {"b": b"1"}) for tree in found)
    assert {"a": b"1"} in found
    assert {"b": b"1"} in found


def test_a_removed_name_and_a_cut_file_come_back_unless_they_were_synced() -> None:
    steps = [Make("a", False), Write("a", 0, b"12"), Make("b", False), Sync("a", 3), Sync(".", 4)]
    undone = [*steps, Remove("b"), Resize("a", 1)]
    assert _after(undone, NOTHING_MORE) == {"a": b"12", "b": b""}
    assert _after([*undone, Sync("a", 7), Sync(".", 8)], NOTHING_MORE) == {"a": b"1"}


@cache
def _recording(control: str, rounds: int = 1) -> object:
    """What a writer did; it is compared with what it left on the disk."""
    try:
        return power_loss.recorded(3, rounds, control)
    except (FileNotFoundError, PermissionError):
        pytest.skip("strace is missing, or may not watch a process here")


def _assert_kept(verdicts: object, states: int) -> None:
    assert verdicts.states == states  # type: ignore[attr-defined]
    assert not verdicts.wrong, verdicts.examples  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize("control", power_loss.CONTROLS[1:])
def test_a_promise_broken_on_purpose_is_seen(control: str) -> None:
    verdicts = power_loss.judged(_recording(control), 24, seed=1)
    assert verdicts.wrong["lost"], f"{control}, and no power cut in 24 lost anything"


def test_after_a_power_cut_readers_need_not_wait_for_a_writer() -> None:
    """Only what was synced is there, just after an acknowledgement."""
    recording = _recording("none")
    disk = unsynced_disk.UnsyncedDisk()
    for step in recording.steps:  # type: ignore[attr-defined]
        disk.carry_out(step)
        if isinstance(step, disk_trace.Mark):
            tree = disk.after_a_cut(unsynced_disk.Loss(NOTHING_MORE, NOTHING_MORE, random.Random()))
            with power_loss.scratch() as folder:
                unsynced_disk.write_tree(tree, folder)
                allowed = [recording.expected.shown[int(step.text)]]  # type: ignore[attr-defined]
                assert power_loss.is_shown_as_it_lies(folder / power_loss.STORE, allowed)


@pytest.mark.slow
def test_many_power_cuts_lose_nothing_acknowledged() -> None:
    verdicts = power_loss.run(120, "none", seed=11)
    _assert_kept(verdicts, 120)
