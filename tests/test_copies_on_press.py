"""Reports over press articles: planted copies of every kind, and the pairs that readers judged.

The articles are copyrighted and not part of the project: NUTGRAF_DATA names the folder with them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest
from b_cubed import BCubed, b_cubed
from planted_copies import PLANTED, Story, planted
from press_copies import PRESS, JudgedPair, articles_of, judged_pairs, right_reports

from index.article import SourceRecord
from index.copies import is_copy
from index.reading import read
from index.snapshot import SnapshotReader
from index.updates import days_apart
from index.writer import Writer
from search.searcher import Searcher

EVERY = 55  # of the articles, one is an original
LONGEST = 5_000  # characters of an original: half of them; the longer would take most of the time
COPIES = 3  # of each original
OUTLETS = ("Northport Courier", "The Islander", "Harbour Post")


@dataclass(frozen=True, repr=False)  # no article's text in a failure's message
class Archive:
    """The report that each article was found to be in, and the one that it should be in."""

    found: Mapping[str, object]
    right: Mapping[str, object]
    judged: Mapping[str, SourceRecord]
    copies: Sequence["Copy"]
    store: Path

    def agreement(self, articles: Sequence[str]) -> BCubed:
        return b_cubed(
            {article: self.found[article] for article in articles},
            {article: self.right[article] for article in articles},
        )


@dataclass(frozen=True, repr=False)
class Copy:
    """A planted copy, the article it was made of, and how."""

    record: SourceRecord
    original: str
    edits: str


@pytest.fixture(scope="module")
def pairs() -> list[JudgedPair]:
    return judged_pairs()


@pytest.fixture(scope="module")
def archive(pairs: list[JudgedPair], tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """Originals, their copies and the judged articles, added in an order drawn by chance."""
    if not PRESS.exists():
        pytest.skip(f"the press articles are not here: {PRESS} (set NUTGRAF_DATA)")
    names = set(articles_of(pairs))
    readable = [record for record in read([PRESS]) if isinstance(record, SourceRecord)]
    judged = {record.own_id: record for record in readable if record.own_id in names}
    originals = [
        record
        for record in readable[::EVERY]
        if record.own_id not in names and len(record.body) < LONGEST
    ]
    chance = Random(1)
    copies = list(_copies(originals, chance))
    records = [*judged.values(), *originals, *(copy.record for copy in copies)]
    chance.shuffle(records)
    right = {
        **right_reports(pairs),
        **{record.own_id: record.own_id for record in originals},
        **{copy.record.own_id: copy.original for copy in copies},
    }
    store = tmp_path_factory.mktemp("press")
    return Archive(_reports(records, store), right, judged, copies, store)


def _copies(originals: Sequence[SourceRecord], chance: Random) -> Iterator[Copy]:
    """Every kind of edit as often as the others; new words come from the original before."""
    for number in range(COPIES * len(originals)):
        at = number // COPIES
        record, other = originals[at], originals[at - 1]
        edits = PLANTED[number % len(PLANTED)]
        made = planted(edits, _story(record), _story(other), chance)
        copy = replace(
            record,
            own_id=f"copy-{number}",
            url="",
            outlet=chance.choice(OUTLETS),
            headline=made.headline,
            body=made.text,
        )
        yield Copy(copy, record.own_id, " and ".join(edits))


def _story(record: SourceRecord) -> Story:
    return Story(record.headline, record.body)


def _reports(records: Sequence[SourceRecord], store: Path) -> dict[str, object]:
    with Writer(store) as writer:
        for at in range(0, len(records), 250):
            outcomes = writer.add(records[at : at + 250])
            assert {outcome.status for outcome in outcomes} == {"added"}
    reader = SnapshotReader(store)
    columns = reader.latest().columns
    reader.close()
    return dict(zip(columns.article_id, columns.report.tolist(), strict=True))


@pytest.mark.slow
def test_copies_with_any_one_or_two_edits_are_one_report_with_their_original(
    archive: Archive,
) -> None:
    missed = Counter(
        copy.edits
        for copy in archive.copies
        if archive.found[copy.record.own_id] != archive.found[copy.original]
    )
    assert len(archive.copies) >= 1000
    assert missed == {}


@pytest.mark.slow
def test_reports_are_those_that_were_planted_and_judged(archive: Archive) -> None:
    assert archive.agreement(sorted(archive.right)).f1 >= 0.99
    assert archive.agreement(sorted(archive.judged)).f1 >= 0.98


@pytest.mark.slow
def test_copies_are_told_from_what_only_shares_quotations_and_background(
    archive: Archive, pairs: list[JudgedPair]
) -> None:
    told = Counter(
        (pair.label, _is_copy(archive.judged[pair.a], archive.judged[pair.b])) for pair in pairs
    )
    assert told["copy", True] >= 34  # of 36
    assert told["different", True] <= 1  # of 207


def _is_copy(a: SourceRecord, b: SourceRecord) -> bool:
    return is_copy(a.body, b.body, days=days_apart(a.published, b.published))


@pytest.mark.slow
def test_the_first_ten_hits_are_of_ten_reports(archive: Archive) -> None:
    """Of 170 questions, their headlines: 9.94 distinct reports in ten hits; without folding 1.8."""
    asked = [copy.record.headline for copy in archive.copies[:: 12 * COPIES]]
    searcher = Searcher(archive.store)
    try:
        full = [hits for question in asked if len(hits := searcher.search(question).hits) == 10]
    finally:
        searcher.close()
    assert len(full) > len(asked) / 2
    distinct = [len({archive.right[hit.article_id] for hit in hits}) for hits in full]
    assert sum(distinct) / len(distinct) >= 9.7
