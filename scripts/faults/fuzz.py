"""Fuzzes every reader with atheris, which looks for inputs that reach new branches.

    python scripts/faults/fuzz.py [--runs 500000] [--seed 1] [--target NAME ...] [--keep FOLDER]

The readers are loaded once, watched, and each target is fuzzed in a fork of its own, two at a time.
On a machine of many cores several of these share the runs, each with a seed of its own.
A run breaks a promise when something is raised that the target does not name, when it takes more
than 2 s of a core (slowed by the watching), or when the process's peak grows by more than 256 MiB.
The input of a broken run is kept.
"""

import argparse
import json
import os
import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import atheris

with atheris.instrument_imports(include=["index", "search", "feedparser"]):
    from fuzz_targets import TARGETS, warm_up

LONGEST_S = 2.0
MOST_MIB = 256
AT_A_TIME = 2
# Against what never ends: by the clock, which a busy machine stretches.
_HUNG_S = 60
_EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
# Of a broken run: what was raised, up to where libFuzzer speaks again.
_RAISED = re.compile(r"=== Uncaught Python exception: ===\n(.*?)\n==\d+==", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """How fuzzing one target went. `fault`: empty when no promise was broken."""

    target: str
    runs: int
    seconds: float
    longest_s: float  # of one input, of a core
    most_mib: float  # by which the peak grew, over all inputs
    fault: str


def fuzz(targets: Sequence[str], runs: int, seed: int, folder: Path) -> list[Fuzzed]:
    """Fuzz targets with `runs` over all, divided by their shares; `seed`: of libFuzzer's choices.

    Each leaves its corpus, what libFuzzer said and the inputs that broke it in `folder/TARGET`.
    """
    whole = sum(TARGETS[name].share for name in targets)
    waiting, running, fuzzed = list(targets), dict[int, tuple[str, float]](), list[Fuzzed]()
    while waiting or running:
        if waiting and len(running) < AT_A_TIME:
            name = waiting.pop(0)
            own_runs = 1 + int(runs * TARGETS[name].share / whole)
            running[_start(name, own_runs, seed, folder / name)] = name, time.monotonic()
            continue
        pid, status = os.wait()
        name, began = running.pop(pid)
        fuzzed.append(_judged(name, status, time.monotonic() - began, folder / name))
    return sorted(fuzzed, key=lambda each: targets.index(each.target))


def _start(name: str, runs: int, seed: int, folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    pid = os.fork()
    if pid == 0:
        _fuzz_one(name, runs, seed, folder)
    return pid


def _fuzz_one(name: str, runs: int, seed: int, folder: Path) -> NoReturn:
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    target = TARGETS[name]
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for number, data in enumerate(target.seeds()):
        (corpus / str(number)).write_bytes(data[: target.max_bytes])
    flags = {
        "runs": runs,
        "seed": seed,
        "max_len": target.max_bytes,
        "timeout": _HUNG_S,
        "rss_limit_mb": 0,  # of the whole process; the watch knows what an input takes
        "print_final_stats": 1,
        "artifact_prefix": f"{folder}/",
    }
    given = [f"-{flag}={value}" for flag, value in flags.items()]
    atheris.Setup(["fuzz", *given, str(corpus)], _Watched(target.run, folder))
    atheris.Fuzz()
    os._exit(0)  # not reached: libFuzzer exits


class _Watched:
    """Runs a target and holds each input against its bounds."""

    def __init__(self, run: Callable[[bytes], None], folder: Path) -> None:
        self._run, self._path = run, folder / "worst.json"
        self._seconds = self._mib = 0.0
        self._at_first_kib = _peak_kib()

    def __call__(self, data: bytes) -> None:
        began = time.thread_time()
        self._run(data)
        seconds = time.thread_time() - began
        mib = (_peak_kib() - self._at_first_kib) / 1024
        if seconds > self._seconds or mib > self._mib:
            self._seconds, self._mib = max(seconds, self._seconds), max(mib, self._mib)
            self._path.write_text(json.dumps([self._seconds, self._mib]))
        if seconds > LONGEST_S:
            raise TimeoutError(f"{seconds:.1f} s for {len(data):,} bytes")
        if mib > MOST_MIB:
            raise MemoryError(
                f"the peak grew by {mib:.0f} MiB with an input of {len(data):,} bytes"
            )


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _judged(name: str, status: int, seconds: float, folder: Path) -> Fuzzed:
    said = (folder / "log").read_text("utf-8", "replace")
    executed = _EXECUTED.search(said)
    worst = folder / "worst.json"
    longest_s, most_mib = json.loads(worst.read_text()) if worst.exists() else (0.0, 0.0)
    fault = ""
    if status or not executed:
        raised = _RAISED.search(said)
        kept = ", ".join(str(path) for path in sorted(folder.glob("*-*"))) or "none kept"
        fault = f"{raised[1].strip() if raised else said[-1000:]}\n  input: {kept}"
    runs = int(executed[1]) if executed else 0
    return Fuzzed(name, runs, seconds, longest_s, most_mib, fault)


def _table(fuzzed: Sequence[Fuzzed]) -> str:
    lines = [f"{'target':12} {'runs':>8} {'s':>6} {'longest ms':>10} {'MiB':>6}"]
    for each in fuzzed:
        counts = f"{each.target:12} {each.runs:8} {each.seconds:6.0f}"
        lines.append(f"{counts} {each.longest_s * 1000:10.0f} {each.most_mib:6.0f}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=500_000, help="over all targets")
    parser.add_argument("--seed", type=int, default=1, help="of what libFuzzer tries")
    parser.add_argument("--target", action="append", choices=list(TARGETS), help="only these")
    parser.add_argument("--keep", type=Path, help="folder for corpora and inputs that break")
    given = parser.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="nutgraf-fuzz-"))
    began = time.monotonic()
    warm_up()
    fuzzed = fuzz(given.target or list(TARGETS), given.runs, given.seed, folder)
    broken = [each for each in fuzzed if each.fault]
    print(_table(fuzzed))
    for each in broken:
        print(f"\n{each.target}: {each.fault}")
    print(
        f"{sum(each.runs for each in fuzzed)} runs in {time.monotonic() - began:.0f} s, "
        f"{len(broken)} of {len(fuzzed)} targets broken"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
