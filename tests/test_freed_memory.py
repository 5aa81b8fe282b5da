"""What was freed goes back to the system, though something behind it is still in use."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CODE = """
import re
from pathlib import Path
from search.http.freed_memory import give_back

def held_kib():
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

some = [b"x" * 60_000 for _ in range(1_000)]
last = some.pop()
del some
before = held_kib()
give_back()
print(before - held_kib())
"""


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="only glibc keeps it")
def test_memory_that_was_freed_goes_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) > 50_000
