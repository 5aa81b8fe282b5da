"""The biggest stories of a time: which, in what order, and page by page."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from two_stories import ARTICLES

from index import store, store_folder
from index.article import ArticleId, Origin, Published, SourceRecord
from index.columns import Columns
from index.errors import BadQueryError, ExpiredCursorError, NotFoundError
from index.writer import Writer
from search import cursors
from search.coverage.front_page import FrontPage, biggest
from search.filters import NO_FILTERS, Filters, matching_articles
from search.searcher import Searcher

FERRY, TRAM = "Ferry Petrel catches fire off Tern Island, passengers rescued", "tram"


def record(article: dict[str, str]) -> SourceRecord:
    return SourceRecord(
        Origin("test", 1),
        b"",
        article["text"],
        headline=article.get("headline", ""),
        outlet=article.get("outlet", ""),
        own_id=article["id"],
        published=Published(article["published"]) if "published" in article else None,
    )


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    """Over the two stories. Not to be changed."""
    folder = tmp_path_factory.mktemp("front") / "store"
    with Writer(folder) as writer:
        writer.add([record(article) for article in ARTICLES])
    with closing(Searcher(folder)) as searcher:
        yield searcher


@pytest.fixture
def changing(tmp_path: Path) -> Iterator[tuple[Writer, Searcher]]:
    with Writer(tmp_path / "store") as writer:
        writer.add([record(article) for article in ARTICLES])
        with closing(Searcher(tmp_path / "store")) as searcher:
            yield writer, searcher


def figures(page: FrontPage) -> list[tuple[int, int]]:
    """Reports and articles of each story."""
    return [(story.reports, story.articles) for story in page.stories]


def numbers(page: FrontPage) -> list[int]:
    return [story.summary.number for story in page.stories]


# ---------------------------------------------------------------- which stories


def test_the_biggest_come_first_by_reports_and_what_nobody_else_reported_is_no_story(
    searcher: Searcher,
) -> None:
    page = searcher.stories()
    assert figures(page) == [(3, 4), (2, 2)]
    assert page.stories[0].summary.headline == FERRY
    assert page.total == 2


def test_single_reports_are_listed_when_they_are_asked_for_undated_ones_too(
    searcher: Searcher,
) -> None:
    page = searcher.stories(min_reports=1)
    assert figures(page) == [(3, 4), (2, 2), (1, 1)]
    assert page.stories[2].summary.first_published is None
    assert searcher.stories(min_reports=3).total == 1


def test_only_what_was_published_in_the_time_counts(searcher: Searcher) -> None:
    monday = Filters.parse(published_from="2025-03-10", published_to="2025-03-10")
    page = searcher.stories(filters=monday)
    assert figures(page) == [(2, 3)]
    whole = page.stories[0].summary  # the story is told whole
    assert (len(whole.reports), whole.last_published) == (3, Published("2025-03-12"))
    later = Filters.parse(published_from="2025-03-11")
    assert figures(searcher.stories(filters=later, min_reports=1)) == [(2, 2), (1, 1)]
    assert searcher.stories(filters=Filters.parse(published_to="2025-03-01")).total == 0


def test_only_what_the_filters_let_through_counts(searcher: Searcher) -> None:
    page = searcher.stories(filters=Filters.parse(outlet=["the islander"]), min_reports=1)
    assert figures(page) == [(1, 1), (1, 1)]
    assert all(story.outlets == ("The Islander",) for story in page.stories)


def test_a_report_counts_when_only_a_copy_of_it_is_let_through(searcher: Searcher) -> None:
    page = searcher.stories(filters=Filters.parse(outlet=["Northport Courier"]), min_reports=1)
    assert figures(page)[0] == (2, 2)


def test_a_removed_article_counts_no_more(changing: tuple[Writer, Searcher]) -> None:
    writer, searcher = changing
    searcher.stories()
    writer.remove([ArticleId("wire-2")])
    assert figures(searcher.stories()) == [(3, 4)]
    assert figures(searcher.stories(min_reports=1))[1:] == [(1, 1), (1, 1)]


# ---------------------------------------------------------------- page by page


@pytest.mark.parametrize("k", [1, 2, 3])
def test_pages_lead_to_the_end_without_a_gap_and_without_repeats(
    searcher: Searcher, k: int
) -> None:
    whole = numbers(searcher.stories(min_reports=1))
    seen: list[int] = []
    cursor = None
    while True:
        page = searcher.stories(k=k, min_reports=1, cursor=cursor)
        assert page.rank == len(seen) + 1
        seen += numbers(page)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == whole


def test_the_page_before_is_found_by_its_cursor(searcher: Searcher) -> None:
    first = searcher.stories(k=1)
    second = searcher.stories(k=1, cursor=first.next_cursor)
    assert second.previous_cursor
    assert searcher.stories(k=1, cursor=second.previous_cursor).stories == first.stories
    assert first.previous_cursor is None


def test_pages_go_on_in_the_same_stories_while_the_archive_changes(
    changing: tuple[Writer, Searcher],
) -> None:
    writer, searcher = changing
    whole = numbers(searcher.stories())
    first = searcher.stories(k=1)
    writer.remove([ArticleId("wire-2"), ArticleId("museum-3")])
    assert searcher.stories().total == 1
    second = searcher.stories(k=1, cursor=first.next_cursor)
    assert numbers(first) + numbers(second) == whole


def test_a_cursor_whose_view_is_gone_has_expired(
    changing: tuple[Writer, Searcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, searcher = changing
    first = searcher.stories(k=1)
    monkeypatch.setattr(cursors, "LONGEST_UNUSED_S", -1.0)
    writer.remove([ArticleId("museum-3")])
    with pytest.raises(ExpiredCursorError):
        searcher.stories(k=1, cursor=first.next_cursor)


def test_a_cursor_of_other_filters_is_refused(searcher: Searcher) -> None:
    cursor = searcher.stories(k=1).next_cursor
    with pytest.raises(BadQueryError, match="other filters"):
        searcher.stories(k=1, cursor=cursor, min_reports=1)
    with pytest.raises(BadQueryError, match="other filters"):
        searcher.stories(k=1, cursor=cursor, filters=Filters(published_to=date(2025, 3, 31)))


@pytest.mark.parametrize("k", [0, 101])
def test_no_page_has_no_story_or_more_than_a_hundred(searcher: Searcher, k: int) -> None:
    with pytest.raises(BadQueryError):
        searcher.stories(k=k)


# ---------------------------------------------------------------- one story


def test_each_article_of_a_story_names_it_and_a_single_report_names_none(
    searcher: Searcher,
) -> None:
    ids = {
        article["id"]: searcher.story_id(searcher.article(article["id"])) for article in ARTICLES
    }
    ferry, tram = (f"s{number}" for number in numbers(searcher.stories()))
    assert [id for id, story in ids.items() if story == ferry] == [
        "wire-1",
        "courier-1",
        "islander-1",
        "courier-2",
    ]
    assert [id for id, story in ids.items() if story == tram] == ["council-1", "wire-2"]
    assert ids["museum-3"] is None


def test_a_story_is_told_from_its_articles(searcher: Searcher) -> None:
    number = numbers(searcher.stories())[0]
    story = searcher.story(f"s{number}")
    assert [entry.article.id for entry in story.timeline] == ["wire-1", "courier-2"]
    first = story.summary.first
    assert first.article is not None
    assert (first.article.id, first.reason) == ("wire-1", "first by 2 hours")
    for entry in story.timeline:
        stored = searcher.article(entry.article.id).text
        assert stored[entry.sentence.start : entry.sentence.end] == entry.sentence.text


def test_a_merged_story_leads_to_the_one_it_went_into(tmp_path: Path) -> None:
    with Writer(tmp_path / "store") as writer:
        writer.add([record(article) for article in ARTICLES])
    merged = (77, 1, 1)  # the story 77 went into 1 at the first commit
    with closing(sqlite3.connect(tmp_path / "store" / store_folder.DATABASE)) as truth, truth:
        truth.execute(
            "INSERT INTO merged_stories VALUES (?, ?, ?, ?)", (*merged, store.crc(*merged))
        )
    with closing(Searcher(tmp_path / "store")) as searcher:
        story, same = searcher.story("s77"), searcher.story("s1")
    assert (story.asked, story.summary) == (77, same.summary)
    assert same.asked == same.summary.number == 1


@pytest.mark.parametrize("id", ["s999", "s0", "s-1", "9", "", "s1 ", "s٣", f"s{'9' * 30}", "S1"])
def test_what_is_no_story_is_not_found(searcher: Searcher, id: str) -> None:
    with pytest.raises(NotFoundError):
        searcher.story(id)


# ---------------------------------------------------------------- against counting by hand

_CODES = st.integers(1, 4)


@st.composite
def columns(draw: st.DrawFn) -> Columns:
    """Of articles in few stories and reports; some of the articles are not live."""
    size = draw(st.integers(0, 12))
    story = draw(st.lists(_CODES, min_size=size, max_size=size))
    report = draw(st.lists(_CODES, min_size=size, max_size=size))
    live = [at for at in range(size) if draw(st.booleans())]
    zeros = np.zeros(size, dtype=np.int32)
    return Columns(
        number=np.arange(len(live), dtype=np.int64),
        ordinal=np.zeros(len(live), dtype=np.int32),
        article=np.array(live, dtype=np.int32),
        article_number=np.arange(1, size + 1, dtype=np.int64),
        # A report lies within one story.
        report=np.array(report, dtype=np.int64) + 10 * np.array(story, dtype=np.int64),
        story=np.array(story, dtype=np.int64),
        article_id=[f"a-{number}" for number in range(size)],
        day=zeros,
        instant_s=np.array(draw(st.lists(_CODES, min_size=size, max_size=size)), dtype=np.int64),
        outlet=zeros,
        byline=zeros,
        section=zeros,
        language=zeros,
        values={field: [""] for field in ("outlet", "byline", "section", "language")},
    )


@given(columns(), st.integers(1, 3))
def test_the_order_is_that_of_counting_by_hand(given_columns: Columns, least: int) -> None:
    live = set(given_columns.article.tolist())
    articles = [
        (
            int(given_columns.story[at]),
            int(given_columns.report[at]),
            int(given_columns.instant_s[at]),
        )
        for at in live
    ]
    reports = Counter(story for story, _ in {(story, report) for story, report, _ in articles})
    newest = {story: max(at for other, _, at in articles if other == story) for story in reports}
    expected = sorted(
        (story for story in reports if reports[story] >= least),
        key=lambda story: (-reports[story], -newest[story], story),
    )
    ranked = biggest(given_columns, matching_articles(NO_FILTERS, given_columns), least)
    assert ranked.numbers.tolist() == expected
    assert ranked.reports.tolist() == [reports[story] for story in expected]


def test_a_story_whose_row_is_damaged_is_not_listed() -> None:
    damaged = replace(_one_article(), story=np.array([-1], dtype=np.int64))
    assert biggest(damaged, np.array([True]), 1).numbers.tolist() == []


def _one_article() -> Columns:
    one = np.zeros(1, dtype=np.int32)
    return Columns(
        number=np.array([1]),
        ordinal=one,
        article=one,
        article_number=np.array([1]),
        report=np.array([1]),
        story=np.array([1]),
        article_id=["a-1"],
        day=one,
        instant_s=np.array([0]),
        outlet=one,
        byline=one,
        section=one,
        language=one,
        values={},
    )
