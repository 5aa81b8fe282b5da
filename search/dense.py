"""The dense arm: the question's embedding, by the model that the store's vectors come from."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from index import deadline
from index.columns import passages_of
from index.errors import ModelMismatchError
from index.model import Encoder, load_encoder, model_fingerprint
from index.snapshot import Snapshot
from search.question_adapter import adapted
from search.questions_together import QuestionsTogether

_Key = tuple[str, str]  # a model's fingerprint and a question

# The page, its next pages and its filters ask the same question again; one embedding is 1.5 kB.
_KEPT_QUESTIONS = 512


class QuestionEncoder:
    """Embeds questions; loads the model when it is first needed. Safe for many threads."""

    def __init__(self, model: str | None = None) -> None:
        """`model`: the one the user asked for, a name or folder; None: the store's own."""
        self._asked = model
        self._loading = threading.Lock()
        self._loaded: tuple[Encoder, QuestionsTogether] | None = None
        self._kept = _Kept()
        self._thread = ThreadPoolExecutor(1, "question")
        self._begun: tuple[_Key, Future[NDArray[np.float32]]] | None = None

    def begin(self, question: str, snapshot: Snapshot) -> None:
        """Have what `embed` will be asked for made meanwhile, on a thread that has time for it."""
        key = (snapshot.fingerprint, question)
        is_free = self._begun is None or self._begun[1].done()
        if is_free and self._kept.get(key) is None:
            self._begun = key, self._thread.submit(self._embedded, question, snapshot)

    def embed(self, question: str, snapshot: Snapshot) -> NDArray[np.float32]:
        """What the dense arm asks with, shape (dim,), float32; see `search.question_adapter`.

        Raises:
            ModelMismatchError: the snapshot's vectors come from another model.
            ModelError: the model cannot be loaded.
            DeadlineError: the question's time is over.
        """
        begun = self._begun
        if begun and begun[0] == (snapshot.fingerprint, question) and not begun[1].done():
            return deadline.result(begun[1])
        return self._embedded(question, snapshot)

    def _embedded(self, question: str, snapshot: Snapshot) -> NDArray[np.float32]:
        key = (snapshot.fingerprint, question)
        embedding = self._kept.get(key)
        if embedding is None:
            _, together = self.load(snapshot.model, snapshot.fingerprint)
            embedding = adapted(together.embed(question), snapshot.fingerprint)
            self._kept.put(key, embedding)
        return embedding

    def embed_passages(self, texts: Sequence[str], snapshot: Snapshot) -> NDArray[np.float32]:
        """Embed texts as the store's passages are, shape (len(texts), dim), float32.

        Raises:
            ModelMismatchError, ModelError: as `embed`.
        """
        encoder, _ = self.load(snapshot.model, snapshot.fingerprint)
        return encoder.embed(texts)

    def load(self, model: str, fingerprint: str) -> tuple[Encoder, QuestionsTogether]:
        """What embeds questions to a store whose vectors come from this model.

        Raises:
            ModelMismatchError, ModelError: as `embed`.
        """
        with self._loading:
            if self._loaded is None or self._loaded[0].fingerprint != fingerprint:
                encoder = self._load(model, fingerprint)
                self._loaded = encoder, QuestionsTogether(encoder.embed)
            return self._loaded

    def _load(self, stored_model: str, stored: str) -> Encoder:
        model = self._asked or stored_model
        fingerprint = model_fingerprint(model)
        if fingerprint != stored:
            vectors = f"{stored_model} ({stored})"
            raise _mismatch(model, fingerprint, vectors, asked=self._asked is not None)
        # What is asked at one time is one batch, and a batch takes one thread.
        return load_encoder(model, threads=1)


def cosines_in_articles(
    embedding: NDArray[np.float32], positions: NDArray[np.int64], snapshot: Snapshot
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What these passages, and the articles around them, have to do with the question.

    Returns:
        Two of shape (len(positions),), float32: the cosine of each passage, NaN where it waits for
        its embedding; and the mean cosine of those passages of its article that have one, NaN
        where none has.
    """
    articles, place = np.unique(snapshot.columns.article[positions], return_inverse=True)
    members, counts = passages_of(articles, snapshot.columns)
    cosines = snapshot.vectors.cosines(embedding, members)
    known = ~np.isnan(cosines)
    of = np.repeat(np.arange(len(articles)), counts)[known]
    embedded = np.bincount(of, minlength=len(articles))
    sums = np.bincount(of, weights=cosines[known], minlength=len(articles))
    means = np.full(len(articles), np.nan)
    np.divide(sums, embedded, out=means, where=embedded > 0)
    return cosines[np.searchsorted(members, positions)], means[place].astype(np.float32)


class _Kept:
    """The embeddings of the last questions; the one not asked for longest makes room."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._embeddings: OrderedDict[_Key, NDArray[np.float32]] = OrderedDict()

    def get(self, key: _Key) -> NDArray[np.float32] | None:
        with self._guard:
            embedding = self._embeddings.get(key)
            if embedding is not None:
                self._embeddings.move_to_end(key)
            return embedding

    def put(self, key: _Key, embedding: NDArray[np.float32]) -> None:
        with self._guard:
            self._embeddings[key] = embedding
            if len(self._embeddings) > _KEPT_QUESTIONS:
                self._embeddings.popitem(last=False)


def _mismatch(model: str, fingerprint: str, vectors: str, *, asked: bool) -> ModelMismatchError:
    if asked:
        advice = f"ask without --model, or re-embed the store with: nutgraf reembed --model {model}"
    else:
        advice = (
            "its files have changed since; put the old ones back, or re-embed the store with: "
            f"nutgraf reembed --model {model}"
        )
    return ModelMismatchError(
        f"the store's vectors come from {vectors}, not from {model} ({fingerprint}); {advice}"
    )
