"""One hit for a report, which is an article with its copies and its updates.

Two steps fold. Before the closer look the same text in several articles of a report becomes one
candidate, so that copies take no places from other passages there; different passages of a report
still compete. After it each report keeps its best passage.

Of the same text the likely original's is shown, in its latest version, unless the filters leave it
out. It stands where the best placed of them would stand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.columns import Columns
from index.store import ArticleRow
from search.coverage.lineage import pieces_of
from search.coverage.original import original_of

# Two passages of a report are the same text when they share so many of the shorter one's runs of
# three words. Among the copies and updates judged in press-2012-2020 (tests/press_copies.py) most
# passages share more with their counterpart, and all but 3 of 7,900 pairs of others share less.
# One is shown for the other if it holds so many of the other's; with .8, one question of news-qa
# less gets the original, which is the one that was judged.
SAME_TEXT: Final = 0.6


class Group(StrEnum):
    """What is one hit."""

    REPORT = "report"  # the best passage of an article and its copies and updates
    NONE = "none"  # every passage


def reports_of(positions: NDArray[np.int64], columns: Columns) -> NDArray[np.int64]:
    """The report of each passage, shape (len(positions),), int64."""
    return columns.report[columns.article[positions]]


def in_several_articles(
    reports: NDArray[np.int64], articles: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Places of those passages whose report has passages of more than one article here.

    Args:
        reports, articles: of the passages, shape (n,).
    """
    _, one_each = np.unique(articles, return_index=True)
    names, counts = np.unique(reports[one_each], return_counts=True)
    return np.flatnonzero(np.isin(reports, names[counts > 1]))


@dataclass(frozen=True, slots=True)
class SameText:
    """Passages of one report that are the same text, or a part of it."""

    places: list[int]  # in order
    whole: list[int]  # those that hold what the first holds; itself among them


def same_texts(texts: Sequence[str]) -> list[SameText]:
    """What passages of one report say, each once, by the first that says it."""
    said: list[SameText] = []
    read = {text: _runs(text) for text in texts}
    for at, text in enumerate(texts):
        for same in said:
            own, first = read[text], read[texts[same.places[0]]]
            shared = len(own & first)
            if shared >= SAME_TEXT * min(len(own), len(first)):
                same.places.append(at)
                if shared >= SAME_TEXT * len(first):
                    same.whole.append(at)
                break
        else:
            said.append(SameText([at], [at]))
    return said


def _runs(text: str) -> frozenset[tuple[str, ...]]:
    words = text.lower().split()
    return frozenset(zip(words, words[1:], words[2:], strict=False)) or frozenset({tuple(words)})


def by_preference(articles: Sequence[ArticleRow]) -> dict[int, int]:
    """Places of articles of one report in the order in which a text of theirs is shown, by number.

    The likely original first, then the others in the order of time; of the versions of one piece
    the latest first.
    """
    pieces = pieces_of(articles)
    original, _ = original_of([piece[0] for piece in pieces], articles)
    pieces.sort(key=lambda piece: piece[0] is not original)
    ordered = [article for piece in pieces for article in reversed(piece)]
    return {article.number: place for place, article in enumerate(ordered)}


def best_of_reports(reports: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places of the first passage of each report, in their order, shape (n,), int64."""
    _, first = np.unique(reports, return_index=True)
    return np.sort(first)


def counted(wanted: NDArray[np.int64], reports: NDArray[np.int64]) -> NDArray[np.int64]:
    """How often each of the `wanted`, shape (n,), is among `reports`; shape (n,), int64."""
    names, counts = np.unique(reports, return_counts=True)
    return counts[np.searchsorted(names, wanted)]
