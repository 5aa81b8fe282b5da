"""Columns: what filtering and ordering need of every live passage and its article, in memory.

They are made of rows of the truth, at a commit, from those at an earlier one and what changed in
between.
"""

import contextlib
import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from index import reports, store, stories
from index.article import Published
from index.checksums import columns_of, crc, sound
from index.vectors import positions_in

logger = logging.getLogger(__name__)

_Integer = TypeVar("_Integer", np.int32, np.int64)

UNKNOWN_DAY: Final = -1
UNKNOWN_INSTANT: Final = int(np.iinfo(np.int64).min)
FILTER_FIELDS: Final = ("outlet", "byline", "section", "language")

# Articles that are gone stay in the columns until there are so many of them to a live one: a
# reader that follows an archive for months would grow with each that ever was in it.
_MOST_GONE: Final = 0.2


@dataclass(frozen=True, slots=True)
class Columns:
    """What filtering and ordering need of every live passage, and of its article.

    The first three have shape (passages,), in ascending order of `number`; `article` points into
    the others, of shape (articles,), which may hold articles that no passage points to any more.
    Passages of an article follow each other, and articles come in the order of their numbers.
    """

    number: NDArray[np.int64]
    ordinal: NDArray[np.int32]
    article: NDArray[np.int32]
    article_number: NDArray[np.int64]
    report: NDArray[np.int64]  # equal numbers: one report; its own number when it stands alone
    story: NDArray[np.int64]  # equal numbers: one story; every article has one, alone or not
    article_id: list[str]
    day: NDArray[np.int32]  # proleptic ordinal of the day of publication, or UNKNOWN_DAY
    instant_s: NDArray[np.int64]  # seconds since 1970 UTC, or UNKNOWN_INSTANT
    outlet: NDArray[np.int32]  # codes into values["outlet"]; likewise the next three
    byline: NDArray[np.int32]
    section: NDArray[np.int32]
    language: NDArray[np.int32]
    values: dict[str, list[str]]


EMPTY = Columns(
    number=np.empty(0, dtype=np.int64),
    ordinal=np.empty(0, dtype=np.int32),
    article=np.empty(0, dtype=np.int32),
    article_number=np.empty(0, dtype=np.int64),
    report=np.empty(0, dtype=np.int64),
    story=np.empty(0, dtype=np.int64),
    article_id=[],
    day=np.empty(0, dtype=np.int32),
    instant_s=np.empty(0, dtype=np.int64),
    outlet=np.empty(0, dtype=np.int32),
    byline=np.empty(0, dtype=np.int32),
    section=np.empty(0, dtype=np.int32),
    language=np.empty(0, dtype=np.int32),
    values={field: [] for field in FILTER_FIELDS},
)


def extended(before: Columns, truth: sqlite3.Connection, since: int, horizon: int) -> Columns:
    """The columns at `horizon`, from those at `since` and what changed in between."""
    window = {"since": since, "horizon": horizon}
    live = "a.added_seq > :since AND a.added_seq <= :horizon AND " + (
        "(a.removed_seq IS NULL OR a.removed_seq > :horizon)"
    )
    heads = truth.execute(
        f"SELECT {', '.join(store.ARTICLE_HEAD)}, head_crc "
        f"FROM articles a WHERE {live} ORDER BY a.number",
        window,
    )
    articles = [row for *columns, stored in heads for row in [_head(columns, stored)]]
    passages = _passages(truth, live, window)
    removed = truth.execute(
        f"SELECT {columns_of('tombstones')} FROM tombstones WHERE seq > :since AND seq <= :horizon",
        {"since": since if len(before.number) else horizon, "horizon": horizon},
    )
    gone = np.array([passage for passage, *_ in sound("tombstones", removed)], dtype=np.int64)
    kept = ~np.isin(before.number, gone)
    fresh = np.array([row[0] for row in articles], dtype=np.int64)
    article_number = np.concatenate([before.article_number, fresh])
    values = {field: list(before.values[field]) for field in FILTER_FIELDS}
    published = [_published(row[2]) for row in articles]
    return Columns(
        number=np.concatenate([before.number[kept], passages[:, 0]]),
        ordinal=np.concatenate([before.ordinal[kept], passages[:, 1].astype(np.int32)]),
        article=np.concatenate(
            [
                before.article[kept],
                np.searchsorted(article_number, passages[:, 2]).astype(np.int32),
            ]
        ),
        article_number=article_number,
        # Who was never joined to others, or whose row is damaged, is alone.
        report=_labelled(
            np.concatenate([before.report, fresh]),
            article_number,
            reports.changed(truth, since, horizon),
        ),
        story=_labelled(
            np.concatenate([before.story, -fresh]),
            article_number,
            stories.changed(truth, since, horizon),
        ),
        article_id=[*before.article_id, *(row[1] for row in articles)],
        day=_appended(before.day, [p.on.toordinal() if p else UNKNOWN_DAY for p in published]),
        instant_s=_appended(
            before.instant_s, [p.instant_s if p else UNKNOWN_INSTANT for p in published]
        ),
        outlet=_appended(before.outlet, _codes(values["outlet"], [row[3] for row in articles])),
        byline=_appended(before.byline, _codes(values["byline"], [row[4] for row in articles])),
        section=_appended(before.section, _codes(values["section"], [row[5] for row in articles])),
        language=_appended(
            before.language, _codes(values["language"], [row[6] for row in articles])
        ),
        values=values,
    )


