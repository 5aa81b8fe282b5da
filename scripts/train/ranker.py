"""Learn the weights of `search/question_adapter.py` and `search/reranking.py`.

    python scripts/train/ranker.py --cache DIR PRESS.jsonl NEWS_QA TIME SQUAD

Collections are folders as `nutgraf evaluate` takes them; only the tuning half of their questions is
learned from, and the measures of both halves are printed. PRESS are articles, whose headlines are
asked for their first paragraphs.

First the adapter: a linear map of the question's vector, started at zero, by the softmax over all
passages of a collection. A ranker that saw the same questions would trust it too much: the ranker's
features of one half of the tuning questions come from an adapter that learned from the other half.
Then the ranker: the softmax over the best passage of each of the first articles, with the fusion's
score as it is and weights for the rest that start at zero.
"""

import argparse
import json
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import search
from index.article import SourceRecord
from index.model import load_encoder
from index.reading import read
from index.snapshot import Snapshot, SnapshotReader
from search.evaluate import Half, Question, judged_questions, store_of
from search.filters import NO_FILTERS
from search.grouping import Group
from search.query import Query
from search.ranking import Ranker
from search.reranking import Weights

SEED = 1
WEIGHTS = Path(search.__file__).parent / "weights"
TEMPERATURE, ADAPTER_RATE, ADAPTER_EPOCHS, BATCH = 0.05, 1e-4, 6, 64
HEADLINES, LEAST_CHARS = 1_100, 60
# Of the fusion's score, so that its differences are log odds; the rest is learned around it.
FUSED = 15.0
RANKER_RATE, RANKER_EPOCHS, DECAY = 0.02, 60, 2e-3
QUESTION_WEIGHT = {"news-qa": 1.0, "time": 10.0, "squad": 0.3}
SQUAD_STRIDE = 8  # every eighth question is enough for three weights


@dataclass
class Material:
    """A collection's questions with vectors, and the vectors of its passages."""

    name: str
    questions: list[Question]
    asked: NDArray[np.float32]  # (questions, dim)
    passages: NDArray[np.float32]  # (passages, dim)
    article_ids: list[str]  # of each passage
    snapshot: Snapshot | None

    def relevant(self, chosen: list[int]) -> torch.Tensor:
        """(len(chosen), passages), rows with sum 1."""
        places: dict[str, list[int]] = {}
        for at, article_id in enumerate(self.article_ids):
            places.setdefault(article_id, []).append(at)
        rows = torch.zeros(len(chosen), len(self.article_ids))
        for row, number in enumerate(chosen):
            for article_id, grade in self.questions[number].grades.items():
                if grade > 0:
                    rows[row, places.get(article_id, [])] = 1.0
        return rows / rows.sum(1, keepdim=True).clamp(min=1.0)


def collection(folder: Path, cache: Path) -> Material:
    snapshot = SnapshotReader(store_of(folder, cache)).latest()
    questions = judged_questions(folder)
    columns = snapshot.columns
    return Material(
        "squad" if folder.name.startswith("squad") else folder.name,
        questions,
        load_encoder(threads=2).embed([question.text for question in questions]),
        snapshot.vectors.at(np.arange(snapshot.passages)),
        [columns.article_id[article] for article in columns.article],
        snapshot,
    )


def headlines(press: Path) -> Material:
    """Headlines as questions; the paragraph below as their answer, embedded without them."""
    questions, leads = [], []
    for record in read([press]):
        if not isinstance(record, SourceRecord):
            continue
        paragraphs = [p for p in record.body.split("\n\n") if len(p) > LEAST_CHARS]
        if len(paragraphs) > 2 and 25 < len(record.headline) < 140:
            number = str(len(leads))
            questions.append(Question(number, record.headline, {number: 1}))
            leads.append(" ".join(paragraphs[:2]))
        if len(leads) == HEADLINES:
            break
    encoder = load_encoder(threads=2)
    asked = encoder.embed([question.text for question in questions])
    return Material(
        "press", questions, asked, encoder.embed(leads), [q.id for q in questions], None
    )


# --- the adapter ----------------------------------------------------------------------------------


