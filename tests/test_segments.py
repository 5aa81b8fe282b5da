"""Segments: what is written is what is found, and nothing damaged reaches FAISS."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from index.errors import StoreCorruptError
from index.segments import SegmentInfo, check_published, read_segment, write_segment

DIM = 8


def unit_vectors(count: int, seed: int = 0) -> NDArray[np.float16]:
    vectors = np.random.default_rng(seed).standard_normal((count, DIM))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, SegmentInfo]:
    numbers = np.arange(100, 150, dtype=np.int64)
    return tmp_path, write_segment(tmp_path, "1-a.seg", numbers, unit_vectors(50), "model-1")


def test_a_segment_holds_the_numbers_and_vectors_it_was_given(
    written: tuple[Path, SegmentInfo],
) -> None:
    folder, info = written
    segment = read_segment(folder, info)
    assert segment.numbers.tolist() == list(range(100, 150))
    assert np.array_equal(segment.vectors, unit_vectors(50))
    assert (info.name, info.passages) == ("1-a.seg", 50)
    assert [path.name for path in folder.iterdir()] == ["1-a.seg"]


def test_the_footer_says_what_the_file_is(written: tuple[Path, SegmentInfo]) -> None:
    folder, info = written
    data = (folder / info.name).read_bytes()
    assert data.startswith(b"NUTGRAF-SEGMENT1")
    assert data.endswith(b"NUTGRAF-SEGMENT1")
    length = int.from_bytes(data[-24:-16], "little")
    footer = json.loads(data[-24 - length : -24])
    assert (footer["passages"], footer["dim"], footer["model"]) == (50, DIM, "model-1")


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(1, 60),
    depth=st.integers(1, 70),
    share=st.sampled_from([None, 0.0, 0.1, 0.5, 1.0]),
)
def test_a_search_is_exact_with_and_without_a_filter(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    count: int,
    depth: int,
    share: float | None,
) -> None:
    folder = tmp_path_factory.mktemp("segments")
    vectors = unit_vectors(count, seed)
    numbers = np.arange(count, dtype=np.int64)
    segment = read_segment(folder, write_segment(folder, "x.seg", numbers, vectors, "m"))
    random = np.random.default_rng(seed)
    query = unit_vectors(1, seed + 1)[0].astype(np.float32)
    allowed = None if share is None else random.random(count) < share
    rows, cosines = segment.search(query, depth, allowed)
    expected = vectors.astype(np.float32) @ query
    possible = np.arange(count) if allowed is None else np.flatnonzero(allowed)
    best = np.sort(expected[possible])[::-1][:depth]
    assert np.allclose(cosines, best, atol=1e-5)
    assert np.allclose(expected[rows], cosines, atol=1e-5)
    assert set(rows.tolist()) <= set(possible.tolist())
    assert len(set(rows.tolist())) == len(rows)


def test_a_name_is_never_used_again(written: tuple[Path, SegmentInfo]) -> None:
    folder, info = written
    before = (folder / info.name).read_bytes()
    with pytest.raises(StoreCorruptError, match="never reused"):
        write_segment(folder, info.name, np.arange(2), unit_vectors(2), "m")
    assert (folder / info.name).read_bytes() == before


def test_a_segment_is_synced_before_it_has_its_name_and_its_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[str, int]] = []  # what was synced, and how many bytes it held
    fsync, rename = os.fsync, os.rename

    def sync(descriptor: int) -> None:
        stat = os.fstat(descriptor)
        files = [path for path in tmp_path.iterdir() if os.path.samestat(path.stat(), stat)]
        done.extend((path.name, stat.st_size) for path in files)
        if os.path.samestat(tmp_path.stat(), stat):
            done.append(("the folder", 0))
        fsync(descriptor)

    def note_rename(*names: Path) -> None:
        done.append(("its name", 0))
        rename(*names)

    monkeypatch.setattr("os.fsync", sync)
    monkeypatch.setattr("os.rename", note_rename)
    write_segment(tmp_path, "1-a.seg", np.arange(2), unit_vectors(2), "m")
    size = (tmp_path / "1-a.seg").stat().st_size
    assert done == [("1-a.draft", size), ("its name", 0), ("the folder", 0)]


def test_a_flipped_bit_anywhere_is_seen_before_faiss_sees_a_byte(
    written: tuple[Path, SegmentInfo], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, info = written
    data = (folder / info.name).read_bytes()

    def never(_: object) -> None:
        pytest.fail("FAISS was given a damaged file")

    monkeypatch.setattr("index.segments.faiss.deserialize_index", never)
    for at in range(0, len(data), 37):
        damaged = bytearray(data)
        damaged[at] ^= 1 << (at % 8)
        (folder / info.name).write_bytes(damaged)
        with pytest.raises(StoreCorruptError, match="not the bytes that were published"):
            read_segment(folder, info)


def test_a_truncated_or_missing_segment_is_a_store_error(written: tuple[Path, SegmentInfo]) -> None:
    folder, info = written
    data = (folder / info.name).read_bytes()
    (folder / info.name).write_bytes(data[: len(data) // 2])
    with pytest.raises(StoreCorruptError):
        read_segment(folder, info)
    (folder / info.name).unlink()
    with pytest.raises(StoreCorruptError, match="the next write rebuilds it"):
        read_segment(folder, info)


def test_a_segment_that_cannot_be_written_leaves_no_half_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("index.segments.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_segment(tmp_path, "1-a.seg", np.arange(2), unit_vectors(2), "m")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mapped", [False, True])
def test_a_large_segment_holds_its_vectors_beside_what_finds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mapped: bool
) -> None:
    monkeypatch.setattr("index.segments.EXACT_PASSAGES", 40)
    numbers = np.arange(100, 150, dtype=np.int64)
    info = write_segment(tmp_path, "1-a.seg", numbers, unit_vectors(50), "model-1")
    segment = read_segment(tmp_path, info, mapped=mapped)
    assert segment.numbers.tolist() == numbers.tolist()
    assert np.array_equal(segment.vectors, unit_vectors(50))
    assert segment.lists is not None
    assert segment.lists.sizes.sum() == 50
    (tmp_path / info.name).unlink()  # whoever has opened it keeps it
    assert np.array_equal(segment.vectors, unit_vectors(50))


@pytest.mark.parametrize("mapped", [False, True])
def test_codes_of_another_version_are_not_taken_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mapped: bool
) -> None:
    monkeypatch.setattr("index.segments.EXACT_PASSAGES", 40)
    with monkeypatch.context() as earlier:
        earlier.setattr("index.segments._CODES", "earlier")
        info = write_segment(tmp_path, "1-a.seg", np.arange(50), unit_vectors(50), "model-1")
        read_segment(tmp_path, info, mapped=mapped)
    with pytest.raises(StoreCorruptError, match="another version; the next write rebuilds it"):
        read_segment(tmp_path, info, mapped=mapped)
    with pytest.raises(StoreCorruptError, match="another version"):
        check_published(tmp_path, info)


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("damage", ["bit", "end", "all"])
def test_a_large_segment_that_is_damaged_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str, mapped: bool
) -> None:
    monkeypatch.setattr("index.segments.EXACT_PASSAGES", 40)
    numbers = np.arange(100, 150, dtype=np.int64)
    info = write_segment(tmp_path, "1-a.seg", numbers, unit_vectors(50), "model-1")
    data = bytearray((tmp_path / info.name).read_bytes())
    data[len(data) // 3] ^= 4
    kept = {"bit": data, "end": data[:-1], "all": b""}[damage]
    (tmp_path / info.name).write_bytes(kept)
    with pytest.raises(StoreCorruptError, match="the next write rebuilds it"):
        read_segment(tmp_path, info, mapped=mapped)
