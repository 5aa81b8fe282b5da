"""Flipped bits and files cut short: all is detected, nothing wrong is shown, no process dies."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "faults" / "flip_bits.py"


def _flip(states: int, seed: int) -> str:
    done = subprocess.run(
        [sys.executable, SCRIPT, "--states", str(states), "--seed", str(seed)],
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert ", 0 broken promises" in done.stdout
    return done.stdout


@pytest.mark.slow
def test_damage_in_any_file_is_detected_and_nothing_wrong_is_shown() -> None:
    table = _flip(8, seed=3)
    assert re.search(r"^segments +8 +8 ", table, re.MULTILINE)
