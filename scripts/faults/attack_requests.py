"""Attacks by the request itself: bytes that are no HTTP, paths that climb, headers that lie."""

import base64
import re
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import httpx
from victim import FEED_KEY, READ_KEY, Attack, Victim, statuses

_END = b"\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
_HOST = b"Host: 127.0.0.1\r\n"
_HIDDEN = b"GET /v1/status?hidden HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_POST = b"POST /v1/articles HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
_REFUSED = frozenset({400, 404, 405, 408, 413, 414, 415, 422, 431, 501, 505})


def _sent(data: bytes, *allowed: int) -> Attack:
    """One request in bytes: one answer of those allowed (none: any refusal), or none and closed."""

    def attack(victim: Victim) -> str:
        reply = victim.raw(data)
        found = statuses(reply)
        wanted = allowed or _REFUSED
        fits = len(found) <= 1 and all(status in wanted for status in found)
        return "" if fits else f"answered {found}: {reply[:120]!r}"

    return attack


# What goes on in the second request must never be answered.
_SMUGGLED: Mapping[str, bytes] = {
    "both lengths": _POST
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + _HIDDEN,
    "two lengths": _POST + b"Content-Length: 2\r\nContent-Length: 44\r\n\r\n{}" + _HIDDEN,
    "a list of lengths": _POST + b"Content-Length: 2, 44\r\n\r\n{}" + _HIDDEN,
    "a signed length": _POST + b"Content-Length: +2\r\n\r\n{}" + _HIDDEN,
    "a negative length": _POST + b"Content-Length: -1\r\n\r\n" + _HIDDEN,
    "a length in hex": _POST + b"Content-Length: 0x2\r\n\r\n{}" + _HIDDEN,
    "an unknown coding": _POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + _HIDDEN,
    "a doubled coding": _POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + _HIDDEN,
    "a space before the colon": _POST + b"Content-Length : 2\r\n\r\n{}" + _HIDDEN,
    "a chunk size that is none": _POST
    + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"
    + _HIDDEN,
    "a folded header": _POST + b"X: a\r\n Content-Length: 2\r\n\r\n" + _HIDDEN,
    "a carriage return alone": b"GET / HTTP/1.1\r\nX: a\rY: b\r\nHost: 127.0.0.1\r\n\r\n" + _HIDDEN,
}


def _smuggled(data: bytes) -> Attack:
    def attack(victim: Victim) -> str:
        reply = victim.raw(data, patience_s=12)
        found = statuses(reply)
        # A request may be refused and the one behind it answered as what it is, a request.
        if b'"articles"' in reply and (not found or found[0] not in _REFUSED | {401, 403}):
            return f"the hidden request was answered: {found}"
        return "" if all(status < 500 for status in found) else f"answered {found}"

    return attack


def _bare_newlines(victim: Victim) -> str:
    """Newlines without carriage returns: taken for line ends (RFC 9112, 2.2) or refused."""
    found = statuses(victim.raw(b"GET /healthz HTTP/1.1\nHost: 127.0.0.1\nConnection: close\n\n"))
    return "" if found in ([200], [400]) else f"answered {found}"


def _http_2(victim: Victim) -> str:
    """Its preface is a request and garbage, for who speaks HTTP/1.1."""
    found = statuses(victim.raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 40))
    return "" if set(found) <= {400, 404, 505} else f"answered {found}"


_LINES: Mapping[str, Attack] = {
    "a header of a mebibyte": _sent(b"GET / HTTP/1.1\r\nX: " + b"a" * 2**20 + _END),
    "ten thousand headers": _sent(b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 10_000 + _END),
    "a request line without end": _sent(b"GET /" + b"a" * 2**20 + b" HTTP/1.1" + _END),
    "HTTP/0.9": _sent(b"GET /v1/status\r\n\r\n"),
    "an HTTP of the future": _sent(b"GET /healthz HTTP/9.9" + _END, 200, 400, 505),
    "garbage": _sent(bytes(range(256)) * 16 + b"\r\n\r\n"),
    "a TLS hello": _sent(
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500 + b"\r\n\r\n"
    ),
    "HTTP/2": _http_2,
    "a zero byte in the path": _sent(b"GET /v1/articles/a\0b HTTP/1.1" + _END),
    "a zero byte in a header": _sent(b"GET / HTTP/1.1\r\nX: a\0b" + _END),
    "no host": _sent(b"GET /v1/status HTTP/1.1\r\nConnection: close\r\n\r\n"),
    "two hosts": _sent(b"GET /v1/status HTTP/1.1\r\n" + _HOST + b"Host: evil.example" + _END),
    "a method that is none": _sent(b"BREW /v1/status HTTP/1.1" + _END),
    "TRACE": _sent(b"TRACE /v1/status HTTP/1.1\r\nCookie: secret=1" + _END),
    "CONNECT": _sent(b"CONNECT evil.example:443 HTTP/1.1" + _END),
    "another server's URL": _sent(b"GET http://evil.example/v1/nothing HTTP/1.1" + _END),
    "a WebSocket": _sent(
        b"GET /v1/status HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nConnection: Upgrade, close\r\n"
        b"Host: 127.0.0.1\r\n\r\n",
        *(200, 400, 404, 426),
    ),
    "an expectation of a body too large": _sent(
        _POST + b"Content-Length: 99999999999999999999\r\nExpect: 100-continue\r\n"
        b"Connection: close\r\n\r\n",
        *(400, 413),
    ),
}

