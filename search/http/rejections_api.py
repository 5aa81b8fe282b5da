"""HTTP under `/v1/rejections`: which records were not taken, and why."""

from datetime import datetime
from typing import Annotated, Any, Final, Self

from fastapi import APIRouter, Depends, Query
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

from index.rejections import KEPT, Rejection
from search.http.access import Access
from search.http.archive import Archive
from search.http.problems import declared

_EXAMPLE: Final[dict[str, Any]] = {
    "path": "feed.jsonl",
    "line": 412,
    "reason": "the text is empty",
    "advice": "give the article's text",
    "rejected_at": "2025-03-15T06:00:00Z",
}


class RejectionResponse(BaseModel):
    """A record that was not taken."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"example": _EXAMPLE})

    path: str = Field(description="The file it came from; `request`: the body of a request.")
    line: int = Field(description="Of the file or the body, from 1; of a JSON list, its item.")
    reason: str
    advice: str
    rejected_at: datetime

    @classmethod
    def of(cls, rejection: Rejection) -> Self:
        return cls(
            path=rejection.path,
            line=rejection.line,
            reason=rejection.reason,
            advice=rejection.advice,
            rejected_at=rejection.rejected_at,
        )


class RejectionsResponse(BaseModel):
    """The records that were not taken last."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"example": {"rejections": [_EXAMPLE]}}
    )

    rejections: list[RejectionResponse] = Field(description="The newest first.")


def build_rejections(archive: Archive, access: Access) -> APIRouter:
    """The route of the rejected records."""
    bearer = HTTPBearer(
        auto_error=False, description="Of scope admin, unless you are on the server's machine."
    )
    router = APIRouter(
        prefix="/v1/rejections",
        tags=["health"],
        dependencies=[Depends(access.may_administer), Depends(bearer)],
        responses=declared(401, 403, 422, 503),
    )
    searcher = archive.searcher

    @router.get(
        "",
        summary="Which records were not taken, and why",
        description=(
            f"Of those that `nutgraf add` and `POST /v1/articles` rejected, the last {KEPT:,} are "
            "kept, each time one was. One that was taken later stays among them."
        ),
    )
    def rejections(
        k: Annotated[
            int, Query(ge=1, le=KEPT, description="So many of the newest.", examples=[100])
        ] = 100,
    ) -> RejectionsResponse:
        return RejectionsResponse(
            rejections=[RejectionResponse.of(each) for each in searcher.rejections(k)]
        )

    return router
