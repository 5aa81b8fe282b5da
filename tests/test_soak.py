"""A real server that works for a while: what is promised of it, but for the memory of minutes."""

import importlib.util
import math
import sys
from pathlib import Path
from typing import Any

import pytest

FAULTS = Path(__file__).resolve().parent.parent / "scripts" / "faults"


@pytest.fixture(scope="module")
def soak() -> Any:
    sys.path.insert(0, str(FAULTS))
    spec = importlib.util.spec_from_file_location("soak", FAULTS / "soak.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["soak"] = module
    spec.loader.exec_module(module)
    return module


def test_the_median_slope_is_that_of_most_points_whatever_a_few_say(soak: Any) -> None:
    xs = list(range(0, 20_000, 1000))
    ys = [100 + x / 5000 for x in xs]
    ys[3], ys[11], ys[17] = 900, -50, 4000
    assert soak.median_slope(xs, ys) == pytest.approx(1 / 5000, rel=0.05)
    assert math.isnan(soak.median_slope([1], [1]))
    assert math.isnan(soak.median_slope([1, 1], [1, 2]))


@pytest.mark.slow
def test_a_server_that_is_asked_fed_and_backed_up_for_a_while_keeps_its_promises(
    soak: Any, tmp_path: Path
) -> None:
    seen = soak.soak(tmp_path, seconds=40, warm_up_s=15, articles=50)
    broken = [promise for promise, kept in seen.promises_of_any_length().items() if not kept]
    assert not broken, (seen.errors, seen.samples)
    for what in ("backup", "desk", "export", "feed", "page", "remove", "search thoroughly"):
        assert seen.answered[what], what
