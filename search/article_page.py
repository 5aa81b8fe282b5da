"""The page of an article: its text, each passage to be linked to, and its other coverage."""

from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.templating import Jinja2Templates

from index.errors import NotFoundError
from search.access import Access
from search.archive import Archive
from search.page import environment

# Of a report; to say what each changed takes some 20 ms for a text of 2,000 words.
_LISTED_VERSIONS = 20
_RELATED = 10  # articles listed with another


def build_article_page(archive: Archive, access: Access) -> APIRouter:
    """The route `/articles/{id}`."""
    router = APIRouter(dependencies=[Depends(access.may_read)], include_in_schema=False)
    templates = Jinja2Templates(env=environment())
    searcher = archive.searcher

    def render(request: Request, name: str, status: int = 200, **context: object) -> Response:
        return templates.TemplateResponse(request, name, context, status_code=status)

    @router.get("/articles/{id:path}")
    def article_page(request: Request, id: str, q: str = "") -> Response:
        back = f"/?{urlencode({'q': q})}" if q.strip() else "/"
        try:
            article = searcher.article(id)
            passages = searcher.passages_of(article)
            lineage = searcher.lineage(article.id)
            related = searcher.related(article.id, k=_RELATED)
        except NotFoundError as error:
            return render(request, "missing.html", 404, error=str(error), back=back)
        return render(
            request,
            "article.html",
            article=article,
            passages=passages,
            story_id=searcher.story_id(article),
            lineage=lineage,
            listed=lineage.versions[:_LISTED_VERSIONS],
            related=related.articles,
            back=back,
            asked=q.strip(),
        )

    return router
