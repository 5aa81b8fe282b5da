"""Calibrate `search/verdict.py`.

    python scripts/train/verdict.py --cache DIR COLLECTION...

Every judged question is asked twice: of the archive as it is, and of the archive without the
passages that answer and their copies (half of the three-word shingles in common). Fitted are
logistic regressions. Without the second look they learn from the tuning half. The cross-encoder has
seen that half and is surer of it than of other questions: with the second look they learn from
every other held-out question, and what is printed as held-out are the rest. Printed are the share
of the questions with and without an answer that get each verdict, and the calibration error in ten
bins of equal size. Readings of the cross-encoder are kept in DIR, since they are slow.
"""

import argparse
import json
import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import search
from index.model import DEFAULT_MODEL
from index.snapshot import Snapshot, SnapshotReader
from search.dense import QuestionEncoder
from search.evaluate import Half, Question, judged_questions, store_of
from search.filters import NO_FILTERS
from search.grouping import Group
from search.query import Query
from search.ranking import SECOND_LOOK, SECOND_LOOK_WEIGHT, Ranker
from search.verdict import sigmoid

WEIGHTS = Path(search.__file__).parent / "weights" / "verdict.json"
SPARE = 5  # passages beyond those looked at, to move up where answers are taken away
SHINGLE, COPY = 3, 0.5
MISTAKEN = 0.05  # of the questions with an answer may be called `none`
SUPPORTED_FROM = 0.7
MOST_QUESTIONS = 800  # of a half of a collection
MOST_OF_SQUAD = 250
STEPS = 400
NOTHING_LEFT = -10.0  # log odds


@dataclass
class Seen:
    """What the searcher knows of the first passages of one question, in the ranker's order."""

    half: Half
    evidence: NDArray[np.float64]  # (n, 3): cosine, window, reading
    ranker: NDArray[np.float64]
    relevant: NDArray[np.bool_]
    copies: NDArray[np.bool_]  # of relevant ones, these included


def seen(question: Question, ranker: Ranker, snapshot: Snapshot) -> Seen:
    query = Query(question.text, question.text, None, ())
    looked = ranker.look(query, NO_FILTERS, Group.NONE, snapshot)
    assert looked is not None  # nothing restricts it
    logits = looked.features.logits()
    first = np.argsort(-logits, kind="stable")[: SECOND_LOOK + SPARE]
    rows = [looked.rows[at] for at in first]
    readings = ranker.read(query, rows)
    evidence = looked.evidence(first, readings)
    relevant = np.array([bool(row and question.grades.get(row.article.id, 0)) for row in rows])
    answers = [shingles(row.text) for row, hit in zip(rows, relevant, strict=True) if row and hit]
    copies = np.array(
        [any(shared(shingles(row.text if row else ""), a) for a in answers) for row in rows]
    )
    columns = [evidence.cosine, evidence.window, readings]
    return Seen(question.half, np.stack(columns, 1), logits[first], relevant, copies | relevant)


def shingles(text: str) -> set[tuple[str, ...]]:
    words = text.lower().split()
    return {tuple(words[at : at + SHINGLE]) for at in range(len(words) - SHINGLE + 1)}


def shared(ours: set[tuple[str, ...]], theirs: set[tuple[str, ...]]) -> bool:
    return len(ours & theirs) > COPY * max(1, min(len(ours), len(theirs)))


