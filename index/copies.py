"""Whether two texts are copies of each other, and which fingerprints find such pairs.

A copy has at least four fifths of the shorter text's words in runs that stand in the other text
too: cut, with another headline or lead, with paragraphs put in or in another order, it is still a
copy. Two reports of one event in different words share names and quotations, but few runs.

The guards were set by reading the pairs above .75 of press-2012-2020 (37,554 articles) and samples
of those above .8 of reuters-1987 (21,578). Runs of 4, 5, 6 and 8 words find nearly the same pairs
in press: 67, 66, 65 and 59.

MinHash in bands (datasketch 2.0, 128 permutations) compares whole texts and misses what was cut:
of 250 truncations to 30 % it finds .68 with bands for a likeness of .3, .04 with bands for .5, and
a signature takes three times as long as ours (3.4 and 1.1 ms on a busy core).
"""

import math
import re
import unicodedata
import zlib
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

RUN_WORDS: Final = 5
# Nexis's rule. Above it, the pairs of press are one report but for what the guards below take out.
COPY_OVERLAP: Final = 0.8

# Below, texts are tables and notices ("Qtly div 30 cts vs 30 cts prior") that differ in a name or
# a figure: copies only when every word is equal.
_LEAST_WORDS = 25
# A brief within a long round-up is not its copy. The shortest true copy of press has .17 of the
# other's length; at .12 and below stand pages that share a box.
_LEAST_RATIO = 0.15
# Figures that only the shorter text has, as a share of its words. Reuters' daily and weekly
# notices, the same but for the figures, have .04 to .10, or .02 in the shortest; real copies of
# press have up to .01.
_OTHER_FIGURES = 0.03
_OTHER_FIGURES_NEXT_DAY = 0.015
_OTHER_FIGURES_LATER = 0.01
# Copies run within two days. Of the 65 pairs of press above the overlap, 15 are further apart, all
# pages of one outlet whose boxes outweigh the report. Later, only what is nearly all the same.
_COPIED_WITHIN_DAYS = 2
_LATE_OVERLAP = 0.95

# The least hashes of a text serve one cut short as well as one of equal length: both texts have
# the same in proportion to what they share of their union. Truncations of 1,500 press articles to
# 30 % share three of 32 in all but 3 cases, to 50 % in all. With 24 it is 18 cases; with 48 none,
# for half as many rows again.
SAMPLES: Final = 32
LEAST_SHARED: Final = 3
# Pages share boxes, so three are not enough for long texts of one length: 35,000 pairs of press
# share three. Copies of overlap .8 have about .6 of their runs in common, and at least half of the
# fingerprints that this lets expect: no copy of press is lost, and 8,200 pairs are compared.
_COMMON_RUNS = 0.6

# A word; one character of those scripts that put no space between words.
_WORD = re.compile(
    r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]|[^\W_\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]+"
)
_APOSTROPHES = "'’‘ʼ"
# Most texts hold nothing but ASCII, Latin letters and these: to make spaces of what stands between
# their words, byte by byte, is quicker than to look for the words.
_MARKS = "“”–—…•£€"
_OTHERS = re.compile(r"[^\x00-\x7fÀ-ÖØ-öø-ɏ]")
_SPACED = bytes(byte if byte > 127 or chr(byte).isalnum() else ord(" ") for byte in range(256))


@dataclass(frozen=True, slots=True)
class Runs:
    """A text's words and the runs of RUN_WORDS words that begin at each, as hashes, in order.

    A text of fewer words has one run.
    """

    words: NDArray[np.uint64]
    runs: NDArray[np.uint64]
    ascending: NDArray[np.uint64]  # the runs, sorted
    figures: NDArray[np.uint64]  # those of the words that begin with a digit


def words_of(text: str) -> list[str]:
    """The words that texts are compared by: no case, no punctuation, no apostrophes."""
    return _WORD.findall(_folded(text))


def runs_of(text: str) -> Runs:
    words = _spaced(_folded(text)).split()
    hashes = np.fromiter(map(zlib.crc32, words), np.uint64, len(words))
    first = np.fromiter(map(itemgetter(0), words), np.uint8, len(words))
    runs, figures = _runs(hashes), hashes[(first >= ord("0")) & (first <= ord("9"))]
    return Runs(hashes, runs, np.sort(runs), figures)


