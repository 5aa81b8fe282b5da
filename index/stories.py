"""Which reports tell of one event: its story.

Points of the clustering are reports, each by the term vector of its first article; copies go with
their report. A new report is compared with those that share its weightiest terms and were
published about the same time; the stories of its nearest are clustered again, it among them. So
what an article costs grows with how much was published in its days, not with the archive.

Two reports belong together by their own likeness and by their neighbours': reports of one event
are like the same others. Groups are joined while the average agreement stays high enough. A group
goes on under the number that most of its reports had; a number that ends so leads to the one that
took over.

The writer calls `retell` after `reports.regroup`, in the same transaction. In a long run of adds
new reports wait, in no story yet, and `tell_waiting` tells of some at a time afterwards: so they
are found by their words the sooner. `points` and `postings` say how things are now; `stories` keeps
each article's story by the `seq` that gave it, so that a reader sees those of its own horizon.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index import reports, store, term_vectors
from index.checksums import columns_of, insert_into, is_sound, sealed, sound
from index.clustering import NO_WORDS, agreed, joined, products, similarities
from index.precedence import give_way
from index.store import ArticleRow
from index.term_counts import TermCounts
from index.term_vectors import Terms, TermVector

_UNKNOWN_DAY: Final = -1
_NO_REPORT: Final = 0  # of an article whose row is damaged
_NEW: Final = 0  # in place of a story's number: none yet
# Chosen on events, with both halves of its topics in sight, and on reuters-1987: from 0.24 to 0.28
# F1 on events goes from 0.93 to 0.91; the lower, the more company results become one story.
_AGREEMENT = 0.25
_NEAREST, _LEAST_SIMILARITY = 8, 0.1
# With 8 terms posted the stories of events are as good as with 16. The rest bounds what a term can
# cost that many reports of these days have.
_POSTED_TERMS, _POSTINGS, _CANDIDATES = 10, 200, 48
# Of 640 pairs of articles of one event whose day is known, half are at most 1 day apart, three in
# four at most 7, nine in ten at most 90. After a year 2 % of the likeness is left.
_SAME_EVENT_DAYS, _HALF_LIFE_DAYS, _WINDOW_DAYS = 14, 60, 90
# Half a year apart: these speak against one story as much as the least agreement speaks for it.
_NOT_NEAR = 0.15
_MOST_POINTS = 100  # clustered at once; they take 3 ms


def numbered(groups: Sequence[Sequence[int]]) -> list[int]:
    """The number that each group goes on under, given what its reports had; 0: a new one.

    A group takes the number that most of its reports had, unless more reports that had it are in
    another group. Ties go to the lower number and the earlier group.
    """
    overlaps = sorted(
        (-count, story, at)
        for at, had in enumerate(groups)
        for story, count in Counter(had).items()
        if story != _NEW
    )
    numbers = [_NEW] * len(groups)
    for _, story, at in overlaps:
        if numbers[at] == _NEW and story not in numbers:
            numbers[at] = story
    return numbers


def retell(
    truth: sqlite3.Connection,
    seq: int,
    terms: Mapping[int, Terms] = MappingProxyType({}),
    *,
    new_wait: bool = False,
) -> None:
    """Bring the stories up to what the open transaction, `seq`, has added and removed.

    Terms of articles, by number, that are counted already are not counted from the truth.

    Args:
        new_wait: leave new reports to `tell_waiting`; what takes the place of an article whose
            story is told goes on with it at once.
    """
    _Retelling(truth, seq, terms).run(new_wait=new_wait)


def waiting(truth: sqlite3.Connection, limit: int) -> list[int]:
    """The first live articles that wait for `tell_waiting`, by number."""
    rows = truth.execute(
        "SELECT number FROM articles a WHERE number > ? AND removed_seq IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM stories s WHERE s.article = a.number) "
        "ORDER BY number LIMIT ?",
        (_told(truth), limit),
    )
    return [row[0] for row in rows]


def tell_waiting(truth: sqlite3.Connection, seq: int, articles: Sequence[int]) -> None:
    """Tell the stories of articles that `waiting` gave, in the open transaction `seq`."""
    _Retelling(truth, seq, {}).run_waiting(articles)


def rebuild(truth: sqlite3.Connection, seq: int) -> None:
    """Make points, postings and missing term vectors anew, in the open transaction `seq`.

    After `reports.rebuild`, or where the reports are sound. Articles keep the stories that sound
    rows give them; those without one are told as new reports are, but for those that wait.
    """
    _Retelling(truth, seq, {}).run_anew()


def told_reports(truth: sqlite3.Connection) -> list[int]:
    """The reports whose story is told, ascending."""
    rows = truth.execute(
        "SELECT DISTINCT report FROM sketches r WHERE report <= ? "
        "OR EXISTS (SELECT 1 FROM stories s WHERE s.article = r.report) ORDER BY report",
        (_told(truth),),
    )
    return [row[0] for row in rows]


def _told(truth: sqlite3.Connection) -> int:
    """No article up to this number waits."""
    return int(store.meta(truth, "told_number") or 0)


def changed(truth: sqlite3.Connection, since: int, horizon: int) -> dict[int, int]:
    """The stories that articles got after `since` and have at `horizon`; damaged are missing."""
    rows = truth.execute(
        f"SELECT {columns_of('stories')} FROM stories WHERE seq > ? AND seq <= ? "
        "ORDER BY article, seq",
        (since, horizon),
    )
    return {article: story for article, _, story in sound("stories", rows)}


def successor(truth: sqlite3.Connection, story: int, horizon: int) -> int:
    """The number under which a story goes on at `horizon`: its own, until it was merged."""
    while True:
        row = truth.execute(
            f"SELECT {columns_of('merged_stories')} FROM merged_stories "
            "WHERE story = ? AND seq <= ?",
            (story, horizon),
        ).fetchone()
        if row is None or not is_sound("merged_stories", row):
            return story
        story = row[2]


def purge(truth: sqlite3.Connection, since: int, horizon: int) -> None:
    """Delete rows of articles that got another story after `since` and at `horizon` or before."""
    truth.execute(
        "DELETE FROM stories WHERE (article, seq) IN (SELECT old.article, old.seq "
        "FROM stories new JOIN stories old ON old.article = new.article AND old.seq < new.seq "
        "WHERE new.seq > ? AND new.seq <= ?)",
        (since, horizon),
    )


def vectors(truth: sqlite3.Connection, articles: Iterable[int]) -> dict[int, TermVector]:
    """The term vectors of these reports' first articles; damaged ones are missing."""
    rows = truth.execute(
        f"SELECT {columns_of('term_vectors')} FROM term_vectors "
        "WHERE article IN (SELECT value FROM json_each(?))",
        (json.dumps(list(articles)),),
    )
    return {
        article: term_vectors.unpacked(vector) for article, vector in sound("term_vectors", rows)
    }