_CLIMBS = (
    *("/static/../../../../etc/passwd", "/static/%2e%2e/%2e%2e/etc/passwd"),
    *("/static/..%2f..%2f..%2f..%2fetc%2fpasswd", "/static/%252e%252e%252fetc%252fpasswd"),
    *("/static/..\\..\\..\\etc\\passwd", "/static/....//....//etc/passwd", "//etc/passwd"),
    *("/static//etc/passwd", "/static/%00/etc/passwd", "/static/%c0%ae%c0%ae/etc/passwd"),
    *(
        "/v1/articles/../../../etc/passwd",
        "/v1/articles/%2fetc%2fpasswd",
        "/articles/..%2f..%2fetc",
    ),
    *("/v1/passages/..%2f..%2fnutgraf.db", "/static/../nutgraf.db", "/static/page.css/../../x.py"),
)


def _climbing(victim: Victim) -> str:
    for path in _CLIMBS:
        reply = victim.raw(b"GET " + path.encode() + b" HTTP/1.1" + _END)
        found = statuses(reply)
        if b"root:" in reply or b"SQLite" in reply or found not in ([400], [404], [405], [422]):
            return f"{path} was answered {found}"
    return ""


_FOREIGN: Mapping[str, Mapping[str, str]] = {
    "another site's name (DNS rebinding)": {"Host": "evil.example"},
    "a name that begins as ours": {"Host": "127.0.0.1.evil.example"},
    "a proxy's word for it": {"X-Forwarded-For": "127.0.0.1"},
    "a proxy's word in the standard form": {"Forwarded": "for=127.0.0.1"},
}


def _written_as(headers: Mapping[str, str]) -> Attack:
    """Without a key, only this machine under its own name may write."""

    def attack(victim: Victim) -> str:
        url = f"{victim.open.url}/v1/articles"
        article = {"id": "foreign", "text": "Written by a stranger."}
        written = httpx.post(url, json=article, headers=headers, timeout=60)
        removed = httpx.delete(f"{url}/harbour-041", headers=headers, timeout=60)
        found = [written.status_code, removed.status_code]
        return "" if all(status in (400, 403) for status in found) else f"answered {found}"

    return attack


def _overridden(victim: Victim) -> str:
    """A read stays a read, whatever header or parameter names another method."""
    headers = {"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "DELETE"}
    victim.get("/v1/articles/harbour-041", headers, _method="DELETE")
    still = victim.get("/v1/articles/harbour-041")
    return "" if still.status_code == 200 else f"the article is {still.status_code}"


def _foreign_form(victim: Victim) -> str:
    """A form on another site's page, which a browser sends along with what it knows."""
    for site in (
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "null"},
    ):
        for path in ("/collections", "/searches"):
            sent = httpx.post(
                victim.open.url + path, data={"name": "evil", "q": "evil"}, headers=site, timeout=60
            )
            if sent.status_code != 403:
                return f"{path} with {site} was answered {sent.status_code}"
    return ""


def _foreign_script(victim: Victim) -> str:
    """No other site's script may read what its reader may."""
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "DELETE"}
    for method in ("GET", "OPTIONS"):
        reply = httpx.request(method, f"{victim.open.url}/v1/status", headers=headers, timeout=60)
        granted = [name for name in reply.headers if name.startswith("access-control-allow")]
        if granted:
            return f"{method} is answered with {granted}"
    return ""


def _split_response(victim: Victim) -> str:
    """A parameter with line ends must not become a header."""
    for path in ("/", "/v1/search", "/v1/export", "/collections", "/archive"):
        evil = "a\r\nSet-Cookie: evil=1\r\n\r\n<script>"
        reply = victim.get(path, q=evil, cursor=evil, format=evil, id=evil)
        if "set-cookie" in reply.headers or reply.status_code >= 500:
            return f"{path} was answered {reply.status_code} {dict(reply.headers)}"
    return ""


