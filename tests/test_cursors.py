"""Cursors: pages of a result set that stays whole while the archive changes."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any, TypedDict
from weakref import ref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.article import ArticleId, Origin, Published, SourceRecord
from index.errors import BadQueryError, ExpiredCursorError
from index.snapshot import Snapshot, SnapshotReader
from index.writer import Writer
from search import cursors
from search.cross_encoder import Effort
from search.cursors import Cursor, HeldSnapshots, KeptSets
from search.filters import NO_FILTERS, Filters
from search.grouping import Group
from search.query import Mode
from search.ranking import Ranker, Ranking
from search.result_set import Answer, Found, Hit, Request, Sort
from search.searcher import Searcher

OUTLETS = ("Northport Courier", "The Islander", "")


def record(number: int, text: str = "") -> SourceRecord:
    """An article about the ferry; some are longer, so that not all scores are equal.

    No two are copies: the number stands in every few words.
    """
    more = f" The boat was {number} minutes late, the harbour {number} master said." * (number % 4)
    return SourceRecord(
        Origin("test", 1),
        b"",
        text or f"The ferry made trip {number} to the island.{more}",
        own_id=f"trip-{number}",
        outlet=OUTLETS[number % 3],
        published=Published(f"20{number % 20:02}-05-01") if number % 7 else None,
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ninety articles, found by words only. Not to be changed."""
    folder = tmp_path_factory.mktemp("cursors") / "store"
    with Writer(folder) as writer:
        writer.add([record(number) for number in range(90)])
    return folder


@pytest.fixture(scope="module")
def searcher(store: Path) -> Iterator[Searcher]:
    with closing(Searcher(store)) as searcher:
        yield searcher


@pytest.fixture
def changing(tmp_path: Path) -> Iterator[tuple[Writer, Searcher]]:
    """A store of thirty articles that a test may change."""
    with Writer(tmp_path / "store") as writer:
        writer.add([record(number) for number in range(30)])
        with closing(Searcher(tmp_path / "store")) as searcher:
            yield writer, searcher


def pages(searcher: Searcher, first: Answer, sizes: Iterator[int]) -> Iterator[Answer]:
    """`first` and all that follow it, each as large as `sizes` says."""
    answer = first
    yield answer
    while answer.next_cursor:
        answer = searcher.search(
            answer.query,
            k=next(sizes),
            filters=answer.filters,
            sort=answer.sort,
            group=answer.group,
            cursor=answer.next_cursor,
        )
        yield answer


def ids(answers: Iterator[Answer]) -> list[str]:
    return [hit.passage_id for answer in answers for hit in answer.hits]


def forever(k: int) -> Iterator[int]:
    while True:
        yield k


class _How(TypedDict):
    filters: Filters
    sort: Sort
    group: Group


_FILTERS = st.sampled_from(
    [NO_FILTERS, Filters(outlet=("The Islander",)), Filters(published_from=date(2008, 1, 1))]
)


@given(
    question=st.sampled_from(["ferry", "ferry trip 7", "harbour master late", "zeppelin"]),
    filters=_FILTERS,
    sort=st.sampled_from(Sort),
    group=st.sampled_from(Group),
    sizes=st.lists(st.integers(1, 40), min_size=90, max_size=90),
)
@settings(max_examples=40, deadline=None)
def test_pages_of_whatever_size_are_the_export_and_the_facets_count_it(
    searcher: Searcher,
    question: str,
    filters: Filters,
    sort: Sort,
    group: Group,
    sizes: list[int],
) -> None:
    each = iter(sizes)
    how: _How = {"filters": filters, "sort": sort, "group": group}
    first = searcher.search(question, k=next(each), facets=True, **how)
    answers = list(pages(searcher, first, each))
    found = ids(iter(answers))
    export = searcher.export(question, **how)
    exported = list(export.hits)
    assert found == [hit.passage_id for hit in exported if isinstance(hit, Hit)]
    assert len(found) == len(set(found)) == export.total
    assert {answer.total for answer in answers} == {export.total}
    ranks = [hit.rank for answer in answers for hit in answer.hits]
    assert ranks == list(range(1, export.total + 1))
    for facet in first.facets:
        assert sum(v.count for v in facet.values) + facet.other + facet.unknown == export.total


