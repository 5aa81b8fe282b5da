"""A folder that appears under its name whole and synced, or not at all."""

import contextlib
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from index.errors import OutputError, StoreFullError
from index.synced_folders import sync_folder


@contextlib.contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A draft beside `target` that takes its name when the block ends well; yields the draft.

    A draft that a killed process left is begun anew.

    Raises:
        OutputError: `target` is there and not empty, somebody else makes it just now, or it
            cannot be written.
        StoreFullError: no space left on the device.
    """
    target = target.absolute()
    draft = target.with_name(f".{target.name}.draft")
    try:
        refuse_what_is_there(target)
        draft.mkdir(parents=True, exist_ok=True)
        with _locked(draft):
            try:
                _empty(draft)
                yield draft
                _sync(draft)
                draft.rename(target)  # over an empty folder, and over nothing else
            except BaseException:
                shutil.rmtree(draft, ignore_errors=True)
                raise
        sync_folder(target.parent)
        sync_folder(target.parent.parent)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StoreFullError(
                f"{target}: no space left on the device; nothing was kept; "
                "free some space and repeat it"
            ) from error
        raise OutputError(f"{target}: {error.strerror}; choose another folder") from error


def refuse_what_is_there(target: Path) -> None:
    """Raise OutputError unless `target` is an empty folder or nothing."""
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise OutputError(f"{target}: not a folder; choose a new or an empty one")
    if target.is_dir() and next(target.iterdir(), None):
        raise OutputError(f"{target}: not empty; choose a new or an empty folder")


@contextlib.contextmanager
def _locked(draft: Path) -> Iterator[None]:
    descriptor = os.open(draft, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise OutputError(f"{draft}: another process is writing this; wait for it") from error
    finally:
        os.close(descriptor)


def _empty(folder: Path) -> None:
    for left_over in folder.iterdir():
        if left_over.is_dir():
            shutil.rmtree(left_over)
        else:
            left_over.unlink()


def _sync(folder: Path) -> None:
    """Make all that is in a folder survive a power cut."""
    for place, _, names in os.walk(folder):
        for name in names:
            with (Path(place) / name).open("rb") as file:
                os.fsync(file.fileno())
        sync_folder(Path(place))
