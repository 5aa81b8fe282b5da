"""From texts to embeddings.

On the processor the default model runs on onnxruntime, so that a process which only answers
questions imports neither torch nor sentence-transformers; any other model, and any model on a GPU,
is sentence-transformers' to run.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from index import deadline, default_model
from index.default_model import MAX_TOKENS
from index.errors import ModelError
from index.word_memo import WordMemo

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from sentence_transformers import SentenceTransformer

DEFAULT_MODEL = "all-MiniLM-L6-v2"
_DEFAULT_NAMES = (DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}")
CPU = "cpu"
SPECIAL_TOKENS = 2  # [CLS] before a text and [SEP] after it
# Of a window of MAX_TOKENS, what a headline may take before its passage no longer fits.
HEADLINE_TOKENS = 64

# Padded tokens a batch. Small batches keep their activations in the processor's cache and waste
# less on padding; measured by scripts/bench/embedding.py, run it before changing this.
BATCH_TOKENS = 512
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACE = re.compile(r"\s")

Embeddings = NDArray[np.float32]


class Encoder(Protocol):
    """A model that embeds texts. Safe to call from several threads."""

    @property
    def fingerprint(self) -> str:
        """Equal where vectors can be compared: a hash of all that the model consists of."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    def embed(self, texts: Sequence[str]) -> Embeddings:
        """Embed texts, in the order given.

        A text longer than the model's window is embedded in several windows, whose vectors are
        averaged and brought to norm 1 again: nothing is cut off.

        Returns:
            Shape (len(texts), dim), float32, C-contiguous. Rows have L2 norm 1, so the inner
            product of two rows is their cosine similarity. No texts: (0, dim).

        Raises:
            ModelError: the model gave NaN or infinity; the message names the text.
        """


def load_encoder(model: str = DEFAULT_MODEL, *, threads: int = 1, device: str = CPU) -> Encoder:
    """The encoder of a sentence-transformers model, by name or folder.

    Args:
        model: the default model, or another one's folder or its name on the Hugging Face hub;
            by name it must have been downloaded before.
        threads: processor cores to use.
        device: what the model runs on, as torch names it, such as "cuda" or "cuda:1".

    Raises:
        ModelError: there is no such model or no such device here, or the model's files are
            damaged; says what to do.
    """
    if model not in _DEFAULT_NAMES:
        folder = _model_folder(model)
        other = _load_sentence_transformer(folder, threads, device)
        count = partial(_token_count, other.tokenizer)
        return _SentenceTransformersEncoder(other, _folder_fingerprint(folder), count)
    if device == CPU:
        return _OnnxEncoder(threads)
    default_model.check_files()
    default = _load_sentence_transformer(default_model.package_folder(), threads, device)
    count_words = token_counter()  # ten times as quick; a GPU would wait for the tokenizer
    return _SentenceTransformersEncoder(
        default, default_model.FINGERPRINT, lambda text: count_words(text) + SPECIAL_TOKENS
    )


def model_fingerprint(model: str) -> str:
    """What `load_encoder(model).fingerprint` will be, without loading the model.

    Raises:
        ModelError: there is no such model here.
    """
    if model in _DEFAULT_NAMES:
        return default_model.FINGERPRINT
    return _folder_fingerprint(_model_folder(model))


