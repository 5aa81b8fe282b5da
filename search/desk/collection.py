"""A collection as it stands now: what each mark quotes, and whether the archive still says it."""

from collections.abc import Sequence
from dataclasses import dataclass

from index import collections, store_folder
from index.article import ArticleId
from index.collections import Collection, Mark, Marked
from index.errors import BadQueryError, NotFoundError
from index.store import ArticleRow, PassageRow
from search.references.archive_url import archive_url
from search.references.citation import Citation
from search.references.cite import Status, nearest_place, span_of
from search.searcher import Searcher


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the archive still says what a mark quotes, and where.

    `start` and `end` are the span of the same words in the article's text as it is now; None:
    they stand nowhere in it, or it is a whole article that was marked. Of an edited article the
    same words elsewhere are no promise that they are the same statement.
    """

    status: Status
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class StandingMark:
    """A mark, and how it stands."""

    mark: Mark
    standing: Standing


@dataclass(frozen=True, slots=True)
class WholeCollection:
    """A collection with its marks, in the order they were made."""

    collection: Collection
    marks: tuple[StandingMark, ...]
    omitted: int  # marks whose stored rows are damaged


def listed(searcher: Searcher) -> list[tuple[Collection, int]]:
    """All collections by name, each with the number of its marks."""
    with store_folder.reading(searcher.folder) as truth:
        return collections.listed(truth)


def whole(searcher: Searcher, collection_id: str) -> WholeCollection:
    """A collection with its marks as they stand now.

    Raises:
        NotFoundError: there is no such collection.
    """
    with store_folder.reading(searcher.folder) as truth:
        truth.execute("BEGIN")  # both questions see the same commit
        collection = collections.by_id(truth, collection_id)
        marks, omitted = collections.marks(truth, collection.id)
    return WholeCollection(collection, standing_marks(searcher, marks), omitted)


def standing_marks(searcher: Searcher, marks: Sequence[Mark]) -> tuple[StandingMark, ...]:
    """The marks, in the order given, each with how it stands now."""
    ids = {mark.marked.article_id for mark in marks}
    articles = {article_id: _live(searcher, article_id) for article_id in ids}
    return tuple(
        StandingMark(mark, _standing(searcher, mark.marked, articles[mark.marked.article_id]))
        for mark in marks
    )


def standing(searcher: Searcher, mark: Mark) -> StandingMark:
    """A mark as it stands now."""
    return standing_marks(searcher, [mark])[0]


def stretch(
    searcher: Searcher,
    *,
    passage: str | None = None,
    article: str | None = None,
    start: int | None = None,
    end: int | None = None,
) -> Marked:
    """What is to be marked: a passage, a stretch of an article's text, or a whole article.

    Args:
        passage: a passage id; without a span, that passage.
        article: an article id, URL or guid; without a span, the whole article.
        start, end: a span in the article's text, in code points, end excluded.

    Raises:
        NotFoundError: there is no such passage or article.
        BadQueryError: neither or both are named, or the span is none in the article's text.
    """
    if (passage is None) == (article is None):
        raise BadQueryError("passage", "one of passage and article is needed", "name one of them")
    span = span_of(start, end)
    if passage is not None:
        cited = searcher.cited_passage(passage, span)
    else:
        cited = searcher.cited_article(article or "", span)
    now = cited.standing()
    if cited.status is not Status.UNCHANGED:
        raise NotFoundError(f"the passage {passage!r} was edited; mark what stands in its place")
    return _marked(now.article, now.passage, now.start, now.end)


def named(searcher: Searcher, id: str, *, start: int | None, end: int | None) -> Marked:
    """What is to be marked, where `id` is a passage's, or an article's id, URL or guid.

    Raises:
        NotFoundError: there is neither.
        BadQueryError: the span is none in the article's text.
    """
    try:
        return stretch(searcher, passage=id, start=start, end=end)
    except NotFoundError:
        pass
    try:
        return stretch(searcher, article=id, start=start, end=end)
    except NotFoundError:
        raise NotFoundError(
            f"no passage has the id, and no article the id, URL or guid, {id!r}"
        ) from None


def citation_of(each: StandingMark, base_url: str = "") -> Citation:
    """The citation of what was marked, on the day it was marked.

    Its span is that of the text as it is now, if the article still says the same, else that of
    the text as it was. `base_url`: of the server, with its last slash; empty: there is none.
    """
    marked, now = each.mark.marked, each.standing
    start, end = marked.start, marked.end
    if now.status is Status.UNCHANGED and now.start is not None and now.end is not None:
        start, end = now.start, now.end
    return Citation(
        article_id=marked.article_id,
        passage_id=marked.passage_id,
        headline=marked.headline,
        outlet=marked.outlet,
        byline=marked.byline,
        section=marked.section,
        language=marked.language,
        published=marked.published,
        url=marked.url,
        quote=marked.quote,
        start=start,
        end=end,
        accessed=each.mark.marked_at.date(),
        archive_url=_archive_url(each, base_url),
    )


def _archive_url(each: StandingMark, base_url: str) -> str:
    """Our own page where it says what was marked; empty: it has none."""
    marked, now = each.mark.marked, each.standing
    if now.status is Status.WITHDRAWN:
        return ""
    passage = marked.passage_id if now.status is Status.UNCHANGED else None
    url = archive_url(base_url, marked.article_id, passage)
    if not url or now.start is None:
        return url
    page, sign, fragment = url.partition("#")
    return f"{page}?start={now.start}&end={now.end}{sign}{fragment}"


def _marked(article: ArticleRow, passage: PassageRow | None, start: int, end: int) -> Marked:
    return Marked(
        article_id=article.id,
        passage_id=passage.id if passage else None,
        start=start,
        end=end,
        quote=article.text[start:end],
        headline=article.headline,
        outlet=article.outlet,
        byline=article.byline,
        section=article.section,
        language=article.language,
        url=article.url,
        published=article.published,
        digest=collections.digest_of(article.text),
    )


def _live(searcher: Searcher, article_id: ArticleId) -> ArticleRow | None:
    try:
        article = searcher.article(article_id)
    except NotFoundError:
        return None
    return article if article.id == article_id else None  # else another one's URL or guid


def _standing(searcher: Searcher, marked: Marked, article: ArticleRow | None) -> Standing:
    if article is None:
        return Standing(Status.WITHDRAWN)
    if marked.is_whole_article:
        same = collections.digest_of(article.text) == marked.digest
        return Standing(Status.UNCHANGED if same else Status.EDITED)
    if article.text[marked.start : marked.end] == marked.quote:
        return Standing(Status.UNCHANGED, marked.start, marked.end)
    # A passage's id comes from its text: where it is, its words are, wherever they stand now.
    passage = _passage(searcher, marked)
    if passage and passage.article.number == article.number:
        within = nearest_place(marked.quote, passage.text, max(marked.start - passage.start, 0))
        if within is not None:
            at = passage.start + within
            return Standing(Status.UNCHANGED, at, at + len(marked.quote))
    moved = nearest_place(marked.quote, article.text, marked.start)
    if moved is None:
        return Standing(Status.EDITED)
    return Standing(Status.EDITED, moved, moved + len(marked.quote))


def _passage(searcher: Searcher, marked: Marked) -> PassageRow | None:
    try:
        return searcher.passage(marked.passage_id) if marked.passage_id else None
    except NotFoundError:
        return None
