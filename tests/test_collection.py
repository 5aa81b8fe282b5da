"""What has become of what was marked."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from collected import BOATS, FERRY, LEAD, MORE, Desk, desk

from index.errors import BadQueryError, NotFoundError
from search.desk import collection
from search.desk.collection import Standing, citation_of
from search.references.cite import Status


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path / "store") as opened:
        opened.add("harbour", LEAD, FERRY, BOATS, url="https://courier.example/harbour")
        yield opened


def test_what_is_marked_is_the_text_its_span_points_at(archive: Desk) -> None:
    searcher = archive.searcher
    article = searcher.article("harbour")
    for passage in searcher.passages_of(article):
        marked = collection.stretch(searcher, passage=passage.id)
        assert (marked.passage_id, marked.quote) == (passage.id, passage.text)
        assert article.text[marked.start : marked.end] == marked.quote
    start, end = archive.span("harbour", "ferry sails")
    for names in ({"article": "https://courier.example/harbour"}, {"article": "harbour"}):
        marked = collection.stretch(searcher, **names, start=start, end=end)
        assert (marked.article_id, marked.quote) == ("harbour", "ferry sails")
        assert marked == collection.named(searcher, "harbour", start=start, end=end)


def test_a_stretch_over_several_passages_is_in_none(archive: Desk) -> None:
    searcher = archive.searcher
    text = searcher.article("harbour").text
    marked = collection.stretch(searcher, article="harbour", start=0, end=len(text))
    passages = searcher.passages_of(searcher.article("harbour"))
    assert (marked.passage_id is None) == (len(passages) > 1)
    assert marked.quote == text


def test_an_article_without_a_span_is_marked_as_a_whole(archive: Desk) -> None:
    marked = collection.named(archive.searcher, "harbour", start=None, end=None)
    assert (marked.start, marked.end, marked.quote, marked.passage_id) == (0, 0, "", None)
    assert marked.is_whole_article


@pytest.mark.parametrize(
    ("start", "end"), [(5, 5), (9, 4), (-1, 4), (0, 10**9), (10**30, 10**31), (3, None), (None, 3)]
)
def test_a_span_is_a_stretch_of_the_text(archive: Desk, start: int | None, end: int | None) -> None:
    with pytest.raises(BadQueryError):
        collection.stretch(archive.searcher, article="harbour", start=start, end=end)


def test_what_is_not_there_cannot_be_marked(archive: Desk) -> None:
    with pytest.raises(NotFoundError, match="'nobody'"):
        collection.named(archive.searcher, "nobody", start=None, end=None)
    with pytest.raises(BadQueryError, match="one of passage and article"):
        collection.stretch(archive.searcher)
    with pytest.raises(BadQueryError, match="one of passage and article"):
        collection.stretch(archive.searcher, passage="harbour-1", article="harbour")


def test_what_stands_where_it_stood_is_unchanged(archive: Desk) -> None:
    marked = archive.quoted("harbour", "ferry sails at dawn")
    id = archive.collect("Harbour", marked)
    archive.add("harbour", LEAD, FERRY, MORE)  # behind it, another paragraph
    [mark] = archive.whole(id).marks
    assert mark.standing == Standing(Status.UNCHANGED, marked.start, marked.end)


def test_a_passage_that_moved_is_unchanged_and_cited_where_it_stands_now(archive: Desk) -> None:
    # Long enough that each is a passage of its own, whose id goes with its text.
    first, second = f"{LEAD} {MORE} " * 4, f"{FERRY} {BOATS} " * 4
    archive.add("moved", first, second)
    marked = archive.quoted("moved", "ferry sails at dawn")
    whole = archive.quoted("moved", second.strip())
    assert whole.passage_id == marked.passage_id is not None
    id = archive.collect("Harbour", marked, whole)
    archive.add("moved", "Corrected on Monday.", first, second)
    text = archive.searcher.article("moved").text
    for mark in archive.whole(id).marks:
        citation = citation_of(mark, "https://archive.example/")
        assert mark.standing.status is Status.UNCHANGED
        assert citation.start > mark.mark.marked.start
        assert text[citation.start : citation.end] == citation.quote == mark.mark.marked.quote
        assert citation.archive_url == (
            f"https://archive.example/articles/moved?start={citation.start}&end={citation.end}"
            f"#{marked.passage_id}"
        )


def test_what_the_article_says_no_more_is_edited(archive: Desk) -> None:
    marked = archive.quoted("harbour", "ferry sails at dawn")
    id = archive.collect("Harbour", marked)
    archive.add("harbour", LEAD, FERRY.replace("dawn", "noon"), BOATS)
    [mark] = archive.whole(id).marks
    assert mark.standing == Standing(Status.EDITED)
    citation = citation_of(mark, "https://archive.example/")
    assert (citation.quote, citation.start) == (marked.quote, marked.start)
    assert citation.archive_url == "https://archive.example/articles/harbour"


def test_words_that_stand_elsewhere_after_an_edit_are_found_there(archive: Desk) -> None:
    id = archive.collect("Harbour", archive.quoted("harbour", "ferry sails at dawn"))
    archive.add("harbour", "Corrected.", LEAD, FERRY.replace("Saturday", "Sunday"), BOATS)
    [mark] = archive.whole(id).marks
    start, end = archive.span("harbour", "ferry sails at dawn")
    assert mark.standing == Standing(Status.EDITED, start, end)


def test_an_article_that_was_removed_is_withdrawn_and_what_it_said_is_kept(archive: Desk) -> None:
    marked = archive.quoted("harbour", "ferry sails at dawn")
    id = archive.collect("Harbour", marked, marked_s=86_400)
    archive.writer.remove([marked.article_id])
    archive.add("other", "Another article has its address.", url="harbour")
    [mark] = archive.whole(id).marks
    assert mark.standing == Standing(Status.WITHDRAWN)
    citation = citation_of(mark, "https://archive.example/")
    assert (citation.quote, citation.headline, citation.outlet, citation.archive_url) == (
        "ferry sails at dawn",
        "Harbour reopens",
        "Northport Courier",
        "",
    )
    assert citation.accessed.isoformat() == "1970-01-02"


def test_what_comes_back_as_it_was_is_unchanged_again(archive: Desk) -> None:
    marked = archive.quoted("harbour", "ferry sails at dawn")
    id = archive.collect("Harbour", marked)
    archive.writer.remove([marked.article_id])
    archive.add("harbour", LEAD, FERRY, BOATS)
    [mark] = archive.whole(id).marks
    assert mark.standing.status is Status.UNCHANGED


def test_a_whole_article_is_edited_when_its_text_is(archive: Desk) -> None:
    id = archive.collect(
        "Harbour", collection.named(archive.searcher, "harbour", start=None, end=None)
    )
    archive.add("harbour", LEAD, FERRY, BOATS, headline="Harbour open")
    assert archive.whole(id).marks[0].standing == Standing(Status.UNCHANGED)
    archive.add("harbour", LEAD, FERRY)
    assert archive.whole(id).marks[0].standing == Standing(Status.EDITED)


def test_answers_and_snapshots_stay_as_they_are(archive: Desk) -> None:
    before = archive.searcher.snapshot_id()
    archive.collect("Harbour", archive.quoted("harbour", "ferry"))
    assert archive.searcher.snapshot_id() == before
