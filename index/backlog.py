"""Embeds what waits: leads of the newest articles first, in a child process, commit by commit."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from index.embedding import EmbeddingProcess
from index.model import CPU, model_fingerprint
from index.writer import Writer

# A group is one commit: small enough that Ctrl-C loses seconds, large enough to sort by length.
_GROUP_PASSAGES, _GROUP_PASSAGES_OF_A_GPU = 192, 4_096
# How many passages are put in order at a time: articles that arrive meanwhile wait that long.
_ORDER_PASSAGES = 20_000
# A tail of this many vectors adds about 2 ms to a query; then it becomes a segment.
_PUBLISH_PASSAGES = 20_000
# While it goes on: where articles come without a pause it never ends, and what is dead is to go.
_BETWEEN_PUBLISHING_S = 10.0
# What a server that gets an article every few seconds leaves in the tail: under 1 ms a query.
_MIN_SEGMENT_PASSAGES = 1_000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the embedding is."""

    done: int  # passages, in this run
    total: int
    passages_per_s: float
    eta_s: float


def _never() -> bool:
    return False


class Backlog:
    """The passages of a store that wait for their embedding. For one thread at a time.

    The child process that embeds them is started when it is first needed, and stays until `rest`,
    so that the model is not loaded again for each few articles that come.
    """

    def __init__(self, writer: Writer, *, device: str = CPU) -> None:
        """`device`: what the model runs on, see `index.model.load_encoder`."""
        self._writer, self._device = writer, device
        self._process: EmbeddingProcess | None = None

    def embed(
        self,
        *,
        progress: Callable[[Progress], None] | None = None,
        stop: Callable[[], bool] = _never,
    ) -> int:
        """Embed what waits, until nothing does or `stop` says so; returns how many passages.

        What was done is committed group by group and stays, also after KeyboardInterrupt or a
        crash; the next call goes on from there.

        Raises:
            ModelError: the model cannot be loaded, or its process died; the next call starts
                another one.
            StoreFullError, StoreReadOnlyError: as `Writer.add`.
        """
        writer, done = self._writer, 0
        total = writer.pending()
        if total:
            self._process = self._process or EmbeddingProcess(writer.model, device=self._device)
            try:
                done = _embed_all(
                    writer, self._process, writer.fingerprint, None, total, progress, stop
                )
            except BaseException:
                self.rest()
                raise
        writer.publish(at_least=_MIN_SEGMENT_PASSAGES)
        return done

    def rest(self) -> None:
        """End the child process, if there is one."""
        if self._process:
            self._process.close()
            self._process = None


def embed_backlog(
    writer: Writer,
    *,
    device: str = CPU,
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] = _never,
) -> int:
    """`Backlog.embed`, and the end of the child process."""
    backlog = Backlog(writer, device=device)
    try:
        return backlog.embed(progress=progress, stop=stop)
    finally:
        backlog.rest()


def reembed(
    writer: Writer,
    model: str,
    *,
    device: str = CPU,
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] = _never,
) -> bool:
    """Embed everything with another model, then switch in one commit.

    The old vectors answer until then. Interrupted, it goes on from there when called again with
    the same model. Returns whether the switch was made.

    Raises:
        ModelError: the model cannot be loaded, or its process died.
    """
    fingerprint = model_fingerprint(model)
    if fingerprint == writer.fingerprint:
        embed_backlog(writer, device=device, progress=progress, stop=stop)
        return not writer.pending()
    total = len(writer.waiting_order(-1, fingerprint=fingerprint))
    if total:
        with EmbeddingProcess(model, device=device) as process:
            _embed_all(writer, process, fingerprint, fingerprint, total, progress, stop)
    left = writer.waiting_order(-1, fingerprint=fingerprint)
    if writer.waiting_texts(left, fingerprint=fingerprint):
        return False
    writer.switch_model(model, fingerprint)
    return True


def _embed_all(
    writer: Writer,
    process: EmbeddingProcess,
    fingerprint: str,
    other_model: str | None,
    total: int,
    progress: Callable[[Progress], None] | None,
    stop: Callable[[], bool],
) -> int:
    done, began = 0, time.monotonic()
    publish_at = began + _BETWEEN_PUBLISHING_S
    size = _GROUP_PASSAGES if process.device == CPU else _GROUP_PASSAGES_OF_A_GPU
    for numbers in _groups(writer, other_model, size):
        if stop():
            break
        waiting = writer.waiting_texts(numbers, fingerprint=fingerprint)
        if waiting:
            vectors = process.embed([item.text for item in waiting])
            writer.store_embeddings(waiting, vectors, fingerprint)
        done += len(numbers)
        if time.monotonic() > publish_at and other_model is None:
            writer.publish(at_least=_PUBLISH_PASSAGES)
            publish_at = time.monotonic() + _BETWEEN_PUBLISHING_S
        if progress:
            rate = done / max(time.monotonic() - began, 1e-9)
            progress(Progress(done, max(total, done), rate, max(total - done, 0) / rate))
    return done


def _groups(writer: Writer, other_model: str | None, size: int) -> Iterator[list[int]]:
    """Groups of passages that wait, until there are none."""
    seen: set[int] = set()
    while True:
        order = [
            number
            for number in writer.waiting_order(_ORDER_PASSAGES, fingerprint=other_model)
            if number not in seen
        ]
        if not order:
            return
        seen.update(order)
        for at in range(0, len(order), size):
            yield order[at : at + size]
