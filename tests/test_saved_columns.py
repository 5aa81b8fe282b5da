"""Saved columns: a store opens as if they had been made of the truth, or without them."""

import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from damage import damageable
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import embed, record

from index import saved_columns, store_folder
from index.article import ArticleId
from index.columns import FILTER_FIELDS, Columns
from index.findings import Part
from index.repair import repair
from index.snapshot import Snapshot, SnapshotReader
from index.verify import Depth, verify
from index.writer import Writer


def opened(folder: Path) -> Snapshot:
    return SnapshotReader(folder).latest()


def said(columns: Columns) -> list[tuple[object, ...]]:
    """What columns say, passage by passage; codes and articles without passages aside."""
    fields = [
        [columns.values[field][code] for code in getattr(columns, field)] for field in FILTER_FIELDS
    ]
    return [
        (
            int(number),
            int(ordinal),
            columns.article_id[at],
            *(int(getattr(columns, name)[at]) for name in ("article_number", "report", "story")),
            *(int(getattr(columns, name)[at]) for name in ("day", "instant_s")),
            *(values[at] for values in fields),
        )
        for number, ordinal, at in zip(
            columns.number, columns.ordinal, columns.article, strict=True
        )
    ]


def seq_saved(folder: Path) -> int | None:
    with store_folder.reading(folder) as truth:
        saved = saved_columns.read(folder, truth)
    return saved.seq if saved else None


def without(folder: Path) -> Columns:
    """The columns as they are made of the truth alone."""
    kept = (folder / "columns").read_bytes()
    saved_columns.remove(folder)
    columns = opened(folder).columns
    (folder / "columns").write_bytes(kept)
    return columns


@settings(deadline=None, max_examples=15)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["add", "add", "copy", "remove", "publish", "reopen"]),
            st.integers(0, 7),
        ),
        max_size=12,
    )
)
def test_a_store_opens_the_same_from_what_was_saved_as_from_the_truth(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("columns") / "store"
    writer = Writer(folder)
    outlets = ("", "The Islander", "Bush Telegraph\n2")
    writer.add([record("first", "weir", published="2022-01-10T05:06:07+02:00")])
    writer.publish()
    for step, at in steps:
        if step == "add":
            outlet, day = outlets[at % 3], ("", "2021", f"2022-02-{at + 1:02}")[at % 3]
            writer.add([record(f"a{at}", f"weir{at}", "bridge", outlet=outlet, published=day)])
        elif step == "copy":
            writer.add([record(f"copy{at}", f"weir{at}", "bridge", outlet="The Copyist")])
        elif step == "remove":
            writer.remove([ArticleId(f"a{at}"), ArticleId("first")][: 1 + (at == 7)])
        elif step == "publish":
            writer.publish()
        else:
            writer.close()
            writer = Writer(folder)
        assert said(opened(folder).columns) == said(without(folder))
    writer.close()
    assert said(opened(folder).columns) == said(without(folder))


def test_they_are_saved_again_when_the_archive_has_grown_by_a_twentieth(tmp_path: Path) -> None:
    with Writer(tmp_path) as writer:
        writer.publish()
        assert seq_saved(tmp_path) is None, "there is nothing to save"
        writer.add([record(f"a{at}", f"weir{at}") for at in range(40)])
        writer.publish()
        first = seq_saved(tmp_path)
        writer.add([record("b", "storm"), record("c", "fire")])
        writer.publish()
        assert seq_saved(tmp_path) == first
        writer.add([record("d", "ash")])
        writer.publish()
    assert seq_saved(tmp_path) != first
    assert [path.name for path in tmp_path.glob("columns*")] == ["columns"]


def test_a_store_without_them_opens_and_they_come_back(tmp_path: Path) -> None:
    folder = damageable(tmp_path)
    before = said(opened(folder).columns)
    (folder / "columns").unlink()
    assert said(opened(folder).columns) == before
    assert not verify(folder, Depth.DEEP).findings
    with Writer(folder) as writer:
        writer.publish()
    assert (folder / "columns").exists()


@pytest.mark.parametrize("rubbish", [b"", b"NUTGRAF-COLUMNS1", b"{" * 9000, b"\xff" * 30])
def test_a_header_that_is_none_is_written_over(tmp_path: Path, rubbish: bytes) -> None:
    folder = damageable(tmp_path)
    (folder / "columns").write_bytes(rubbish)
    with Writer(folder) as writer:
        writer.publish()
    assert seq_saved(folder) is not None


@pytest.mark.parametrize("cut", [0, 1, 20, -1, None])
def test_a_damaged_file_is_passed_over_found_and_mended(tmp_path: Path, cut: int | None) -> None:
    folder = damageable(tmp_path)
    before, data = said(opened(folder).columns), bytearray((folder / "columns").read_bytes())
    if cut is None:
        data[len(data) // 2] ^= 1
    (folder / "columns").write_bytes(data[:cut])
    assert said(opened(folder).columns) == before
    (finding,) = verify(folder).findings
    assert (finding.part, finding.place) == (Part.COLUMNS, "columns")
    assert not repair(folder).verified.findings
    assert seq_saved(folder) is not None
    assert said(opened(folder).columns) == before


def test_columns_that_are_whole_but_wrong_are_found_by_a_deep_look(tmp_path: Path) -> None:
    folder = damageable(tmp_path)
    with store_folder.reading(folder) as truth:
        saved = saved_columns.read(folder, truth)
        assert saved
        saved.columns.values["outlet"][0] += "?"
        committed_s = saved_columns.store.commit_time_s(truth, saved.seq)
    saved_columns._write(folder, saved.seq, committed_s, saved.columns)
    assert not verify(folder).findings
    (finding,) = verify(folder, Depth.DEEP).findings
    assert finding.part is Part.COLUMNS
    assert not repair(folder).verified.findings


def test_those_of_another_database_are_not_used(tmp_path: Path) -> None:
    folder, other = tmp_path / "store", tmp_path / "other"
    with Writer(folder) as writer:
        writer.add([record("a", "weir")])
        older = shutil.copytree(folder, tmp_path / "older")
        writer.add([record("b", "storm")])
        writer.publish()
    shutil.copy(folder / "columns", other.parent / "kept")
    shutil.copy(tmp_path / "kept", older / "columns")
    assert seq_saved(older) is None
    assert opened(older).columns.article_id == ["a"]
    with Writer(older) as writer:
        writer.publish()
    assert seq_saved(older) is not None, "its own take their place"
    assert opened(older).columns.article_id == ["a"]


def test_a_disk_that_is_full_for_them_fails_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = os.fsync

    def full(descriptor: int) -> None:
        if os.readlink(f"/proc/self/fd/{descriptor}").endswith("columns.draft"):
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(descriptor)

    with Writer(tmp_path) as writer:
        writer.add([record("a", "weir")])
        embed(writer, 10)
        monkeypatch.setattr(os, "fsync", full)
        writer.publish()
        assert not list(tmp_path.glob("columns*"))
        monkeypatch.undo()
        writer.publish()
    assert opened(tmp_path).columns.article_id == ["a"]
    assert np.array_equal(opened(tmp_path).columns.number, [1])
    assert seq_saved(tmp_path) is not None