def encodable(text: str) -> str:
    """`text` of the same length with lone surrogates, which no UTF-8 can hold, as U+FFFD."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def divided(text: str, fits: Callable[[str], bool]) -> Iterator[str]:
    """`text`, or if it does not fit its halves, and theirs; joined they are `text` again.

    Divided before white space if there is any near the middle. Halves and not full windows with
    a rest, because a rest of a few words would say as much as all before it.
    """
    if len(text) <= 1 or fits(text):
        yield text
        return
    middle = len(text) // 2
    space = _SPACE.search(text, middle, middle + len(text) // 4)
    cut = space.start() if space else middle
    yield from divided(text[:cut], fits)
    yield from divided(text[cut:], fits)


# --- counting tokens -----------------------------------------------------------------------------

# What the model's pre-tokenizer always sets apart, one token each: ASCII punctuation, the commonest
# marks outside ASCII, ideographs. Rarer ones stay in a word; the tokenizer counts that as a whole.
_MARKS = r"!-/:-@\[-`{-~‘’“”–—…«»¿¡。、，！？：；「」『』（）《》㐀-䶿一-鿿"
_ATOM = re.compile(rf"\[(?:PAD|UNK|CLS|SEP|MASK)\]|[^\s{_MARKS}]+|[{_MARKS}]")
# str.split() and \s take these for white space; the tokenizer drops them and joins what is around.
_DROPPED = re.compile("[\x0b\x0c\x1c-\x1f\x85]")
# Of each memo, in about 30 MB; 5,000 press articles have 197,000 different words as split at white
# space.
_MEMO_ENTRIES = 300_000


def token_counter() -> Callable[[str], int]:
    """A function that counts the default model's tokens in a text, without the special ones.

    Exact, for every text. The tokenizer never joins what white space or punctuation divides, so
    each word is counted once and remembered: ten times quicker than the tokenizer itself.
    """
    return _shared_counter()


@cache
def _shared_counter() -> Callable[[str], int]:
    atoms = WordMemo(tokens_of_word, most=_MEMO_ENTRIES)
    words = WordMemo(
        lambda word: sum(map(atoms.__getitem__, _ATOM.findall(word))), most=_MEMO_ENTRIES
    )

    def count(text: str) -> int:
        if _DROPPED.search(text):
            return _tokens(text)
        return sum(map(words.__getitem__, text.split()))

    return count


def tokens_of_word(word: str) -> int:
    """As `token_counter`, of what has no white space in it; nothing is remembered."""
    if word.isascii() and word.isalnum():
        return _word_pieces(word.lower(), default_tokenizer())
    return _tokens(word)


def _tokens(text: str) -> int:
    return len(default_tokenizer().encode(encodable(text), add_special_tokens=False).ids)


# Of the tokenizer; a longer word is one unknown token.
_WORD_CHARS = 100


def _word_pieces(word: str, tokenizer: Tokenizer) -> int:
    """How many pieces WordPiece, longest match first, makes of a word of ASCII letters and digits.

    The tokenizer says the same, but takes ten times as long for a single word.
    Source: Schuster, Nakajima, ICASSP 2012, doi:10.1109/ICASSP.2012.6289079, as BERT uses it.
    """
    if len(word) > _WORD_CHARS:
        return 1
    pieces, start, prefix = 0, 0, ""
    while start < len(word):
        end = len(word)
        while tokenizer.token_to_id(prefix + word[start:end]) is None:
            end -= 1
            if end == start:
                return 1  # unknown as a whole
        pieces, start, prefix = pieces + 1, end, "##"
    return pieces


@cache
def default_tokenizer() -> Tokenizer:
    """The default model's, without padding and for texts of any length. Safe for many threads."""
    tokenizer = Tokenizer.from_buffer(default_model.tokenizer_file())
    tokenizer.no_truncation()  # the file asks for 128 tokens of padding and truncation
    tokenizer.no_padding()
    return tokenizer


# --- the default model ---------------------------------------------------------------------------


class _OnnxEncoder:
    """The default model on onnxruntime."""

    fingerprint = default_model.FINGERPRINT
    dim = default_model.DIM

    def __init__(self, threads: int) -> None:
        self._tokenizer = default_tokenizer()
        self._count = token_counter()
        self._session = _onnx_session()
        self._threads = threads

    def embed(self, texts: Sequence[str]) -> Embeddings:
        return _embed_in_windows(texts, self._embed_windows, self._fits)

    def _fits(self, window: str) -> bool:
        most = MAX_TOKENS - SPECIAL_TOKENS
        # As nearly every question: no letter of ASCII is more than one token.
        return (window.isascii() and len(window) <= most) or self._count(window) <= most

    def _embed_windows(self, windows: Sequence[str]) -> Embeddings:
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(windows))]
        embeddings = np.empty((len(ids), self.dim), np.float32)

        def embed_batch(batch: Sequence[int]) -> None:
            embeddings[batch] = self._run([ids[window] for window in batch])

        parts = list(batches([len(window_ids) for window_ids in ids]))
        if self._threads == 1 or len(parts) == 1:
            for batch in parts:
                deadline.check()
                embed_batch(batch)
        else:
            # A core to each batch: they need not wait for one another after every operator.
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(embed_batch, parts))
        return embeddings

    def _run(self, ids: Sequence[Sequence[int]]) -> Embeddings:
        shape = (len(ids), max(map(len, ids)))
        input_ids, attention_mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for row, text_ids in enumerate(ids):
            input_ids[row, : len(text_ids)] = text_ids
            attention_mask[row, : len(text_ids)] = 1
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
        (embedding,) = self._session.run(["embedding"], inputs)
        return np.asarray(embedding, np.float32)


