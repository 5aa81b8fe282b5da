"""Judges the store that a killed writer left, against what it must show.

It is read as it lies, by a reader that was open before and by a new one; then a new writer
recovers it, it is read again, and the operation that was cut off is repeated.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1]), str(HERE.parents[1] / "tests")]

from desk_oracle import Desk, kept  # noqa: E402
from kill_writer import Report  # noqa: E402
from oracle import Model, shown  # noqa: E402
from writer_operations import Operation, perform  # noqa: E402

from index import store_folder  # noqa: E402
from index.errors import StoreError  # noqa: E402
from index.generations import live_segments  # noqa: E402
from index.snapshot import SnapshotReader  # noqa: E402
from index.writer import Writer  # noqa: E402

REOPENING_S: Final = 2.0  # longest that a writer may take to recover a small store


@contextmanager
def folder_in_memory() -> Iterator[Path]:
    """A folder in memory where there is one: SIGKILL spares the page cache, so it is as good."""
    parent = "/dev/shm" if Path("/dev/shm").is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="nutgraf-kill-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@dataclass(slots=True)
class Expected:
    """The articles and the desk that a store must show."""

    model: Model = field(default_factory=Model)
    desk: Desk = field(default_factory=Desk)

    def copy(self) -> "Expected":
        return Expected(self.model.copy(), self.desk.copy())

    def apply(self, operation: Operation, answer: object) -> object:
        """Apply an operation; returns what it must answer.

        What is embedded depends on the order of waiting, which is for another test: it is
        believed.
        """
        model = self.model
        match operation.kind:
            case "add" | "add many" | "replace":
                return [list(item) for item in model.add(operation.records, operation.key)]
            case "remove":
                return model.remove(operation.ids)
            case "embed":
                assert isinstance(answer, list)
                model.embed(answer)
                return answer
            case "compact" | "publish":
                # To publish compacts as well, with many segments or many dead vectors.
                model.compact(certainly=operation.kind == "compact")
            case "switch":
                model.embed_all()
            case "finish":
                model.clean(operation.records)
            case "desk":
                answer = getattr(self.desk, operation.step)(*operation.arguments)
                return list(answer) if isinstance(answer, tuple) else answer
        return None


class Judge:
    """Judges a store after each kill, beside a reader that outlives them."""

    def __init__(
        self, folder: Path, expected: Expected, *, reader: bool = True, readable: bool = True
    ) -> None:
        """A judge of the store in `folder`, which shows what is `expected` so far.

        Args:
            reader: one is open all the time; without it a writer that closes shortens the log.
            readable: the store can be read as it lies; else it may be that it has to be mended.
        """
        self.folder, self.expected = folder, expected
        self._readable = readable
        self.slowest_s = 0.0  # reopening
        self._reader = SnapshotReader(folder) if reader else None
        if self._reader:
            self._reader.latest()

    def close(self) -> None:
        if self._reader:
            self._reader.close()

    def judge(self, operations: Sequence[Operation], report: Report) -> str:
        """Hold what a killed writer left against what it had acknowledged.

        Returns the name of the operation that was cut off; `nothing` when the kill came after the
        last acknowledgement.

        Raises:
            AssertionError: something was lost, came back, or is there by half.
        """
        assert not report.failure, report.failure
        assert report.killed
        for operation, answer in zip(operations, report.acknowledged, strict=False):
            expected = self.expected.apply(operation, answer)
            assert answer == expected, f"{operation.name} answered {answer}, expected {expected}"
        struck = _struck(operations, report)
        cut_off = operations[report.begun] if struck not in ("open", "nothing") else None
        self._recover(cut_off, report.texts)
        return struck

    def _recover(self, cut_off: Operation | None, texts: list[str]) -> None:
        before, after = self.expected, self.expected.copy()
        if cut_off:
            after.apply(cut_off, texts)
            before.model.compact(certainly=False)  # it may have dropped what none needs
        may_be = (before, after)
        as_it_lies = self._as_it_lies(may_be)
        began_s = time.monotonic()
        with Writer(self.folder) as writer:
            self.slowest_s = max(self.slowest_s, time.monotonic() - began_s)
            self.expected = self._shown_by_all(may_be)
            assert as_it_lies is not after or self.expected is after, "recovery undid a change"
            self._assert_nothing_is_left_over()
            if cut_off and self._may_be_repeated(cut_off, after):
                answer = perform(writer, cut_off)
                expected = self.expected.apply(cut_off, answer)
                assert answer == expected, f"repeated, {cut_off.name} answered {answer}"
            if cut_off and cut_off.kind == "close":
                return
            self._shown_by_all((self.expected,))

    def _as_it_lies(self, may_be: tuple[Expected, ...]) -> Expected | None:
        """Which of these states is shown before a writer comes; None: the store says that it waits.

        It says so in words of its own: a `StoreError`, never what the libraries below raise.
        """
        if self._readable:
            return self._shown_by_all(may_be)
        try:
            return self._shown_by_all(may_be)
        except StoreError:
            return None

    def _may_be_repeated(self, cut_off: Operation, after: Expected) -> bool:
        """A step of the desk that was taken is not taken twice: it names what is no more there."""
        return cut_off.kind != "desk" or self.expected is not after

    def _shown_by_all(self, may_be: tuple[Expected, ...]) -> Expected:
        """Which of these states all readers show; the first of those that fit."""
        newcomer = SnapshotReader(self.folder)
        with closing(newcomer), closing(store_folder.open_readonly(self.folder)) as truth:
            snapshot = newcomer.latest()
            seen, desk = shown(snapshot), kept(truth)
            if self._reader:
                assert shown(self._reader.latest()) == seen, "an old and a new reader disagree"
            wrong = []
            for expected in may_be:
                difference = (
                    expected.model.differs_from(seen)
                    or expected.model.former_differs_from(snapshot)
                    or expected.desk.differs_from(desk)
                )
                if not difference:
                    return expected
                wrong.append(difference)
        raise AssertionError(" / ".join(wrong))

    def _assert_nothing_is_left_over(self) -> None:
        with closing(store_folder.open_readonly(self.folder)) as truth:
            live = {info.name for info in live_segments(truth)}
        found = {path.name for path in (self.folder / store_folder.SEGMENTS).iterdir()}
        assert {name for name in found if not name.endswith(".damaged")} == live


def _struck(operations: Sequence[Operation], report: Report) -> str:
    if len(report.boundaries) == len(operations) + 1:
        return "nothing"
    return operations[report.begun].name if report.begun >= 0 else "open"
