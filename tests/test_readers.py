"""Readers through hundreds of commits: each answer is what the store held at its snapshot.

One writer adds, replaces, removes, embeds, publishes and compacts, and notes after each step what
a model says must be shown. Readers in this process and in another one look all the while; when all
is over, what they saw is held against the model of their snapshot's moment.
"""

import multiprocessing
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from oracle import Model, Shown, embed, record, shown

from index.snapshot import SnapshotReader
from index.writer import Writer

IDS = tuple(f"wire-{n}" for n in range(8))


@dataclass(slots=True)
class History:
    """What must be shown at each moment; a moment is the `seq` of a commit."""

    models: dict[int, Model] = field(default_factory=lambda: {0: Model()})

    def note(self, seq: int, model: Model) -> None:
        """A step took the store to `seq`, in one commit or several."""
        for passed in range(max(self.models) + 1, seq + 1):
            self.models[passed] = model.copy()

    def at(self, horizon: int, seq: int) -> Model:
        """Articles as of `horizon`, where the words are; vectors as of `seq`, in the database."""
        model, vectors = self.models[horizon].copy(), self.models[seq]
        model.perhaps = model.perhaps | vectors.perhaps
        model.embedded = vectors.embedded - model.perhaps
        return model


def _step(writer: Writer, model: Model, chance: random.Random, number: int) -> None:
    kind = chance.choice(
        ("add", "add", "replace", "remove", "embed", "embed", "publish", "compact")
    )
    if kind in ("add", "replace"):
        records = [
            record(id_, f"tok{number}", f"shared{chance.randrange(4)}")
            for id_ in chance.sample(IDS, chance.randint(1, 3))
        ]
        outcomes = [(o.status, o.article_id, o.version) for o in writer.add(records)]
        assert outcomes == model.add(records)
    elif kind == "remove":
        ids = chance.sample(IDS, 2)
        assert writer.remove(ids) == model.remove(ids)  # type: ignore[arg-type]
    elif kind == "embed":
        model.embed(embed(writer, chance.randint(1, 6)))
    elif kind == "publish":
        writer.publish()
        model.compact(certainly=False)
    else:
        writer.compact()
        model.compact(certainly=False)


Look = tuple[int, int, Shown]


def _look(folder: Path, done: Callable[[], bool]) -> list[Look]:
    """What a reader sees, each snapshot once, until all is done."""
    looks: dict[str, Look] = {}
    reader = SnapshotReader(folder)
    while True:
        last = done()
        snapshot = reader.latest()
        if (name := f"{snapshot.id} {snapshot.seq}") not in looks:
            looks[name] = (snapshot.horizon, snapshot.seq, shown(snapshot))
        if last:
            reader.close()
            return list(looks.values())


def _look_from_another_process(folder: Path, done: Event, looks: "multiprocessing.Queue") -> None:  # type: ignore[type-arg]
    looks.put(_look(folder, done.is_set))


def _watched(folder: Path, steps: int, seed: int) -> int:
    """Hold what two readers see during so many steps against the model; how many looks."""
    spawn, chance = multiprocessing.get_context("spawn"), random.Random(seed)
    done, sent = spawn.Event(), spawn.Queue()
    seen: list[Look] = []
    history, model = History(), Model()
    with Writer(folder) as writer:
        thread = threading.Thread(target=lambda: seen.extend(_look(folder, done.is_set)))
        process = spawn.Process(target=_look_from_another_process, args=(folder, done, sent))
        writer.add([record("first", "weir")])
        model.add([record("first", "weir")])
        history.note(writer._held.seq, model)
        thread.start()
        process.start()
        for number in range(steps):
            _step(writer, model, chance, number)
            history.note(writer._held.seq, model)
        done.set()
        theirs = sent.get(timeout=60)
        thread.join()
        process.join()
    for horizon, seq, articles in [*seen, *theirs]:
        difference = history.at(horizon, seq).differs_from(articles)
        assert not difference, f"at {horizon} of {seq}: {difference}"
    assert len(seen) > 5
    assert len(theirs) >= 1
    return len(seen) + len(theirs)


def test_readers_through_many_changes_see_what_the_store_held_at_their_snapshot(
    tmp_path: Path,
) -> None:
    assert _watched(tmp_path / "store", 60, seed=1) > 10


@pytest.mark.slow
def test_readers_through_hundreds_of_changes_see_what_the_store_held_at_their_snapshot(
    tmp_path: Path,
) -> None:
    assert _watched(tmp_path / "store", 300, seed=2) > 60
