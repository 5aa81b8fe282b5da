"""Routes below an article's own, whose id may be a URL that ends as they do."""

from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope


class EndingApart(APIRoute):
    """Matches if the last part of the path is not inside an id: a URL may end in `/copies` too."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        ending = self.path.rpartition("/")[2].encode()
        if scope["type"] == "http" and not scope["raw_path"].endswith(b"/" + ending):
            return Match.NONE, {}
        return super().matches(scope)
