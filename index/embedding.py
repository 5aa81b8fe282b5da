"""Embedding in a process of its own, of lower priority, so that adding and answering stay quick.

The child is `python -m index.embedding MODEL THREADS DEVICE`, see `child_process`. A request is a
JSON list of texts. A reply is of kind `R`, what the model is, once at the beginning; `V`, the
vectors as float32 bytes; or `E`, what went wrong.
"""

import json
import os
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import numpy as np

from index.child_process import ChildEndedError, ChildProcess, Requests
from index.errors import ModelError
from index.model import CPU, DEFAULT_MODEL, Embeddings, Encoder, load_encoder
from index.precedence import held_back

_NICENESS = 19
_READY, _VECTORS, _ERROR = b"R", b"V", b"E"


# --- the parent's side ---------------------------------------------------------------------------


class EmbeddingProcess:
    """A child process that embeds with all processor cores; a context manager.

    It loads the model while the parent goes on. It is an `Encoder` for one thread at a time.
    """

    def __init__(
        self, model: str = DEFAULT_MODEL, *, threads: int | None = None, device: str = CPU
    ) -> None:
        """Start the child; `threads` None: as many as there are cores this process may use.

        `device`: see `load_encoder`.
        """
        cores = str(threads or len(os.sched_getaffinity(0)))
        # torch settles its threads on import.
        environment = {"OMP_NUM_THREADS": cores}
        self._child = ChildProcess("index.embedding", model, cores, device, environment=environment)
        self.device = device
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
        with held_back(self._child.pid):
            vectors = self._reply(json.dumps(list(texts)).encode())  # escaped: surrogates too
        return np.frombuffer(bytearray(vectors), np.float32).reshape(len(texts), dim)

    def close(self) -> None:
        """End the child, in the midst of its work if need be. May be called again."""
        self._child.close()

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
        try:
            kind, body = self._child.reply(request)
        except ChildEndedError as error:
            raise ModelError(f"the embedding process ended: {error}; start another one") from error
        if kind == _ERROR:
            raise ModelError(body.decode())
        return body


# --- the child's side ----------------------------------------------------------------------------


def _main(model: str, threads: int, device: str) -> int:
    requests = Requests(niceness=_NICENESS)
    try:
        encoder = load_encoder(model, threads=threads, device=device)
    except ModelError as error:
        requests.reply(_ERROR, str(error).encode("utf-8", "replace"))
        return 1
    identity = {"fingerprint": encoder.fingerprint, "dim": encoder.dim}
    requests.reply(_READY, json.dumps(identity).encode())
    while True:
        requests.reply(*_answer(encoder, json.loads(requests.next())))


def _answer(encoder: Encoder, texts: list[str]) -> tuple[bytes, bytes]:
    try:
        return _VECTORS, encoder.embed(texts).tobytes()
    except ModelError as error:
        return _ERROR, str(error).encode("utf-8", "replace")


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
