"""A child process that answers requests one after another, and what becomes of it.

A request is a length and a body on the child's standard input; a reply is a kind of one byte, a
length and a body on its standard output.
"""

import contextlib
import os
import select
import signal
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from queue import SimpleQueue
from typing import IO

from index.default_model import child_environment

_LENGTH = struct.Struct("<Q")
_HEADER = struct.Struct("<cQ")

# --- the parent's side ---------------------------------------------------------------------------


class ChildEndedError(Exception):
    """The child has ended, by itself or by `close`; the text says why, as far as it is known."""


class ChildProcess:
    """A child that runs one of our modules, which calls `Requests`; for one thread at a time.

    It ignores SIGINT, so that the parent decides what Ctrl-C means, and ends when the parent
    does, however that ends.
    """

    def __init__(self, module: str, *arguments: str, environment: Mapping[str, str]) -> None:
        """Start it, with more variables than the parent's in its environment."""
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # closed in close()
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env={**child_environment(), **environment},
            process_group=0,  # out of reach of the terminal's Ctrl-C from the first moment
        )

    @property
    def pid(self) -> int:
        return self._child.pid

    def reply(self, request: bytes | None = None) -> tuple[bytes, bytes]:
        """Kind and body of the next reply, to `request` if there is one.

        If it is interrupted, by Ctrl-C too, the child is ended.

        Raises:
            ChildEndedError: the child ended before it replied, or has been closed.
        """
        requests, replies = self._child.stdin, self._child.stdout
        assert requests is not None  # PIPE was asked for
        assert replies is not None
        if replies.closed:
            raise ChildEndedError("it was closed")
        try:
            if request is not None:
                _write(requests, _LENGTH.pack(len(request)), request)
            kind, length = _HEADER.unpack(_read(replies, _HEADER.size))
            return kind, _read(replies, length)
        except (BrokenPipeError, EOFError) as error:
            death = self._death()
            self.close()
            raise death from error
        except BaseException:
            self.close()  # what it is about to say would be taken for the next reply
            raise

    def has_more(self) -> bool:
        """Whether the next reply has begun to come, or the child has ended; not after `close`."""
        assert self._child.stdout is not None  # PIPE was asked for
        return bool(select.select([self._child.stdout], [], [], 0)[0])

    def close(self) -> None:
        """End the child, in the midst of its work if need be. May be called again."""
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout, self._said):
            assert pipe is not None  # PIPE was asked for
            with contextlib.suppress(BrokenPipeError):  # of what it had not yet read
                pipe.close()

    def _death(self) -> ChildEndedError:
        status = self._child.wait()
        cause = f"exit status {status}" if status >= 0 else signal.strsignal(-status)
        if status == -signal.SIGKILL:
            cause = "killed; is the machine out of memory?"
        self._said.seek(0)
        last_line = self._said.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
        return ChildEndedError(f"{cause} {last_line}".rstrip())


# --- the child's side ----------------------------------------------------------------------------


class Requests:
    """What the parent asks, and the way to answer."""

    def __init__(self, *, niceness: int) -> None:
        """Take over standard input and output; run with so much less priority than the parent."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.nice(niceness)
        # Whatever a library prints must not be taken for a reply.
        self._replies = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)
        self._waiting: SimpleQueue[bytes] = SimpleQueue()
        threading.Thread(target=self._receive, args=(sys.stdin.buffer,), daemon=True).start()

    def next(self) -> bytes:
        """The next request; waits for it."""
        return self._waiting.get()

    def reply(self, kind: bytes, body: bytes) -> None:
        _write(self._replies, _HEADER.pack(kind, len(body)), body)

    def _receive(self, pipe: IO[bytes]) -> None:
        """Pass requests on, and end the process, though it be at work, when the parent is gone."""
        try:
            while True:
                (length,) = _LENGTH.unpack(_read(pipe, _LENGTH.size))
                self._waiting.put(_read(pipe, length))
        except EOFError:
            os._exit(0)


# --- both ----------------------------------------------------------------------------------------


def _write(pipe: IO[bytes], head: bytes, body: bytes) -> None:
    pipe.write(head)
    pipe.write(body)
    pipe.flush()


def _read(pipe: IO[bytes], length: int) -> bytes:
    data = pipe.read(length)
    if len(data) < length:
        raise EOFError
    return data
