"""Makes the golden store of this Nutgraf's format, and says what a store must answer.

A golden store is kept in tests/data/stores for each released format, with the answers that it gave
when it was made: later versions open it, bring it to their format, and must answer the same. It
holds what every table is for: articles added, replaced and removed, copies and an update, vectors
in a segment and beside it, lines that recur, former passages, and all that a desk keeps.

    PYTHONPATH=.:tests python scripts/golden_store.py tests/data/stores/format-2.tar.gz
"""

import json
import sys
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from oracle import embed, found_by_word, record, shown, vector_of

from index import collections, rejections, saved_searches, store_folder, tables
from index.article import (
    ArticleId,
    Origin,
    PassageId,
    Published,
    SourceRecord,
)
from index.collections import Marked
from index.errors import BadArticleError
from index.preparing import prepare
from index.saved_searches import EntryRow, SearchRow
from index.snapshot import Snapshot, SnapshotReader
from index.writer import Writer

Embedding = Callable[[str], NDArray[np.float32]]

STORE = "store"  # as the folder is called in the archive
ANSWERS = "answers.json"
KEY = "feed-2025-03-14"  # an idempotency key that was used
KEYED = (record("ferry", "dawn", "mole", published="2025-03-14T19:12"),)

_WORDS = ("weir", "dam", "dawn", "ridge", "wombat")
_AT_S = 1_741_979_520  # 14 March 2025, 19:12 UTC
_WIRE = (
    "The harbour of Northport opened again on Friday, nine days after the storm had closed it, "
    "and the first ferry is to sail at dawn on Saturday with mail, bread and a wombat for the zoo. "
    "Fishing boats must wait until divers have looked at the outer mole and its two lights."
)
_SIGN_OFF = "Letters to the night desk are read at breakfast."


def make(folder: Path) -> None:
    """Make the golden store: a folder that is absent or empty."""
    with Writer(folder) as writer:
        writer.add(
            [
                record("flood", "weir", "bridge", published="2025-03-12"),
                record("fire", "ridge", published="2025-03-13"),
                record("mill", "wheel", "race", outlet="The Islander"),
                *(_wire(outlet) for outlet in ("Northport Courier", "The Islander", "Sound Post")),
            ]
        )
        writer.add([_wire("Northport Courier", headline="UPDATE 1-Harbour reopens", day=15)])
        writer.add([_signed_off(number) for number in range(8)])
        writer.finish()
        embed(writer, 6)
        writer.publish()
        writer.add([record("flood", "weir", "dam", published="2025-03-12")])
        writer.add(KEYED, idempotency_key=KEY)
        writer.remove([ArticleId("fire")])
        embed(writer, 3)
        _keep_on_the_desk(writer)


def answers(folder: Path) -> dict[str, Any]:
    """What a store answers, as plain JSON: the same for every format that it was made in."""
    with closing(SnapshotReader(folder)) as reader:
        vectors = _nearest(reader.latest())
    return answers_of_articles(folder) | _plain({"vectors": vectors, "desk": _desk(folder)})


def answers_of_articles(folder: Path, embedding: Embedding = vector_of) -> dict[str, Any]:
    """Those of `answers` that tell neither of its vectors nor of what readers keep.

    `embedding` gives the vector that a text must have, if it has one.
    """
    with closing(SnapshotReader(folder)) as reader:
        snapshot = reader.latest()
        return _plain(
            {
                "articles": _articles(snapshot, embedding),
                "words": {word: found_by_word(snapshot, word) for word in _WORDS},
                "groups": _groups(snapshot),
                "past": _past(snapshot),
                "committed": all(snapshot.committed_s(seq) for seq in range(1, snapshot.seq + 1)),
            }
        )


def _plain(said: dict[str, object]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(said))
    return plain


def unpack(archive: Path, folder: Path) -> tuple[Path, dict[str, Any]]:
    """A golden store as it was released, in `folder`, and the answers that it gave."""
    with tarfile.open(archive) as packed:
        # Python asks for a filter from 3.12 on, and has none before 3.11.4.
        packed.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        packed.extractall(folder)
    return folder / STORE, json.loads((folder / ANSWERS).read_text())


def _wire(outlet: str, *, headline: str = "Harbour reopens", day: int = 14) -> SourceRecord:
    return SourceRecord(
        Origin("wire.jsonl", 1),
        b"{}",
        _WIRE,
        headline=headline,
        outlet=outlet,
        own_id=f"harbour-{outlet.split()[-1].lower()}-{day}",
        published=Published(f"2025-03-{day}"),
    )