def _odd_validators(victim: Victim) -> str:
    for value in ("*", 'W/"' + "a" * 60_000 + '"', '"' * 1000, ", ".join(['"a"'] * 5000)):
        reply = victim.get("/v1/search", {"If-None-Match": value}, q="ferry")
        if reply.status_code not in (200, 304, 400, 431):
            return f"If-None-Match {value[:20]!r} was answered {reply.status_code}"
    return ""


def _odd_ranges(victim: Victim) -> str:
    """Thousands of overlapping ranges must not be put together one by one."""
    names = re.findall(r"/static/[\w./-]+", victim.get("/").text)
    for path in [*names[:2], "/v1/status"]:
        for value in (
            "bytes=" + "0-," * 5000,
            "bytes=-1",
            "bytes=9999999-",
            "bytes=1-0",
            "lines=1",
        ):
            reply = victim.get(path, {"Range": value})
            if reply.status_code >= 500 or len(reply.content) > 2**20:
                return f"{path} {value[:12]} gave {reply.status_code}, {len(reply.content)} bytes"
    return ""


def _odd_credentials(victim: Victim) -> str:
    """Nothing but a key lets in, in whatever form it is offered."""

    def basic(name_and_password: bytes) -> str:
        return f"Basic {base64.b64encode(name_and_password).decode()}"

    for value in (
        *("Bearer", "Basic", "Basic !!!", "Basic " + "A" * 9000, "Digest x"),
        *(basic(b"-"), basic(b":"), basic(b"\xff:\xfe"), basic(FEED_KEY.encode() + b":")),
        *(f"Bearer {FEED_KEY[:-1]}", f"Bearer {FEED_KEY}x", f"Bearer {FEED_KEY.lower()}"),
        *(f"Token {FEED_KEY}", f"Bearer {READ_KEY},{FEED_KEY}"),
    ):
        reply = httpx.get(
            f"{victim.keyed.url}/v1/status", headers={"Authorization": value}, timeout=60
        )
        if reply.status_code not in (400, 401, 429):
            return f"{value[:40]!r} was answered {reply.status_code}"
    return ""


def _without_key(victim: Victim) -> str:
    """Beyond loopback nothing of the archive is told without a key."""
    for path in (
        "/v1/search?q=ferry",
        "/v1/status",
        "/v1/articles/harbour-041",
        "/",
        "/archive",
    ):
        reply = httpx.get(victim.keyed.url + path, timeout=60)
        if reply.status_code not in (401, 429) or "Okoro" in reply.text:
            return f"{path} was answered {reply.status_code}"
    return ""


def _beyond_its_scope(victim: Victim) -> str:
    """A key to read with does not write, nor see what only its owner should."""
    headers = {"Authorization": f"Bearer {READ_KEY}"}
    article = {"id": "beyond", "text": "Written with a key for reading."}
    url = victim.keyed.url
    found = [
        httpx.post(f"{url}/v1/articles", json=article, headers=headers, timeout=60).status_code,
        httpx.delete(f"{url}/v1/articles/harbour-041", headers=headers, timeout=60).status_code,
        httpx.get(f"{url}/metrics", headers=headers, timeout=60).status_code,
    ]
    return "" if set(found) <= {401, 403} else f"answered {found}"


def _guessing(victim: Victim) -> str:
    """Keys are tried one after the other: after some, the address is told to wait."""
    headers = [{"Authorization": f"Bearer ng_{number:043d}"} for number in range(150)]
    with httpx.Client(base_url=victim.keyed.url, timeout=60) as client:
        found = [client.get("/v1/status", headers=each).status_code for each in headers]
        owner = client.get("/v1/status", headers={"Authorization": f"Bearer {READ_KEY}"})
    if set(found) - {401, 429} or found[-1] != 429:
        return f"answered {sorted(set(found))}, at last {found[-1]}"
    return "" if owner.status_code == 200 else f"its owner was locked out: {owner.status_code}"


ATTACKS: Mapping[str, Attack] = {
    **{f"smuggling by {name}": _smuggled(data) for name, data in _SMUGGLED.items()},
    "bare newlines": _bare_newlines,
    **_LINES,
    "climbing paths": _climbing,
    **{name: _written_as(headers) for name, headers in _FOREIGN.items()},
    "another method by a header": _overridden,
    "a form on another site": _foreign_form,
    "a script on another site": _foreign_script,
    "a response split by line ends": _split_response,
    "odd validators": _odd_validators,
    "odd ranges": _odd_ranges,
    "odd credentials": _odd_credentials,
    "no key": _without_key,
    "a key beyond its scope": _beyond_its_scope,
    "guessing keys": _guessing,
}
