"""Backs a store up again and again while another process writes to it, and restores each backup.

The writer adds, replaces, removes, embeds, publishes and compacts as fast as it can, and says after
each operation how far it is. A backup is of one commit; what was restored from it must show what a
model in plain Python (tests/oracle.py) says of that commit, and `verify` must find nothing. When
the writer has ended, one more backup must give the same first ten hits as the store itself.

    PYTHONPATH=.:tests python scripts/faults/backups.py --backups 20
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import count
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parents[1] / "tests")]

import tantivy  # noqa: E402
from oracle import Model, embed, record, shown, vector_of  # noqa: E402

from index.article import ArticleId, SourceRecord  # noqa: E402
from index.backup import Manifest, back_up  # noqa: E402
from index.restore import restore  # noqa: E402
from index.snapshot import Snapshot, SnapshotReader  # noqa: E402
from index.verify import Depth, verify  # noqa: E402
from index.writer import Writer  # noqa: E402

_ARTICLES = 60  # alive at a time: restoring makes the word index anew
_NAMES = ("weir", "dam", "ridge", "mole", "lamp")


# ------------------------------------------------------------------ the writer, in its process


def feed(folder: Path) -> None:
    """Change a store until stdin ends; a line of JSON after each operation."""
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    with Writer(folder) as writer:
        for operation in operations():
            texts: list[str] = []
            match operation:
                case SourceRecord():
                    writer.add([operation])
                case str():
                    writer.remove([ArticleId(operation)])
                case Step.EMBED:
                    texts = embed(writer, 20)
                case Step.PUBLISH:
                    writer.publish()
                case Step.COMPACT:
                    writer.compact()
            print(json.dumps({"seq": writer._held.seq, "texts": texts}), flush=True)
            if ended.is_set():
                return


class Step(Enum):
    """What a writer does beside adding and removing."""

    EMBED = 1
    PUBLISH = 2
    COMPACT = 3


def operations() -> Iterator[SourceRecord | str | Step]:
    """Without end: an article to add or replace, the id of one to remove, or another step."""
    for round_ in count():
        for number in range(round_ * 3, round_ * 3 + 3):
            id, name = f"a{number * 11 % _ARTICLES}", _NAMES[number % len(_NAMES)]
            # Headlines differ, so that each text is embedded for itself.
            yield record(id, name, f"edition{number}", headline=f"Report {number}")
        yield f"a{round_ * 7 % _ARTICLES}"
        yield Step.EMBED
        if round_ % 4 == 3:
            yield Step.COMPACT if round_ % 16 == 15 else Step.PUBLISH


# ------------------------------------------------------------------ what it is held against


@dataclass(slots=True)
class Told:
    """What the writer said, and what the store must show by it."""

    models: dict[int, Model] = field(default_factory=dict)  # by the seq that a step ended with
    model: Model = field(default_factory=Model)

    def hear(self, line: str, operation: SourceRecord | str | Step) -> None:
        said = json.loads(line)
        match operation:
            case SourceRecord():
                self.model.add([operation])
            case str():
                self.model.remove([operation])
            case Step.EMBED:
                self.model.embed(said["texts"])
            case Step.PUBLISH | Step.COMPACT:  # with a fifth of dead vectors, publishing compacts
                self.model.compact(certainly=operation is Step.COMPACT)
        self.models[said["seq"]] = self.model.copy()

    def at(self, seq: int) -> list[Model]:
        """What may be shown at a commit: compacting is two, and either shows the same."""
        before = max((known for known in self.models if known <= seq), default=0)
        after = min((known for known in self.models if known >= seq), default=0)
        return [self.models[known] for known in (before, after) if known]


@dataclass(frozen=True, slots=True)
class Judged:
    """One backup, and what is wrong with what came of it; empty: nothing."""

    manifest: Manifest
    seconds: float  # to take it
    restore_s: float
    wrong: str


def run(scratch: Path, backups: int) -> list[Judged]:
    """Take backups under load and judge what each becomes; the last one is of the store at rest."""
    folder = scratch / "store"
    told = Told()
    feeder = subprocess.Popen(
        [sys.executable, __file__, "--feed", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    listener = threading.Thread(target=_listen, args=(feeder, told), daemon=True)
    listener.start()
    try:
        while len(told.models) < _ARTICLES and feeder.poll() is None:
            time.sleep(0.02)
        taken = [_take(folder, scratch / f"backup-{number}") for number in range(backups)]
    finally:
        assert feeder.stdin
        assert feeder.stdout
        feeder.stdin.close()
        listener.join()
        feeder.stdout.close()
        feeder.wait()
    judged = [
        _judge(scratch / f"backup-{number}", scratch / f"restored-{number}", *each, told)
        for number, each in enumerate(taken)
    ]
    at_rest = _take(folder, scratch / "backup-at-rest")
    last = _judge(scratch / "backup-at-rest", scratch / "restored-at-rest", *at_rest, told)
    if first_tens(folder) != first_tens(scratch / "restored-at-rest"):
        last = Judged(last.manifest, last.seconds, last.restore_s, "other first ten hits")
    return [*judged, last]


def _listen(feeder: "subprocess.Popen[str]", told: Told) -> None:
    assert feeder.stdout
    for line, step in zip(feeder.stdout, operations(), strict=False):
        told.hear(line, step)


def _take(folder: Path, target: Path) -> tuple[Manifest, float]:
    began_s = time.monotonic()
    manifest = back_up(folder, target)
    return manifest, time.monotonic() - began_s


def _judge(backup: Path, restored: Path, manifest: Manifest, seconds: float, told: Told) -> Judged:
    began_s = time.monotonic()
    restore(backup, restored)
    restore_s = time.monotonic() - began_s
    found = verify(restored, Depth.FULL).findings
    reader = SnapshotReader(restored)
    try:
        differences = [
            model.differs_from(shown(reader.latest())) for model in told.at(manifest.seq)
        ]
    finally:
        reader.close()
    wrong = "; ".join(finding.meaning for finding in found)
    if all(differences):
        wrong = f"{wrong} {differences[-1] if differences else 'of an unknown commit'}".strip()
    return Judged(manifest, seconds, restore_s, wrong)


def first_tens(folder: Path) -> list[list[tuple[str, float]]]:
    """The first ten hits by words, and by vectors: id of the passage and score."""
    reader = SnapshotReader(folder)
    try:
        snapshot = reader.latest()
        return [_by_word(snapshot, name) for name in _NAMES] + [
            _by_vector(snapshot, name) for name in _NAMES
        ]
    finally:
        reader.close()


def _by_word(snapshot: Snapshot, word: str) -> list[tuple[str, float]]:
    query = tantivy.Query.term_query(snapshot.words.schema, "body", snapshot.words.analyze(word)[0])
    numbers, scores = snapshot.words.search(query, 1_000)
    positions = snapshot.position_of(numbers).tolist()
    rows = snapshot.passage_rows(positions)
    # Ties are told apart by what a reader sees, as in a search.
    return sorted(
        (
            (str(rows[at].id), round(float(score), 4))
            for at, score in zip(positions, scores, strict=True)
        ),
        key=lambda hit: (-hit[1], hit[0]),
    )[:10]


def _by_vector(snapshot: Snapshot, name: str) -> list[tuple[str, float]]:
    positions, cosines = snapshot.vectors.search(vector_of(name), 10, None)
    rows = snapshot.passage_rows(positions.tolist())
    return [
        (str(rows[at].id), float(cosine))
        for at, cosine in zip(positions.tolist(), cosines, strict=True)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--backups", type=int, default=20)
    parser.add_argument("--feed", type=Path, metavar="STORE")
    arguments = parser.parse_args()
    if arguments.feed:
        feed(arguments.feed)
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        judged = run(Path(scratch), arguments.backups)
    print("   seq  articles      MB  taken s  restored s")
    for each in judged:
        manifest = each.manifest
        print(
            f"{manifest.seq:6} {manifest.articles:9} {manifest.bytes / 1e6:7.1f} "
            f"{each.seconds:8.2f} {each.restore_s:11.2f}  {each.wrong}"
        )
    wrong = sum(bool(each.wrong) for each in judged)
    print(f"{len(judged)} backups, the last at rest; {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
