import base64

import pytest
from starlette.requests import Request

from search.http.access import Access
from search.http.problems import ProblemError

KEY = "a-key-that-nobody-guesses"
OPEN = Access("127.0.0.1")
KEYED = Access("127.0.0.1", (KEY,))
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
    known, wrong = _basic(KEY), _basic("another-key-altogether")
    assert _status(KEYED, _request(sec_fetch_site="same-origin", authorization=known)) == 200
    assert _status(KEYED, _request(sec_fetch_site="same-origin", authorization=wrong)) == 401
    assert _status(KEYED, _request(sec_fetch_site="same-origin")) == 401


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "", "same-origin, x"])
def test_a_form_of_another_site_is_refused_whatever_else_it_has(site: str) -> None:
    for access in (OPEN, KEYED):
        for key in (_basic(KEY), f"Bearer {KEY}"):
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
    assert _status(KEYED, _request(origin=origin, authorization=_basic(KEY))) == 403


def test_behind_a_proxy_that_speaks_https_the_origin_is_still_ours() -> None:
    request = _request(
        client="10.0.0.7",
        host="news.example",
        origin="https://news.example",
        authorization=_basic(KEY),
    )
    assert _status(KEYED, request) == 200


def test_a_password_counts_only_where_the_browser_says_that_the_page_is_ours() -> None:
    assert _status(KEYED, _request(authorization=_basic(KEY))) == 401
    assert _status(KEYED, _request(authorization=f"Bearer {KEY}")) == 200


def test_from_elsewhere_nothing_is_written_without_a_key() -> None:
    assert _status(OPEN, _request(client="10.0.0.7", sec_fetch_site="same-origin")) == 403
    assert _status(OPEN, _request(host="evil.example", sec_fetch_site="same-origin")) == 403


def test_the_browser_is_told_that_it_may_ask_for_the_key() -> None:
    with pytest.raises(ProblemError) as refused:
        KEYED.may_write_from_page(_request(sec_fetch_site="same-origin"))
    assert "Basic" in refused.value.headers["WWW-Authenticate"]
