"""What was freed goes back to the system, though something behind it is still in use."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import serving

ROOT = Path(__file__).resolve().parent.parent
HELD = """
import re
from pathlib import Path
from search.http.freed_memory import give_back

def held_kib():
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""
CODE = f"""{HELD}
some = [b"x" * 60_000 for _ in range(1_000)]
last = some.pop()
del some
before = held_kib()
give_back()
print(before - held_kib())
"""
WRITING = f"""{HELD}
import random, sys
from index.article import Origin, SourceRecord
from index.writer import Writer
from search.http.freed_memory import share_one_heap

share_one_heap()
dice = random.Random(1)
with Writer(Path(sys.argv[1])) as writer:
    def add(first, articles):
        for n in range(first, first + articles):
            text = " ".join(f"word{{dice.randrange(9_000)}}" for _ in range(3_000))
            writer.add([SourceRecord(Origin("t", n), b"", text, own_id=str(n))])
        give_back()
        return held_kib()

    before = add(0, 40)  # by then all words have been met
    print(add(40, 400) - before)
"""
SECOND_LOOKS = f"""{HELD}
import random
from concurrent.futures import ThreadPoolExecutor
from search.cross_encoder import CrossEncoder
from search.http.freed_memory import share_one_heap

share_one_heap()
reader, dice = CrossEncoder(), random.Random(1)

def read(_):
    passages = [("Weir", "river " * dice.randrange(5, 150)) for _ in range(16)]
    reader.logits("What happened at the weir?", passages)

reader.load()
read(0)
give_back()
before = held_kib()
with ThreadPoolExecutor(4) as askers:
    list(askers.map(read, range(24)))
give_back()
print(held_kib() - before)
"""


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="only glibc keeps it")
def test_memory_that_was_freed_goes_back() -> None:
    assert _kib(CODE) > 50_000


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="only glibc keeps it")
def test_what_commits_of_a_server_read_and_wrote_does_not_stay_in_memory(tmp_path: Path) -> None:
    assert _kib(WRITING, str(tmp_path / "store")) < 10_000


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="only glibc keeps it")
def test_what_second_looks_took_of_a_server_does_not_stay_in_memory() -> None:
    assert _kib(SECOND_LOOKS) < 5_000


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="only glibc keeps it")
def test_a_server_keeps_nothing_freed_for_each_thread_and_what_else_was_said_to_glibc(
    harbour: Path,
) -> None:
    said = "glibc.malloc.perturb=0"
    with serving(harbour, "--read-only", GLIBC_TUNABLES=said) as server:
        environment = Path(f"/proc/{server.process.pid}/environ").read_bytes()
    # As glibc leaves it when it has read it: each one ends with a zero byte.
    assert f"GLIBC_TUNABLES={said}\0glibc.malloc.tcache_count=0\0".encode() in environment


def _kib(code: str, *arguments: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)
