"""The body of a request as one JSON document of a known shape.

FastAPI would read a body of any size before it asks whether the sender may write, and take one
that another site's page sent as plain text.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from search.http.problems import ProblemError
from search.mistakes import mistakes_in

_MEDIA_TYPE = "application/json"
_Document = TypeVar("_Document", bound=BaseModel)


def json_body(
    document: type[_Document], limit_bytes: int
) -> Callable[[Request], Awaitable[_Document]]:
    """A dependency that reads a request's body as a `document`.

    It raises ProblemError (413, 415) and, of a body that is no such document,
    RequestValidationError, which names the place.
    """

    async def read(request: Request) -> _Document:
        _check_media_type(request)
        body = await _whole(request, limit_bytes)
        try:
            return document.model_validate_json(body)
        except ValidationError as error:
            raise RequestValidationError(
                [{"loc": ("body", place), "msg": reason} for place, reason in mistakes_in(error)]
            ) from None

    return read


def described_body(document: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra=` of a route that reads a `document`, which has an example."""
    schema = document.model_json_schema()
    parts: Mapping[str, Any] = schema.pop("$defs", {})
    content = {"schema": _inlined(schema, parts), "example": schema["example"]}
    return {"requestBody": {"required": True, "content": {_MEDIA_TYPE: content}}}


def _check_media_type(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _MEDIA_TYPE:
        raise ProblemError(
            415,
            "media-type",
            "The body's type is not taken",
            f"Content-Type is {media_type!r}; send {_MEDIA_TYPE}",
        )


async def _whole(request: Request, limit_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            raise ProblemError(
                413,
                "too-large",
                "The body is too large",
                f"the body is larger than {limit_bytes:,} bytes; send less at once",
            )
    return bytes(body)


def _inlined(schema: Any, parts: Mapping[str, Any]) -> Any:
    """A schema with what it refers to in place: those parts have no place of their own here."""
    if isinstance(schema, list):
        return [_inlined(each, parts) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(parts[schema["$ref"].rpartition("/")[2]], parts)
    return {name: _inlined(value, parts) for name, value in schema.items()}
