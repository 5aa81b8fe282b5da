"""Which segments become one, and what happens beside it."""

import logging
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from damage import overwrite
from oracle import embed, record, vector_of

from index import generations, segment_checks, segments, store_folder
from index.generations import live_segments, to_merge
from index.segments import EXACT_PASSAGES, MOST_PASSAGES, SegmentInfo
from index.snapshot import SnapshotReader
from index.writer import Writer


def infos(*passages: int) -> list[SegmentInfo]:
    return [SegmentInfo(f"{at}.seg", count, "") for at, count in enumerate(passages)]


@pytest.mark.parametrize(
    ("sizes", "merged"),
    [
        ([1_000] * 8, []),
        ([1_000] * 9, [1_000] * 9),
        ([MOST_PASSAGES, 30_000, 25_000], [30_000, 25_000]),
        ([MOST_PASSAGES, 60_000, 25_000], []),
        ([MOST_PASSAGES, 210_000, 210_000], []),
        ([MOST_PASSAGES, 210_000, 210_000, 210_000], [210_000] * 3),
        ([700_000, 900_000, MOST_PASSAGES], []),
        ([], []),
    ],
)
def test_small_segments_are_merged_when_many_or_large_and_those_when_they_fill_one(
    sizes: list[int], merged: list[int]
) -> None:
    assert [info.passages for info in to_merge(infos(*sizes))] == merged


def test_however_large_an_archive_becomes_a_vector_is_written_a_few_times() -> None:
    sizes: list[int] = []
    written = 0
    for _ in range(1_000):
        sizes.append(10_000)
        written += 10_000
        while merged := to_merge(infos(*sizes)):
            for info in merged:
                sizes.remove(info.passages)
            sizes.append(sum(info.passages for info in merged))
            written += sizes[-1]
            assert sizes[-1] <= MOST_PASSAGES
        small = [size for size in sizes if size <= EXACT_PASSAGES]
        assert len(small) <= 8
        assert sum(small) <= EXACT_PASSAGES
    assert len(sizes) <= 30
    assert written <= 5 * sum(sizes)


@pytest.fixture
def writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Writer]:
    """Of a store where twenty passages are many."""
    for module in (segments, generations):
        monkeypatch.setattr(module, "EXACT_PASSAGES", 20)
    with Writer(tmp_path / "store") as writer:
        yield writer


def publish(writer: Writer, first: int, count: int) -> None:
    writer.add([record(f"wire-{n}", f"tok{n}") for n in range(first, first + count)])
    embed(writer, count)
    writer.publish()


def test_segments_too_large_together_become_one_that_answers_as_they_did(writer: Writer) -> None:
    with closing(SnapshotReader(writer.folder)) as reader:
        publish(writer, 0, 15)
        publish(writer, 15, 5)
        assert reader.latest().segments == 2
        publish(writer, 20, 5)
        snapshot = reader.latest()
        assert (snapshot.segments, snapshot.embedded) == (1, 25)
        positions, cosines = snapshot.vectors.search(vector_of("question"), 25, None)
        expected = snapshot.vectors.cosines(vector_of("question"), np.arange(25))
        assert positions.tolist() == np.lexsort((np.arange(25), -expected)).tolist()
        assert cosines.tolist() == expected[positions].tolist()
        writer.remove(["wire-3"])
        left, _ = reader.latest().vectors.search(vector_of("question"), 25, None)
        assert len(left) == 24


def test_a_large_segment_is_sound_until_its_lists_lose_what_they_hold(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(writer, 0, 25)
    with store_folder.reading(writer.folder) as truth:
        assert not list(segment_checks.contents(writer.folder, truth))
        monkeypatch.setattr(
            segments, "rows_not_found", lambda segment, vectors, rows: rows.tolist()
        )
        (finding,) = segment_checks.contents(writer.folder, truth)
        assert "1 vectors are not found where they should be" in finding.meaning


def test_articles_are_added_and_removed_while_a_segment_is_written(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(writer, 0, 19)
    written = segments.write_segment
    changed: list[threading.Thread] = []

    def slow(*arguments: object) -> SegmentInfo:
        def change() -> None:
            writer.add([record(f"late-{len(changed)}", "late")])
            embed(writer, 10)
            writer.remove([f"wire-{len(changed)}"])

        changed.append(threading.Thread(target=change))
        changed[-1].start()
        changed[-1].join(60)
        assert not changed[-1].is_alive()
        return written(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(segments, "write_segment", slow)
    publish(writer, 19, 4)
    assert len(changed) == 2  # the tail, then all in one
    with closing(SnapshotReader(writer.folder)) as reader:
        snapshot = reader.latest()
        assert (snapshot.segments, snapshot.passages, snapshot.embedded) == (1, 23, 23)
        found, _ = snapshot.vectors.search(vector_of("question"), 100, None)
        assert sorted(found.tolist()) == list(range(23))


def test_a_segment_that_cannot_be_merged_is_written_anew_from_the_database(
    writer: Writer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    publish(writer, 0, 19)
    (damaged,) = (writer.folder / store_folder.SEGMENTS).iterdir()
    overwrite(damaged, b"nothing")
    with caplog.at_level(logging.WARNING):
        publish(writer, 19, 4)
    assert "not the bytes that were published" in caplog.text
    with store_folder.reading(writer.folder) as truth:
        assert [info.passages for info in live_segments(truth)] == [23]
        assert not list(segment_checks.files(writer.folder, truth))
