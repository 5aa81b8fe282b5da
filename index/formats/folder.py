"""Which files of a folder are read, and in what order."""

import os
import stat
from collections.abc import Container, Iterator
from pathlib import Path, PurePath, PurePosixPath

# A BEIR data set keeps its questions and judgments beside its corpus; these are no articles.
_CORPUS = ("corpus.jsonl", "corpus.jsonl.gz", "corpus.jsonl.zst")
_JUDGMENTS = ("queries.jsonl", "queries.jsonl.gz", "queries.jsonl.zst", "qrels.tsv", "qrels.txt")


def files_under(folder: Path) -> Iterator[Path | OSError]:
    """All files under a folder, sorted by name level by level, a folder's own before its folders'.

    Hidden names and BEIR's judgments are passed over. Links are followed, each folder is read
    once, so that loops end. A folder that cannot be listed comes as its error.
    """
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        try:
            place = os.stat(current)
            names = sorted(os.listdir(current))
        except OSError as error:
            yield error
            continue
        if (place.st_dev, place.st_ino) in seen:
            continue
        seen.add((place.st_dev, place.st_ino))
        read = [name for name in names if not _is_passed_over(name, names)]
        folders = [current / name for name in read if (current / name).is_dir()]
        is_folder = set(folders)
        yield from (current / name for name in read if current / name not in is_folder)
        waiting += reversed(folders)


def is_hidden(path: PurePath) -> bool:
    """Whether a path has a part that begins with a dot, or is what macOS adds to zips."""
    return any(
        part == "__MACOSX" or (part.startswith(".") and part not in (".", ".."))
        for part in path.parts
    )


def is_judgment(path: PurePosixPath, names: Container[str]) -> bool:
    """Whether a path is a BEIR data set's questions or judgments: a corpus is among `names`."""
    folder = path.parent
    if folder.name == "qrels":
        folder = folder.parent
    elif path.name not in _JUDGMENTS:
        return False
    return any(str(folder / corpus) in names for corpus in _CORPUS)


def is_regular(path: Path) -> bool:
    """Whether it is a file that ends, no pipe or device. OSError: it cannot be looked at."""
    return stat.S_ISREG(os.stat(path).st_mode)


def _is_passed_over(name: str, names: Container[str]) -> bool:
    path = PurePosixPath(name)
    has_corpus = any(corpus in names for corpus in _CORPUS)
    return is_hidden(path) or (has_corpus and name in (*_JUDGMENTS, "qrels"))
