"""The page of an article: its text, each passage to be linked to and cited, and its coverage."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.templating import Jinja2Templates
from pydantic import Field

from index.article import ArticleId, PassageId
from index.errors import NotFoundError, NutgrafError
from index.store import ArticleRow, PassageRow
from search.coverage.related import RelatedArticle, Role
from search.http.access import Access
from search.http.archive import Archive
from search.pages.hit_place import HitPlace, back_url, hit_place, hit_url
from search.pages.page import Stretch, environment, stretches
from search.pages.page_query import PageQuery
from search.pages.story_picture import anchor_at, picture_of
from search.references.cite import Cited, Standing
from search.references.scholar_tags import tags
from search.searcher import Searcher
from search.web_url import web_url

# Of a report; to say what each changed takes some 20 ms for a text of 2,000 words.
_LISTED_VERSIONS: Final = 20
_RELATED: Final = 12  # articles listed with another
_GROUPS: Final = (
    (Role.SAME_EVENT, "The same event"),
    (Role.FOLLOW_UP, "What followed"),
    (Role.CORRECTION, "Other versions"),
    (Role.BACKGROUND, "Background"),
)


class ArticlePageQuery(PageQuery):
    """The question that led here, at which hit; and the stretch of the text that is cited."""

    rank: int | None = Field(None, ge=1)
    cite: str = ""  # a passage's id
    start: int | None = None  # span in the article's text, in code points, end excluded
    end: int | None = None


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage as the page shows it."""

    id: PassageId
    start: int  # in the article's text, in code points
    stretches: tuple[Stretch, ...]
    is_cited: bool
    live_url: str  # of the outlet's page, at this passage; empty: there is none


@dataclass(frozen=True, slots=True)
class RelatedGroup:
    """The coverage that is to an article what the heading says."""

    heading: str
    articles: tuple[RelatedArticle, ...]


def passage_views(
    article: ArticleRow,
    passages: Sequence[PassageRow],
    cited: tuple[int, int] | None,
    place: HitPlace | None,
) -> list[PassageView]:
    """An article's passages: what is cited is marked, else what made the reader's hit one.

    Args:
        cited: span in the article's text, in code points, end excluded; None: no stretch.
    """
    hit = place.hit if place else None
    return [
        PassageView(
            id=passage.id,
            start=passage.start,
            stretches=tuple(
                stretches(passage.text, hit.highlights, hit.best_sentence)
                if hit and hit.passage_id == passage.id and not cited
                else stretches(passage.text, _within(passage, cited), (0, len(passage.text)))
            ),
            is_cited=bool(_within(passage, cited)),
            live_url=web_url(Standing(article, passage, passage.start, passage.end).live_url()),
        )
        for passage in passages
    ]


def _within(passage: PassageRow, span: tuple[int, int] | None) -> list[tuple[int, int]]:
    """The part of `span` that lies in the passage, from its start; none: it lies elsewhere."""
    if span is None:
        return []
    start, end = max(span[0], passage.start), min(span[1], passage.end)
    return [(start - passage.start, end - passage.start)] if start < end else []


def related_groups(related: Sequence[RelatedArticle]) -> list[RelatedGroup]:
    """Related coverage by what it is to the article; in each group in the order given."""
    groups = [
        RelatedGroup(heading, tuple(each for each in related if each.role is role))
        for role, heading in _GROUPS
    ]
    return [group for group in groups if group.articles]


def build_article_page(archive: Archive, access: Access) -> APIRouter:
    """The route `/articles/{id}`."""
    router = APIRouter(dependencies=[Depends(access.may_read)], include_in_schema=False)
    env = environment()
    env.filters["anchor"] = anchor_at
    templates = Jinja2Templates(env=env)
    searcher = archive.searcher

    @router.get("/articles/{id:path}")
    def article_page(
        request: Request, id: str, query: Annotated[ArticlePageQuery, Query()]
    ) -> Response:
        place, lost = _place(searcher, query)
        asked: dict[str, object] = {"back": back_url(query, place), "asked": query.q.strip()}
        try:
            article = searcher.article(id)
            passages = searcher.passages_of(article)
            lineage = searcher.lineage(article.id)
            related = searcher.related(article.id, k=_RELATED)
            story_id = searcher.story_id(article)
            story = searcher.story(story_id) if story_id else None
        except NotFoundError as error:
            context = {"error": str(error), "withdrawn": _withdrawn(searcher, id), **asked}
            return templates.TemplateResponse(request, "missing.html", context, status_code=404)
        if place and (place.hit is None or place.hit.article_id != article.id):
            place, lost = None, True
        cited, gone = _cited(article, passages, query)
        context = {
            **asked,
            "article": article,
            "tags": tags(article),
            "passages": passage_views(article, passages, cited, place),
            "story": story,
            "story_id": story_id,
            "picture": picture_of(story, ArticleId(lineage.original.article_id)) if story else None,
            "lineage": lineage,
            "listed": lineage.versions[:_LISTED_VERSIONS],
            "related": related_groups(related.articles),
            "place": place,
            "lost": lost,
            "gone": gone,
            "cited_url": f"/articles/{quote(article.id, safe='')}/cite?passage={quote(query.cite)}"
            if gone and query.cite
            else "",
            "previous_url": hit_url(place.previous, query) if place and place.previous else "",
            "next_url": hit_url(place.next, query) if place and place.next else "",
        }
        return templates.TemplateResponse(request, "article.html", context)

    return router


def _withdrawn(searcher: Searcher, id: str) -> Cited | None:
    """What became of an article that is not there; None: it never was there."""
    try:
        return searcher.cited_article(id)
    except NotFoundError:
        return None


def _place(searcher: Searcher, query: ArticlePageQuery) -> tuple[HitPlace | None, bool]:
    """Where the reader stands in the result set he came from, and whether that cannot be said."""
    if query.rank is None or not query.q.strip():
        return None, False
    try:
        place = hit_place(searcher, query, query.rank)
    except NutgrafError:  # the search page says what is wrong; the article can be read all the same
        place = None
    return place, place is None


def _cited(
    article: ArticleRow, passages: Sequence[PassageRow], query: ArticlePageQuery
) -> tuple[tuple[int, int] | None, bool]:
    """The span of the text that is cited, and whether what is cited is no longer there."""
    if query.start is not None and query.end is not None:
        if 0 <= query.start < query.end <= len(article.text):
            return (query.start, query.end), False
        return None, True
    if query.cite:
        spans = [(each.start, each.end) for each in passages if each.id == query.cite]
        return (spans[0], False) if spans else (None, True)
    return None, False