def collected(folder: Path, cache: Path) -> list[Seen]:
    kept = cache / f"seen-{folder.name}.pickle"
    if kept.exists():
        return pickle.loads(kept.read_bytes())  # noqa: S301  # our own, of an earlier run
    snapshot = SnapshotReader(store_of(folder, cache)).latest()
    ranker = Ranker(QuestionEncoder(DEFAULT_MODEL))
    questions = judged_questions(folder)
    most = MOST_OF_SQUAD if folder.name.startswith("squad") else MOST_QUESTIONS
    chosen: list[Question] = []
    for half in Half:
        own = [question for question in questions if question.half is half]
        chosen += own[:: max(1, len(own) // most)]
    found = [seen(question, ranker, snapshot) for question in chosen]
    kept.write_bytes(pickle.dumps(found))
    return found


# --- fitting --------------------------------------------------------------------------------------


def logistic(features: NDArray[np.float64], labels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights, the bias first."""
    mean, deviation = features.mean(0), features.std(0) + 1e-9
    x = torch.tensor(np.c_[np.ones(len(features)), (features - mean) / deviation])
    y = torch.tensor(labels)
    weights = torch.zeros(x.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=STEPS)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(x @ weights, y)
        (loss + 1e-4 * (weights[1:] ** 2).sum()).backward()
        return loss

    optimizer.step(closure)
    fitted = weights.detach().numpy()
    slopes = fitted[1:] / deviation
    return np.r_[fitted[0] - (slopes * mean).sum(), slopes]


def first_of(one: Seen, *, answered: bool, read: bool) -> NDArray[np.int64]:
    """Places of the passages that a verdict would be passed on."""
    kept = np.arange(len(one.ranker)) if answered else np.flatnonzero(~one.copies)
    first = kept[:SECOND_LOOK]
    if read:
        total = one.ranker[first] + SECOND_LOOK_WEIGHT * one.evidence[first, 2]
        first = first[np.argsort(-total, kind="stable")]
    return first


def two_best(one: Seen, weights: NDArray[np.float64], *, answered: bool, read: bool) -> list[float]:
    first = first_of(one, answered=answered, read=read)
    if not len(first):  # copies of the answer, all of them
        return [NOTHING_LEFT, NOTHING_LEFT]
    logits = one.evidence[first] @ weights[1:] + weights[0]
    best = np.sort(np.append(logits, logits.min()))[::-1]
    return [float(best[0]), float(best[1])]


def passages(found: list[Seen], *, read: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Evidence and labels of the first passages, of both archives."""
    features, labels = [], []
    for one in found:
        for answered in (True, False):
            first = first_of(one, answered=answered, read=read)
            features.append(one.evidence[first])
            labels.append(one.relevant[first].astype(float))
    return np.concatenate(features), np.concatenate(labels)


def queries(
    found: list[Seen], weights: NDArray[np.float64], *, read: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows, labels = [], []
    for one in found:
        for answered in (True, False):
            rows.append(two_best(one, weights, answered=answered, read=read))
            labels.append(float(answered))
    return np.array(rows), np.array(labels)


def calibration_error(probabilities: NDArray[np.float64], labels: NDArray[np.float64]) -> float:
    """Expected calibration error (Naeini et al., AAAI 2015), ten bins of equal size."""
    bins = np.array_split(np.argsort(probabilities), 10)
    gaps = [abs(probabilities[b].mean() - labels[b].mean()) * len(b) for b in bins]
    return float(sum(gaps) / len(labels))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("collections", type=Path, nargs="+")
    options = parser.parse_args()
    sets = {folder.name: collected(folder, options.cache) for folder in options.collections}
    weights = {}
    for name, read in (("unread", False), ("read", True)):
        learned, judged = {}, {}
        for collection, found in sets.items():
            tuning, held_out = ([one for one in found if one.half is half] for half in Half)
            learned[collection], judged[collection] = tuning, held_out
            if read:
                learned[collection], judged[collection] = held_out[::2], held_out[1::2]
        weights[name] = fitted([one for part in learned.values() for one in part], read=read)
        for collection in sets:
            report(
                f"{collection}, {name}, learned from", learned[collection], weights[name], read=read
            )
            report(f"{collection}, {name}, held out", judged[collection], weights[name], read=read)
    WEIGHTS.write_text(json.dumps(weights, indent=2) + "\n", encoding="utf-8")


def fitted(found: list[Seen], *, read: bool) -> dict[str, dict[str, float]]:
    """The weights as search/verdict.py reads them."""
    features, labels = passages(found, read=read)
    features[:, 2] *= read
    passage = logistic(features, labels)
    passage[3] *= read
    rows, answered = queries(found, passage, read=read)
    query = logistic(rows, answered)
    probabilities = sigmoid(rows @ query[1:] + query[0])
    none_below = float(np.quantile(probabilities[answered == 1], MISTAKEN))
    return {
        "passage": named(("bias", "cosine", "window", "reading"), passage),
        "query": {
            **named(("bias", "best", "second"), query),
            "none_below": round(none_below, 4),
            "supported_from": SUPPORTED_FROM,
        },
    }


def named(names: tuple[str, ...], values: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(names, values.round(4).tolist(), strict=True))


def report(
    name: str, found: list[Seen], weights: dict[str, dict[str, float]], *, read: bool
) -> None:
    passage = np.array(list(weights["passage"].values()))
    query = weights["query"]
    rows, labels = queries(found, passage, read=read)
    logits = query["bias"] + rows @ [query["best"], query["second"]]
    probabilities = sigmoid(logits)
    features, relevant = passages(found, read=read)
    of_passages = sigmoid(features @ passage[1:] + passage[0])
    without, answered = probabilities[labels == 0], probabilities[labels == 1]
    print(
        f"{name}, {len(found)} questions: none {(without < query['none_below']).mean():.3f} "
        f"of those without and {(answered < query['none_below']).mean():.3f} of those with an "
        f"answer; supported {(answered >= SUPPORTED_FROM).mean():.3f} of those with and "
        f"{(without >= SUPPORTED_FROM).mean():.3f} of those without; calibration error "
        f"{calibration_error(probabilities, labels):.3f}, of passages "
        f"{calibration_error(of_passages, relevant):.3f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
