"""The page for readers: a search box, hits with their sources, the article behind a hit.

Rendered here, whole: no script runs, every view has its own URL. Autoescape shows what an article
holds as text, whatever it holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlencode, urlsplit

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict, Field

from index.errors import NotFoundError, NutgrafError
from search.access import Access
from search.archive import Archive
from search.filters import Filters
from search.problems import problem_of
from search.result_set import Answer, Sort
from search.wording import coverage_in_words, date_in_words

_HERE = Path(__file__).parent
_STEP = 10  # hits on the first view, and how many more each "Show more" brings
_MOST = 100
# (label, parameter): the filters of the form, in its order.
_FILTERS = (
    ("Outlet", "outlet"),
    ("Byline", "byline"),
    ("Section", "section"),
    ("Language", "language"),
    ("From", "from"),
    ("To", "to"),
)


class PageQuery(BaseModel):
    """What the form sends. Fields left empty are not there; unknown ones do not matter."""

    model_config = ConfigDict(populate_by_name=True)

    q: str = ""
    k: int = Field(_STEP, ge=1, le=_MOST)
    outlet: list[str] = []
    byline: list[str] = []
    section: list[str] = []
    language: list[str] = []
    published_from: str = Field("", alias="from")
    published_to: str = Field("", alias="to")
    sort: Sort = Sort.RELEVANCE

    def values(self, parameter: str) -> list[str]:
        """What was given for a filter, without the empty ones."""
        name = f"published_{parameter}" if parameter in ("from", "to") else parameter
        given: str | list[str] = getattr(self, name)
        listed = [given] if isinstance(given, str) else given
        return [value.strip() for value in listed if value.strip()]

    def filters(self) -> Filters:
        """The filters given; BadQueryError when one is none."""
        return Filters.parse(
            outlet=self.values("outlet"),
            byline=self.values("byline"),
            section=self.values("section"),
            language=self.values("language"),
            published_from=next(iter(self.values("from")), None),
            published_to=next(iter(self.values("to")), None),
        )


@dataclass(frozen=True, slots=True)
class ActiveFilter:
    """A filter in force, and the same view without it."""

    label: str
    value: str
    url_without: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a passage, marked or not."""

    text: str
    marked: bool


def build_pages(archive: Archive, access: Access) -> APIRouter:
    """The routes `/` and `/articles/{id}`."""
    router = APIRouter(dependencies=[Depends(access.may_read)], include_in_schema=False)
    templates = Jinja2Templates(env=_environment())
    searcher = archive.searcher

    def render(request: Request, name: str, status: int = 200, **context: object) -> Response:
        return templates.TemplateResponse(request, name, context, status_code=status)

    @router.get("/")
    def search_page(request: Request, query: Annotated[PageQuery, Query()]) -> Response:
        answer, error, status = None, None, 200
        if query.q.strip():
            try:
                answer = searcher.search(
                    query.q, k=query.k, filters=query.filters(), sort=query.sort
                )
            except NutgrafError as failure:
                error, status = str(failure), problem_of(failure).status
        return render(
            request,
            "search.html",
            status,
            query=query,
            answer=answer,
            error=error,
            state=searcher.status(),
            active=_active_filters(query),
            fields=_FILTERS,
            sorts=list(Sort),
            more_url=_more_url(query, answer),
            all_url=_url(query, keep_filters=False),
        )

    @router.get("/articles/{id:path}")
    def article_page(request: Request, id: str, q: str = "") -> Response:
        back = f"/?{urlencode({'q': q})}" if q.strip() else "/"
        try:
            article = searcher.article(id)
            passages = searcher.passages_of(article)
        except NotFoundError as error:
            return render(request, "missing.html", 404, error=str(error), back=back)
        return render(
            request, "article.html", article=article, passages=passages, back=back, asked=q.strip()
        )

    return router


def static_files() -> StaticFiles:
    """The style sheet."""
    return StaticFiles(directory=_HERE / "static")


def pieces(text: str, highlights: Sequence[tuple[int, int]]) -> list[Piece]:
    """`text` cut at its highlights (spans in code points, end excluded; overlaps are merged)."""
    cut: list[Piece] = []
    at = 0
    for start, end in sorted(highlights):
        start, end = max(start, at), min(end, len(text))
        if start >= end:
            continue
        if start > at:
            cut.append(Piece(text[at:start], marked=False))
        cut.append(Piece(text[start:end], marked=True))
        at = end
    if at < len(text):
        cut.append(Piece(text[at:], marked=False))
    return cut


def web_url(url: str) -> str:
    """`url` if a browser may be sent there, else nothing: `javascript:` and the like are not."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["date_in_words"] = date_in_words
    environment.filters["pieces"] = pieces
    environment.filters["web_url"] = web_url
    environment.filters["path"] = lambda text: quote(text, safe="")
    environment.globals["coverage_in_words"] = coverage_in_words
    return environment


def _parameters(query: PageQuery, *, keep_filters: bool) -> list[tuple[str, str]]:
    pairs = [("q", query.q)]
    if keep_filters:
        pairs += [(name, value) for _, name in _FILTERS for value in query.values(name)]
    if query.sort is not Sort.RELEVANCE:
        pairs.append(("sort", query.sort.value))
    return pairs


def _url(query: PageQuery, *, keep_filters: bool) -> str:
    return "/?" + urlencode(_parameters(query, keep_filters=keep_filters))


def _active_filters(query: PageQuery) -> list[ActiveFilter]:
    pairs = _parameters(query, keep_filters=True)
    return [
        ActiveFilter(
            label, value, "/?" + urlencode([pair for pair in pairs if pair != (name, value)])
        )
        for label, name in _FILTERS
        for value in query.values(name)
    ]


def _more_url(query: PageQuery, answer: Answer | None) -> str:
    if answer is None or len(answer.hits) < query.k or query.k >= _MOST:
        return ""
    wanted = min(query.k + _STEP, _MOST)
    pairs = [*_parameters(query, keep_filters=True), ("k", str(wanted))]
    return f"/?{urlencode(pairs)}#hit-{query.k + 1}"
