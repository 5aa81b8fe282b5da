"""Stores of earlier formats: brought to ours whole, or left as they were."""

import importlib.util
import os
import shutil
import sqlite3
import sys
from collections import namedtuple
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from index import backup, migrations, store_folder, tables
from index.checksums import CHECKED, columns_of, is_sound
from index.errors import ConflictError, OutputError, StoreFormatError, StoreFullError
from index.restore import restore
from index.snapshot import SnapshotReader
from index.writer import Writer

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = Path(__file__).parent / "data" / "stores"


def script(name: str) -> Any:
    path = ROOT / "scripts" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


golden_store = script("golden_store")
FORMATS = [int(path.name.split("-")[1].split(".")[0]) for path in sorted(GOLDEN.iterdir())]


@pytest.fixture
def first(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """The golden store of format 1, and its answers."""
    store_and_answers: tuple[Path, dict[str, Any]] = golden_store.unpack(
        GOLDEN / "format-1.tar.gz", tmp_path
    )
    return store_and_answers


def unsound(folder: Path) -> list[tuple[str, object]]:
    """Rows that fail their check: table, and first column."""
    with closing(store_folder.open_readonly(folder)) as truth:
        return [
            (table, row[0])
            for table in CHECKED
            for row in truth.execute(f"SELECT {columns_of(table)} FROM {table}")
            if not is_sound(table, row)
        ]


def layout(folder: Path) -> dict[str, object]:
    """Tables with their columns and keys, and the indexes."""
    with closing(store_folder.open_readonly(folder)) as truth:
        names = truth.execute(
            "SELECT name, type FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%'"
        ).fetchall()
        return {
            name: truth.execute(f"PRAGMA {kind}_xinfo({name})").fetchall() for name, kind in names
        }


def format_of(folder: Path) -> int:
    with closing(store_folder.open_readonly(folder, any_format=True)) as truth:
        return int(truth.execute("PRAGMA user_version").fetchone()[0])


def change(folder: Path, sql: str) -> None:
    with closing(
        sqlite3.connect(folder / store_folder.DATABASE, isolation_level=None)
    ) as connection:
        assert connection.execute(sql).rowcount > 0


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# ------------------------------------------------------------------ every released format


def test_there_is_a_golden_store_of_every_format() -> None:
    assert list(range(1, tables.FORMAT + 1)) == FORMATS


@pytest.mark.parametrize("number", FORMATS)
def test_a_store_of_each_format_answers_as_it_did_when_it_was_made(
    number: int, tmp_path: Path
) -> None:
    folder, answers = golden_store.unpack(GOLDEN / f"format-{number}.tar.gz", tmp_path)
    assert format_of(folder) == number
    with Writer(folder) as writer:
        repeated = writer.add(golden_store.KEYED, idempotency_key=golden_store.KEY)
        assert [(each.status, each.version) for each in repeated] == [("added", 1)]
        with pytest.raises(ConflictError):
            writer.add([golden_store.record("x", "dam")], idempotency_key=golden_store.KEY)
    assert format_of(folder) == tables.FORMAT
    assert unsound(folder) == []
    assert golden_store.answers(folder) == answers


def test_a_store_that_was_brought_to_our_format_is_laid_out_as_a_new_one(
    first: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    Writer(first[0]).close()
    Writer(tmp_path / "new").close()
    assert layout(first[0]) == layout(tmp_path / "new")


def test_what_was_damaged_before_is_not_sealed_as_sound(
    first: tuple[Path, dict[str, Any]],
) -> None:
    folder, _ = first
    change(folder, "UPDATE articles SET outlet = 'Iz' WHERE id = 'mill'")
    change(folder, "UPDATE articles SET headline = CAST(X'C328' AS TEXT) WHERE id = 'night-1'")
    change(folder, "UPDATE passages SET start = 1 WHERE number = 28")
    change(folder, "UPDATE sources SET source = X'00' WHERE article = 3")
    change(folder, "UPDATE searches SET name = 'strom'")
    Writer(folder).close()
    found = unsound(folder)
    assert sorted(table for table, _ in found) == [
        "articles",
        "articles",
        "passages",
        "searches",
        "sources",
    ]
    reader = SnapshotReader(folder)
    snapshot = reader.latest()
    assert snapshot.article("mill") is None
    assert "Iz" not in snapshot.columns.values["outlet"]
    reader.close()


# ------------------------------------------------------------------ the way there


def test_a_reader_of_an_older_format_is_told_to_open_it_for_writing(
    first: tuple[Path, dict[str, Any]],
) -> None:
    before = contents(first[0])
    with pytest.raises(StoreFormatError, match=r"format 1.*open it once for writing"):
        SnapshotReader(first[0])
    assert {name: data for name, data in contents(first[0]).items() if name in before} == before


def test_the_store_as_it_was_is_kept_and_can_be_restored(
    first: tuple[Path, dict[str, Any]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, answers = first
    Writer(folder).close()
    kept = tmp_path / "store.format-1"
    assert f"the store as it was is kept in {kept}" in caplog.text
    assert backup.read_manifest(kept).format == 1
    restore(kept, tmp_path / "again")
    assert golden_store.answers(tmp_path / "again") == answers


def test_a_store_is_left_as_it_is_when_there_is_no_room_for_a_backup(
    first: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder, _ = first
    before = contents(folder)
    usage = namedtuple("usage", "total used free")
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda _: usage(0, 0, 100_000))
        with pytest.raises(StoreFullError, match="nothing was changed; free some space"):
            Writer(folder)
    after = contents(folder)
    assert {name: after[name] for name in before} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answers.json", "store"]


def test_a_store_is_left_as_it_is_when_it_cannot_be_backed_up(
    first: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = first

    def refused(*_: object) -> None:
        raise OutputError("store.format-1: Permission denied")

    with monkeypatch.context() as unwritable:
        unwritable.setattr(backup, "back_up", refused)
        with pytest.raises(OutputError, match=r"nothing was changed: .* backed up beside"):
            Writer(folder)
    assert format_of(folder) == 1
    Writer(folder).close()
    assert format_of(folder) == tables.FORMAT


def test_a_step_that_fails_leaves_the_format_before_it(
    first: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, answers = first
    step = migrations._STEPS[1]

    def fails(before: sqlite3.Connection, truth: sqlite3.Connection) -> None:
        step(before, truth)
        raise KeyboardInterrupt

    with monkeypatch.context() as failing:
        failing.setattr(migrations, "_STEPS", {1: fails})
        with pytest.raises(KeyboardInterrupt):
            Writer(folder)
    assert format_of(folder) == 1
    Writer(folder).close()
    assert golden_store.answers(folder) == answers


def test_a_backup_that_is_there_already_is_not_made_twice(
    first: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder, _ = first
    again = Path(shutil.copytree(folder, tmp_path / "copy"))
    Writer(folder).close()
    shutil.rmtree(folder)
    again.rename(folder)  # as after a migration that was cut off behind its backup
    Writer(folder).close()
    assert [path.name for path in tmp_path.glob("store.*")] == ["store.format-1"]


def test_another_store_s_backup_is_left_alone(
    first: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "store.format-1").mkdir()
    (tmp_path / "store.format-1" / "letters.txt").write_text("Dear editor")
    Writer(first[0]).close()
    assert [path.name for path in (tmp_path / "store.format-1").iterdir()] == ["letters.txt"]
    assert backup.read_manifest(tmp_path / "store.format-1.2").format == 1


def test_a_newer_format_that_only_the_log_tells_of_is_refused_unchanged(
    first: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """As a newer Nutgraf leaves it that is killed while it migrates."""
    folder, _ = first
    Writer(folder).close()
    killed = tmp_path / "killed"
    with closing(
        sqlite3.connect(folder / store_folder.DATABASE, isolation_level=None)
    ) as connection:
        connection.execute(f"PRAGMA user_version = {tables.FORMAT + 1}")
        shutil.copytree(folder, killed)
    (killed / "nutgraf.db-shm").unlink()
    before = contents(killed)
    for open_it in (Writer, SnapshotReader):
        with pytest.raises(StoreFormatError, match="install the newer Nutgraf"):
            open_it(killed)
    after = contents(killed)
    assert {name: after[name] for name in before if name != "writer.lock"} == {
        name: data for name, data in before.items() if name != "writer.lock"
    }


def test_beside_the_root_of_a_volume_the_backup_goes_into_the_folder(
    first: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, answers = first
    with monkeypatch.context() as mounted:
        mounted.setattr(os.path, "ismount", lambda path: Path(path) == folder)
        Writer(folder).close()
    assert backup.read_manifest(folder / "store.format-1").format == 1
    Writer(folder).close()
    assert golden_store.answers(folder) == answers
