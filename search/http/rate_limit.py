"""How many requests a minute a caller may make."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_MINUTE_S: Final = 60.0
# Some 2 MiB. Whoever comes from more addresses than this is not held by a limit on each of them.
MOST_CALLERS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller may do from now on."""

    granted: bool
    remaining: int  # requests that would be granted at once
    wait_s: float  # until one is granted again; 0: now


class RateLimit:
    """`per_minute` requests of each caller: all at once, and again as time restores them.

    The generic cell rate algorithm, in its form of virtual scheduling (ITU-T I.371, annex A): a
    caller is one number, the time at which its allowance would be whole again. That is as exact as
    a list of its requests, and the clock that it is read from never goes back. The callers of whom
    nothing was heard for longest are forgotten first.

    For one thread, that of the event loop.
    """

    def __init__(
        self,
        per_minute: int,
        *,
        most_callers: int = MOST_CALLERS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.per_minute = per_minute
        self._apart_s = _MINUTE_S / per_minute
        self._most_callers = most_callers
        self._clock = clock
        self._whole_at: OrderedDict[str, float] = OrderedDict()

    def take(self, caller: str) -> Allowance:
        """Count a request of `caller`, unless it is refused."""
        now = self._clock()
        whole_at = max(now, self._whole_at.get(caller, now)) + self._apart_s
        over_s = whole_at - now - _MINUTE_S
        # A millionth is what the sums lose on the way.
        if over_s > 1e-6:
            return Allowance(False, 0, over_s)
        self._whole_at[caller] = whole_at
        self._whole_at.move_to_end(caller)
        if len(self._whole_at) > self._most_callers:
            self._whole_at.popitem(last=False)
        return Allowance(True, int(-over_s / self._apart_s + 1e-6), 0.0)

    def __len__(self) -> int:
        """The callers that are remembered."""
        return len(self._whole_at)
