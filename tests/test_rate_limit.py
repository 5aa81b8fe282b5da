import sys

from hypothesis import given
from hypothesis import strategies as st

from search.http.rate_limit import MOST_CALLERS, RateLimit


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_minutes_worth_is_granted_at_once_and_then_what_time_restores() -> None:
    clock = Clock()
    limit = RateLimit(60, clock=clock)
    taken = [limit.take("a") for _ in range(61)]
    assert [each.granted for each in taken] == [True] * 60 + [False]
    assert [each.remaining for each in taken[:3]] == [59, 58, 57]
    assert round(taken[-1].wait_s, 6) == 1.0
    clock.now += 1.0
    assert limit.take("a").granted
    assert not limit.take("a").granted
    clock.now += 3_600.0
    assert limit.take("a").remaining == 59


def test_callers_do_not_share_an_allowance() -> None:
    limit = RateLimit(1, clock=Clock())
    assert [limit.take(caller).granted for caller in "aabb"] == [True, False, True, False]


def test_what_is_refused_costs_nothing() -> None:
    clock = Clock()
    limit = RateLimit(1, clock=clock)
    assert limit.take("a").granted
    for _ in range(100):
        assert not limit.take("a").granted
    clock.now += 60.0
    assert limit.take("a").granted


@given(
    per_minute=st.integers(1, 50),
    pauses=st.lists(st.floats(0, 30, allow_nan=False), max_size=200),
)
def test_in_no_minute_more_than_the_burst_and_what_was_restored(
    per_minute: int, pauses: list[float]
) -> None:
    clock = Clock()
    limit = RateLimit(per_minute, clock=clock)
    granted: list[float] = []
    for pause in pauses:
        clock.now += pause
        if limit.take("a").granted:
            granted.append(clock.now)
    for first, at in enumerate(granted):
        for last, until in enumerate(granted[first:], first):
            restored = (until - at) * per_minute / 60
            assert last - first + 1 <= per_minute + restored + 1e-3


def test_the_wait_that_is_told_is_long_enough_and_no_longer() -> None:
    clock = Clock()
    limit = RateLimit(7, clock=clock)
    while (refused := limit.take("a")).granted:
        clock.now += 0.1
    clock.now += refused.wait_s - 0.01
    assert not limit.take("a").granted
    clock.now += 0.01
    assert limit.take("a").granted


def test_a_million_addresses_are_not_remembered() -> None:
    limit = RateLimit(60)
    for number in range(MOST_CALLERS + 5_000):
        limit.take(f"2001:db8:0:{number:x}::/64")
    assert len(limit) == MOST_CALLERS
    assert sys.getsizeof(limit._whole_at) < 4 << 20


def test_who_was_heard_of_last_is_remembered_longest() -> None:
    limit = RateLimit(1, most_callers=2, clock=Clock())
    limit.take("a")
    limit.take("b")
    limit.take("c")
    assert limit.take("a").granted  # forgotten
    assert not limit.take("c").granted
