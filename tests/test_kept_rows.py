"""Rows that were read are kept, and shown only where they are live."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index import kept_rows, store
from index.article import Origin, SourceRecord
from index.kept_rows import KeptRows
from index.snapshot import SnapshotReader
from index.store import PassageRow
from index.writer import Writer


def _article(text: str) -> SourceRecord:
    return SourceRecord(Origin("t", 1), b"", text, own_id="ferry")


@pytest.fixture
def row(tmp_path: Path) -> PassageRow:
    with Writer(tmp_path) as writer:
        writer.add([_article("The ferry sails at dawn.")])
    reader = SnapshotReader(tmp_path)
    (row,) = reader.latest().passage_rows([0]).values()
    reader.close()
    return row


def test_a_row_is_read_once_and_no_snapshot_shows_what_is_not_live_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    passage_rows = store.passage_rows

    def counting(connection, numbers, horizon):  # type: ignore[no-untyped-def]
        read.extend(numbers)
        return passage_rows(connection, numbers, horizon)

    with Writer(tmp_path) as writer:
        writer.add([_article("The ferry sails at dawn.")])
        reader = SnapshotReader(tmp_path)
        before = reader.latest()
        monkeypatch.setattr("index.store.passage_rows", counting)
        assert before.passage_rows([0]) == before.passage_rows([0])
        assert len(read) == 1
        writer.add([_article("The ferry sails at noon.")])
        after = reader.latest()
        assert [row.text for row in after.passage_rows([0]).values()] == [
            "The ferry sails at noon."
        ]
        assert len(read) == 2
        assert before.passage_rows([0])[0].text == "The ferry sails at dawn."
        assert len(read) == 3  # it was let go of when it was live no more
    reader.close()


def test_rows_that_are_not_live_any_more_are_not_kept(row: PassageRow) -> None:
    kept = KeptRows()
    kept.put({1: row, 3: row, 5: row})
    kept.keep_live(np.array([2, 3, 4]))
    assert list(kept.get([1, 3, 5])) == [3]


def test_those_not_asked_for_longest_make_room_and_a_long_reading_is_not_kept(
    row: PassageRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_rows, "_MOST_CHARS", len(row.article.text) + 20)
    monkeypatch.setattr(kept_rows, "_BESIDE_TEXT_CHARS", 10)
    monkeypatch.setattr(kept_rows, "_MOST_AT_ONCE", 2)
    kept = KeptRows()
    kept.put({1: row, 2: row})
    kept.get([1])
    kept.put({3: row})
    assert list(kept.get([1, 2, 3])) == [1, 3]
    kept.put({4: row, 5: row, 6: row})
    assert not kept.get([4, 5, 6])


def test_rows_of_one_article_keep_its_text_once_and_the_last_lets_it_go(
    row: PassageRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = replace(row, article=replace(row.article))  # as it is read once more
    other = replace(row, article=replace(row.article, number=2, text="x" * 30))
    kept = KeptRows()
    kept.put({1: row})
    kept.put({2: again})
    assert kept.get([2])[2] == again
    assert kept.get([2])[2].article is kept.get([1])[1].article
    monkeypatch.setattr(kept_rows, "_MOST_CHARS", 60 + kept_rows._BESIDE_TEXT_CHARS)
    kept.put({3: other})
    assert list(kept.get([1, 2, 3])) == [3]
    kept.put({1: row})  # its text counts again
    assert list(kept.get([1, 3])) == [1]
