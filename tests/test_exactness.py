"""Precision and recall of conditions over real articles, held against a scan of their texts.

The articles are copyrighted and not part of the project: NUTGRAF_DATA names the folder with them.
"""

import os
from collections.abc import Iterator
from datetime import date
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from scan import KINDS, Scanned, found, mode_of, questions, scanned, written_by_chance

from index.article import SourceRecord
from index.reading import read
from index.snapshot import Snapshot, SnapshotReader
from index.writer import Writer
from search.conditions import matching
from search.query import parse

DATA = Path(os.environ.get("NUTGRAF_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
PRESS = DATA / "press-2012-2020.jsonl.zst"
ARTICLES = 300
QUESTIONS = 40 * len(KINDS)
TODAY = date(2026, 3, 1)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    """Every seventh of the first articles, found by their words alone."""
    if not PRESS.exists():
        pytest.skip(f"the press articles are not here: {PRESS} (set NUTGRAF_DATA)")
    folder = tmp_path_factory.mktemp("press")
    records = (record for record in read([PRESS]) if isinstance(record, SourceRecord))
    with Writer(folder) as writer:
        writer.add(list(islice(records, 0, 7 * ARTICLES, 7)))
    reader = SnapshotReader(folder)
    yield reader.latest()
    reader.close()


@pytest.fixture(scope="module")
def articles(snapshot: Snapshot) -> list[Scanned]:
    return scanned(snapshot)


@pytest.mark.slow
def test_what_is_found_is_what_a_scan_of_all_texts_finds(
    snapshot: Snapshot, articles: list[Scanned]
) -> None:
    columns = snapshot.columns
    assert len(articles) > 0.9 * ARTICLES
    wrong = []
    with_hits = 0
    for number, (kind, asked) in enumerate(questions(articles, QUESTIONS, seed=1)):
        text = written_by_chance(asked, seed=number)
        condition = parse(text, mode=mode_of(asked), today=TODAY).condition
        assert condition is not None, text
        positions = np.flatnonzero(matching(condition, snapshot).mask)
        hits = {(int(columns.article[at]), int(columns.ordinal[at])) for at in positions}
        expected = found(asked, articles)
        with_hits += bool(expected)
        if hits != expected:
            wrong.append((kind, text, len(hits - expected), len(expected - hits)))
    assert wrong == []  # kind, question, how many too many, how many missing
    assert with_hits > 0.8 * QUESTIONS
