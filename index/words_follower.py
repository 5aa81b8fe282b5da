"""Keeps the word index in step with the truth, and builds it anew where it is not to be trusted."""

import contextlib
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

from index import store, store_folder, synced_folders
from index.checksums import columns_of, sound
from index.errors import StoreCorruptError, StoreLockedError
from index.held_truth import HeldTruth, write_error
from index.precedence import give_way
from index.words import COMMITS_OF_ONE_OPENING, WordsIndex, WordsRow

logger = logging.getLogger(__name__)


class WordsFollower:
    """The writing side of the word index. Not for several threads at once."""

    def __init__(self, truth: HeldTruth) -> None:
        """Open the word index; one that is missing, damaged or ahead of the truth is built anew.

        Raises:
            StoreLockedError: another process writes to it.
            StoreFullError, StoreReadOnlyError: the disk failed.
        """
        self._truth = truth
        self._path = truth.folder / store_folder.WORDS
        self._is_doubtful = False
        self._words = self._opened()

    @property
    def horizon(self) -> int:
        """The `seq` of the last commit that is in the index."""
        return self._words.horizon

    def settle(self) -> None:
        """Open the index anew after a call on it has failed, and when it has been open for long.

        After a failure its state is unknown.
        """
        is_doubtful = self._is_doubtful
        if is_doubtful or self._words.commits >= COMMITS_OF_ONE_OPENING:
            self._is_doubtful = True  # until it is open again
            self.close()
            self._words = self._opened(check=is_doubtful)
            self._is_doubtful = False

    def follow(self) -> None:
        """Bring the index up to the truth, in one commit of its own, if it is behind."""
        seq, horizon = self._truth.seq, self.horizon
        if not store.has_changes_since(self._truth.connection, horizon):
            return
        self._truth.refuse_if_overtaken()
        try:
            self._words.apply(seq, self._removed_since(horizon), self._added_since(horizon))
        except (OSError, ValueError) as error:
            self._is_doubtful = True
            raise write_error(self._truth.folder, error) from error

    def rebuild(self, reason: str) -> None:
        """Build the index anew from the truth; readers keep the one they have meanwhile.

        Raises:
            StoreFullError, StoreReadOnlyError: the disk failed; the next call tries again.
        """
        self._words.close()
        self._words = self._rebuilt(reason)

    def close(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._words.close()

    def _removed_since(self, horizon: int) -> list[int]:
        rows = self._truth.connection.execute(
            f"SELECT {columns_of('tombstones')} FROM tombstones WHERE seq > ?", (horizon,)
        )
        return [passage for passage, *_ in sound("tombstones", rows)]

    def _added_since(self, horizon: int) -> Iterator[WordsRow]:
        for article, passages in store.articles_added(self._truth.connection, horizon):
            give_way()
            day = article.published.on.toordinal() if article.published else None
            for passage in passages:
                yield WordsRow(
                    number=passage.number,
                    body=passage.text,
                    headline=article.headline,
                    outlet=article.outlet,
                    byline=article.byline,
                    section=article.section,
                    language=article.language,
                    day=day,
                )

    def _opened(self, *, check: bool = True) -> WordsIndex:
        if self._truth.seq and not (self._path / "meta.json").exists():
            return self._rebuilt("is missing")
        try:
            words = WordsIndex(self._path, check=check)
        except StoreCorruptError as error:
            return self._rebuilt(f"is damaged ({error})")
        except ValueError as error:  # what tantivy says of the disk, or of what stands there
            folder = self._truth.folder
            if "corrupt" in str(error):  # its files were cut off in a way that it sees only late
                return self._rebuilt(f"is damaged ({error})")
            if "LockBusy" in str(error):  # the file of our own lock was deleted under a writer
                raise StoreLockedError(
                    f"{folder}: another process is writing to this store; stop it and repeat",
                    "another process",
                ) from error
            raise write_error(folder, error) from error
        if words.horizon <= self._truth.seq:
            return words
        words.close()
        return self._rebuilt("is ahead of the store")

    def _rebuilt(self, reason: str) -> WordsIndex:
        """Built beside its place: readers never see a part of it."""
        folder, draft = self._truth.folder, self._truth.folder / f"{store_folder.WORDS}.new"
        logger.warning("%s: the word index %s, rebuilding it", folder, reason)
        try:
            if draft.exists():
                shutil.rmtree(draft)
            words = WordsIndex(draft)
            words.apply(self._truth.seq, [], self._added_since(0))
            words.close()
            if self._path.exists():
                set_aside(self._path)
            draft.rename(self._path)
            synced_folders.sync_folder(folder)
            return WordsIndex(self._path)
        except (OSError, ValueError) as error:
            self._is_doubtful = True
            raise write_error(folder, error) from error


def set_aside(path: Path) -> None:
    """Rename what is damaged, for a person to look at; the newest one is kept."""
    aside = path.with_name(f"{path.name}.damaged")
    if aside.is_dir():
        shutil.rmtree(aside)
    path.rename(aside)
