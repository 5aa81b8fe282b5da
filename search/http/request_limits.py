"""Sends away who asks too often, before any work is done for them.

A key has its own allowance wherever it is used from; who sends none has that of the address. What
comes from this machine without a key is not counted: that is its owner, or a proxy, behind which
all share one address; a proxy limits by address itself, since only it knows them. The headers that
claim whom a request was forwarded for are believed of nobody.

Unknown keys are counted by address, from this machine too. A known key is never turned away for
the unknown ones that others sent from its address: 256 random bits are not guessed, and nobody
should be able to lock others out by trying.
"""

import ipaddress
import logging
import math
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from search.http.access import Access
from search.http.metrics import Metrics
from search.http.problems import ProblemError, note_problem, problem_response
from search.http.rate_limit import Allowance, RateLimit
from search.settings import is_loopback

# A person who mistypes needs a few, a program with an old key should learn of it soon.
UNKNOWN_KEYS_PER_MINUTE: Final = 60
# Who shares the first 64 bits of an IPv6 address shares a subscriber line (RFC 6177).
_IPV6_PREFIX: Final = 64

logger = logging.getLogger(__name__)


class RequestLimits:
    """Holds each key and each address to `per_minute` requests; 0: as many as they like.

    What is granted says in the header RateLimit how much is left, what is not is a 429 with
    Retry-After (draft-ietf-httpapi-ratelimit-headers-10).
    """

    def __init__(self, app: ASGIApp, access: Access, metrics: Metrics, per_minute: int) -> None:
        self._app = app
        self._access = access
        self._metrics = metrics
        self._requests = RateLimit(per_minute) if per_minute else None
        self._unknown_keys = RateLimit(UNKNOWN_KEYS_PER_MINUTE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        address = _address(request)
        if self._access.sends_unknown_key(request):
            tried = self._unknown_keys.take(address)
            if not tried.granted:
                await self._refuse("unknown_key", tried, scope, receive, send)
                return
            if not tried.remaining:
                logger.warning("many unknown keys address=%s", address)
        key = self._access.key_of(request)
        if self._requests is None or (key is None and is_loopback(address)):
            await self._app(scope, receive, send)
            return
        by, caller = ("address", address) if key is None else ("key", key.entry)
        allowance = self._requests.take(caller)
        if not allowance.granted:
            await self._refuse(by, allowance, scope, receive, send)
            return
        headers = self._headers(by, self._requests.per_minute, allowance)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await self._app(scope, receive, send_with_headers)

    async def _refuse(
        self, by: str, allowance: Allowance, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._metrics.rate_limited.labels(by).inc()
        wait_s = math.ceil(allowance.wait_s)
        limit = self._requests if by != "unknown_key" and self._requests else self._unknown_keys
        refusal = ProblemError(
            429,
            "too-many-requests",
            "Too many requests",
            f"{_WHO[by]} {limit.per_minute} times a minute; wait {wait_s} s and send it again",
            {
                "Retry-After": str(wait_s),
                **self._headers(by, limit.per_minute, allowance),
            },
        )
        note_problem(scope, refusal.problem)
        await problem_response(refusal.problem, refusal.headers)(scope, receive, send)

    @staticmethod
    def _headers(by: str, per_minute: int, allowance: Allowance) -> dict[str, str]:
        wait = f";t={math.ceil(allowance.wait_s)}" if allowance.wait_s else ""
        return {
            "RateLimit-Policy": f'"{by}";q={per_minute};w=60',
            "RateLimit": f'"{by}";r={allowance.remaining}{wait}',
        }


_WHO: Final = {
    "key": "this key may be used",
    "address": "without a key, this address may ask",
    "unknown_key": "unknown keys are taken from one address",
}


def _address(request: HTTPConnection) -> str:
    """The address that the connection comes from; of IPv6 the network."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    if address.is_loopback:
        return str(address)
    return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))
