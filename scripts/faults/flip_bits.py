"""Flips bits in every file of a store, cuts files short, and judges what is left.

Each state is a copy of a small store with one fault in it, judged by a process of its own: all that
a reader can ask is asked, `verify` looks, and what is derived is repaired. A state is

    detected     `verify` finds it
    harmless     no answer and no row differs: the bit is in bytes that nobody reads
    undetected   something differs, and `verify` finds nothing
    wrong        an answer has something in it that the sound store does not say
    crashed      the process died, hung, or raised what is no NutgrafError
    unrepaired   only derived data was damaged, and after a repair an answer still differs

The last four break a promise.

    PYTHONPATH=. python scripts/faults/flip_bits.py --states 2000
"""

import argparse
import faulthandler
import json
import os
import pickle
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parents[1] / "tests")]

from store_answers import Answers, answers, dump  # noqa: E402

from index import snapshot  # noqa: E402
from index import verify as verify_module  # noqa: E402
from index.article import ArticleId, PassageId  # noqa: E402
from index.errors import BadArticleError, NutgrafError  # noqa: E402
from index.findings import Damage  # noqa: E402
from index.repair import repair  # noqa: E402
from index.verify import Depth, verify  # noqa: E402

Target = Literal["segments", "database", "log", "words", "columns", "truncated"]
BROKEN = ("undetected", "wrong", "crashed", "unrepaired")
WORKERS = 2
PATIENCE_S = 60  # a state takes a fraction of a second


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in one file of a store."""

    target: Target
    file: str
    at: int  # the byte whose bit is flipped, or that the file is cut off at
    bit: int | None  # None: cut off

    def apply(self, folder: Path) -> None:
        path = folder / self.file
        if self.bit is None:
            os.truncate(path, self.at)
            return
        with path.open("r+b") as file:
            file.seek(self.at)
            byte = file.read(1)[0]
            file.seek(self.at)
            file.write(bytes([byte ^ 1 << self.bit]))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a fault."""

    outcome: str
    fault: Fault
    why: str = ""
    damage: str = ""  # what `verify` says is damaged


# ------------------------------------------------------------------ the stores


def build(folder: Path) -> None:
    """Make two stores: `closed`, and `abandoned`, whose last commits are in the log only."""
    for name in ("closed", "abandoned"):
        # In a process of its own, that ends without closing it, and leaves no threads here.
        in_child(lambda name=name: _build(folder / name, is_closed=name == "closed"))


def _build(folder: Path, *, is_closed: bool) -> None:
    from oracle import embed, record

    from index import collections, rejections, saved_searches
    from index.writer import Writer

    writer = Writer(folder)
    days = [f"2022-01-{day:02}" for day in range(10, 30)]
    records = [
        record(
            f"wire-{at}",
            f"weir{at}",
            f"bridge{at}",
            "everywhere",
            headline=f"Flood {at} at the mill",
            outlet=("Bush Telegraph", "The Islander")[at % 2],
            published=days[at],
        )
        for at in range(12)
    ]
    writer.add(records, idempotency_key="first")
    writer.add([record("copy", "weir3", "bridge3", "everywhere", headline="Flood 3 at the mill")])
    embed(writer, 20)
    writer.publish()
    writer.add([record("wire-1", "weir1", "dam"), record("wire-2", "fire")])
    writer.remove([ArticleId("wire-5")])
    embed(writer, 100)
    writer.publish()
    writer.finish()
    with writer.desk() as truth:
        collection, _ = collections.make(truth, "Floods")
        collections.put(truth, collection.id, _mark(), "look again")
        row = saved_searches.SearchRow(
            "s1", "floods", "{}", 1, saved_searches.digests(["wire-1"]), 0
        )
        saved_searches.insert(truth, row)
        entry = saved_searches.EntryRow(
            0, "s1", ArticleId("wire-1"), ArticleId("wire-1"), PassageId("wire-1-x"), 2
        )
        saved_searches.enter(truth, row, [entry], saved_searches.digests(["wire-2"]))
        error = BadArticleError("feed.jsonl", 4, "no text", "give one")
        rejections.insert(truth, [error], datetime(2022, 1, 1, tzinfo=UTC))
    writer.add([record("later", "storm", "ash", published="2022-03-01")])
    embed(writer, 1)  # one of the tail has a vector, others wait
    # Last an article: the word index remembers it, whatever becomes of the log. The loss of a later
    # commit that changes no article looks like a power cut before it was acknowledged.
    writer.add([record("last", "storm", published="2022-03-02")])
    if is_closed:
        writer.close()


