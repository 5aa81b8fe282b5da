"""Embedding in a process of its own, of lower priority, so that adding and answering stay quick.

The child is `python -m index.embedding MODEL THREADS`. A request is a length and a JSON list of
texts on its standard input; a reply is a kind, a length and a body on its standard output: `R`
what the model is, once at the beginning, `V` the vectors as float32 bytes, `E` what went wrong.
"""

import contextlib
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from queue import SimpleQueue
from types import TracebackType
from typing import IO, Self

import numpy as np

from index.default_model import child_environment
from index.errors import ModelError
from index.model import DEFAULT_MODEL, Embeddings, Encoder, load_encoder

_NICENESS = 10
_LENGTH = struct.Struct("<Q")
_HEADER = struct.Struct("<cQ")
_READY, _VECTORS, _ERROR = b"R", b"V", b"E"


# --- the parent's side ---------------------------------------------------------------------------


class EmbeddingProcess:
    """A child process that embeds with all processor cores; a context manager.

    It loads the model while the parent goes on. It ignores SIGINT, so that the parent decides
    what Ctrl-C means, and ends when the parent does, however that ends. It is an `Encoder` for
    one thread at a time.
    """

    def __init__(self, model: str = DEFAULT_MODEL, *, threads: int | None = None) -> None:
        """Start the child; `threads` None: as many as there are cores this process may use."""
        cores = threads or len(os.sched_getaffinity(0))
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # closed in close()
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", "index.embedding", model, str(cores)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            # torch settles its threads on import.
            env={**child_environment(), "OMP_NUM_THREADS": str(cores)},
            process_group=0,  # out of reach of the terminal's Ctrl-C from the first moment
        )
        self._identity: tuple[str, int] | None = None

    @property
    def fingerprint(self) -> str:
        """As of the encoder; waits until the model is loaded. ModelError if it cannot be."""
        return self._loaded()[0]

    @property
    def dim(self) -> int:
        """As of the encoder; waits until the model is loaded. ModelError if it cannot be."""
        return self._loaded()[1]

    def embed(self, texts: Sequence[str]) -> Embeddings:
        """As `Encoder.embed`: shape (len(texts), dim), float32, rows of norm 1.

        If it is interrupted, by Ctrl-C too, the child is ended and this object is of no more use.

        Raises:
            ModelError: the model cannot be loaded or gave a vector that is none, or the child
                died; the message says why.
        """
        dim = self.dim
        vectors = self._reply(json.dumps(list(texts)).encode())  # escaped: any text, surrogates too
        return np.frombuffer(bytearray(vectors), np.float32).reshape(len(texts), dim)

    def close(self) -> None:
        """End the child, in the midst of its work if need be. May be called again."""
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout, self._said):
            assert pipe is not None  # PIPE was asked for
            with contextlib.suppress(BrokenPipeError):  # of what it had not yet read
                pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _loaded(self) -> tuple[str, int]:
        if self._identity is None:
            identity = json.loads(self._reply())
            self._identity = (identity["fingerprint"], identity["dim"])
        return self._identity

    def _reply(self, request: bytes | None = None) -> bytes:
        """The next reply, to `request` if there is one; its error is raised."""
        requests, replies = self._child.stdin, self._child.stdout
        assert requests is not None  # PIPE was asked for
        assert replies is not None
        if replies.closed:
            raise ModelError("the embedding process has ended; start another one")
        try:
            if request is not None:
                _write(requests, _LENGTH.pack(len(request)), request)
            kind, length = _HEADER.unpack(_read(replies, _HEADER.size))
            body = _read(replies, length)
        except (BrokenPipeError, EOFError) as error:
            death = self._death()
            self.close()
            raise death from error
        except BaseException:
            self.close()  # what it is about to say would be taken for the next reply
            raise
        if kind == _ERROR:
            raise ModelError(body.decode())
        return body

    def _death(self) -> ModelError:
        status = self._child.wait()
        cause = f"exit status {status}" if status >= 0 else signal.strsignal(-status)
        if status == -signal.SIGKILL:
            cause = "killed; is the machine out of memory?"
        self._said.seek(0)
        last_line = self._said.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
        return ModelError(f"the embedding process ended: {cause} {last_line}".rstrip())


# --- the child's side ----------------------------------------------------------------------------


def _main(model: str, threads: int) -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICENESS)
    # Whatever a library prints must not be taken for a reply.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_receive, args=(sys.stdin.buffer, requests), daemon=True).start()
    try:
        encoder = load_encoder(model, threads=threads)
    except ModelError as error:
        _send(replies, _ERROR, str(error).encode("utf-8", "replace"))
        return 1
    identity = {"fingerprint": encoder.fingerprint, "dim": encoder.dim}
    _send(replies, _READY, json.dumps(identity).encode())
    while True:
        _send(replies, *_answer(encoder, json.loads(requests.get())))


def _receive(pipe: IO[bytes], requests: "SimpleQueue[bytes]") -> None:
    """Pass requests on, and end the process, though it be embedding, when the parent is gone."""
    try:
        while True:
            (length,) = _LENGTH.unpack(_read(pipe, _LENGTH.size))
            requests.put(_read(pipe, length))
    except EOFError:
        os._exit(0)


def _answer(encoder: Encoder, texts: list[str]) -> tuple[bytes, bytes]:
    try:
        return _VECTORS, encoder.embed(texts).tobytes()
    except ModelError as error:
        return _ERROR, str(error).encode("utf-8", "replace")


def _send(replies: IO[bytes], kind: bytes, body: bytes) -> None:
    _write(replies, _HEADER.pack(kind, len(body)), body)


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


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1], int(sys.argv[2])))
