"""The tests see a bug when there is one; see scripts/faults/seeded_bugs.py."""

import re
import shutil
import sys
from pathlib import Path

import pytest
from conftest import ROOT

sys.path.append(str(ROOT / "scripts" / "faults"))
from failing_calls import compiler
from kill_writer import can_trace
from seeded_bugs import BUGS, Bug, run, seed


def test_each_bug_still_fits_the_code_and_each_of_their_tests_is_there(tmp_path: Path) -> None:
    assert len({bug.name for bug in BUGS}) == 12
    for number, bug in enumerate(BUGS):
        tree = tmp_path / str(number)
        (tree / bug.file).parent.mkdir(parents=True)
        shutil.copy(ROOT / bug.file, tree / bug.file)
        seed(bug, tree)
        if bug.file.endswith(".py"):
            compile((tree / bug.file).read_text(), bug.file, "exec")
        file, test, parameter = re.split(r"::|\[", f"{bug.test.rstrip(']')}[")[:3]
        tests = (ROOT / "tests" / file).read_text()
        assert f"def {test}(" in tests, bug.test
        assert parameter in tests, bug.test


@pytest.mark.parametrize("text", ["", "once, and once again"])
def test_a_bug_whose_place_is_gone_or_not_one_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "code.py").write_text(text)
    with pytest.raises(LookupError, match=r"code\.py: .* bring the bug up to the code"):
        seed(Bug("old", "code.py", "once", "twice", "test_code.py::test_once"), tmp_path)
    assert (tmp_path / "code.py").read_text() == text


@pytest.mark.slow
def test_each_bug_is_caught_by_its_test() -> None:
    if compiler() is None or not can_trace():
        pytest.skip("some of their tests need strace and a C compiler: install both")
    assert [(each.bug.name, each.without, each.with_it) for each in run()] == [
        (bug.name, "passed", "failed") for bug in BUGS
    ]