def _mark() -> object:
    from index.collections import Marked

    return Marked(
        article_id=ArticleId("wire-3"),
        passage_id=None,
        start=0,
        end=6,
        quote="Report",
        headline="Flood 3 at the mill",
        outlet="The Islander",
        byline="",
        section="",
        language="en",
        url="",
        published=None,
        digest="0" * 20,
    )


# ------------------------------------------------------------------ the faults


def faults(folder: Path, states: int, seed: int) -> Iterator[tuple[str, Fault]]:
    """Which store, and which fault in it: `states` in segments, as many in the database."""
    chance = random.Random(seed)
    closed, abandoned = folder / "closed", folder / "abandoned"
    segments = [f"segments/{path.name}" for path in (closed / "segments").iterdir()]
    words = sorted(f"words/{p.name}" for p in (closed / "words").iterdir() if p.is_file())
    words = [name for name in words if "lock" not in name]
    log, columns = ["nutgraf.db-wal"], ["columns"]
    plan: list[tuple[str, Target, list[str], int]] = [
        ("closed", "segments", segments, states),
        ("closed", "database", ["nutgraf.db"], states),
        ("abandoned", "log", log, max(1, states // 8)),
        ("closed", "words", words, max(1, states // 4)),
        ("closed", "columns", columns, max(1, states // 8)),
    ]
    for store, target, files, count in plan:
        sizes = [(folder / store / name).stat().st_size for name in files]
        for _ in range(count):
            (name,) = chance.choices(files, sizes) if target != "words" else [chance.choice(files)]
            data = (folder / store / name).read_bytes()
            if data:
                yield store, Fault(target, name, _place(data, chance), chance.randrange(8))
    for store, base, names in (
        ("closed", closed, ["nutgraf.db", *segments, *words, *columns]),
        ("abandoned", abandoned, log),
    ):
        for name in names:
            size = (base / name).stat().st_size
            cuts = {0, 1, size // 2, size - 1, size - 40, size // 4096 * 4096 // 2}
            if states < 500:
                cuts = {0, size // 2}
            for at in sorted(cut for cut in cuts if 0 <= cut < size):
                yield store, Fault("truncated", name, at, None)


def _place(data: bytes, chance: random.Random) -> int:
    """A byte of a file, of the zeros only some: a small database is mostly gaps of zeros."""
    at = chance.randrange(len(data))
    while data[at] == 0 and chance.random() < 0.8:
        at = chance.randrange(len(data))
    return at


# ------------------------------------------------------------------ the judgement


def judge(folder: Path, fault: Fault, expected: Answers, rows: str) -> Verdict:
    """Ask, verify and repair a store with a fault in it."""
    answered = _tried(lambda: answers(folder), Answers())
    # How a text from outside is weighed is never shown: it may differ, if that is detected.
    wrong = {item for item in answered.said - expected.said if item[0] != "outside"}
    if wrong:
        return Verdict("wrong", fault, f"said {sorted(map(str, wrong))[:3]}")
    differs = answered.said != expected.said
    verified = verify(folder, Depth.DEEP)
    if not verified.findings:
        if differs:
            lacks = sorted(map(str, expected.said - answered.said))[:3]
            return Verdict("undetected", fault, f"lacks {lacks}")
        if _tried(lambda: dump(folder), "") != rows:
            return Verdict("undetected", fault, "a row differs")
        return Verdict("harmless", fault)
    damage = max(verified.findings, key=lambda each: list(Damage).index(each.damage)).damage
    if damage is Damage.DERIVED:
        left = repair(folder).verified.findings
        if left:
            return Verdict("unrepaired", fault, f"still {left[0]}")
        again = answers(folder)
        if again.said - expected.said or again.without_vectors() != expected.without_vectors():
            return Verdict("unrepaired", fault, "an answer differs after the repair")
        if fault.target in ("segments", "columns") and again.said != expected.said:
            return Verdict("unrepaired", fault, "a vector differs after the repair")
    return Verdict("detected", fault, verified.findings[0].meaning, damage)


def _tried(ask: Callable[[], object], otherwise: object) -> object:
    try:
        return ask()
    except (NutgrafError, sqlite3.Error) as error:
        if isinstance(error, sqlite3.Error) and otherwise != "":
            raise
        return otherwise


def in_child(work: Callable[[], object]) -> object:
    """What `work` returns, done by a child; RuntimeError if it dies, hangs or raises."""
    hear, say = os.pipe()
    stuck = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the function
    child = os.fork()
    if child == 0:
        os.close(hear)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        signal.alarm(PATIENCE_S)
        faulthandler.dump_traceback_later(PATIENCE_S - 5, file=stuck)
        try:
            data = pickle.dumps(work())
        except BaseException as error:
            import traceback

            data = pickle.dumps(RuntimeError("".join(traceback.format_exception(error)[-4:])))
        with os.fdopen(say, "wb") as pipe:
            pipe.write(data)
        os._exit(0)
    os.close(say)
    with os.fdopen(hear, "rb") as pipe:
        data = pipe.read()
    _, status = os.waitpid(child, 0)
    stuck.seek(0)
    at = stuck.read().decode()
    result = pickle.loads(data) if data else RuntimeError(f"status {status} {at}")  # noqa: S301
    if isinstance(result, RuntimeError):
        raise result
    return result


def work(folder: Path, states: int, seed: int, part: int, parts: int) -> Iterator[Verdict]:
    """Judge every `parts`-th state, from the one numbered `part` on."""
    # Nobody writes to these stores: whatever does not agree never will.
    snapshot._PATIENCE_S = verify_module._PATIENCE_S = 0.2
    expected = {
        name: in_child(lambda name=name: _sound(folder / name)) for name in ("closed", "abandoned")
    }
    for at, (name, fault) in enumerate(faults(folder, states, seed)):
        if at % parts != part:
            continue
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            copy = shutil.copytree(folder / name, Path(scratch) / "store")
            fault.apply(copy)
            said, rows = expected[name]  # type: ignore[misc]
            try:
                yield in_child(lambda: judge(copy, fault, said, rows))  # noqa: B023
            except RuntimeError as error:
                yield Verdict("crashed", fault, str(error)[-1500:])


def _sound(folder: Path) -> tuple[Answers, str]:
    """What a store says and holds, asked of a copy: a reader of it may write its log anew."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        copy = shutil.copytree(folder, Path(scratch) / "store")
        said = answers(copy)
        verified = verify(copy, Depth.DEEP)
        if verified.findings:
            raise RuntimeError(f"the store is not sound to begin with: {verified.findings}")
        return said, dump(copy)


def flip_many(states: int, seed: int = 1, workers: int = WORKERS) -> list[Verdict]:
    """Judge `states` flips in segments, as many in the database, and more in the other files."""
    parent = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="nutgraf-flips-", dir=parent) as scratch:
        build(Path(scratch))
        command = [sys.executable, __file__, "--states", str(states), "--seed", str(seed)]
        parts = [
            subprocess.Popen(
                [*command, "--worker", f"{part}/{workers}", "--folder", scratch],
                stdout=subprocess.PIPE,
                env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
            )
            for part in range(workers)
        ]
        verdicts: list[Verdict] = []
        for process in parts:
            data, _ = process.communicate()
            if process.returncode:
                raise RuntimeError(f"a worker ended with status {process.returncode}")
            verdicts += pickle.loads(data)  # noqa: S301  # our own child's
        return verdicts


def report(verdicts: list[Verdict]) -> int:
    """Print a table and what broke; returns how many promises were broken."""
    table: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        table.setdefault(verdict.fault.target, Counter())[verdict.outcome] += 1
    outcomes = ("detected", "harmless", *BROKEN)
    print("in         states " + " ".join(f"{name:>10}" for name in outcomes))
    for target, counts in table.items():
        print(
            f"{target:<10} {counts.total():>6} "
            + " ".join(f"{counts[name]:>10}" for name in outcomes)
        )
    broken = [verdict for verdict in verdicts if verdict.outcome in BROKEN]
    for verdict in broken[:20]:
        print(json.dumps([verdict.outcome, str(verdict.fault), verdict.why]))
    print(f"{len(verdicts)} states, {len(broken)} broken promises")
    return len(broken)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--states", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--worker", help=argparse.SUPPRESS)
    options.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.worker:
        part, parts = map(int, given.worker.split("/"))
        found = list(work(given.folder, given.states, given.seed, part, parts))
        sys.stdout.buffer.write(pickle.dumps(found))
        return
    began = time.monotonic()
    broken = report(flip_many(given.states, given.seed))
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(bool(broken))


if __name__ == "__main__":
    # By its name, so that what is pickled is called the same on both sides.
    import flip_bits

    flip_bits.main()
