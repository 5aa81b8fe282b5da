"""What a small change costs the database: it must not grow with the archive.

Counted in steps of SQLite's virtual machine, which no busy machine changes. A plan that goes
through a whole table shows, and so does one that the planner chooses where it knows no better.
"""

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from oracle import embed

from index import generations, store_folder
from index.article import Origin, SourceRecord
from index.snapshot import SnapshotReader
from index.writer import Writer

_STEPS = 20  # between two calls of the counter
_FEED = 5  # articles
# Of the same work in an archive twelve times as large; trees are deeper, and no more.
_MOST_GROWTH = 1.5


class Counted(sqlite3.Connection):
    """A connection that counts the steps it takes, with all others of its kind."""

    taken = 0

    def __init__(self, *args: object, **named: object) -> None:
        super().__init__(*args, **named)  # type: ignore[arg-type]
        self.set_progress_handler(self._count, _STEPS)

    def _count(self) -> int:
        Counted.taken += _STEPS
        return 0


@pytest.fixture(autouse=True)
def _all_connections_count(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect

    def counted(*args: object, **named: object) -> sqlite3.Connection:
        return connect(*args, **named, factory=Counted)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(sqlite3, "connect", counted)


def unlike(number: int) -> SourceRecord:
    """An article of three paragraphs that shares some words with the others, and no more."""
    dice = random.Random(number)
    paragraphs = (" ".join(f"word{dice.randrange(5_000)}" for _ in range(40)) for _ in range(3))
    return SourceRecord(
        Origin("test.jsonl", number),
        b"{}",
        "\n\n".join(f"{paragraph}." for paragraph in paragraphs),
        headline=f"Wombat {number} counted",
        outlet=f"Outlet {number % 7}",
        own_id=f"wire-{number}",
    )


@contextmanager
def archive(folder: Path, articles: int) -> Iterator[tuple[Writer, SnapshotReader]]:
    with Writer(folder) as writer:
        for first in range(0, articles, 100):
            writer.add([unlike(n) for n in range(first, min(first + 100, articles))])
        writer.finish()
        embed(writer, writer.pending())
        writer.publish()
        writer.finish()  # the planner knows now how many there are
        reader = SnapshotReader(folder)
        reader.latest()
        try:
            yield writer, reader
        finally:
            reader.close()


def steps_of_a_small_feed(folder: Path, articles: int) -> dict[str, int]:
    """Of each thing that a server does with a few articles."""
    with (
        archive(folder, articles) as (writer, reader),
        closing(store_folder.open_readonly(folder)) as truth,
    ):
        work: dict[str, Callable[[], object]] = {
            "add": lambda: writer.add([unlike(10_000 + n) for n in range(_FEED)]),
            "pending": writer.pending,
            "embed": lambda: embed(writer, writer.pending()),
            "a new snapshot": reader.latest,
            "leave them in the tail": lambda: writer.publish(at_least=1_000),
            "publish": writer.publish,
            "a snapshot of the segments": reader.latest,
            "remove": lambda: writer.remove(["wire-1", "wire-2"]),
            "a snapshot without them": reader.latest,
            "see that none are too many": lambda: generations.need_compaction(truth),
        }
        taken = {}
        for name, do in work.items():
            before = Counted.taken
            do()
            taken[name] = Counted.taken - before
        return taken


def test_a_small_feed_costs_a_large_archive_no_more_than_a_small_one(tmp_path: Path) -> None:
    small = steps_of_a_small_feed(tmp_path / "small", 200)
    large = steps_of_a_small_feed(tmp_path / "large", 2_400)
    too_many = {
        name: (steps, large[name])
        for name, steps in small.items()
        if large[name] > _MOST_GROWTH * steps + 10 * _STEPS
    }
    assert not too_many