def _signed_off(number: int) -> SourceRecord:
    """An article that ends with a line which recurs in its outlet."""
    plain = record(f"night-{number}", f"lamp{number}", outlet="Night Post")
    return SourceRecord(
        plain.origin,
        plain.raw,
        f"{plain.body}\n\n{_SIGN_OFF}",
        headline=f"Night report {number}",
        outlet=plain.outlet,
        own_id=plain.own_id,
    )


def _keep_on_the_desk(writer: Writer) -> None:
    with writer.desk() as truth:
        kept, _ = collections.make(truth, "Storm week", _AT_S)
        whole = Marked(
            article_id=ArticleId("flood"),
            passage_id=None,
            start=0,
            end=0,
            quote="",
            headline="Wombats counted",
            outlet="Bush Telegraph",
            byline="",
            section="",
            language="en",
            url="",
            published=Published("2025-03-12"),
            digest=collections.digest_of("as it was"),
        )
        collections.put(truth, kept.id, whole, "for the page on Monday", _AT_S)
        seen = saved_searches.digests(["flood"])
        search = SearchRow("s1", "storm", '{"q": "storm"}', _AT_S, seen, 0)
        saved_searches.insert(truth, search)
        entry = EntryRow(
            0, "s1", ArticleId("ferry"), ArticleId("ferry"), PassageId("ferry-0"), _AT_S
        )
        saved_searches.enter(truth, search, [entry], saved_searches.digests(["ferry"]))
        saved_searches.deliver(truth, 1)
        error = BadArticleError("feed.jsonl", 4, "no text", "give one")
        rejections.insert(truth, [error], datetime.fromtimestamp(_AT_S, UTC))


def _articles(snapshot: Snapshot, embedding: Embedding) -> dict[str, object]:
    return {
        id: (article.version, article.headline, article.text, article.published, article.passages)
        for id, article in shown(snapshot, embedding).items()
    }


def _nearest(snapshot: Snapshot) -> dict[str, list[tuple[int, float]]]:
    nearest = {}
    for question in ("storm", "ferry"):
        positions, cosines = snapshot.vectors.search(vector_of(question), 10, None)
        numbers = snapshot.columns.number[positions].tolist()
        nearest[question] = [
            (number, round(float(cosine), 5))
            for number, cosine in zip(numbers, cosines, strict=True)
        ]
    return nearest


def _groups(snapshot: Snapshot) -> dict[str, tuple[int, int]]:
    """The report and the story of each live article."""
    columns = snapshot.columns
    live = np.unique(columns.article).tolist()
    return {
        columns.article_id[at]: (int(columns.report[at]), int(columns.story[at])) for at in live
    }


def _past(snapshot: Snapshot) -> dict[str, object]:
    """What was said before, and what was removed."""
    flood = snapshot.article("flood")
    assert flood is not None
    return {
        "versions": [
            (version.version, version.headline, version.text)
            for version in snapshot.earlier_versions(flood)
        ],
        "removed": snapshot.removal_of("fire"),
        "former": {
            id: asdict(former)
            for id in _former_ids()
            if (former := snapshot.former_passage(id)) is not None
        },
    }


def _former_ids() -> list[str]:
    """Ids of passages of the articles as they came first."""
    first = [record("flood", "weir", "bridge"), record("fire", "ridge")]
    return [str(p.id) for item in first for p in prepare(item, recurring=frozenset()).passages]


def _desk(folder: Path) -> dict[str, object]:
    truth = store_folder.open_readonly(folder)
    try:
        kept = [collection for collection, _ in collections.listed(truth)]
        return {
            "collections": [(collection.name, collection.made_s) for collection in kept],
            "marks": [
                (mark.number, mark.note, mark.marked_s, mark.marked.headline, mark.marked.digest)
                for collection in kept
                for mark in collections.marks(truth, collection.id)[0]
            ],
            "searches": [
                (row.id, row.name, row.request, row.saved_s, row.seen.tolist(), row.delivered)
                for row in saved_searches.searches(truth)
            ],
            "entries": [asdict(entry) for entry in saved_searches.entries(truth, "s1")],
            "rejections": [
                (r.path, r.line, r.reason, r.advice) for r in rejections.newest(truth, 10)
            ],
        }
    finally:
        truth.close()


def _lasting(file: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Leave out what comes and goes: the writer has put all of the log into the database."""
    return None if file.name.endswith((".lock", "-wal", "-shm")) else file


def main(archive: Path) -> None:
    """Make the golden store, ask it, and pack both."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / STORE
        make(folder)
        said = Path(scratch) / ANSWERS
        said.write_text(json.dumps(answers(folder), indent=1, sort_keys=True))
        archive.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(folder, STORE, filter=_lasting)
            packed.add(said, ANSWERS)
    print(f"{archive}: format {tables.FORMAT}, {archive.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
