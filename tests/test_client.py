"""What a command with `--server` does when the server sends it away for now."""

import httpx
import pytest

from index.errors import ServerError
from search.commands import client


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, in seconds; none takes any time."""
    pauses: list[float] = []
    monkeypatch.setattr("search.commands.client.time.sleep", pauses.append)
    return pauses


def _answering(*answers: httpx.Response) -> httpx.Client:
    left = iter(answers)
    transport = httpx.MockTransport(lambda _: next(left))
    return httpx.Client(base_url="http://archive.example", transport=transport)


def _busy(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers=headers, json={"detail": "come again"})


@pytest.mark.parametrize("status", [429, 503])
def test_it_waits_as_long_as_the_server_says_and_sends_it_again(
    status: int, slept: list[float]
) -> None:
    later = {"Retry-After": "3"}
    answers = (_busy(status, **later), _busy(status, **later), httpx.Response(200, text="taken"))
    with _answering(*answers) as server:
        assert client.send(server, "POST", "/v1/articles").text == "taken"
    assert slept == [3, 3]


def test_it_never_waits_longer_than_a_minute_at_a_time(slept: list[float]) -> None:
    with _answering(_busy(503, **{"Retry-After": "86400"}), httpx.Response(200)) as server:
        client.send(server, "GET", "/")
    assert slept == [60]


@pytest.mark.parametrize("asked", ["", "soon", "-1", "1.5"])
def test_without_a_time_to_wait_it_gives_up_at_once(asked: str, slept: list[float]) -> None:
    busy = _busy(503, **{"Retry-After": asked})
    with _answering(busy) as server, pytest.raises(ServerError, match="come again"):
        client.send(server, "GET", "/")
    assert slept == []


def test_it_does_not_ask_for_ever(slept: list[float]) -> None:
    busy = [_busy(429, **{"Retry-After": "1"}) for _ in range(9)]
    with _answering(*busy) as server, pytest.raises(ServerError, match="come again"):
        client.send(server, "GET", "/")
    assert len(slept) == 3
