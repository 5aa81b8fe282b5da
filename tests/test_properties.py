"""The script that runs the property tests with more examples gives each of them more."""

import re
import subprocess
import sys

import pytest
from conftest import ROOT, environment


@pytest.mark.slow
def test_each_property_is_given_more_examples_than_it_asks_for() -> None:
    ran = subprocess.run(
        [
            *(sys.executable, ROOT / "scripts" / "faults" / "properties.py", "--examples", "1200"),
            *("tests/test_one_line.py", "tests/test_csv_cells.py"),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(),
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    counted = re.search(r"(\d+) examples of (\d+) tests", ran.stdout)
    assert counted, ran.stdout
    assert int(counted[1]) >= 1200
