"""Answers as the archive stood at the end of a day, by date of publication."""

from collections.abc import Iterator
from datetime import date

import pytest

from index.article import Origin, Published, SourceRecord
from index.errors import BadQueryError
from index.writer import Writer
from search.explain import Reason
from search.filters import Filters
from search.result_set import Answer, Damaged
from search.searcher import Searcher

_WIRE = (
    "The ferry Aurora ran aground off Northport in fog on Monday evening, and all sixty "
    "passengers were brought ashore by the lifeboat, the harbour master told reporters."
)


def record(name: str, text: str, published: str | None, outlet: str = "Wire") -> SourceRecord:
    return SourceRecord(
        Origin("test", 1),
        b"",
        text,
        own_id=name,
        outlet=outlet,
        published=Published(published) if published else None,
    )


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    """One wire story run by three papers in a week, a later ferry story, and one without a date."""
    folder = tmp_path_factory.mktemp("as-of") / "store"
    with Writer(folder) as writer:
        writer.add(
            [
                record("wire", _WIRE, "2024-03-04T21:00", "Sound Wire"),
                record("courier", _WIRE, "2024-03-05", "Northport Courier"),
                record("islander", _WIRE, "2024-03-09", "The Islander"),
                record("inquiry", "The ferry inquiry opened on Friday in Northport.", "2024-03-15"),
                record("undated", "The ferry timetable hangs at the pier.", None),
            ]
        )
    searcher = Searcher(folder)
    yield searcher
    searcher.close()


def found(answer: Answer) -> set[str]:
    return {hit.article_id for hit in answer.hits}


def test_what_was_published_later_is_not_there(searcher: Searcher) -> None:
    assert "inquiry" in found(searcher.search("ferry"))
    assert found(searcher.search("ferry", as_of=date(2024, 3, 14))) == {"wire"}
    assert "inquiry" in found(searcher.search("ferry", as_of=date(2024, 3, 15)))


def test_what_has_no_date_has_not_been_published_by_any_day(searcher: Searcher) -> None:
    assert "undated" in found(searcher.search("ferry"))
    assert "undated" not in found(searcher.search("ferry", as_of=date(2030, 1, 1)))


@pytest.mark.parametrize(
    ("day", "copies"), [(date(2024, 3, 4), 0), (date(2024, 3, 5), 1), (date(2024, 3, 9), 2)]
)
def test_copies_are_counted_as_of_the_day(searcher: Searcher, day: date, copies: int) -> None:
    [hit] = searcher.search("Aurora ran aground", as_of=day).hits
    assert (hit.copies.count if hit.copies else 0) == copies


def test_last_week_is_the_week_before_the_day(searcher: Searcher) -> None:
    answer = searcher.search("ferry last week", as_of=date(2024, 3, 12))
    [time] = answer.interpretation.time
    assert (time.first, time.last) == (date(2024, 3, 4), date(2024, 3, 10))


def test_the_earlier_of_the_day_and_the_filter_holds(searcher: Searcher) -> None:
    until_the_fifth = Filters.parse(published_to="2024-03-05")
    assert found(searcher.search("inquiry", filters=until_the_fifth, as_of=date(2024, 4, 1))) == {
        hit.article_id for hit in searcher.search("inquiry", filters=until_the_fifth).hits
    }
    from_the_tenth = Filters.parse(published_from="2024-03-10")
    assert searcher.search("ferry", filters=from_the_tenth, as_of=date(2024, 3, 9)).total == 0


def test_pages_and_export_are_of_the_same_day(searcher: Searcher) -> None:
    day = date(2024, 3, 15)
    first = searcher.search("ferry", k=1, as_of=day)
    assert first.as_of == day
    assert first.next_cursor
    second = searcher.search("ferry", k=1, as_of=day, cursor=first.next_cursor)
    whole = [
        hit for hit in searcher.export("ferry", as_of=day).hits if not isinstance(hit, Damaged)
    ]
    assert [*first.hits, *second.hits] == whole
    with pytest.raises(BadQueryError, match="cursor"):
        searcher.search("ferry", k=1, cursor=first.next_cursor)


def test_explain_says_that_an_article_came_later(searcher: Searcher) -> None:
    explanation = searcher.explain("ferry", "inquiry", as_of=date(2024, 3, 14))
    assert explanation.reason is Reason.FILTERED
