"""Talks to a running server: what a command does with `--server URL`."""

import time
from collections.abc import Mapping
from typing import Final

import httpx

from index.errors import ServerError

# A commit of a full batch takes a second or two; a server that also embeds may take longer.
_TIMEOUT_S: Final = 120.0
_TRIES: Final = 4
# A server that is busy, or has enough of us for now: it says when to come again.
_LATER: Final = (429, 503)
_LONGEST_WAIT_S: Final = 60.0


def connection(url: str, key: str | None) -> httpx.Client:
    """A connection to the server at `url`, which the caller closes; `key`: its API key."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT_S)


def send(
    client: httpx.Client,
    method: str,
    path: str,
    *,
    content: bytes = b"",
    headers: Mapping[str, str] = {},
) -> httpx.Response:
    """What the server answers to a request that may be sent twice without harm.

    Raises:
        ServerError: it cannot be reached, or it refuses; the message says why.
    """
    for attempt in range(1, _TRIES + 1):
        try:
            response = client.request(method, path, content=content, headers=dict(headers))
        except httpx.TransportError as error:
            if attempt == _TRIES:
                raise ServerError(
                    f"{client.base_url}: {error or type(error).__name__}; is `nutgraf serve` "
                    "running there? What was sent before is safe; run the command again"
                ) from None
            time.sleep(2 ** (attempt - 2))
            continue
        if attempt < _TRIES and (wait_s := _wait_s(response)) is not None:
            time.sleep(wait_s)
            continue
        if not response.is_success:
            raise ServerError(f"{client.base_url}: {_detail(response)}")
        return response
    raise AssertionError("the last attempt returns or raises")


def _wait_s(response: httpx.Response) -> float | None:
    """How long the server asks to wait before the same is sent again; None: it does not."""
    asked = response.headers.get("retry-after", "")
    if response.status_code not in _LATER or not (asked.isascii() and asked.isdigit()):
        return None
    return min(float(asked), _LONGEST_WAIT_S)


def _detail(response: httpx.Response) -> str:
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"status {response.status_code}; is this a Nutgraf server?"
