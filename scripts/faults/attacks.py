"""Attacks a real server in some hundred ways, beside a client whose questions go on.

    python scripts/faults/attacks.py [--quick] [--only TEXT]

Each attack has an expectation: a refusal of a certain kind, nothing added, a slow client cut. After
each the server must be the same process, without an error of its own in the log, and the client
beside must have been answered right, each time within five seconds. `--quick` leaves out those that
wait for slow clients to be cut.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import dropwhile, islice, takewhile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tests")]

import attack_connections  # noqa: E402
import attack_contents  # noqa: E402
import attack_files  # noqa: E402
import attack_requests  # noqa: E402
from conftest import ARTICLES, environment  # noqa: E402
from victim import ROOT, Attack, Bystander, Victim, victims  # noqa: E402

QUICK: Mapping[str, Attack] = {
    **attack_requests.ATTACKS,
    **attack_contents.ATTACKS,
    **attack_files.ATTACKS,
    **attack_connections.QUICK,
}
ALL: Mapping[str, Attack] = {**QUICK, **attack_connections.SLOW}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attack went. `fault`: empty when it came to nothing."""

    attack: str
    seconds: float
    fault: str


@dataclass(frozen=True, slots=True)
class Report:
    """How all went, and how the client beside fared."""

    outcomes: Sequence[Outcome]
    answered: int
    longest_s: float


def attack_all(
    attacks: Mapping[str, Attack], store: Path, tell: Callable[[Outcome], None] = lambda _: None
) -> Report:
    """Make attacks one after the other on servers over `store`, which is changed, and a copy.

    `tell` is given each outcome as it comes.
    """
    outcomes: list[Outcome] = []
    other = store.with_name("other")
    shutil.copytree(store, other)
    with victims(store, other) as victim:
        bystander = Bystander(victim)
        with bystander.beside():
            for name, attack in attacks.items():
                outcomes.append(_outcome(name, attack, victim, bystander))
                tell(outcomes[-1])
    return Report(outcomes, bystander.answered, bystander.longest_s)


def _outcome(name: str, attack: Attack, victim: Victim, bystander: Bystander) -> Outcome:
    began = time.monotonic()
    logged = len(victim.open.log), len(victim.keyed.log)
    try:
        fault = attack(victim)
    except (
        Exception
    ) as error:  # as many kinds as attacks: each is the attack's own fault, or a find
        fault = f"{type(error).__name__}: {error}"
    lines = [*victim.open.log[logged[0] :], *victim.keyed.log[logged[1] :]]
    alive = victim.open.process.poll() is None and victim.keyed.process.poll() is None
    faults = [
        fault,
        *bystander.take_faults()[:1],
        "" if alive else "the server ended",
        _raised(lines),
    ]
    return Outcome(name, time.monotonic() - began, "; ".join(filter(None, faults)))


def _raised(lines: Sequence[str]) -> str:
    """Of the first traceback in a log, where it ends and what was raised; empty: there is none."""
    behind = dropwhile(lambda line: not line.startswith("Traceback"), lines)
    trace = list(takewhile(lambda line: line.startswith((" ", "\n")), islice(behind, 1, None)))
    raised = next(iter(lines[lines.index(trace[-1]) + 1 :]), "") if trace else ""
    return f"the log has: {''.join(trace[-4:])}{raised}" if trace else ""


def make_store(folder: Path) -> Path:
    """A store with the articles of the tests."""
    lines = "".join(f"{json.dumps(article)}\n" for article in ARTICLES)
    command = [sys.executable, "-m", "search", "add", "-", "--store", str(folder)]
    subprocess.run(
        command,
        input=lines,
        text=True,
        check=True,
        cwd=ROOT,
        env=environment(),
        capture_output=True,
    )
    return folder


def _print(outcome: Outcome) -> None:
    said = outcome.fault or "held off"
    print(f"{outcome.seconds:6.1f} s  {outcome.attack}: {said}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="without those that wait")
    parser.add_argument("--only", default="", metavar="TEXT", help="attacks whose name has TEXT")
    given = parser.parse_args()
    attacks = QUICK if given.quick else ALL
    attacks = {name: attack for name, attack in attacks.items() if given.only in name}
    parent = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="nutgraf-attacks-", dir=parent) as folder:
        report = attack_all(attacks, make_store(Path(folder) / "store"), _print)
    broken = [outcome for outcome in report.outcomes if outcome.fault]
    print(
        f"{len(report.outcomes)} attacks, {len(broken)} came through; the client beside was "
        f"answered {report.answered} times, within {report.longest_s:.1f} s"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