def fingerprints(text: str) -> NDArray[np.int64]:
    """The least hashes of a text's runs, sorted, each once; shape (n,), n <= SAMPLES."""
    return fingerprints_of(runs_of(text))


def fingerprints_of(runs: Runs) -> NDArray[np.int64]:
    least = runs.ascending
    first = np.ones(len(least), dtype=np.bool_)
    first[1:] = least[1:] != least[:-1]
    return np.sort(least[first][:SAMPLES].view(np.int64))


def overlap(a: str, b: str) -> float:
    """Share of the shorter text's words that stand in runs shared with the other, 0 to 1."""
    return overlap_of(runs_of(a), runs_of(b))


def overlap_of(a: Runs, b: Runs) -> float:
    if len(a.words) == len(b.words):
        return min(_covered(a, b), _covered(b, a))
    return _covered(a, b) if len(a.words) < len(b.words) else _covered(b, a)


def is_copy(a: str, b: str, *, days: int | None = None) -> bool:
    """Whether the texts are copies of each other; the same for (b, a).

    `days` lie between their days of publication; None: unknown.
    """
    return is_copy_of(runs_of(a), runs_of(b), days)


def is_copy_of(a: Runs, b: Runs, days: int | None) -> bool:
    shorter, longer = (a, b) if len(a.words) <= len(b.words) else (b, a)
    words = len(shorter.words)
    if words < _LEAST_WORDS:
        return words > 0 and np.array_equal(a.words, b.words)
    if words < _LEAST_RATIO * len(longer.words):
        return False
    others = min(_other_figures(a, b), _other_figures(b, a))
    if days is not None and days > _COPIED_WITHIN_DAYS:
        return others <= _OTHER_FIGURES_LATER * words and overlap_of(a, b) >= _LATE_OVERLAP
    # One may be a correction.
    allowed = _OTHER_FIGURES_NEXT_DAY * words if days else max(1, _OTHER_FIGURES * words)
    return others <= allowed and overlap_of(a, b) >= COPY_OVERLAP


def least_shared(words: int, others: int) -> float:
    """How many fingerprints two texts of so many words share at least, if they may be copies.

    Infinite where they cannot be copies.
    """
    fewer, more = sorted((words, others))
    if fewer < _LEAST_RATIO * more:
        return math.inf
    both = _COMMON_RUNS * fewer
    return max(LEAST_SHARED, SAMPLES * both / (fewer + more - both) / 2)


def _folded(text: str) -> str:
    """Without case, compatibility forms and apostrophes."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    for apostrophe in _APOSTROPHES:
        plain = plain.replace(apostrophe, "")
    return plain


def _spaced(folded: str) -> bytes:
    """The words of a folded text in UTF-8, with nothing but spaces between them."""
    marked = folded
    for mark in _MARKS:
        folded = folded.replace(mark, " ")
    if _OTHERS.search(folded):
        return " ".join(_WORD.findall(marked)).encode("utf-8", "surrogatepass")
    return folded.encode().translate(_SPACED)


def _other_figures(a: Runs, b: Runs) -> int:
    """How many of the figures in `a` are not in `b`."""
    there = set(b.figures.tolist())
    return sum(figure not in there for figure in a.figures.tolist())


def _runs(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    if not len(words):
        return words
    size = min(RUN_WORDS, len(words))
    runs = np.zeros(len(words) - size + 1, dtype=np.uint64)
    for at in range(size):
        runs = _mixed(runs + words[at : at + len(runs)])
    return runs


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread over all 64 bits, one to one. Source: Steele, Lea, Flood, OOPSLA 2014 (SplitMix)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _covered(shorter: Runs, longer: Runs) -> float:
    if not len(shorter.words):
        return 0.0
    at = np.searchsorted(longer.ascending, shorter.runs)
    shared = longer.ascending[np.minimum(at, len(longer.ascending) - 1)] == shorter.runs
    covered = np.zeros(len(shorter.words), dtype=np.bool_)
    for start in range(len(covered) - len(shared) + 1):
        covered[start : start + len(shared)] |= shared
    return float(covered.mean())
