"""A file that appears whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from index.errors import OutputError
from index.synced_folders import sync_folder


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to, which takes its name when the block ends well.

    Until then, and for good if the block raises, what was at `path` stays as it was. Once this
    returns the file survives a power cut.

    Raises:
        OutputError: it cannot be written; the message says why.
    """
    target = path.resolve()  # a link stays a link
    if target.exists() and not target.is_file():
        raise OutputError(f"{path}: this is no file; give the name of one, or a new name")
    draft = target.with_name(f".nutgraf-{secrets.token_hex(8)}.part")
    try:
        file = draft.open("xb")
    except OSError as error:
        raise _refused(path, error) from error
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise _refused(path, error) from error
    finally:
        draft.unlink(missing_ok=True)


def _refused(path: Path, error: OSError) -> OutputError:
    return OutputError(f"{path}: {error.strerror or error}; nothing was written there")
