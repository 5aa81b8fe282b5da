"""The files of a store's segments: made of the vectors of the truth, looked at, and swept away.

Which of them are live the truth says; see `index.generations`.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager

import numpy as np
from numpy.typing import NDArray

from index import generations, segments, store_folder
from index.errors import StoreCorruptError
from index.held_truth import HeldTruth, write_error
from index.words_follower import set_aside

logger = logging.getLogger(__name__)

Turn = Callable[[], AbstractContextManager[None]]

_VECTORS_AT_A_TIME = 10_000  # read for a segment before a change may come between


class SegmentFiles:
    """For one thread at a time."""

    def __init__(self, truth: HeldTruth) -> None:
        self._truth = truth
        self._folder = truth.folder / store_folder.SEGMENTS

    def write(
        self, fingerprint: str, numbers: NDArray[np.int64], at_work: Turn
    ) -> list[segments.SegmentInfo]:
        """Write the vectors that the truth has of these passages, but of those removed since.

        Others may change the truth meanwhile: it is read in turns, each inside of `at_work()`.
        """
        infos = []
        for first in range(0, len(numbers), segments.MOST_PASSAGES):
            with at_work():
                name = segments.new_name(self._truth.seq)
            held, vectors = self._vectors(
                fingerprint, numbers[first : first + segments.MOST_PASSAGES], at_work
            )
            if not len(held):
                continue
            try:
                infos.append(segments.write_segment(self._folder, name, held, vectors, fingerprint))
            except OSError as error:
                raise write_error(self._truth.folder, error) from error
        return infos

    def _vectors(
        self, fingerprint: str, numbers: NDArray[np.int64], at_work: Turn
    ) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
        """As `generations.vectors_of`, for any number of passages."""
        parts: list[tuple[NDArray[np.int64], NDArray[np.float16]]] = []
        for first in range(0, len(numbers), _VECTORS_AT_A_TIME):
            some = numbers[first : first + _VECTORS_AT_A_TIME].tolist()
            with at_work():
                part = generations.vectors_of(self._truth.connection, fingerprint, some)
            if len(part[0]) or not parts:
                parts.append(part)
        if len(parts) > 1 and not len(parts[0][0]):
            del parts[0]  # it has no dimensions
        held, vectors = zip(*parts, strict=True)
        return np.concatenate(held), np.concatenate(vectors)

    def are_sound(self) -> bool:
        """Whether all live ones are what was published; one that is not is set aside."""
        try:
            infos = generations.live_segments(self._truth.connection)
        except StoreCorruptError as error:
            logger.warning("%s", error)
            return False
        are_sound = True
        for info in infos:
            try:
                segments.check_published(self._folder, info)
            except StoreCorruptError as error:
                logger.warning("%s", error)
                damaged = self._folder / info.name
                if damaged.exists():
                    set_aside(damaged)
                are_sound = False
        return are_sound

    def sweep(self) -> None:
        """Delete segment files that no generation names; readers hold theirs in memory."""
        live = {info.name for info in generations.live_segments(self._truth.connection)}
        try:
            for path in self._folder.iterdir():
                if path.suffix in (".seg", ".draft") and path.name not in live:
                    path.unlink(missing_ok=True)
        except OSError as error:  # they are in nobody's way, and are deleted the next time
            logger.warning("%s", error)