@dataclass(frozen=True, slots=True)
class _Point:
    """A report, as it is clustered."""

    report: int
    day: int  # proleptic ordinal, or _UNKNOWN_DAY
    story: int  # or _NEW


class _Retelling:
    """One transaction's changes to the stories."""

    def __init__(self, truth: sqlite3.Connection, seq: int, terms: Mapping[int, Terms]) -> None:
        self._truth, self._seq, self._terms = truth, seq, terms
        self._vectors: dict[int, TermVector] = {}
        self._successors: dict[int, int] = {}
        self._moved: set[int] = set()
        self._last_story = int(store.meta(truth, "last_story") or 0)

    def run(self, *, new_wait: bool) -> None:
        added, removed, relabelled = self._changes()
        joined_others = [n for n in relabelled if reports.label(self._truth, n) != n]
        loosened = {self._drop(number) for number in (*removed, *joined_others)}
        labels = self._labels([*added, *relabelled])
        if new_wait:
            told = _told(self._truth)
            labels = {label for label in labels if label <= told or self._goes_on(label) != _NEW}
        for point in self._entered(labels):
            self._tell(point)
        for story in sorted({self._now(story) for story in loosened}):
            self._tell_again(story)
        self._write([*added, *relabelled])
        if added and not waiting(self._truth, 1):
            store.set_meta(self._truth, told_number=max(added))

    def run_waiting(self, numbers: Sequence[int]) -> None:
        for point in self._entered(self._labels(numbers)):
            self._tell(point)
        self._write(numbers)
        store.set_meta(self._truth, told_number=numbers[-1])

    def run_anew(self) -> None:
        for table in ("points", "postings"):
            self._truth.execute(f"DELETE FROM {table}")
        new = []
        for label in told_reports(self._truth):
            for point in self._entered({label}, counted=True):
                if point.story == _NEW:
                    new.append(point)
                else:
                    self._enter(point)
            self._vectors.clear()  # of a whole archive they would not fit into memory
        for point in new:
            self._tell(point)
        self._write(self._numbers("SELECT article FROM sketches"))

    # -------------------------------------------------------------- what changed

    def _changes(self) -> tuple[list[int], list[int], list[int]]:
        """Articles that this transaction added, removed, or moved to another report."""
        live = "removed_seq IS NULL"
        return (
            self._numbers(f"SELECT number FROM articles WHERE added_seq = :seq AND {live}"),
            self._numbers("SELECT number FROM articles WHERE removed_seq = :seq"),
            self._numbers("SELECT article FROM reports WHERE seq = :seq"),
        )

    def _numbers(self, statement: str) -> list[int]:
        return [row[0] for row in self._truth.execute(statement, {"seq": self._seq})]

    def _labels(self, numbers: Iterable[int]) -> set[int]:
        """The reports of articles."""
        return {reports.label(self._truth, number) for number in numbers} - {_NO_REPORT}

    def _drop(self, report: int) -> int:
        """Take out what is no report any more; returns the story that lost it, if there is one."""
        for point in self._points("report", [report]):
            self._truth.execute("DELETE FROM points WHERE report = ?", (report,))
            self._truth.executemany(
                "DELETE FROM postings WHERE term = ? AND day = ? AND report = ?",
                [
                    (term, point.day, report)
                    for term, _ in _weightiest(self._vectors_of([point])[0])
                ],
            )
            return point.story
        return _NEW

    def _entered(self, labels: Set[int], *, counted: bool = False) -> list[_Point]:
        """The reports among these that are no points yet, each with its vector.

        The terms of those that were in no story are counted, unless all are `counted` already.
        """
        entered = [
            label
            for label in sorted(labels)
            if not self._truth.execute("SELECT 1 FROM points WHERE report = ?", (label,)).fetchone()
        ]
        articles = store.articles_numbered(self._truth, entered)
        terms = {number: self._terms_of(article) for number, article in articles.items()}
        counts = TermCounts(self._truth)
        counts.count(
            (article.language, terms[number])
            for number, article in articles.items()
            if not counted and self._goes_on(number) == _NEW
        )
        for number, article in articles.items():
            give_way()
            vector = counts.vector(article.language, terms[number])
            data = term_vectors.packed(vector)
            self._truth.execute(
                f"{insert_into('term_vectors')} ON CONFLICT DO NOTHING",
                sealed("term_vectors", number, data),
            )
        return [self._point(number, articles.get(number)) for number in entered]

    def _terms_of(self, article: ArticleRow) -> Terms:
        counted = self._terms.get(article.number)
        if counted is not None:
            return counted
        give_way()
        return term_vectors.terms_of(article.headline, article.text)

    def _point(self, report: int, article: ArticleRow | None) -> _Point:
        """A new point; with the story of what it goes on for, if it does."""
        day = _day(article) if article else _UNKNOWN_DAY  # none: its row is damaged
        return _Point(report, day, self._goes_on(report))

    def _goes_on(self, article: int) -> int:
        """The story of an article, or of the one in whose place this transaction put it."""
        story = self._story_of(article)
        if story != _NEW:
            return story
        row = self._truth.execute(
            "SELECT s.story FROM articles new JOIN articles old ON old.id = new.id "
            "JOIN stories s ON s.article = old.number "
            "WHERE new.number = ? AND old.removed_seq = ? "
            "ORDER BY s.article DESC, s.seq DESC LIMIT 1",
            (article, self._seq),
        ).fetchone()
        return int(row[0]) if row else _NEW

    def _story_of(self, article: int) -> int:
        row = self._truth.execute(
            "SELECT story FROM stories WHERE article = ? ORDER BY seq DESC LIMIT 1", (article,)
        ).fetchone()
        return int(row[0]) if row else _NEW

    # ---------------------------------------------------------------- clustering

    def _tell(self, point: _Point) -> None:
        """Cluster a new report with the stories of its nearest."""
        give_way()
        point = replace(point, story=self._now(point.story))
        near = self._nearest(point)
        stories = sorted({point.story, *near.values()} - {_NEW})
        others = self._points_of(stories)
        if len(others) > _MOST_POINTS:
            others.sort(key=lambda o: (o.report not in near, abs(o.day - point.day), -o.report))
        self._enter(point)
        self._cluster([*others[:_MOST_POINTS], point], {o.story for o in others[_MOST_POINTS:]})

    def _enter(self, point: _Point) -> None:
        self._truth.execute(
            "INSERT INTO points VALUES (?, ?, ?)", (point.report, point.story, point.day)
        )
        self._truth.executemany(
            "INSERT INTO postings VALUES (?, ?, ?, ?)",
            [
                (term, point.day, point.report, weight)
                for term, weight in _weightiest(self._vectors_of([point])[0])
            ],
        )

    def _tell_again(self, story: int) -> None:
        """Cluster a story that lost a report; a very large one holds together without it."""
        points = self._points_of([story])
        if 1 < len(points) <= _MOST_POINTS:
            self._cluster(points, set())

    def _nearest(self, point: _Point) -> dict[int, int]:
        """The stories of the reports that are most like it, by report."""
        vector = self._vectors_of([point])[0]
        scores: dict[int, float] = {}
        for term, weight in _weightiest(vector):
            for report, its_weight in self._posted(term, point.day):
                scores[report] = scores.get(report, 0.0) + weight * its_weight
        found = sorted(scores, key=lambda report: (-scores[report], -report))[:_CANDIDATES]
        points = self._points("report", found)
        days = np.array([other.day for other in points])
        alike = products(vector, self._vectors_of(points))
        alike *= _nearness(days, np.array(point.day))
        best = np.argsort(-alike, kind="stable")[:_NEAREST]
        return {
            points[at].report: points[at].story for at in best if alike[at] >= _LEAST_SIMILARITY
        }

    def _posted(self, term: int, day: int) -> list[tuple[int, float]]:
        """Reports that have the term among their weightiest, those of the nearest days first."""
        if day == _UNKNOWN_DAY:
            return self._truth.execute(
                "SELECT report, weight FROM postings WHERE term = ? "
                "ORDER BY day DESC, report DESC LIMIT ?",
                (term, _POSTINGS),
            ).fetchall()
        return self._truth.execute(
            "SELECT * FROM (SELECT report, weight FROM postings WHERE term = :term "
            "AND day BETWEEN :day - :window AND :day ORDER BY day DESC, report DESC LIMIT :limit) "
            "UNION ALL SELECT * FROM (SELECT report, weight FROM postings WHERE term = :term "
            "AND day > :day AND day <= :day + :window ORDER BY day, report LIMIT :limit) "
            "UNION ALL SELECT * FROM (SELECT report, weight FROM postings WHERE term = :term "
            "AND day = :unknown ORDER BY report DESC LIMIT :limit)",
            {
                "term": term,
                "day": day,
                "window": _WINDOW_DAYS,
                "limit": _POSTINGS,
                "unknown": _UNKNOWN_DAY,
            },
        ).fetchall()

    def _cluster(self, points: Sequence[_Point], elsewhere: Set[int]) -> None:
        """Put these points into stories; of the stories in `elsewhere` not all points are here."""
        days = np.array([point.day for point in points])
        alike = similarities(self._vectors_of(points))
        nearness = _nearness(days[:, None], days[None, :])
        agreement = agreed(alike * nearness)
        # Of one far off the nearest neighbours are this story's all the same, and one whose day is
        # not known is near to both.
        agreement[nearness < _NOT_NEAR] = -_AGREEMENT
        groups = [[points[at] for at in group] for group in joined(agreement, _AGREEMENT)]
        had = [[point.story for point in group] for group in groups]
        numbers = [number or self._new_story() for number in numbered(had)]
        for number, group in zip(numbers, groups, strict=True):
            for point in group:
                if point.story != number:
                    self._truth.execute(
                        "UPDATE points SET story = ? WHERE report = ?", (number, point.report)
                    )
                    self._moved.add(point.report)
        for story in {story for stories in had for story in stories} - {_NEW, *numbers, *elsewhere}:
            self._merge(story, numbers[max(range(len(had)), key=lambda at: had[at].count(story))])

    def _merge(self, story: int, into: int) -> None:
        self._successors[story] = into
        columns = (story, self._seq, into)
        self._truth.execute(insert_into("merged_stories"), sealed("merged_stories", *columns))

    def _new_story(self) -> int:
        self._last_story += 1
        return self._last_story

    def _now(self, story: int) -> int:
        while story in self._successors:
            story = self._successors[story]
        return story

    def _points_of(self, stories: Iterable[int]) -> list[_Point]:
        return self._points("story", stories)

    def _points(self, column: str, values: Iterable[int]) -> list[_Point]:
        rows = self._truth.execute(
            "SELECT report, day, story FROM points "
            f"WHERE {column} IN (SELECT value FROM json_each(?)) ORDER BY report",
            (json.dumps(list(values)),),
        )
        return [_Point(*row) for row in rows]

    def _vectors_of(self, points: Iterable[_Point]) -> list[TermVector]:
        # Not as a difference of sets, which would go through all that were read.
        if unread := {point.report for point in points if point.report not in self._vectors}:
            self._vectors.update(vectors(self._truth, unread))
        return [self._vectors.get(point.report, NO_WORDS) for point in points]

    # ------------------------------------------------------------------- writing

    def _write(self, touched: Sequence[int]) -> None:
        """Give articles the stories of their reports."""
        store.set_meta(self._truth, last_story=self._last_story)
        moved = {n for report in self._moved for n in reports.articles(self._truth, report)}
        for article in sorted(moved.union(touched)):
            for point in self._points("report", [reports.label(self._truth, article)]):
                if point.story != self._story_of(article):
                    columns = (article, self._seq, point.story)
                    self._truth.execute(insert_into("stories"), sealed("stories", *columns))


# -------------------------------------------------------------------- the pieces


def _day(article: ArticleRow) -> int:
    """The day of publication; a year or a month is no day."""
    published = article.published
    if published is None or published.precision in ("year", "month"):
        return _UNKNOWN_DAY
    return published.on.toordinal()


def _nearness(days: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float32]:
    """What is left of likeness between reports of two days, 0 to 1; broadcast."""
    apart = np.maximum(np.abs(days - others) - _SAME_EVENT_DAYS, 0)
    known = (days != _UNKNOWN_DAY) & (others != _UNKNOWN_DAY)
    return np.where(known, 0.5 ** (apart / _HALF_LIFE_DAYS), 1).astype(np.float32)


def _weightiest(vector: TermVector) -> list[tuple[int, float]]:
    kept = np.argsort(-vector.weights, kind="stable")[:_POSTED_TERMS]
    return list(zip(vector.terms[kept].tolist(), vector.weights[kept].tolist(), strict=True))
