"""Who may read, who may write and who may look behind the scenes over HTTP.

| keys | bound to | reading | writing | rejections, metrics |
| --- | --- | --- | --- | --- |
| none | loopback | anyone who reaches it | this machine, under its own name | likewise |
| none | beyond | refused at the start | refused at the start | refused at the start |
| set | loopback | anyone who reaches it | Bearer key, feed | this machine, or key, admin |
| set | beyond | key, read | Bearer key, feed | key, admin |

A browser cannot send a Bearer key, so for reading the key is also taken as the password of Basic
authentication. Not for writing under `/v1`: a browser sends that along with requests of other
sites. The forms of our own pages may write with it, since there the browser says which site a
request comes from; what comes from another site is refused.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request

from index.errors import SettingsError
from search.http.problems import ProblemError
from search.keys import Key, Scope, known
from search.settings import is_loopback

_ANY_KEY: Final = 'Bearer, Basic realm="Nutgraf: any name, the key as password"'


class _Site(Enum):
    """Where a browser says that a request comes from."""

    OURS = auto()
    ANOTHER = auto()
    UNSAID = auto()  # by no browser of the last years


@dataclass(frozen=True)
class Access:
    """The rules of one server. `host`: the address it is bound to.

    Raises:
        SettingsError: bound beyond loopback without a key.
    """

    host: str
    keys: Sequence[Key] = ()

    def __post_init__(self) -> None:
        if not self.keys and not is_loopback(self.host):
            raise SettingsError(
                f"setting host (NUTGRAF_HOST): {self.host} can be reached from other machines and "
                "no key is set; make one with `nutgraf key` and set NUTGRAF_API_KEYS, or listen on "
                "127.0.0.1"
            )

    def key_of(self, request: HTTPConnection) -> Key | None:
        """The key that `request` was sent with; None: none, or one that is not known."""
        secret = _bearer(request) or _basic_password(request)
        return known(secret, self.keys) if secret else None

    def sends_unknown_key(self, request: HTTPConnection) -> bool:
        """Whether keys are set and `request` came with something else."""
        sent = request.headers.get("authorization")
        return bool(self.keys) and sent is not None and self.key_of(request) is None

    def lets_read(self, request: HTTPConnection) -> bool:
        """Whether `request` may read."""
        return is_loopback(self.host) or self.key_of(request) is not None

    async def may_read(self, request: Request) -> None:
        """ProblemError (401) unless `request` may read. It waits for nothing, nor for a thread."""
        if not self.lets_read(request):
            raise _key_needed(_ANY_KEY)

    def may_write(self, request: Request) -> None:
        """ProblemError (401 or 403) unless `request` may write."""
        if self.keys:
            key = self.key_of(request) if _bearer(request) else None
            if key is None:
                raise _key_needed("Bearer")
            _see_scope(key, Scope.FEED)
        elif not _comes_from_this_machine(request) or _site(request) is _Site.ANOTHER:
            raise _not_from_here("write")

    def may_administer(self, request: Request) -> None:
        """ProblemError (401 or 403) unless `request` may see what is not for every reader."""
        key = self.key_of(request)
        if key is not None and key.scope.lets(Scope.ADMIN):
            return
        if is_loopback(self.host) and _comes_from_this_machine(request):
            return
        if key is not None:
            _see_scope(key, Scope.ADMIN)
        raise _key_needed(_ANY_KEY) if self.keys else _not_from_here("see this")

    def may_write_from_page(self, request: Request) -> None:
        """ProblemError (401 or 403) unless `request`, sent by a form of our pages, may write."""
        site = _site(request)
        if site is _Site.ANOTHER:
            raise ProblemError(
                403,
                "forbidden",
                "Not allowed from here",
                "the form was sent by a page of another site; open the page here and send it again",
            )
        if site is _Site.OURS and _bearer(request) is None:
            key = self.key_of(request)
            if key is not None:
                _see_scope(key, Scope.FEED)
                return
        try:
            self.may_write(request)
        except ProblemError as refusal:
            # A browser asks for the key only where it may send it as a password.
            raise _key_needed(_ANY_KEY) if refusal.problem.status == 401 else refusal from None


def _see_scope(key: Key, needed: Scope) -> None:
    """ProblemError (403) unless `key` lets do what `needed` does."""
    if not key.scope.lets(needed):
        raise ProblemError(
            403,
            "scope",
            "The key does not let do this",
            f"this needs the scope {needed} and the key {key.name} has {key.scope}; "
            f"make another with: nutgraf key --scope {needed}",
        )


def _not_from_here(do: str) -> ProblemError:
    return ProblemError(
        403,
        "forbidden",
        "Not allowed from here",
        f"no key is set, so only this machine may {do}, under the name localhost or 127.0.0.1; "
        f"set NUTGRAF_API_KEYS to {do} from elsewhere",
    )


def _key_needed(challenge: str) -> ProblemError:
    return ProblemError(
        401,
        "unauthorized",
        "A key is needed",
        "this needs a key: send it as Authorization: Bearer KEY",
        {"WWW-Authenticate": challenge},
    )


def _comes_from_this_machine(request: Request) -> bool:
    # A proxy on this machine hands on requests from others: it gives itself away by these headers.
    # The name guards against DNS rebinding, where another site's name points at 127.0.0.1.
    forwarded = any(
        name in request.headers for name in ("forwarded", "x-forwarded-for", "x-real-ip", "via")
    )
    client = request.client.host if request.client else ""
    return not forwarded and is_loopback(client) and is_loopback(_host_name(request))


def _site(request: Request) -> _Site:
    # Browsers leave Sec-Fetch-Site out where the address is neither https nor this machine, but
    # never the Origin of a POST. A proxy may speak https for us: hosts are compared, not schemes.
    fetched_from = request.headers.get("sec-fetch-site")
    if fetched_from is not None:
        return _Site.OURS if fetched_from == "same-origin" else _Site.ANOTHER
    origin = request.headers.get("origin")
    if origin is None:
        return _Site.UNSAID
    try:
        host = urlsplit(origin).netloc.lower()
    except ValueError:
        return _Site.ANOTHER
    return _Site.OURS if host and host == request.headers.get("host", "").lower() else _Site.ANOTHER


def _host_name(request: Request) -> str:
    host = request.headers.get("host", "")
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host


def _bearer(request: HTTPConnection) -> str | None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def _basic_password(request: HTTPConnection) -> str | None:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return decoded.partition(":")[2]
