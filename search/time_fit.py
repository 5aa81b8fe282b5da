"""How well the day of an article fits the time that a question speaks of."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.columns import UNKNOWN_DAY
from search.time_expressions import TimeExpression

# An article is often a few days younger than what it tells; the papers of a whole year go on
# about it for longer. At so many days outside a range an article fits half as well as inside.
_SHORTEST_HALF_LIFE: Final = 7.0
_HALF_LIVES_PER_RANGE: Final = 8
_OPEN_RANGE_DAYS: Final = 365
# Older by this than the newest, an article is half as recent. The fit falls as 1/x and not
# exponentially, so that of articles which are all years older the newer ones still come first.
_RECENT_DAYS: Final = 90.0


def time_fit(expressions: Sequence[TimeExpression], day: NDArray[np.int32]) -> NDArray[np.float64]:
    """A soft preference among candidates; it orders, it never excludes.

    1 inside a range of the question, the best of them if there are several, and falling outside
    it. Where the newest is asked for: 1 for the newest candidate (of those inside a range, if one
    is asked for too), and falling with age. The product of both.

    Args:
        day: shape (n,), int32, proleptic ordinals of the days of publication, or UNKNOWN_DAY.

    Returns:
        Shape (n,), float64, in [0, 1]; 0 where the day is unknown, and everywhere if no
        expression says anything about days.
    """
    ranges = [expression for expression in expressions if expression.kind == "range"]
    recent = any(expression.kind == "recency" for expression in expressions)
    known = day != UNKNOWN_DAY
    if not (ranges or recent) or not known.any():
        return np.zeros(len(day))
    days = day.astype(np.float64)
    fit = np.ones(len(day))
    if ranges:
        fit = np.max([_range_fit(expression, days) for expression in ranges], axis=0)
    if recent:
        inside = known & (fit == 1.0)
        newest = days[inside if inside.any() else known].max()
        fit = fit / (1.0 + np.maximum(newest - days, 0.0) / _RECENT_DAYS)
    return np.where(known, fit, 0.0)


def _range_fit(expression: TimeExpression, days: NDArray[np.float64]) -> NDArray[np.float64]:
    first = expression.first.toordinal() if expression.first else -np.inf
    last = expression.last.toordinal() if expression.last else np.inf
    length = last - first if np.isfinite(last - first) else _OPEN_RANGE_DAYS
    outside = np.maximum(np.maximum(first - days, days - last), 0.0)
    half_life = max(_SHORTEST_HALF_LIFE, length / _HALF_LIVES_PER_RANGE)
    return np.asarray(0.5 ** (outside / half_life))
