"""A backup is of one commit, whatever happens to the store meanwhile."""

import importlib.util
import json
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from damage import flip
from oracle import embed, record, shown

from index import backup, store_folder, tables
from index.article import ArticleId
from index.backup import back_up, read_manifest
from index.errors import OutputError, StoreCorruptError, StoreFormatError, StoreFullError
from index.generations import live_segments
from index.restore import restore
from index.snapshot import SnapshotReader
from index.verify import Depth, verify
from index.writer import Writer

ROOT = Path(__file__).resolve().parent.parent


def script(name: str) -> Any:
    path = ROOT / "scripts" / "faults" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store with vectors in a segment and beside it, closed."""
    with Writer(tmp_path / "store") as writer:
        writer.add([record("flood", "weir", "bridge"), record("fire", "ash")])
        embed(writer, 2)
        writer.publish()
        writer.add([record("quake", "fault")])
        embed(writer, 1)
    return tmp_path / "store"


def shown_by(folder: Path) -> dict[str, Any]:
    reader = SnapshotReader(folder)
    try:
        return dict(shown(reader.latest()))
    finally:
        reader.close()


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_backup_taken_while_another_process_writes_is_the_store_at_its_commit(
    tmp_path: Path,
) -> None:
    judged = script("backups").run(tmp_path, 10)
    assert [each.wrong for each in judged] == [""] * 11
    assert judged[0].manifest.seq < judged[-1].manifest.seq


def test_the_manifest_says_what_is_in_the_backup(folder: Path, tmp_path: Path) -> None:
    with Writer(folder) as writer:
        writer.remove([ArticleId("fire")])
        made = back_up(folder, tmp_path / "backup")
    assert made == read_manifest(tmp_path / "backup")
    assert (made.format, made.articles, made.passages, made.embedded) == (tables.FORMAT, 2, 3, 2)
    there = files(tmp_path / "backup")
    assert there.keys() - {"manifest.json"} == made.files.keys()
    assert {name: len(there[name]) for name in made.files} == {
        name: file.bytes for name, file in made.files.items()
    }
    assert any(name.startswith("segments/") for name in made.files)
    assert "words/meta.json" in made.files


def test_a_backup_takes_no_lock_and_changes_nothing(folder: Path, tmp_path: Path) -> None:
    before = files(folder)
    back_up(folder, tmp_path / "backup")
    after = files(folder)
    assert {name: after[name] for name in before} == before
    assert after.keys() - before.keys() <= {"nutgraf.db-wal", "nutgraf.db-shm"}


def test_what_the_desk_keeps_is_backed_up(folder: Path, tmp_path: Path) -> None:
    from index import collections

    with Writer(folder) as writer:
        with writer.desk() as truth:
            collections.make(truth, "Storm week")
        back_up(folder, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "again")
    with closing(store_folder.open_readonly(tmp_path / "again")) as truth:
        assert [kept.name for kept, _ in collections.listed(truth)] == ["Storm week"]


def test_a_segment_that_goes_while_it_is_copied_is_copied_all_the_same(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = shown_by(folder)
    copy = backup._copied_database

    def and_then_compact(*arguments: Any) -> Any:
        with Writer(folder) as writer:
            writer.compact()
        return copy(*arguments)

    monkeypatch.setattr(backup, "_copied_database", and_then_compact)
    made = back_up(folder, tmp_path / "backup")
    assert any(name.startswith("segments/") for name in made.files)
    restore(tmp_path / "backup", tmp_path / "again")
    assert shown_by(tmp_path / "again") == expected


@pytest.mark.parametrize("damage", ["missing", "flipped"])
@pytest.mark.parametrize("part", ["segments", "words"])
def test_what_can_be_made_anew_is_left_out_when_it_is_damaged(
    folder: Path, tmp_path: Path, part: str, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    expected = shown_by(folder)
    damaged = max((folder / part).glob("*.[st]e*"), key=lambda path: path.stat().st_size)
    if damage == "missing":
        damaged.unlink()
    else:
        flip(damaged, 40)
    made = back_up(folder, tmp_path / "backup")
    assert "left out of the backup" in caplog.text
    assert not [name for name in made.files if name.startswith(part)]
    restore(tmp_path / "backup", tmp_path / "again")
    assert shown_by(tmp_path / "again") == expected
    assert verify(tmp_path / "again", Depth.FULL).exit_code == 0


def test_a_folder_that_is_not_empty_is_refused_and_left_as_it_is(
    folder: Path, tmp_path: Path
) -> None:
    before = files(folder)
    with pytest.raises(OutputError, match="not empty"):
        back_up(folder, folder)
    assert {name: files(folder)[name] for name in before} == before


def test_a_folder_without_a_store_is_not_backed_up(tmp_path: Path) -> None:
    with pytest.raises(StoreFormatError, match="there is no store here"):
        back_up(tmp_path / "nowhere", tmp_path / "backup")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing_of_a_backup(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.connect

    def small(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **options)
        if ".backup.draft" in str(arguments[0]):
            connection.execute("PRAGMA max_page_count = 3")
        return connection

    monkeypatch.setattr(sqlite3, "connect", small)
    with pytest.raises(StoreFullError, match="nothing was kept; free some space"):
        back_up(folder, tmp_path / "backup")
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_a_manifest_with_one_byte_changed_is_told_from_a_whole_one(
    folder: Path, tmp_path: Path
) -> None:
    back_up(folder, tmp_path / "backup")
    path = tmp_path / "backup" / "manifest.json"
    whole = path.read_bytes()
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises((StoreCorruptError, StoreFormatError)):
            read_manifest(tmp_path / "backup")
    path.write_bytes(whole[:-20])
    with pytest.raises(StoreCorruptError, match="damaged; nothing was restored"):
        read_manifest(tmp_path / "backup")


def test_a_backup_of_a_newer_format_is_refused(folder: Path, tmp_path: Path) -> None:
    made = back_up(folder, tmp_path / "backup")
    newer = backup.Manifest(
        tables.FORMAT + 1,
        made.seq,
        made.articles,
        made.passages,
        made.embedded,
        made.made_at,
        made.files,
    )
    (tmp_path / "backup" / "manifest.json").write_text(backup._sealed(newer))
    with pytest.raises(StoreFormatError, match="install the newer Nutgraf"):
        read_manifest(tmp_path / "backup")


def test_a_folder_that_is_no_backup_is_told(folder: Path, tmp_path: Path) -> None:
    for no_backup in (folder, tmp_path / "nowhere", folder / store_folder.DATABASE):
        with pytest.raises(StoreFormatError, match="name a folder that `nutgraf backup` made"):
            read_manifest(no_backup)


def test_a_backup_while_segments_change_names_those_of_its_own_commit(
    folder: Path, tmp_path: Path
) -> None:
    with Writer(folder) as writer:
        for number in range(3):
            made = back_up(folder, tmp_path / str(number))
            with closing(store_folder.open_readonly(folder)) as truth:
                live = {f"segments/{info.name}" for info in live_segments(truth)}
            assert {name for name in made.files if name.startswith("segments/")} == live
            writer.compact()
    assert json.loads((tmp_path / "0" / "manifest.json").read_text())["backup"]["seq"] > 0
    shutil.rmtree(tmp_path / "0")
