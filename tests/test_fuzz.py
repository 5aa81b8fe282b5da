"""Whatever bytes come from outside, each reader gives something of ours or a reason."""

import subprocess
import sys

import pytest
from conftest import ROOT, environment

pytest.importorskip("atheris", reason="there is no atheris for this Python")


def _assert_nothing_breaks(*arguments: str) -> None:
    # In a process of its own: atheris watches all that is imported, and leaves it changed.
    fuzzed = subprocess.run(
        [sys.executable, ROOT / "scripts" / "faults" / "fuzz.py", *arguments],
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert fuzzed.returncode == 0, fuzzed.stdout + fuzzed.stderr[-2000:]
    assert "0 of" in fuzzed.stdout.splitlines()[-1]


@pytest.mark.slow
def test_twenty_thousand_inputs_break_no_reader() -> None:
    _assert_nothing_breaks("--runs", "20000")
