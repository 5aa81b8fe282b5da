"""The question's embedding, and the cosines of passages and articles."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from index.article import Origin, SourceRecord
from index.errors import ModelError
from index.snapshot import Snapshot, SnapshotReader
from index.writer import Writer
from search import dense
from search.dense import QuestionEncoder, cosines_in_articles


@dataclass
class FakeEncoder:
    """Counts what it embeds; its vectors say which model they come from."""

    fingerprint: str
    asked: int = 0
    is_slow: threading.Event | None = None  # a page waits for it, two seconds at most

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        if self.is_slow and len(texts[0]) > 200:
            self.is_slow.wait(2)
        self.asked += len(texts)
        return np.full((len(texts), 2), len(self.fingerprint), np.float32)


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[FakeEncoder]:
    """The encoders that were loaded. A model's fingerprint is its name."""
    encoders: list[FakeEncoder] = []

    def load(model: str, *, threads: int) -> FakeEncoder:
        encoders.append(FakeEncoder(model))
        return encoders[-1]

    monkeypatch.setattr(dense, "load_encoder", load)
    monkeypatch.setattr(dense, "model_fingerprint", lambda model: model)
    return encoders


def failing(model: str, threads: int) -> FakeEncoder:
    raise ModelError(f"{model}: no such file")


def store_of(model: str) -> Snapshot:
    return cast(Snapshot, SimpleNamespace(model=model, fingerprint=model))


def test_a_model_is_loaded_once_and_a_question_embedded_once(loaded: list[FakeEncoder]) -> None:
    encoder = QuestionEncoder()
    for question in ("one", "two", "one"):
        encoder.embed(question, store_of("small"))
    assert [(encoder.fingerprint, encoder.asked) for encoder in loaded] == [("small", 2)]


def test_after_a_store_was_re_embedded_its_new_model_answers(loaded: list[FakeEncoder]) -> None:
    encoder = QuestionEncoder()
    before = encoder.embed("one", store_of("small"))
    after = encoder.embed("one", store_of("larger"))
    assert [encoder.fingerprint for encoder in loaded] == ["small", "larger"]
    assert before[0] != after[0]


def test_what_was_begun_is_not_embedded_again(loaded: list[FakeEncoder]) -> None:
    encoder = QuestionEncoder()
    encoder.begin("one", store_of("small"))
    encoder.embed("one", store_of("small"))
    assert loaded[0].asked == 1


def test_a_pasted_page_that_is_embedded_keeps_no_question_waiting(
    loaded: list[FakeEncoder],
) -> None:
    encoder = QuestionEncoder()
    encoder.embed("first", store_of("small"))
    go_on = loaded[0].is_slow = threading.Event()
    encoder.begin("page " * 100, store_of("small"))
    encoder.begin("one", store_of("small"))
    encoder.embed("one", store_of("small"))
    assert loaded[0].asked == 2  # the page is yet to come
    go_on.set()


def test_what_failed_is_tried_again_when_it_is_asked_for_again(
    loaded: list[FakeEncoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = QuestionEncoder()
    with monkeypatch.context() as broken:
        broken.setattr(dense, "load_encoder", failing)
        for _ in range(2):
            with pytest.raises(ModelError, match="no such file"):
                encoder.embed("one", store_of("small"))
    encoder.embed("one", store_of("small"))
    assert loaded[0].asked == 1


def test_only_the_last_questions_are_kept(
    loaded: list[FakeEncoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dense, "_KEPT_QUESTIONS", 2)
    encoder = QuestionEncoder()
    for question in ("one", "two", "one", "three", "one", "two"):
        encoder.embed(question, store_of("small"))
    assert loaded[0].asked == 4  # two was dropped for three: one had been asked for since


# --- cosines over a real store --------------------------------------------------------------------

LONG = "\n".join(
    f"Sentence {number} of paragraph {paragraph} tells at some length of the harbour and the ferry."
    for paragraph in range(5)
    for number in range(12)
)


@pytest.fixture(scope="module")
def half_embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    """A long article with every other passage embedded, and two short ones, one embedded."""
    folder: Path = tmp_path_factory.mktemp("dense")
    random = np.random.default_rng(1)
    texts = {"long": LONG, "short": "The council met.", "waiting": "The museum opened."}
    with Writer(folder) as writer:
        writer.add([SourceRecord(Origin("t", 1), b"", t, own_id=i) for i, t in texts.items()])
        numbers = sorted(writer.waiting_order(1_000))
        waiting = writer.waiting_texts([*numbers[:-2:2], numbers[-2]])
        vectors = random.standard_normal((len(waiting), 384)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        writer.store_embeddings(waiting, vectors, writer.fingerprint)
    reader = SnapshotReader(folder)
    yield reader.latest()
    reader.close()


def test_cosines_are_of_each_passage_and_of_its_articles_embedded_passages(
    half_embedded: Snapshot,
) -> None:
    query = np.random.default_rng(2).standard_normal(384).astype(np.float32)
    query /= np.linalg.norm(query)
    columns = half_embedded.columns
    every = np.arange(half_embedded.passages)
    expected = half_embedded.vectors.cosines(query, every)
    assert 2 < np.count_nonzero(~np.isnan(expected)) < half_embedded.passages - 2

    some = every[[1, 0, -2, -1]]
    cosines, of_article = cosines_in_articles(query, some, half_embedded)
    assert np.allclose(cosines, expected[some], atol=1e-6, equal_nan=True)
    for position, mean in zip(some, of_article, strict=True):
        siblings = expected[columns.article == columns.article[position]]
        embedded = siblings[~np.isnan(siblings)]
        if len(embedded):
            assert mean == pytest.approx(embedded.mean(), abs=1e-6)
        else:
            assert np.isnan(mean)
    assert np.isnan(cosines[0])  # waits, in an article
    assert not np.isnan(of_article[0])  # of which others are embedded
    assert np.isnan(of_article[-1])  # an article that waits altogether