def fold(question: Question) -> int:
    return (zlib.crc32(question.id.encode()) // 2) % 2


def adapter(materials: list[Material], folds: set[int]) -> NDArray[np.float32]:
    """The matrix learned from the tuning questions in these folds; headlines are all for tuning."""
    torch.manual_seed(SEED)
    shuffle = np.random.default_rng(SEED)
    parts = []
    for material in materials:
        chosen = [
            number
            for number, question in enumerate(material.questions)
            if fold(question) in folds
            and (material.snapshot is None or question.half is Half.TUNING)
        ]
        asked = torch.tensor(material.asked[chosen])
        parts.append((asked, torch.tensor(material.passages), material.relevant(chosen)))
    matrix = torch.zeros(asked.shape[1], asked.shape[1], requires_grad=True)
    optimizer = torch.optim.AdamW([matrix], lr=ADAPTER_RATE, weight_decay=0.01)
    for _ in range(ADAPTER_EPOCHS):
        batches = [
            (part, order[at : at + BATCH])
            for part in range(len(parts))
            for order in [shuffle.permutation(len(parts[part][0]))]
            for at in range(0, len(order), BATCH)
        ]
        shuffle.shuffle(batches)
        for part, rows in batches:
            asked, passages, relevant = parts[part]
            turned = torch.nn.functional.normalize(asked[rows] + asked[rows] @ matrix, dim=1)
            logits = turned @ passages.T / TEMPERATURE
            loss = -(relevant[rows] * logits.log_softmax(1)).sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return matrix.detach().numpy()


class Adapted:
    """Asks with a matrix of its own, in place of `search.dense.QuestionEncoder`."""

    def __init__(self, material: Material) -> None:
        texts = [question.text for question in material.questions]
        self._asked = dict(zip(texts, material.asked, strict=True))
        self.matrix = np.zeros((material.asked.shape[1],) * 2, np.float32)

    def embed(self, question: str, _: Snapshot) -> NDArray[np.float32]:
        plain = self._asked[question]
        turned = plain + plain @ self.matrix
        return ((plain + turned / np.linalg.norm(turned)) / 2).astype(np.float32)


# --- the ranker -----------------------------------------------------------------------------------


@dataclass
class Candidates:
    """The best passage of each of a question's first articles."""

    question: Question
    features: NDArray[np.float64]  # (articles, 4): fused, about, window, length
    grades: NDArray[np.float64]


def candidates(
    material: Material, matrices: dict[int, NDArray[np.float32]], stride: int
) -> list[Candidates]:
    """`matrices`: of the folds 0 and 1, and 2 for the questions held out."""
    encoder = Adapted(material)
    ranker = Ranker(encoder)  # type: ignore[arg-type]
    found = []
    for question in material.questions[::stride]:
        encoder.matrix = matrices[fold(question) if question.half is Half.TUNING else 2]
        query = Query(question.text, question.text, None, ())
        looked = ranker.look(query, NO_FILTERS, Group.NONE, material.snapshot)
        if looked is None:
            continue
        f = looked.features
        rows = np.stack([f.fused, f.about, f.window, f.length], 1)
        ids = [material.article_ids[position] for position in looked.results.positions[: len(rows)]]
        best = [at for at, article_id in enumerate(ids) if article_id not in ids[:at]]
        grades = np.array([question.grades.get(ids[at], 0) for at in best], np.float64)
        found.append(Candidates(question, rows[best], grades))
    return found


def fitted(sets: dict[str, list[Candidates]]) -> Weights:
    torch.manual_seed(SEED)
    chosen = [
        (name, c)
        for name, found in sets.items()
        for c in found
        if c.question.half is Half.TUNING and (c.grades > 0).any()
    ]
    every = np.concatenate([c.features for _, c in chosen])
    mean, deviation = every.mean(0), every.std(0)
    most = max(len(c.grades) for _, c in chosen)
    features, fused = torch.zeros(len(chosen), most, 3), torch.full((len(chosen), most), -1e9)
    relevant = torch.zeros(len(chosen), most)
    importance = torch.tensor([QUESTION_WEIGHT[name] for name, _ in chosen])
    for row, (_, c) in enumerate(chosen):
        count = len(c.grades)
        features[row, :count] = torch.tensor(((c.features - mean) / deviation)[:, 1:]).float()
        fused[row, :count] = torch.tensor(FUSED * c.features[:, 0])
        relevant[row, :count] = torch.tensor((c.grades > 0) / (c.grades > 0).sum())
    weights = torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.Adam([weights], lr=RANKER_RATE)
    for _ in range(RANKER_EPOCHS):
        for rows in torch.randperm(len(chosen)).split(BATCH):
            logits = features[rows] @ weights + fused[rows]
            listed = -(relevant[rows] * logits.log_softmax(1)).sum(1)
            loss = (importance[rows] * listed).mean() + DECAY * (weights**2).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    about, window, length = (weights.detach().numpy() / deviation[1:]).round(2).tolist()
    return Weights(fused=FUSED, about=about, window=window, length=length)


# --- measures -------------------------------------------------------------------------------------


def measures(found: list[Candidates], weights: Weights | None) -> str:
    parts = []
    for half in Half:
        scores = np.array([scored(c, weights) for c in found if c.question.half is half])
        ndcg, first = scores.mean(0)
        parts.append(f"{half.value} nDCG@10 {ndcg:.4f}, Success@1 {first:.3f} of {len(scores)}")
    return "; ".join(parts)


def scored(c: Candidates, weights: Weights | None) -> tuple[float, float]:
    columns = [1.0, 0.0, 0.0, 0.0]
    if weights:
        columns = [weights.fused, weights.about, weights.window, weights.length]
    gains = c.grades[np.argsort(-(c.features @ columns), kind="stable")][:10]
    ideal = np.sort(list(c.question.grades.values()))[::-1][:10]
    discounts = np.log2(np.arange(2, 12))
    gain = (gains / discounts[: len(gains)]).sum()
    return gain / (ideal / discounts[: len(ideal)]).sum(), float(gains[:1].sum() > 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("press", type=Path)
    parser.add_argument("collections", type=Path, nargs="+")
    options = parser.parse_args()
    materials = [collection(folder, options.cache) for folder in options.collections]
    every = [*materials, headlines(options.press)]
    matrices = {0: adapter(every, {1}), 1: adapter(every, {0}), 2: adapter(every, {0, 1})}
    nothing = {number: np.zeros_like(matrix) for number, matrix in matrices.items()}
    sets = {}
    for material in materials:
        stride = SQUAD_STRIDE if material.name == "squad" else 1
        plain = candidates(material, nothing, stride)
        print(f"{material.name}, fusion alone: {measures(plain, None)}")
        sets[material.name] = candidates(material, matrices, stride)
        print(f"{material.name}, with adapter: {measures(sets[material.name], None)}", flush=True)
    weights = fitted(sets)
    for name, found in sets.items():
        print(f"{name}, with ranker: {measures(found, weights)}")
    np.save(WEIGHTS / "question_adapter.npy", matrices[2].astype(np.float16))
    text = json.dumps({name: getattr(weights, name) for name in Weights.__slots__})
    (WEIGHTS / "ranker.json").write_text(text + "\n", encoding="utf-8")
    print(weights)


if __name__ == "__main__":
    main()
