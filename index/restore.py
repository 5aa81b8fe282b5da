"""Makes a store from a backup: into a folder that is absent or empty, whole or not at all."""

import logging
import shutil
from pathlib import Path

from index import migrations, store_folder
from index.backup import CopiedFile, Manifest, copy_checked, read_manifest
from index.errors import StoreCorruptError
from index.snapshot import SnapshotReader
from index.whole_folder import refuse_what_is_there, whole_folder
from index.writer import Writer

logger = logging.getLogger(__name__)


def restore(backup: Path, folder: Path) -> Manifest:
    """Make the store that was backed up; returns what the backup says that it holds.

    Each file is held against its digest first. A segment or a word index that is missing or damaged
    is made anew: what they hold is in the database. A backup of an older format comes out as a
    store of ours; the backup stays as it is.

    Raises:
        StoreFormatError: the folder is no backup, or one of a newer format.
        StoreCorruptError: the backup is damaged, or what came of it is not what it says.
        OutputError, StoreFullError, StoreReadOnlyError: the store cannot be written there.
    """
    refuse_what_is_there(folder)
    manifest = read_manifest(backup)
    with whole_folder(folder) as draft:
        for folder_of_files in (store_folder.SEGMENTS, store_folder.WORDS):
            (draft / folder_of_files).mkdir()
        damaged = [
            name
            for name, expected in manifest.files.items()
            if not _is_copied(backup, name, expected, draft)
        ]
        _leave_out(damaged, backup, draft)
        migrations.migrate_restored(draft)
        Writer(draft).close()  # makes what is left out, and brings up what is behind
        (draft / "writer.lock").unlink()
        _check(draft, manifest)
    return manifest


def _is_copied(backup: Path, name: str, expected: CopiedFile, draft: Path) -> bool:
    """Whether a file was there, is what the backup says, and was copied."""
    place, _, file = name.rpartition("/")
    if name != store_folder.DATABASE and (
        place not in (store_folder.SEGMENTS, store_folder.WORDS) or file in ("", "..")
    ):
        raise StoreCorruptError(f"{backup / name}: not a file of a backup; nothing was restored")
    try:
        with (backup / name).open("rb") as source:
            return copy_checked(source, draft / name) == expected
    except FileNotFoundError:
        return False


def _leave_out(damaged: list[str], backup: Path, draft: Path) -> None:
    """Drop what can be made anew."""
    for name in damaged:
        if name == store_folder.DATABASE:
            raise StoreCorruptError(
                f"{backup / name}: missing or damaged; nothing was restored; "
                "take another backup of the store"
            )
        logger.warning("%s: missing or damaged; it is made anew", backup / name)
        (draft / name).unlink(missing_ok=True)
    if any(name.startswith(f"{store_folder.WORDS}/") for name in damaged):
        shutil.rmtree(draft / store_folder.WORDS)


def _check(folder: Path, manifest: Manifest) -> None:
    """Hold what is shown against what was backed up."""
    reader = SnapshotReader(folder)
    try:
        shown = reader.latest()
        found = (shown.articles, shown.passages, shown.embedded)
    finally:
        reader.close()
    expected = (manifest.articles, manifest.passages, manifest.embedded)
    if shown.seq < manifest.seq or found != expected:
        raise StoreCorruptError(
            f"{folder}: {found} articles, passages and vectors came of the backup, which says "
            f"{expected}; nothing was restored; take another backup of the store"
        )
