"""What stands in a result set, report by report: what saved searches compare from time to time.

A report is known again by its articles' ids: they last, while its number, its passages and which
of its articles is shown may change whenever a copy or another version comes.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.article import ArticleId
from index.columns import Columns, live_with
from index.saved_searches import EntryRow, digests
from index.snapshot import Snapshot
from search.grouping import best_of_reports, reports_of
from search.result_set import ResultSet


@dataclass(frozen=True, slots=True)
class StandingReport:
    """A report of which a passage is in a result set."""

    id: ArticleId  # of its articles the one added first
    position: int  # of its best passage, in the snapshot's columns
    digests: NDArray[np.uint64]  # of all its articles, in the order in which they were added


@dataclass(frozen=True, slots=True)
class Standing:
    """The reports of a result set on one snapshot, in the order in which they were added."""

    reports: tuple[StandingReport, ...]
    snapshot: Snapshot

    @classmethod
    def of(cls, results: ResultSet, snapshot: Snapshot) -> "Standing":
        """The reports of `results`, which are best first."""
        return cls(tuple(_reports(results, snapshot.columns)), snapshot)

    def digests(self) -> NDArray[np.uint64]:
        """Of all articles of the reports, ascending, each once."""
        return _united(self.reports)

    def unseen(self, seen: NDArray[np.uint64]) -> list[StandingReport]:
        """The reports of which no article is among `seen` (ascending digests)."""
        every = [report.digests for report in self.reports]
        if not every:
            return []
        known = np.isin(np.concatenate(every), seen)
        begins = np.cumsum([0, *(len(each) for each in every[:-1])])
        any_known = np.logical_or.reduceat(known, begins)
        return [
            report for report, is_known in zip(self.reports, any_known, strict=True) if not is_known
        ]

    def entries(
        self, search: str, seen: NDArray[np.uint64]
    ) -> tuple[list[EntryRow], NDArray[np.uint64]]:
        """What comes into a search's result set, and the digests to count as seen from now on.

        A report whose stored rows are damaged neither comes in nor is seen: it may be mended.
        """
        unseen = self.unseen(seen)
        # Where the commit's row is damaged, they come now.
        entered_s = self.snapshot.committed_s(self.snapshot.seq) or int(time.time())
        rows = self.snapshot.passage_rows([report.position for report in unseen])
        entries = [
            EntryRow(0, search, report.id, row.article.id, row.id, entered_s)
            for report in unseen
            if (row := rows.get(report.position))
        ]
        damaged = {report.id for report in unseen if report.position not in rows}
        sound = [report for report in self.reports if report.id not in damaged]
        return entries, np.setdiff1d(_united(sound), seen)


def _reports(results: ResultSet, columns: Columns) -> list[StandingReport]:
    reports = reports_of(results.positions, columns)
    best = best_of_reports(reports)
    position_of = dict(zip(reports[best].tolist(), results.positions[best].tolist(), strict=True))
    members = live_with(columns.report, reports[best], columns)
    articles_of: dict[int, list[ArticleId]] = {}  # numbers rise, so the first comes first
    for report, member in zip(columns.report[members].tolist(), members.tolist(), strict=True):
        articles_of.setdefault(report, []).append(ArticleId(columns.article_id[member]))
    return [
        StandingReport(articles[0], position_of[report], digests(articles))
        for report, articles in articles_of.items()
    ]


def _united(reports: Sequence[StandingReport]) -> NDArray[np.uint64]:
    every = [report.digests for report in reports]
    return np.unique(np.concatenate(every)) if every else np.empty(0, dtype=np.uint64)
