"""What is restored is what was backed up, or nothing at all."""

import json
from pathlib import Path
from typing import Any

import pytest
from damage import flip
from oracle import embed, record, shown

from index import backup, store_folder
from index.backup import CopiedFile, back_up
from index.errors import OutputError, StoreCorruptError, StoreFormatError
from index.restore import restore
from index.snapshot import SnapshotReader
from index.verify import Depth, verify
from index.writer import Writer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of three articles, with a segment. Not to be changed."""
    folder = tmp_path_factory.mktemp("restore") / "store"
    with Writer(folder) as writer:
        writer.add([record("flood", "weir", "bridge"), record("fire", "ash")])
        embed(writer, 3)
        writer.publish()
        writer.add([record("quake", "fault")])
    return folder


@pytest.fixture
def taken(folder: Path, tmp_path: Path) -> Path:
    """A backup of it, that a test may damage."""
    back_up(folder, tmp_path / "backup")
    return tmp_path / "backup"


def shown_by(folder: Path) -> dict[str, Any]:
    reader = SnapshotReader(folder)
    try:
        return dict(shown(reader.latest()))
    finally:
        reader.close()


def test_a_restored_store_shows_the_same_and_goes_on(
    folder: Path, taken: Path, tmp_path: Path
) -> None:
    made = restore(taken, tmp_path / "again")
    assert (made.articles, made.passages, made.embedded) == (3, 4, 3)
    assert shown_by(tmp_path / "again") == shown_by(folder)
    assert verify(tmp_path / "again", Depth.FULL).exit_code == 0
    with Writer(tmp_path / "again") as writer:
        assert writer.add([record("quake", "fault")])[0].status == "unchanged"
        assert writer.add([record("quake", "rift")])[0].version == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "backup"]


def test_the_backup_stays_as_it_is(taken: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in taken.rglob("*") if path.is_file()}
    restore(taken, tmp_path / "again")
    assert {path: path.read_bytes() for path in taken.rglob("*") if path.is_file()} == before


def test_an_empty_folder_is_taken_and_any_other_refused(taken: Path, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    restore(taken, tmp_path / "again")
    before = (tmp_path / "again" / store_folder.DATABASE).read_bytes()
    with pytest.raises(OutputError, match="not empty; choose a new or an empty folder"):
        restore(taken, tmp_path / "again")
    assert (tmp_path / "again" / store_folder.DATABASE).read_bytes() == before


@pytest.mark.parametrize("at", [0, 24, 70, 5_000, 40_001, -1])
def test_a_database_with_a_flipped_bit_is_refused_and_nothing_is_left(
    taken: Path, tmp_path: Path, at: int
) -> None:
    flip(taken / store_folder.DATABASE, at)
    with pytest.raises(StoreCorruptError, match="damaged; nothing was restored"):
        restore(taken, tmp_path / "again")
    assert [path.name for path in tmp_path.iterdir()] == ["backup"]


def test_a_backup_without_its_database_is_refused(taken: Path, tmp_path: Path) -> None:
    (taken / store_folder.DATABASE).unlink()
    with pytest.raises(StoreCorruptError, match="missing or damaged; nothing was restored"):
        restore(taken, tmp_path / "again")
    assert [path.name for path in tmp_path.iterdir()] == ["backup"]


@pytest.mark.parametrize("damage", ["missing", "flipped"])
@pytest.mark.parametrize("part", ["segments", "words"])
def test_what_can_be_made_anew_is_made_anew(
    folder: Path, taken: Path, tmp_path: Path, part: str, damage: str
) -> None:
    damaged = max((taken / part).iterdir(), key=lambda path: path.stat().st_size)
    if damage == "missing":
        damaged.unlink()
    else:
        flip(damaged, 40)
    restore(taken, tmp_path / "again")
    assert shown_by(tmp_path / "again") == shown_by(folder)
    assert verify(tmp_path / "again", Depth.FULL).exit_code == 0


def test_a_store_that_is_not_what_the_backup_says_is_not_restored(
    taken: Path, tmp_path: Path
) -> None:
    manifest = json.loads((taken / "manifest.json").read_text())["backup"]
    files = {name: CopiedFile(**file) for name, file in manifest.pop("files").items()}
    manifest["articles"] += 1
    (taken / "manifest.json").write_text(backup._sealed(backup.Manifest(files=files, **manifest)))
    with pytest.raises(
        StoreCorruptError, match="articles, passages and vectors came of the backup"
    ):
        restore(taken, tmp_path / "again")
    assert [path.name for path in tmp_path.iterdir()] == ["backup"]


@pytest.mark.parametrize("name", ["../letters", "/etc/hostname", "segments/..", "words/a/b"])
def test_a_manifest_that_names_what_no_backup_holds_is_refused(
    taken: Path, tmp_path: Path, name: str
) -> None:
    manifest = json.loads((taken / "manifest.json").read_text())["backup"]
    files = {name: CopiedFile(1, "0")}
    manifest["files"] = files
    (taken / "manifest.json").write_text(backup._sealed(backup.Manifest(**manifest)))
    with pytest.raises(StoreCorruptError, match="not a file of a backup"):
        restore(taken, tmp_path / "again")
    assert [path.name for path in tmp_path.iterdir()] == ["backup"]


def test_a_folder_that_is_no_backup_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreFormatError, match="not a backup"):
        restore(folder, tmp_path / "again")
    assert list(tmp_path.iterdir()) == []