def test_the_last_page_has_no_next_and_the_first_no_previous(searcher: Searcher) -> None:
    answers = list(pages(searcher, searcher.search("ferry", k=40), forever(40)))
    assert [len(answer.hits) for answer in answers] == [40, 40, 10]
    assert answers[0].previous_cursor is None
    assert answers[-1].next_cursor is None
    back = searcher.search("ferry", k=40, cursor=answers[2].previous_cursor)
    assert back.hits == answers[1].hits
    assert searcher.search("ferry", k=40, cursor=back.previous_cursor).hits == answers[0].hits


def test_a_set_of_one_page_has_no_cursor(searcher: Searcher) -> None:
    whole = searcher.search("ferry", k=90)
    assert (len(whole.hits), whole.next_cursor, whole.previous_cursor) == (90, None, None)
    assert searcher.search("zeppelin").next_cursor is None


def test_pages_stay_whole_while_articles_are_added_replaced_and_removed(
    changing: tuple[Writer, Searcher],
) -> None:
    writer, searcher = changing
    before = [hit for hit in searcher.export("ferry").hits if isinstance(hit, Hit)]
    answer = searcher.search("ferry", k=4)
    hits = list(answer.hits)
    change = 0
    while answer.next_cursor:
        # What stands on the pages to come goes, changes, and new and better ones come.
        writer.remove([ArticleId(before[-1 - change].article_id)])
        writer.add(
            [record(100 + change, f"The ferry, ferry {change}."), record(change, "No word of it")]
        )
        change += 1
        searcher.search("ferry", k=3)
        answer = searcher.search("ferry", k=4, cursor=answer.next_cursor)
        hits += answer.hits
    assert change > 5
    assert hits == before
    assert {hit.article_id for hit in searcher.search("ferry", k=100).hits} >= {"trip-100"}


def test_a_next_page_is_the_same_when_its_set_must_be_found_again(
    changing: tuple[Writer, Searcher],
) -> None:
    writer, searcher = changing
    first = searcher.search("ferry", k=10)
    expected = searcher.search("ferry", k=10, cursor=first.next_cursor)
    writer.add([record(200, "The ferry, the ferry.")])
    searcher._sets = KeptSets()
    again = searcher.search("ferry", k=10, cursor=first.next_cursor)
    assert (again.hits, again.snapshot) == (expected.hits, first.snapshot)


def test_a_next_page_does_not_rank_anew(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = searcher.search("ferry late", k=10)

    def unwanted(*_: object) -> None:
        raise AssertionError("ranked anew")

    monkeypatch.setattr(searcher._ranker, "rank", unwanted)
    assert searcher.search("ferry late", k=10, cursor=first.next_cursor).hits[0].rank == 11


def test_a_cursor_of_the_newest_snapshot_outlives_the_process(store: Path) -> None:
    with closing(Searcher(store)) as one:
        first = one.search("ferry", k=50)
    with closing(Searcher(store)) as other:
        second = other.search("ferry", k=50, cursor=first.next_cursor)
    assert len({hit.passage_id for hit in first.hits + second.hits}) == 90


def test_a_cursor_whose_snapshot_is_gone_is_expired(tmp_path: Path, store: Path) -> None:
    with Writer(tmp_path / "store") as writer:
        writer.add([record(number) for number in range(30)])
        with closing(Searcher(tmp_path / "store")) as one:
            first = one.search("ferry", k=10)
        writer.add([record(99)])
        with (
            closing(Searcher(tmp_path / "store")) as other,
            pytest.raises(ExpiredCursorError, match="ask again without a cursor"),
        ):
            other.search("ferry", k=10, cursor=first.next_cursor)


def test_a_snapshot_of_the_same_name_with_another_result_set_is_another(tmp_path: Path) -> None:
    cursors_of = []
    for name, words in (("one", "ferry"), ("other", "tram")):
        with Writer(tmp_path / name) as writer:
            writer.add([record(number) for number in range(20)] + [record(50, f"One {words}.")])
        with closing(Searcher(tmp_path / name)) as searcher:
            cursors_of.append(searcher.search("ferry", k=5).next_cursor)
            snapshot = searcher.snapshot_id()
            assert Cursor.decode(str(cursors_of[0])).snapshot == snapshot
    with (
        closing(Searcher(tmp_path / "other")) as searcher,
        pytest.raises(ExpiredCursorError),
    ):
        searcher.search("ferry", k=5, cursor=cursors_of[0])


@pytest.mark.parametrize(
    ("question", "filters", "sort"),
    [
        ("ferries", NO_FILTERS, Sort.RELEVANCE),
        ("ferry", Filters(outlet=("The Islander",)), Sort.RELEVANCE),
        ("ferry", NO_FILTERS, Sort.NEWEST),
    ],
)
def test_a_cursor_belongs_to_its_question_filters_and_order(
    searcher: Searcher, question: str, filters: Filters, sort: Sort
) -> None:
    cursor = searcher.search("ferry").next_cursor
    with pytest.raises(BadQueryError, match="another question") as caught:
        searcher.search(question, filters=filters, sort=sort, cursor=cursor)
    assert caught.value.field == "cursor"


GOOD = Cursor("3.1.0", date(2025, 3, 15), "00112233", "44556677", 10)


def encoded(parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "rubbish",
        "é" * 8,
        "\ud800",
        GOOD.encode()[:-1],
        GOOD.encode() + "=",
        f" {GOOD.encode()}",
        "A" * 100_000,
        encoded([1, "3.1.0", 739000, "a", "b", -1]).rstrip("="),
        encoded([1, "3.1.0", 739000, "a", "b", 1.5]).rstrip("="),
        encoded([1, "3.1.0", 739000, "a", "b", True]).rstrip("="),
        encoded([1, ["3.1.0"], 739000, "a", "b", 1]).rstrip("="),
        encoded([1, "3.1.0", 10**20, "a", "b", 1]).rstrip("="),
        encoded([1, "3.1.0", "x", "a", "b", 1]).rstrip("="),
        encoded([2, "3.1.0", 739000, "a", "b", 1]).rstrip("="),
        encoded({"a": 1}).rstrip("="),
        encoded("[" * 200).rstrip("="),
        base64.urlsafe_b64encode(b"[" * 300).decode().rstrip("="),
    ],
)
def test_what_is_no_cursor_is_refused_by_name(searcher: Searcher, text: str) -> None:
    with pytest.raises(BadQueryError) as caught:
        searcher.search("ferry", cursor=text)
    assert caught.value.field == "cursor"


