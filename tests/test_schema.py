"""The server answers each request as its own description says, many requests over."""

import importlib
import sys
from pathlib import Path

import pytest
from conftest import ROOT, serving

sys.path.insert(0, str(ROOT / "scripts" / "faults"))
schema = importlib.import_module("schema")


@pytest.mark.slow
def test_a_thousand_requests_are_answered_as_described(harbour_copy: Path) -> None:
    with serving(harbour_copy, NUTGRAF_RATE_PER_MINUTE="0") as server:
        answered, faults = schema.send_all(1_000, server.url)
    assert faults == []
    assert answered.total() >= 1_000
