"""The second look: a cross-encoder reads question and passage together.

The first layers of the default model, trained on by scripts/train/cross_encoder.py to score how
well a passage answers a question. It takes token ids' vectors from the default model's own word
embeddings, so that only its layers are shipped. It is run for the first candidates alone, and its
score is added to the ranker's: alone it is worse than that.
"""

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from index import deadline, default_model  # the latter before onnxruntime, see there
from index.model import batches, default_tokenizer

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, RunOptions

# As it was trained; what is longer is cut at the passage's end.
MAX_QUESTION_TOKENS: Final = 48
MAX_HEADLINE_TOKENS: Final = 32
MAX_TOKENS: Final = 160
_START, _END = 101, 102  # [CLS] and [SEP]
_GRAPH: Final = Path(__file__).parent / "weights" / "cross_encoder.onnx"
_THREADS: Final = os.cpu_count() or 1


class Effort(StrEnum):
    """How long a question may take."""

    QUICK = "quick"  # both arms and the learned ranker
    THOROUGH = "thorough"  # a second look at the first candidates as well


class CrossEncoder:
    """Reads passages with a question in mind; safe for many threads.

    The model is loaded by `load`, or when it is first needed. However many ask, as many batches are
    read at once as there are cores: more would be no quicker, and each has memory of its own.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, "passages")

    def load(self) -> None:
        """Load the model now. ModelError: the tokenizer's file is missing or has been changed."""
        default_tokenizer()
        _word_embeddings()
        _session()

    def logits(self, question: str, passages: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        """The log odds that passages answer, given as headline and text, in the order given.

        Shape (len(passages),), float64.

        Raises:
            DeadlineError: the question's time is over.
        """
        if not passages:
            return np.empty(0, np.float64)
        asked = _ids(question)[:MAX_QUESTION_TOKENS]
        pairs = [_pair(asked, headline, text) for headline, text in passages]
        logits = np.empty(len(pairs), np.float64)

        def read(batch: list[int]) -> None:
            logits[batch] = _run([pairs[number] for number in batch])

        parts = list(batches([len(pair.ids) for pair in pairs]))
        try:
            for _ in self._threads.map(read, parts):
                deadline.check()  # when it is over, the batches that wait are not read
        finally:
            _give_back()
        return logits


@dataclass(frozen=True, slots=True)
class _Pair:
    ids: list[int]
    second: int  # where what follows the question begins


def _pair(asked: list[int], headline: str, text: str) -> _Pair:
    head = _ids(headline)[:MAX_HEADLINE_TOKENS]
    room = MAX_TOKENS - 3 - len(asked) - len(head)
    return _Pair([_START, *asked, _END, *head, *_ids(text)[:room], _END], len(asked) + 2)


def _run(pairs: Sequence[_Pair], options: "RunOptions | None" = None) -> NDArray[np.float32]:
    shape = (len(pairs), max(len(pair.ids) for pair in pairs))
    ids, kinds = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    mask = np.zeros(shape, np.float32)
    for row, pair in enumerate(pairs):
        length = len(pair.ids)
        ids[row, :length], kinds[row, pair.second : length], mask[row, :length] = pair.ids, 1, 1.0
    inputs = {"words": _word_embeddings()[ids], "kinds": kinds, "mask": mask}
    (scores,) = _session().run(["score"], inputs, options)
    return np.asarray(scores, np.float32)


def _give_back() -> None:
    """Give back what runs took so far and none of them uses now.

    Else it is kept for ever, and grows, as batches differ in shape. onnxruntime does so when a run
    ends: one of next to nothing, since the batch that begins last may end before another.
    """
    _run([_Pair([_START, _END, _END], 2)], _giving_back())


def _ids(text: str) -> list[int]:
    ids: list[int] = default_tokenizer().encode(text, add_special_tokens=False).ids
    return ids


@cache
def _session() -> "InferenceSession":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # batches run side by side instead
    options.enable_mem_pattern = False  # it keeps a plan for each shape, and ours are all different
    return onnxruntime.InferenceSession(_GRAPH, options, providers=["CPUExecutionProvider"])


@cache
def _giving_back() -> "RunOptions":
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


@cache
def _word_embeddings() -> "np.memmap[Any, np.dtype[np.float32]]":
    """The default model's, shape (vocabulary, dim), float32; read from disk where needed."""
    path = default_model.weights_file()
    with path.open("rb") as file:  # a safetensors file: length, JSON, data
        length = int.from_bytes(file.read(8), "little")
        entry = json.loads(file.read(length))["embeddings.word_embeddings.weight"]
    offset = 8 + length + entry["data_offsets"][0]
    return np.memmap(path, np.float32, "r", offset, tuple(entry["shape"]))