def test_a_place_behind_the_last_hit_is_refused(searcher: Searcher) -> None:
    cursor = Cursor.decode(str(searcher.search("ferry").next_cursor))
    for offset in (90, 10**30):
        moved = Cursor(cursor.snapshot, cursor.today, cursor.request, cursor.found, offset)
        with pytest.raises(BadQueryError, match="behind the last hit"):
            searcher.search("ferry", cursor=moved.encode())


@given(
    # Longer ones, all of escaped characters, would not fit a cursor.
    snapshot=st.text(max_size=9),
    today=st.dates(),
    request=st.text(max_size=9),
    found=st.text(max_size=9),
    offset=st.integers(0, 10**9),
)
def test_a_cursor_comes_back_as_it_was_and_is_safe_in_a_url(
    snapshot: str, today: date, request: str, found: str, offset: int
) -> None:
    cursor = Cursor(snapshot, today, request, found, offset)
    text = cursor.encode()
    assert all(c.isascii() and (c.isalnum() or c in "-_") for c in text)
    assert Cursor.decode(text) == cursor


def test_what_a_question_meant_by_today_holds_for_its_next_pages(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = searcher.search("ferry", k=10)
    asked: list[Request] = []
    found = searcher._found

    def listen(request: Request, snapshot: Snapshot) -> Found:
        asked.append(request)
        return found(request, snapshot)

    monkeypatch.setattr(searcher, "_found", listen)
    cursor = Cursor.decode(str(first.next_cursor))
    yesterday = date.fromordinal(cursor.today.toordinal() - 1)
    moved = Cursor(cursor.snapshot, yesterday, cursor.request, cursor.found, cursor.offset)
    searcher.search("ferry", k=10, cursor=moved.encode())
    assert [request.today for request in asked] == [yesterday]


# --- what is held ---------------------------------------------------------------------------------


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def snapshots(tmp_path: Path, count: int) -> list[Snapshot]:
    """The same store seen after each of `count` changes."""
    seen = []
    with Writer(tmp_path / "held") as writer:
        writer.add([record(0)])
        reader = SnapshotReader(tmp_path / "held")
        for number in range(count):
            writer.add([record(number)])
            writer.add([record(number + 1)])
            seen.append(reader.latest())
        reader.close()
    return seen


def test_the_snapshots_used_last_are_held(tmp_path: Path) -> None:
    made = snapshots(tmp_path, cursors.MOST_SNAPSHOTS + 2)
    held = HeldSnapshots()
    for snapshot in made[:-1]:
        held.hold(snapshot)
    held.hold(made[0])
    held.hold(made[-1])
    held.let_go()
    kept = [held.get(snapshot.id) is snapshot for snapshot in made]
    assert kept == [True, False, False, *[True] * (len(made) - 3)]


def test_of_large_snapshots_fewer_are_held_and_the_last_one_always(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = snapshots(tmp_path, 4)
    held = HeldSnapshots()
    for most, expected in ((sum(each.passages for each in made[2:]), made[2:]), (0, made[3:])):
        monkeypatch.setattr(cursors, "MOST_PASSAGES", most)
        for snapshot in made:
            held.hold(snapshot)
        held.let_go()
        assert [snapshot for snapshot in made if held.get(snapshot.id)] == expected


def test_a_snapshot_that_is_not_used_for_long_is_let_go(tmp_path: Path) -> None:
    first, second = snapshots(tmp_path, 2)
    clock = Clock()
    held = HeldSnapshots(clock)
    held.hold(first)
    held.hold(second)
    clock.now += cursors.LONGEST_UNUSED_S
    held.hold(second)
    held.let_go()
    assert held.get(first.id)
    clock.now += 1
    held.let_go()
    assert held.get(first.id) is None
    assert held.get(second.id) is second


def test_a_question_under_way_while_all_is_let_go_of_leaves_nothing_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.writer._PATIENCE_S", 0.05)
    with Writer(tmp_path / "store") as writer:
        writer.add([record(number) for number in range(3)])
        searcher = Searcher(tmp_path / "store")
        rank = Ranker.rank

        def while_others_let_go(*arguments: Any) -> Ranking:
            searcher.let_go()
            return rank(*arguments)

        monkeypatch.setattr(Ranker, "rank", while_others_let_go)
        try:
            assert searcher.search("ferry", k=1).next_cursor
            assert writer.begin_log_anew(searcher._reader.renew)
        finally:
            searcher.close()


def test_what_is_held_while_the_newest_is_renewed_is_let_go_of_as_well(
    changing: tuple[Writer, Searcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, searcher = changing
    renew = SnapshotReader.renew

    def after_a_question(reader: SnapshotReader) -> Callable[[], bool]:
        writer.add([record(30)])
        assert searcher.search("ferry", k=1).next_cursor
        return renew(reader)

    monkeypatch.setattr(SnapshotReader, "renew", after_a_question)
    are_over = searcher.renew()
    assert are_over()


def asked(question: str) -> Request:
    return Request(
        question,
        Mode.PLAIN,
        NO_FILTERS,
        Sort.RELEVANCE,
        Effort.QUICK,
        Group.REPORT,
        None,
        date.today(),
    )


def test_only_so_many_passages_of_result_sets_are_kept(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cursors, "_KEPT_PASSAGES", 200)
    searcher.search("ferry")
    snapshot = searcher._reader.latest()
    request = asked("ferry")
    found = searcher._found(request, snapshot)
    assert len(found.results) == 90
    kept = KeptSets()
    requests = [asked(str(n)) for n in range(3)]
    for each in (*requests, requests[1]):
        kept.put(snapshot, each, found)
    assert [kept.get(snapshot, each) is found for each in requests] == [False, True, True]
    monkeypatch.setattr(cursors, "_KEPT_PASSAGES", 80)
    kept.put(snapshot, requests[0], found)
    assert kept.get(snapshot, requests[0]) is None


def test_a_result_set_goes_with_its_snapshot(changing: tuple[Writer, Searcher]) -> None:
    writer, searcher = changing
    writer.add([record(1, "The ferry.")])
    snapshot = searcher._reader.latest()
    found = searcher._found(asked("ferry"), snapshot)
    kept = KeptSets()
    kept.put(snapshot, asked("ferry"), found)
    gone, of_set = ref(snapshot), ref(found.results.positions)
    del snapshot, found
    searcher._sets = KeptSets()
    writer.add([record(2, "Another ferry.")])
    newest = searcher._reader.latest()
    assert gone() is None
    kept.put(newest, asked("ferry"), searcher._found(asked("ferry"), newest))
    assert of_set() is None
    assert kept.get(newest, asked("ferry")) is not None
