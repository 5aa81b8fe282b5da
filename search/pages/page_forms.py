"""What the forms of the pages send, and where a reader goes after that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs

from fastapi import Request
from fastapi.responses import RedirectResponse

from index.errors import BadQueryError
from search.http.problems import ProblemError

MEDIA_TYPE: Final = "application/x-www-form-urlencoded"
# A note of 10,000 characters takes up to 120 kB when it is percent-encoded.
_MOST_BYTES: Final = 256 << 10
_MOST_FIELDS: Final = 200


@dataclass(frozen=True, slots=True)
class SentForm:
    """The fields of a form; one that was not sent, or left empty, is empty."""

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """The first value of a field, without blanks around it."""
        return next(iter(self.fields.get(name, ())), "").strip()

    def whole_number(self, name: str) -> int | None:
        """A field as a number; None: it was left empty.

        Raises:
            BadQueryError: it is none.
        """
        given = self.text(name)
        if not given:
            return None
        if not (given.isascii() and given.isdigit() and len(given) <= 12):
            raise BadQueryError(name, f"{given[:20]!r} is no whole number", "give one, or nothing")
        return int(given)


async def sent_form(request: Request) -> SentForm:
    """The form that a request sends.

    Raises:
        ProblemError: 415, it sends something else; 413, it is too large; 422, too many fields.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != MEDIA_TYPE:
        raise ProblemError(
            415,
            "media-type",
            "The body's type is not taken",
            f"Content-Type is {media_type!r}; send {MEDIA_TYPE}, as the form of a page does",
        )
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise ProblemError(
                413,
                "too-large",
                "The body is too large",
                f"the form is larger than {_MOST_BYTES >> 10} KiB; shorten what it says",
            )
    try:
        fields = parse_qs(
            body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise ProblemError(
            422,
            "invalid-request",
            "The request is not as it must be",
            f"the form has more than {_MOST_FIELDS} fields; send fewer",
        ) from None
    # Browsers end the lines of a text with CR LF.
    return SentForm({name: [v.replace("\r\n", "\n") for v in fields[name]] for name in fields})


def go_to(url: str) -> RedirectResponse:
    """Has the browser get `url`, so that to load it again sends no form again."""
    return RedirectResponse(url, 303)
