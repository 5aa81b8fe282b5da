"""The link from one page of an answer to the next, RFC 8288."""

from typing import Final
from urllib.parse import urlencode

from fastapi import Request

# How the OpenAPI document describes the header.
LINK: Final[dict[str, object]] = {
    "description": 'The page that follows, `rel="next"`; absent: this is the last.',
    "schema": {"type": "string"},
}


def link_to_next(request: Request, cursor: str) -> str:
    """The header for an answer that goes on at `cursor`: the same request with it."""
    given = [pair for pair in request.query_params.multi_items() if pair[0] != "cursor"]
    return f'<{request.url.path}?{urlencode([*given, ("cursor", cursor)])}>; rel="next"'