def _onnx_session() -> "InferenceSession":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # batches run side by side instead
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.enable_mem_pattern = False  # it keeps a plan for each shape, and ours are all different
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        str(default_model.exported()), options, providers=["CPUExecutionProvider"]
    )


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Texts by number, of these lengths in tokens: of BATCH_TOKENS, or one that is longer.

    Those of about the same length are together, the longest first.
    """
    batch: list[int] = []
    for number in sorted(range(len(lengths)), key=lambda number: -lengths[number]):
        if batch and (len(batch) + 1) * lengths[batch[0]] > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


# --- any other model ------------------------------------------------------------------------------

_PROCESSOR_BATCH_TEXTS = 32  # as sentence-transformers does unless told otherwise
# Of a batch on a GPU, where all texts are as long as the model takes: enough to keep it at work,
# and little enough for the memory of a small one.
_DEVICE_BATCH_TOKENS = 65_536

# Not part of what makes a vector: documentation, and copies of the weights in other formats.
_IGNORED_FOLDERS = {"onnx", "openvino"}
_IGNORED_SUFFIXES = {".md", ".png", ".jpg", ".pdf"}


class _SentenceTransformersEncoder:
    """A model that sentence-transformers runs, as its own configuration says."""

    def __init__(
        self, model: "SentenceTransformer", fingerprint: str, count: Callable[[str], int]
    ) -> None:
        """`count`: how many tokens a text is to the model, with the special ones."""
        self.fingerprint = fingerprint
        self._model, self._count = model, count
        self._batch_texts = _PROCESSOR_BATCH_TEXTS
        if model.device.type != CPU:
            longest = self._model.max_seq_length or _DEVICE_BATCH_TOKENS
            self._batch_texts = max(1, _DEVICE_BATCH_TOKENS // longest)
        self.dim = len(self._embed_windows(["dimension"])[0])

    def embed(self, texts: Sequence[str]) -> Embeddings:
        if not texts:
            return np.empty((0, self.dim), np.float32)
        return _embed_in_windows(texts, self._embed_windows, self._fits)

    def _fits(self, window: str) -> bool:
        limit = self._model.max_seq_length
        return limit is None or self._count(window) <= limit

    def _embed_windows(self, windows: Sequence[str]) -> Embeddings:
        embeddings = self._model.encode(
            list(windows),
            batch_size=self._batch_texts,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return np.ascontiguousarray(embeddings, np.float32)


def _token_count(tokenizer: Any, text: str) -> int:
    return len(tokenizer(text, truncation=False, verbose=False)["input_ids"])


def _load_sentence_transformer(folder: Path, threads: int, device: str) -> "SentenceTransformer":
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(threads)
    _check_device(device)
    try:
        return SentenceTransformer(str(folder), device=device, local_files_only=True)
    except (ImportError, KeyError, OSError, RuntimeError, TypeError, ValueError) as error:
        raise ModelError(
            f"sentence-transformers cannot load a model from {folder}: {error}"
        ) from error


def _check_device(device: str) -> None:
    import torch

    try:
        torch.empty(1, device=device)
    except (AssertionError, RuntimeError) as error:  # torch has no class of its own for this
        reason = str(error).partition("\n")[0].rstrip(".")
        raise ModelError(
            f"torch {torch.__version__} cannot use the device {device!r}: {reason}; set "
            "NUTGRAF_DEVICE to cpu, or install a torch built for that device"
        ) from error


def _model_folder(name: str) -> Path:
    """Where a model's files are; the hub's cache is looked through, the hub is not asked."""
    folder = Path(name).expanduser()
    if name and folder.is_dir():
        return folder
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    hub_name = name if "/" in name else f"sentence-transformers/{name}"
    try:
        return Path(snapshot_download(hub_name, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError) as error:
        raise ModelError(
            f"{name!r} is no folder here and no model downloaded before; give the folder of a "
            f"sentence-transformers model, or download it with: hf download {hub_name}"
        ) from error


def _folder_fingerprint(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    hasher = hashlib.sha256()
    for path in files:
        inside = path.relative_to(folder)
        if _makes_vectors(inside):
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            hasher.update(f"{inside.as_posix()} {digest}\n".encode("utf-8", "surrogateescape"))
    return hasher.hexdigest()[:16]


def _makes_vectors(inside: Path) -> bool:
    hidden = any(part.startswith(".") for part in inside.parts)
    return not (hidden or inside.parts[0] in _IGNORED_FOLDERS or inside.suffix in _IGNORED_SUFFIXES)


# --- texts of any length, whichever the model ----------------------------------------------------


def _embed_in_windows(
    texts: Sequence[str],
    embed_windows: Callable[[Sequence[str]], Embeddings],
    fits: Callable[[str], bool],
) -> Embeddings:
    windows: list[str] = []
    firsts: list[int] = []  # of each text, the number of its first window
    for text in texts:
        firsts.append(len(windows))
        windows.extend(divided(encodable(text), fits))
    embeddings = embed_windows(windows)
    if len(windows) > len(texts):
        embeddings = np.add.reduceat(embeddings, firsts, axis=0)
        embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    _check_finite(embeddings, texts)
    return embeddings


def _check_finite(embeddings: Embeddings, texts: Sequence[str]) -> None:
    finite = np.isfinite(embeddings).all(axis=1)
    if not finite.all():
        text = texts[int(np.argmin(finite))]
        raise ModelError(
            # The text may be a question, and this is logged.
            f"the model gave a vector that is none for a text of {len(text):,} characters; "
            "its files may be damaged: install or download the model again"
        )
