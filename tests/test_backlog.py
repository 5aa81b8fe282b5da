"""The backlog: what waits is embedded group by group, and nothing done is done again."""

import os
import signal
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from oracle import paragraph, record
from test_model import tiny_model

from index import backlog, store_folder
from index.article import embedding_text
from index.backlog import Backlog, Progress, embed_backlog, reembed
from index.embedding import EmbeddingProcess
from index.errors import ModelError
from index.model import Embeddings, load_encoder, model_fingerprint
from index.snapshot import SnapshotReader
from index.writer import Writer

SIX = tuple(record(f"wire-{n}", f"tok{n}", published=f"202{n}") for n in range(6))


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    with Writer(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def reader(writer: Writer) -> Iterator[SnapshotReader]:
    opened = SnapshotReader(writer.folder)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def _groups_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "_GROUP_PASSAGES", 2)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that the models were given, in order."""
    texts: list[str] = []

    class Watched(EmbeddingProcess):
        def embed(self, given: Sequence[str]) -> Embeddings:
            texts.extend(given)
            return super().embed(given)

    monkeypatch.setattr(backlog, "EmbeddingProcess", Watched)
    return texts


@pytest.fixture(scope="module")
def other_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def interrupt_at(done: int) -> Callable[[Progress], None]:
    def interrupt(progress: Progress) -> None:
        if progress.done >= done:
            raise KeyboardInterrupt

    return interrupt


def test_what_waits_is_embedded_newest_first_and_a_small_tail_needs_no_segment(
    writer: Writer, reader: SnapshotReader, seen: list[str]
) -> None:
    writer.add(SIX)
    assert embed_backlog(writer) == 6
    assert writer.pending() == 0
    snapshot = reader.latest()
    assert (snapshot.embedded, snapshot.segments) == (6, 0)
    assert seen == [embedding_text(r.headline, paragraph(f"tok{5 - n}")) for n, r in enumerate(SIX)]
    expected = load_encoder().embed(seen)
    for vector, number in zip(expected, reversed(range(6)), strict=True):
        positions, cosines = snapshot.vectors.search(vector, 1, None)
        assert snapshot.passage_rows(positions)[int(positions[0])].article.id == f"wire-{number}"
        assert cosines[0] > 0.999


def test_progress_counts_up_to_all_and_stop_ends_behind_a_commit(writer: Writer) -> None:
    writer.add(SIX)
    said: list[Progress] = []
    assert embed_backlog(writer, progress=said.append, stop=lambda: len(said) == 2) == 4
    assert writer.pending() == 2
    assert embed_backlog(writer, progress=said.append) == 2
    assert [(p.done, p.total) for p in said] == [(2, 6), (4, 6), (2, 2)]
    assert [p.eta_s > 0 for p in said] == [True, True, False]
    assert all(p.passages_per_s > 0 for p in said)


def test_while_it_goes_on_vectors_become_segments(
    writer: Writer, reader: SnapshotReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "_BETWEEN_PUBLISHING_S", 0.0)
    monkeypatch.setattr(backlog, "_PUBLISH_PASSAGES", 4)
    writer.add(SIX)
    segments: list[int] = []
    embed_backlog(writer, progress=lambda _: segments.append(reader.latest().segments))
    assert segments == [0, 1, 1]


def test_nothing_waiting_starts_no_model(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "EmbeddingProcess", None)
    assert embed_backlog(writer) == 0


def test_the_model_is_loaded_once_until_it_rests(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []

    def start(model: str, *, device: str) -> EmbeddingProcess:
        started.append(model)
        return EmbeddingProcess(model, device=device)

    monkeypatch.setattr(backlog, "EmbeddingProcess", start)
    waiting = Backlog(writer)
    for at, one in enumerate(SIX[:4]):
        writer.add([one])
        if at == 3:
            waiting.rest()
        assert waiting.embed() == 1
    waiting.rest()
    assert len(started) == 2


@pytest.mark.slow
def test_after_the_model_s_process_died_another_one_goes_on(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, child = Backlog(writer), []
    writer.add(SIX)

    class Mortal(EmbeddingProcess):
        def embed(self, given: Sequence[str]) -> Embeddings:
            child[:] = [self._child.pid]
            return super().embed(given)

    monkeypatch.setattr(backlog, "EmbeddingProcess", Mortal)

    def kill(progress: Progress) -> None:
        if progress.done == 2:
            os.kill(child.pop(), signal.SIGKILL)

    with pytest.raises(ModelError, match="ended"):
        waiting.embed(progress=kill)
    assert waiting.embed() == 4
    waiting.rest()


def test_ctrl_c_keeps_all_that_was_done_and_the_next_run_goes_on_from_there(
    writer: Writer, reader: SnapshotReader, seen: list[str]
) -> None:
    writer.add(SIX)
    with pytest.raises(KeyboardInterrupt):
        embed_backlog(writer, progress=interrupt_at(4))
    assert reader.latest().embedded == 4
    assert embed_backlog(writer) == 2
    assert reader.latest().embedded == 6
    assert len(seen) == len(set(seen)) == 6


def test_equal_texts_in_different_groups_are_embedded_once(
    writer: Writer, reader: SnapshotReader, seen: list[str]
) -> None:
    writer.add([record(f"wire-{n}", f"tok{n % 2}") for n in range(7)])
    assert embed_backlog(writer) == 7
    assert reader.latest().embedded == 7
    assert len(seen) == 2


def test_what_is_added_meanwhile_is_embedded_in_the_same_run_and_what_is_removed_is_not(
    writer: Writer, reader: SnapshotReader, seen: list[str]
) -> None:
    writer.add(SIX)

    def meanwhile(progress: Progress) -> None:
        if progress.done == 2:
            writer.add([record("late", "latecomer")])
            writer.remove(["wire-0"])

    embed_backlog(writer, progress=meanwhile)
    assert writer.pending() == 0
    assert (reader.latest().passages, reader.latest().embedded) == (6, 6)
    assert len(seen) == 6
    assert not any("tok0" in text for text in seen)


@pytest.mark.slow
def test_another_model_s_vectors_take_over_in_one_commit_when_all_are_there(
    writer: Writer, reader: SnapshotReader, other_model: str, seen: list[str]
) -> None:
    writer.add(SIX)
    embed_backlog(writer)
    old, new = writer.fingerprint, model_fingerprint(other_model)
    answering: list[tuple[str, int]] = []
    seen.clear()

    def watch(progress: Progress) -> None:
        snapshot = reader.latest()
        answering.append((snapshot.fingerprint, snapshot.embedded))
        if progress.done >= 4 and len(answering) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reembed(writer, other_model, progress=watch)
    assert reader.latest().fingerprint == writer.fingerprint == old
    assert reembed(writer, other_model, stop=lambda: True) is False
    assert reembed(writer, other_model, progress=watch)
    assert answering == [(old, 6)] * 3
    snapshot = reader.latest()
    assert (snapshot.model, snapshot.fingerprint) == (other_model, new)
    assert (snapshot.embedded, snapshot.vectors.dim) == (6, 16)
    assert len(seen) == len(set(seen)) == 6
    # What comes after the switch is embedded by the new model.
    writer.add([record("late", "latecomer")])
    assert embed_backlog(writer) == 1
    query = load_encoder(other_model).embed([seen[-1]])[0]
    position = reader.latest().position_of(np.array([7]))
    assert reader.latest().vectors.cosines(query, position)[0] > 0.999


@pytest.mark.slow
def test_a_damaged_article_holds_up_neither_the_backlog_nor_another_model(
    writer: Writer, reader: SnapshotReader, other_model: str
) -> None:
    writer.add(SIX[:3])
    connection = sqlite3.connect(writer.folder / store_folder.DATABASE)
    connection.execute("UPDATE articles SET headline = 'another' WHERE id = 'wire-1'")
    connection.commit()
    connection.close()
    embed_backlog(writer)
    assert reader.latest().embedded == 2
    assert reembed(writer, other_model)
    assert reader.latest().embedded == 2
    assert reembed(writer, other_model) is False  # one still waits for this model