def passages_of(
    articles: NDArray[np.integer[Any]], columns: Columns
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The passages of these articles, without a look at those of others.

    Args:
        articles: places in the columns, shape (n,).

    Returns:
        Positions of passages, article after article; and how many each has, 0 where it is not live.
        Shapes (passages,) and (n,), both int64.
    """
    wanted = articles.astype(columns.article.dtype)  # else all of the column is widened
    first = np.searchsorted(columns.article, wanted)
    counts = np.searchsorted(columns.article, wanted, side="right") - first
    before = np.cumsum(counts) - counts
    return np.arange(counts.sum()) + np.repeat(first - before, counts), counts


def live_with(
    labels: NDArray[np.int64], wanted: NDArray[np.int64], columns: Columns
) -> NDArray[np.int64]:
    """The live articles that have one of the `wanted` labels.

    Args:
        labels: of all articles, as `columns.report` and `columns.story` are.

    Returns:
        Places in the columns, shape (n,), int64, ascending.
    """
    articles = np.flatnonzero(np.isin(labels, wanted))
    _, counts = passages_of(articles, columns)
    return articles[counts > 0]


def live_articles(columns: Columns) -> NDArray[np.bool_]:
    """Which of the columns' articles passages point to, shape (articles,), bool."""
    live = np.zeros(len(columns.article_number), dtype=np.bool_)
    live[columns.article] = True
    return live


def tidied(columns: Columns) -> Columns:
    """The same columns without the articles that no passage points to, if those are many."""
    is_live = live_articles(columns)
    live = np.flatnonzero(is_live)
    if len(is_live) - len(live) <= _MOST_GONE * len(live):
        return columns
    values: dict[str, list[str]] = {}
    codes: dict[str, Any] = {}
    for field in FILTER_FIELDS:
        used, inverse = np.unique(getattr(columns, field)[live], return_inverse=True)
        values[field] = [columns.values[field][code] for code in used]
        codes[field] = inverse.astype(np.int32)
    return replace(
        columns,
        article=(np.cumsum(is_live) - 1)[columns.article].astype(np.int32),
        article_number=columns.article_number[live],
        report=columns.report[live],
        story=columns.story[live],
        article_id=[columns.article_id[at] for at in live],
        day=columns.day[live],
        instant_s=columns.instant_s[live],
        values=values,
        **codes,
    )


def _labelled(
    labels: NDArray[np.int64], article_number: NDArray[np.int64], changed: dict[int, int]
) -> NDArray[np.int64]:
    """The labels of articles, with those that have changed, by article number."""
    positions = positions_in(article_number, np.array(list(changed), dtype=np.int64))
    anew = np.array(list(changed.values()), dtype=np.int64)
    labels[positions[positions >= 0]] = anew[positions >= 0]
    return labels


def _passages(truth: sqlite3.Connection, live: str, window: dict[str, int]) -> NDArray[np.int64]:
    """Number, ordinal and article of passages, shape (n, 3), ascending by the first and the last.

    To hold each against its check would take longer than all the rest. One that says to belong to
    another article, though, would have others not be found: they are if the order is broken, or if
    one says what is no number.
    """
    those = (
        f"FROM articles a JOIN passages p ON p.article = a.number WHERE {live} ORDER BY p.number"
    )
    rows = truth.execute(f"SELECT p.number, p.ordinal, p.article {those}", window).fetchall()
    with contextlib.suppress(TypeError, ValueError):
        passages = np.array(rows, dtype=np.int64).reshape(-1, 3)
        if np.all(np.diff(passages[:, 2]) >= 0):
            return passages
    checked = truth.execute(f"SELECT {columns_of('passages', 'p')} {those}", window)
    rows = [
        (number, ordinal, article) for number, _, article, ordinal, *_ in sound("passages", checked)
    ]
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def _head(columns: list[Any], stored: int) -> list[Any]:
    """What filters and order need of an article; nothing but its number if it is damaged.

    Its passages are left out where they would be shown.
    """
    if crc(*columns) == stored:
        return columns
    logger.warning("damaged row left out table=articles row=%s", columns[0])
    return [columns[0], "", "", "", "", "", ""]


def _published(iso: str) -> Published | None:
    """None also for a damaged date: the article's own check keeps it from being shown."""
    try:
        return Published(iso) if iso else None
    except ValueError:
        return None


def _appended(before: NDArray[_Integer], more: Sequence[int]) -> NDArray[_Integer]:
    return np.concatenate([before, np.array(more, dtype=before.dtype)])


def _codes(values: list[str], more: Sequence[str]) -> list[int]:
    """Codes of `more` in `values`, which grows by what it does not hold yet."""
    code_of = {value: code for code, value in enumerate(values)}
    codes = []
    for value in more:
        code = code_of.setdefault(value, len(code_of))
        if code == len(values):
            values.append(value)
        codes.append(code)
    return codes
