"""A file that is written over hours, and goes on where it was after any interruption.

What is written stands in `FILE.part` until all is there; only then it is `FILE`, in place of what
was there before. Beside it `FILE.part.journal` says for which run it is, and how far it is sure:

    {"run": {"questions": "9f2c…", "k": 10, …}}
    {"done": 0, "bad": 0, "size_bytes": 214}
    {"done": 37, "bad": 1, "size_bytes": 60112}

A line is added once what it speaks of is on the disk. So whatever stops the run, a kill or a power
cut, the next one keeps what the last whole line says, cuts the rest off, and does it again.
"""

import fcntl
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from index.errors import OutputError
from index.synced_folders import sync_folder

# What a kill can cost; a sync costs some ms, which must not be paid for each question.
_SYNC_INTERVAL_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class _State:
    """How far an output is sure."""

    done: int
    bad: int
    size_bytes: int  # up to the end of the last item that is done


class ResumableOutput:
    """Takes what one run writes, item by item; use it as a context manager.

    Raises:
        OutputError: the file cannot be written, another process writes it, or what is there of it
            comes from another run; the message says what to do.
    """

    def __init__(self, path: Path, run: Mapping[str, object], head: bytes) -> None:
        """`run`: all that decides what is written, by names for messages; JSON's values.

        `head` comes first.
        """
        self.path = path
        target = path.resolve()  # a link stays a link
        if target.exists() and not target.is_file():
            raise OutputError(f"{path}: this is no file; give the name of one, or a new name")
        self._target = target
        self._part_path = target.with_name(f"{target.name}.part")
        self._journal_path = target.with_name(f"{target.name}.part.journal")
        self._state = _State(0, 0, len(head))
        try:
            self._journal = self._locked_journal()
            try:
                if not self._goes_on(run):
                    self._begin(run, head)
                self._part = self._part_path.open("ab")
            except BaseException:
                self._journal.close()
                raise
        except OSError as error:
            raise self._refused(error) from error
        self._synced_s = time.monotonic()

    @property
    def done(self) -> int:
        """Items written, those of earlier runs among them."""
        return self._state.done

    @property
    def bad(self) -> int:
        """How many of these were counted as bad."""
        return self._state.bad

    def append(self, data: bytes, *, bad: bool) -> None:
        """Write what belongs to the next item."""
        try:
            self._part.write(data)
            # In one step: Ctrl-C comes before it or after it.
            self._state = _State(self.done + 1, self.bad + bad, self._state.size_bytes + len(data))
            if time.monotonic() - self._synced_s >= _SYNC_INTERVAL_S:
                self._sync()
        except OSError as error:
            raise self._refused(error) from error

    def finish(self) -> None:
        """All is written: give the file its name. Once this returns it survives a power cut."""
        try:
            self._sync()
            self._part.close()
            self._part_path.replace(self._target)
            sync_folder(self._target.parent)
            self._journal_path.unlink()
        except OSError as error:
            raise self._refused(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._journal:
            if not self._part.closed:
                # What is lost by a failure here is done again, and an error is on its way already.
                with suppress(OSError):
                    self._sync()
                with suppress(OSError):
                    self._part.close()

    def _locked_journal(self) -> IO[bytes]:
        journal = self._journal_path.open("a+b")
        try:
            fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            journal.close()
            raise OutputError(
                f"{self.path}: another run is writing it; wait for it, or give another name"
            ) from None
        return journal

    def _goes_on(self, run: Mapping[str, object]) -> bool:
        """Whether something is sure of an earlier run; the rest of it is cut off."""
        if not self._part_path.exists():
            return False
        there_bytes = self._part_path.stat().st_size
        before, *states = self._noted() or [{}]
        sure = [_State(**state) for state in states if state["size_bytes"] <= there_bytes]
        if not sure:
            return False
        self._check_run(before["run"], run)
        self._state = sure[-1]
        os.truncate(self._part_path, self._state.size_bytes)
        # Said again, lest a line that was passed over should fit a longer file later.
        self._note(asdict(self._state))
        return True

    def _noted(self) -> list[dict[str, Any]]:
        """The journal's whole lines; what a crash left behind them is cut off."""
        self._journal.seek(0)
        noted, size_bytes = [], 0
        with suppress(ValueError):
            for line in self._journal:
                if not line.endswith(b"\n"):
                    break
                noted.append(json.loads(line))
                size_bytes += len(line)
        self._journal.truncate(size_bytes)
        return noted

    def _check_run(self, before: Mapping[str, object], now: Mapping[str, object]) -> None:
        changed = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
        if changed:
            raise OutputError(
                f"{self._part_path} is what another run has written so far, with other "
                f"{', '.join(changed)}; finish that run by its own command, remove the file, "
                "or give another name"
            )

    def _begin(self, run: Mapping[str, object], head: bytes) -> None:
        # The journal speaks of the file that is there: emptied before that begins anew.
        self._journal.truncate(0)
        with self._part_path.open("wb") as part:
            part.write(head)
            part.flush()
            os.fsync(part.fileno())
        self._note({"run": run})
        self._note(asdict(self._state))

    def _sync(self) -> None:
        state = self._state
        self._part.flush()
        os.fsync(self._part.fileno())
        self._note(asdict(state))
        self._synced_s = time.monotonic()

    def _note(self, line: Mapping[str, object]) -> None:
        self._journal.write(f"{_json(line)}\n".encode())
        self._journal.flush()

    def _refused(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self._part_path}: {error.strerror or error}; what is written so far is kept"
        )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
