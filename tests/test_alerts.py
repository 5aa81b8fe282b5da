"""What is an entry of a saved search, and what is none."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from due_entries import DueEntries, reports_in
from watched_store import COPY, FARES, SECOND_COPY, TRAM, WIRE, Watching, record, watching

from index import saved_searches
from index.article import SourceRecord
from search.desk import alerts, saved_search
from search.desk.saved_search import SavedQuestion

ORDERS = pytest.mark.parametrize(
    "order", [(WIRE, COPY, SECOND_COPY), (COPY, SECOND_COPY, WIRE), (SECOND_COPY, WIRE, COPY)]
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Watching]:
    with watching(tmp_path / "store") as store:
        store.add(TRAM)
        yield store


# ------------------------------------------------------------------- what comes in


def test_what_answers_when_a_search_is_saved_is_no_entry(store: Watching) -> None:
    store.add(FARES)
    id = store.save("ferry")
    assert store.record() == 0
    assert store.entries(id) == []


def test_a_report_that_comes_later_is_an_entry_once_and_stays_one(store: Watching) -> None:
    id = store.save("ferry")
    store.add(FARES)
    assert [store.record(), store.record()] == [1, 0]
    store.add(WIRE)
    assert [store.record(), store.record()] == [1, 0]
    assert store.entries(id) == ["wire-1", "islander-9"]


@ORDERS
def test_copies_are_one_entry_in_whatever_order_they_come(
    store: Watching, order: tuple[SourceRecord, ...]
) -> None:
    id = store.save("ferry")
    for each in order:
        store.add(each)
        store.record()
        assert store.entries(id) == [order[0].own_id]


@ORDERS
def test_an_entry_keeps_its_id_while_copies_come_before_it_is_recorded(
    store: Watching, order: tuple[SourceRecord, ...]
) -> None:
    id = store.save("ferry")
    for each in order:
        store.add(each)
        assert store.entries(id) == [order[0].own_id]
    store.record()
    assert store.entries(id) == [order[0].own_id]


def test_a_copy_of_what_was_there_when_the_search_was_saved_is_no_entry(store: Watching) -> None:
    store.add(COPY)
    id = store.save("ferry")
    store.add(WIRE)
    assert store.record() == 0
    store.remove("courier-1")
    assert store.record() == 0
    assert store.entries(id) == []


def test_a_new_version_is_no_entry(store: Watching) -> None:
    id = store.save("ferry")
    store.add(WIRE)
    store.record()
    store.add(replace(WIRE, body=f"{WIRE.body}\n\nThe ferry was towed in at noon."))
    assert store.record() == 0
    assert store.entries(id) == ["wire-1"]


def test_what_left_the_result_set_and_comes_back_is_no_entry(store: Watching) -> None:
    id = store.save("headline:petrel")
    store.add(WIRE)
    store.record()
    store.add(replace(WIRE, headline="Ferry on fire"))
    assert store.record() == 0
    store.add(WIRE)
    assert store.record() == 0
    assert len(store.entries(id)) == 1


def test_an_article_that_was_removed_is_not_shown_and_no_new_entry_when_it_is_back(
    store: Watching,
) -> None:
    id = store.save("ferry")
    store.add(FARES, WIRE)
    store.record()
    store.remove("islander-9")
    store.record()
    assert store.entries(id) == ["wire-1"]
    store.add(FARES)
    assert store.record() == 0
    assert sorted(store.entries(id)) == ["islander-9", "wire-1"]


def test_a_report_of_which_the_filters_let_only_a_copy_through_is_an_entry(store: Watching) -> None:
    id = store.save("ferry", outlet=["northport courier"])
    store.add(WIRE)
    assert store.record() == 0
    store.add(COPY)
    assert store.record() == 1
    (item,) = store.page(id).items
    assert item.article.id == "courier-1"


def test_passages_of_one_report_are_one_entry_where_every_passage_is_a_hit(
    store: Watching,
) -> None:
    id = store.save("petrel", group="none")
    store.add(WIRE, COPY)
    assert store.record() == 1
    assert len(store.entries(id)) == 1


def test_an_entry_comes_in_at_the_time_of_the_newest_commit(
    store: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = store.save("ferry")
    monkeypatch.setattr("index.writer.time.time", lambda: 1_741_600_000.0)
    store.add(FARES)
    pending = store.page(id).items[0].entry.entered_s
    monkeypatch.setattr("index.writer.time.time", lambda: 1_741_700_000.0)
    store.record()
    assert store.page(id).items[0].entry.entered_s == pending == 1_741_600_000


def test_of_a_passage_that_is_gone_the_article_is_shown_as_it_is_now(store: Watching) -> None:
    id = store.save("fares")
    store.add(FARES)
    store.record()
    store.add(replace(FARES, body="The fares stay as they are, the company now says."))
    (item,) = store.page(id).items
    assert item.passage.text == "The fares stay as they are, the company now says."


def test_entries_are_the_difference_of_the_result_sets_whatever_happens(store: Watching) -> None:
    """Articles, their copies and versions come and go by chance; see also test_alerts_on_press."""
    chance = Random(7)
    pool = [WIRE, COPY, SECOND_COPY, FARES, TRAM, replace(WIRE, headline="Petrel: ferry towed")]
    questions: list[dict[str, object]] = [
        {"q": "ferry"},
        {"q": "headline:ferry OR tram"},
        {"q": "ferry", "outlet": ["Coast Wire", "Sound Radio"]},
        {"q": "the", "mode": "verbatim", "group": "none"},
        {"q": "petrel", "from": "2025-03-10", "sort": "newest"},
    ]
    ids = [store.save(**fields) for fields in questions]  # type: ignore[arg-type]
    oracles = [DueEntries() for _ in ids]
    there = [
        oracle.new(_found(store, id), _reports(store))
        for oracle, id in zip(oracles, ids, strict=True)
    ]
    assert there[3]  # the tram
    came = 0
    for _ in range(16):
        one = chance.choice(pool)
        if chance.random() < 0.35:
            store.remove(one.own_id)
        else:
            store.add(one)
        before = [store.watched(id) for id in ids]
        store.record()
        reports = _reports(store)
        for id, oracle, watched in zip(ids, oracles, before, strict=True):
            new = oracle.new(_found(store, id), reports)
            assert {reports[entry.article_id] for entry in watched.pending} == new
            assert store.watched(id).recorded == watched.recorded + len(new)
            came += len(new)
    assert came >= 6


def _reports(store: Watching) -> dict[str, int]:
    return reports_in(store.searcher.folder)


def _found(store: Watching, id: str) -> list[str]:
    question = store.watched(id).search.question
    answer = store.searcher.search(
        question.q,
        k=1000,
        mode=question.mode,
        filters=question.filters(),
        sort=question.sort,
        group=question.group,
    )
    return [hit.article_id for hit in answer.hits]


# ----------------------------------------------------------------------- recording


def test_what_is_pending_is_what_will_be_recorded(store: Watching) -> None:
    id = store.save("ferry")
    store.add(FARES, WIRE)
    before = store.watched(id)
    assert (before.recorded, before.total, before.new) == (0, 2, 2)
    page = store.page(id)
    store.record()
    after = store.watched(id)
    assert (after.recorded, after.pending, after.new) == (2, (), 2)
    assert [item.entry for item in page.items] == [
        replace(item.entry, number=0) for item in store.page(id).items
    ]


def test_two_that_record_at_once_record_once(store: Watching) -> None:
    id = store.save("ferry")
    store.add(FARES, WIRE)
    with ThreadPoolExecutor(4) as pool:
        recorded = list(pool.map(lambda _: store.record(), range(4)))
    assert sum(recorded) == 2
    assert store.watched(id).recorded == 2


def test_nothing_is_committed_where_nothing_came(store: Watching) -> None:
    store.save("ferry")
    commits = []

    @contextmanager
    def desk() -> Iterator[sqlite3.Connection]:
        commits.append(1)
        with store.writer.desk() as truth:
            yield truth

    store.add(record("zoo-1", "The zoo has a new bear."))
    alerts.record(store.searcher, desk)
    assert not commits
    store.add(FARES)
    alerts.record(store.searcher, desk)
    assert len(commits) == 1


def test_whoever_waits_to_save_or_record_keeps_the_log_from_nobody(
    store: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.writer._PATIENCE_S", 0.05)
    emptied = []

    @contextmanager
    def desk() -> Iterator[sqlite3.Connection]:
        emptied.append(store.writer.begin_log_anew(store.searcher.renew))
        with store.writer.desk() as truth:
            yield truth

    saved_search.save(store.searcher, desk, "ferry", SavedQuestion.checked(q="ferry"))
    store.add(FARES)
    assert alerts.record(store.searcher, desk) == 1
    assert emptied == [True, True]


def test_what_another_thread_recorded_meanwhile_is_recorded_once(store: Watching) -> None:
    id = store.save("ferry")
    store.add(FARES)
    before: list[int] = []

    @contextmanager
    def desk() -> Iterator[sqlite3.Connection]:
        if not before:
            before.append(store.record())
            store.add(WIRE)
        with store.writer.desk() as truth:
            yield truth

    assert alerts.record(store.searcher, desk) == 1
    assert before == [1]
    assert store.entries(id) == ["wire-1", "islander-9"]


def test_recording_does_not_change_the_snapshot(store: Watching) -> None:
    store.save("ferry")
    store.add(FARES)
    before = store.searcher.snapshot_id()
    store.record()
    assert store.searcher.snapshot_id() == before


def test_a_search_that_can_no_longer_be_asked_does_not_keep_the_others_back(
    store: Watching, caplog: pytest.LogCaptureFixture
) -> None:
    broken, sound = store.save("ferry"), store.save("fares")
    with store.writer.desk() as truth:
        row = saved_searches.search(truth, broken)
        assert row
        saved_searches.delete(truth, broken)
        saved_searches.insert(truth, replace(row, request='{"q": "(ferry AND"}'))
    store.add(FARES)
    assert store.record() == 1
    assert store.entries(sound) == ["islander-9"]
    assert store.entries(broken) == []
    assert f"id={broken} cannot be asked" in caplog.text


def test_a_damaged_search_is_left_out_and_can_be_forgotten(
    store: Watching, caplog: pytest.LogCaptureFixture
) -> None:
    damaged, sound = store.save("ferry"), store.save("fares")
    with store.writer.desk() as truth:
        truth.execute("UPDATE searches SET seen = x'00' WHERE id = ?", (damaged,))
    store.add(FARES)
    assert store.record() == 1
    assert [each.search.id for each in alerts.watch_all(store.searcher)] == [sound]
    assert f"id={damaged} is damaged" in caplog.text
    saved_search.forget(store.writer.desk, damaged)


def test_a_damaged_entry_is_left_out_and_the_others_keep_their_places(store: Watching) -> None:
    id = store.save("ferry")
    store.add(FARES)
    store.record()
    store.add(WIRE)
    store.record()
    with store.writer.desk() as truth:
        truth.execute("UPDATE entries SET passage_id = 'x' WHERE report_id = 'islander-9'")
    assert store.entries(id) == ["wire-1"]
    assert store.watched(id).total == 2


# ------------------------------------------------------------------------ delivery


def test_alerts_come_again_until_they_are_delivered(store: Watching) -> None:
    store.save("ferry")
    store.save("tram")
    store.add(FARES)
    store.record()
    for _ in range(2):
        (alert,), until = alerts.undelivered(store.searcher)
        assert [item.article.id for item in alert.items] == ["islander-9"]
    alerts.delivered(store.writer.desk, until)
    assert alerts.undelivered(store.searcher)[0] == []


def test_what_comes_after_a_delivery_is_told_oldest_first(store: Watching) -> None:
    id = store.save("ferry")
    store.add(FARES)
    store.record()
    alerts.delivered(store.writer.desk, alerts.undelivered(store.searcher)[1])
    assert store.watched(id).new == 0
    store.add(WIRE)
    store.record()
    store.add(record("boat-2", "A ferry for the outer islands was named in Northport."))
    store.record()
    (alert,), _ = alerts.undelivered(store.searcher)
    assert [item.article.id for item in alert.items] == ["wire-1", "boat-2"]
    assert (store.watched(id).new, store.watched(id).total) == (2, 3)


def test_a_delivery_beyond_the_last_entry_delivers_nothing_that_comes_later(
    store: Watching,
) -> None:
    id = store.save("ferry")
    assert alerts.delivered(store.writer.desk, 1_000_000) == 0
    store.add(FARES)
    store.record()
    assert store.watched(id).new == 1


def test_a_question_is_saved_as_it_is_asked(store: Watching) -> None:
    fields = {"q": "ferry", "outlet": ["Coast Wire", "Høvåg Tidende"], "from": "2025-03-01"}
    question = SavedQuestion.checked(**fields, sort="newest")
    search, is_new = saved_search.save(
        store.searcher, store.writer.desk, "  Ferry\nwatch ", question
    )
    assert (search.name, search.question, is_new) == ("Ferry watch", question, True)
    assert question.parameters() == (
        "outlet=Coast+Wire&outlet=H%C3%B8v%C3%A5g+Tidende&from=2025-03-01&q=ferry&sort=newest"
    )
    again = saved_search.save(store.searcher, store.writer.desk, "Ferry watch", question)
    assert again == (search, False)
