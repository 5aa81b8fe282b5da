"""Which entries of a saved search are due, by the definition alone, with sets of ids."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from index.snapshot import SnapshotReader


@dataclass
class DueEntries:
    """Of one search: the articles of every report that ever was in its result set."""

    ever: set[str] = field(default_factory=set)

    def new(self, found: Iterable[str], report_of: Mapping[str, int]) -> set[int]:
        """The reports due, when these articles are found; from now on they count as seen."""
        members = defaultdict(set)
        for article, report in report_of.items():
            members[report].add(article)
        standing = {report_of[article] for article in found}
        new = {report for report in standing if not members[report] & self.ever}
        self.ever.update(*(members[report] for report in standing))
        return new


def reports_in(folder: Path) -> dict[str, int]:
    """The report of each live article of a store, by id."""
    with closing(SnapshotReader(folder)) as reader:
        columns = reader.latest().columns
        live = np.unique(columns.article)
        return {columns.article_id[at]: int(columns.report[at]) for at in live}
