import asyncio
import base64

import pytest
from api_keys import ADMIN_KEY, FEED_KEY, KEYS, READ_KEY, UNKNOWN_KEY
from starlette.requests import Request

from search.http.access import Access
from search.http.problems import ProblemError

OPEN = Access("127.0.0.1")
KEYED = Access("127.0.0.1", KEYS)
BEYOND = Access("0.0.0.0", KEYS)
HERE = "127.0.0.1:8000"


def _request(client: str = "127.0.0.1", **headers: str) -> Request:
    named = {"host": HERE, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Request(
        {
            "type": "http",
            "method": "POST",
            "path": "/searches",
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
            "client": (client, 50_000),
        }
    )


def _basic(key: str) -> str:
    return f"Basic {base64.b64encode(f'reader:{key}'.encode()).decode()}"


def _status(access: Access, request: Request) -> int:
    """What `request` is answered; 200: it may write."""
    try:
        access.may_write_from_page(request)
    except ProblemError as error:
        return error.problem.status
    return 200


def test_a_form_of_our_page_may_write_on_this_machine() -> None:
    assert _status(OPEN, _request(sec_fetch_site="same-origin")) == 200
    assert _status(OPEN, _request(origin=f"http://{HERE}")) == 200


def test_a_form_of_our_page_may_write_with_the_key_as_password() -> None:
    known, wrong = _basic(FEED_KEY), _basic(UNKNOWN_KEY)
    assert _status(KEYED, _request(sec_fetch_site="same-origin", authorization=known)) == 200
    assert _status(KEYED, _request(sec_fetch_site="same-origin", authorization=wrong)) == 401
    assert _status(KEYED, _request(sec_fetch_site="same-origin")) == 401


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "", "same-origin, x"])
def test_a_form_of_another_site_is_refused_whatever_else_it_has(site: str) -> None:
    for access in (OPEN, KEYED):
        for key in (_basic(FEED_KEY), f"Bearer {FEED_KEY}"):
            request = _request(sec_fetch_site=site, origin=f"http://{HERE}", authorization=key)
            assert _status(access, request) == 403


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://evil.example",
        "http://127.0.0.1:9000",
        "http://127.0.0.1:8000.evil.example",
        "http://[",
        "",
    ],
)
def test_without_fetch_metadata_the_origin_tells_another_site(origin: str) -> None:
    assert _status(OPEN, _request(origin=origin)) == 403
    assert _status(KEYED, _request(origin=origin, authorization=_basic(FEED_KEY))) == 403


def test_behind_a_proxy_that_speaks_https_the_origin_is_still_ours() -> None:
    request = _request(
        client="10.0.0.7",
        host="news.example",
        origin="https://news.example",
        authorization=_basic(FEED_KEY),
    )
    assert _status(KEYED, request) == 200


def test_a_password_counts_only_where_the_browser_says_that_the_page_is_ours() -> None:
    assert _status(KEYED, _request(authorization=_basic(FEED_KEY))) == 401
    assert _status(KEYED, _request(authorization=f"Bearer {FEED_KEY}")) == 200


def test_from_elsewhere_nothing_is_written_without_a_key() -> None:
    assert _status(OPEN, _request(client="10.0.0.7", sec_fetch_site="same-origin")) == 403
    assert _status(OPEN, _request(host="evil.example", sec_fetch_site="same-origin")) == 403


def test_the_browser_is_told_that_it_may_ask_for_the_key() -> None:
    with pytest.raises(ProblemError) as refused:
        KEYED.may_write_from_page(_request(sec_fetch_site="same-origin"))
    assert "Basic" in refused.value.headers["WWW-Authenticate"]


def _may(access: Access, what: str, request: Request) -> int:
    try:
        looked = getattr(access, f"may_{what}")(request)
        if looked is not None:
            asyncio.run(looked)
    except ProblemError as error:
        return error.problem.status
    return 200


@pytest.mark.parametrize(
    ("key", "read", "write", "administer"),
    [
        (None, 401, 401, 401),
        (UNKNOWN_KEY, 401, 401, 401),
        (READ_KEY, 200, 403, 403),
        (FEED_KEY, 200, 200, 403),
        (ADMIN_KEY, 200, 200, 200),
    ],
)
def test_beyond_loopback_a_key_lets_do_what_its_scope_says(
    key: str | None, read: int, write: int, administer: int
) -> None:
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    for client in ("10.0.0.7", "127.0.0.1"):
        request = _request(client, **headers)
        may = [_may(BEYOND, what, request) for what in ("read", "write", "administer")]
        assert may == [read, write, administer]


def test_a_form_of_our_page_needs_the_scope_as_well() -> None:
    own = {"sec_fetch_site": "same-origin"}
    assert _status(BEYOND, _request(**own, authorization=_basic(READ_KEY))) == 403
    assert _status(BEYOND, _request(**own, authorization=_basic(FEED_KEY))) == 200
    assert _status(BEYOND, _request(**own, authorization=f"Bearer {READ_KEY}")) == 403


def test_a_key_that_lets_too_little_is_told_by_its_name_and_never_shown() -> None:
    with pytest.raises(ProblemError, match=r"scope feed and the key [0-9a-f]{8} has read") as told:
        BEYOND.may_write(_request(authorization=f"Bearer {READ_KEY}"))
    assert READ_KEY not in str(told.value)


@pytest.mark.parametrize("access", [OPEN, KEYED])
def test_on_loopback_this_machine_sees_the_metrics_and_what_a_proxy_hands_on_does_not(
    access: Access,
) -> None:
    assert _may(access, "administer", _request()) == 200
    for foreign in (
        _request(x_forwarded_for="203.0.113.9"),
        _request(host="news.example"),
        _request(client="10.0.0.7"),
    ):
        assert _may(access, "administer", foreign) in (401, 403)
    proxied = _request(x_forwarded_for="203.0.113.9", authorization=_basic(ADMIN_KEY))
    assert _may(KEYED, "administer", proxied) == 200


def test_without_a_key_no_page_of_another_site_writes() -> None:
    for site in ("cross-site", "same-site", "none"):
        assert _may(OPEN, "write", _request(sec_fetch_site=site)) == 403
    assert _may(OPEN, "write", _request(origin="https://news.example")) == 403
    assert _may(OPEN, "write", _request(origin=f"http://{HERE}")) == 200
    assert _may(OPEN, "write", _request()) == 200


def test_an_unknown_key_is_seen_where_keys_are_set() -> None:
    for sent in (f"Bearer {UNKNOWN_KEY}", _basic(UNKNOWN_KEY), "Bearer", "Digest x", FEED_KEY):
        assert KEYED.sends_unknown_key(_request(authorization=sent))
        assert not OPEN.sends_unknown_key(_request(authorization=sent))
    assert not KEYED.sends_unknown_key(_request(authorization=f"bearer  {FEED_KEY} "))
    assert not KEYED.sends_unknown_key(_request())
