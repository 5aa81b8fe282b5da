"""The judged pairs of press articles in data/press_copies.tsv, and the reports that follow.

Candidates were all pairs of press-2012-2020 that share runs of eight words, found without the code
under test. Every pair with seven tenths of the shorter text in common is judged, but for most of
those that share only a gallery of picture captions; of pairs with less in common a sample, and
pairs of one day about one event. They were judged side by side, from how both texts begin, what
they share, and extracts of what only one of them has:

    copy       four fifths of the shorter text are the other's, picture captions, credits and
               spelling aside
    update     a later version of the same outlet's own piece, most of it kept
    different  all others: the same statement or agency paragraphs quoted, the same background,
               captions, menus and newsletter boxes, one event in two reports
"""

import csv
import os
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

DATA = Path(os.environ.get("NUTGRAF_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
PRESS = DATA / "press-2012-2020.jsonl.zst"
_JUDGED = Path(__file__).parent / "data" / "press_copies.tsv"


@dataclass(frozen=True)
class JudgedPair:
    """Two articles' ids, and what a reader says of them."""

    a: str
    b: str
    label: str  # copy, update, different
    why: str

    @property
    def is_held_out(self) -> bool:
        """Thresholds are tuned on the other half."""
        return zlib.crc32(f"{self.a} {self.b}".encode()) % 2 == 1


def judged_pairs() -> list[JudgedPair]:
    with _JUDGED.open(encoding="utf-8", newline="") as file:
        return [JudgedPair(**row) for row in csv.DictReader(file, delimiter="\t")]


def articles_of(pairs: Iterable[JudgedPair]) -> list[str]:
    """The ids of the pairs' articles, sorted, each once."""
    return sorted({article for pair in pairs for article in (pair.a, pair.b)})


def right_reports(pairs: Iterable[JudgedPair]) -> dict[str, str]:
    """For each article of the pairs the label of its report: all that copies and updates join."""
    label: dict[str, str] = {}
    for pair in pairs:
        a, b = label.setdefault(pair.a, pair.a), label.setdefault(pair.b, pair.b)
        if pair.label != "different":
            label |= {article: a for article, known in label.items() if known == b}
    return label
