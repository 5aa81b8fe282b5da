"""The verdict: does anything here answer the question, and how sure is that.

Each passage gets the probability that it answers, by logistic regression over what is known of it;
the query gets the probability that one of its first passages does, from the two best of these. All
weights come from scripts/train/verdict.py, which asks judged questions twice: of the archive as it
is, and of the archive without the passages that answer and their copies. It is about the archive:
neither the number of hits asked for nor their order plays a part. How far it can be trusted is in
docs/ranking.md.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray


class Kind(StrEnum):
    """What the archive has to say to a question."""

    SUPPORTED = "supported"  # a passage answers it
    WEAK = "weak"  # perhaps one does
    NONE = "none"  # nothing answers it; the hits are the nearest there are


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the archive answers a question."""

    kind: Kind
    probability: float  # that one of the first passages answers


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of some passages; all of shape (n,)."""

    cosine: NDArray[np.float64]
    window: NDArray[np.float64]  # see search/reranking.py
    reading: NDArray[np.float64] | None  # the cross-encoder's log odds; None: not read


@dataclass(frozen=True, slots=True)
class _PassageWeights:
    bias: float
    cosine: float
    window: float
    reading: float


@dataclass(frozen=True, slots=True)
class _QueryWeights:
    bias: float
    best: float
    second: float
    none_below: float  # probabilities at which the kind changes
    supported_from: float


@dataclass(frozen=True, slots=True)
class _Weights:
    passage: _PassageWeights
    query: _QueryWeights


def _weights(name: str) -> _Weights:
    path = Path(__file__).parent / "weights" / "verdict.json"
    fields = json.loads(path.read_text(encoding="utf-8"))[name]
    return _Weights(_PassageWeights(**fields["passage"]), _QueryWeights(**fields["query"]))


_UNREAD: Final = _weights("unread")
_READ: Final = _weights("read")


def passage_logits(evidence: Evidence) -> NDArray[np.float64]:
    """The log odds that each passage answers, shape (n,), float64."""
    weights = (_UNREAD if evidence.reading is None else _READ).passage
    logits = weights.bias + weights.cosine * evidence.cosine + weights.window * evidence.window
    return logits if evidence.reading is None else logits + weights.reading * evidence.reading


def judged(logits: NDArray[np.float64], *, read: bool) -> Verdict:
    """The verdict from the log odds of the first passages, whatever their order.

    Args:
        read: whether these passages had the second look.
    """
    if not len(logits):
        return nothing()
    best, second = np.sort(np.append(logits, logits.min()))[::-1][:2]
    weights = (_READ if read else _UNREAD).query
    probability = float(sigmoid(weights.bias + weights.best * best + weights.second * second))
    if probability < weights.none_below:
        kind = Kind.NONE
    else:
        kind = Kind.SUPPORTED if probability >= weights.supported_from else Kind.WEAK
    return Verdict(kind, round(probability, 4))


def nothing() -> Verdict:
    """Of an empty result set."""
    return Verdict(Kind.NONE, 0.0)


def exactly() -> Verdict:
    """Of a query that asks for texts that hold something, and there are some."""
    return Verdict(Kind.SUPPORTED, 1.0)


def sigmoid(logits: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Log odds to probabilities."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -500, 500))))
