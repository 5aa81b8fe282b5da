"""How like an article the reports of the archive are: as a whole, not by a query of its text.

1. Candidates: the reports whose passages share its weightiest terms, those with a passage near its
   first one or near the mean of its passages, where these are embedded, and those of its story.
2. Likeness: the product of two term vectors (`index.term_vectors`).
3. Score: the likeness, for more that of their neighbours among the candidates
   (`index.clustering.agreed`), and how far the passages agree (`search.coverage.agreement`).

A report is compared by its first article, so its copies have the same likeness and score. The
candidates are the same whatever the filters are, and with filters the nearest of what they let
through besides: so a filter changes neither the neighbours nor what is like the article.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.clustering import agreed, similarities
from index.columns import Columns, live_with
from index.reports import belong_together, member
from index.snapshot import Snapshot
from index.term_vectors import TermVector, term_of, words_of
from search.coverage.agreement import agreements
from search.coverage.subject import Subject
from search.filters import NO_FILTERS, Filters
from search.lexical import MAX_TERMS, lexical_query

# Reports, of each arm. By words alone they hold, of the ten reports most like an article, all on
# events with 50 already, and 85 % with 50, 88 % with 100 and 92 % with 200 on 5,698 wire stories.
CANDIDATES: Final = 200
# Reports, each with each. nDCG@10 on the tuning half of events is the same with 50.
MOST_COMPARED: Final = 100
# Of the likeness, that of the neighbours: on the tuning half of events nDCG@10 is .9678 with 1/2,
# .9726 with 3/4, and with 5/6 within .0015 of that.
NEIGHBOURS_WEIGHT: Final = 0.75
# Of the score. On the tuning half of events words say it all (.9805 without passages, .9745 with),
# on the other passages help (.9539 and .9593); where few words are shared they may be all there is.
PASSAGES_WEIGHT: Final = 0.2
# How far passages agree whose articles are not related (on events .43 in the median for another
# event of one kind, .12 for anything else), and what a cosine above that is worth as likeness: the
# medians of one event's articles are .68 here and .43 there.
_NO_AGREEMENT: Final = 0.4
_AGREEMENT_SCALE: Final = 1.5
# A text from outside is held against the texts of reports that are so like it.
_MAY_BE_COPY: Final = 0.3
_NO_TERMS: Final = TermVector(np.empty(0, np.uint32), np.empty(0, np.float32))

# Of a number of passages wanted, the best by position, best first, and whether these are all.
_Search = Callable[[int], tuple[NDArray[np.int64], bool]]


@dataclass(frozen=True, slots=True)
class Likeness:
    """Reports beside the article: arrays of shape (n,), by ascending report."""

    own: NDArray[np.int64]  # what the article itself is a copy or version in; none of `reports`
    reports: NDArray[np.int64]
    stories: NDArray[np.int64]
    alike: NDArray[np.float64]  # 0 to 1
    agreed: NDArray[np.float64]  # half of it, half that of their neighbours
    passages: NDArray[np.float64]  # how far they agree, mean cosine; NaN: not embedded yet

    def by_words(self) -> NDArray[np.float64]:
        """The likeness and that of the neighbours, shape (n,)."""
        neighbours = 2 * self.agreed - self.alike
        return (1 - NEIGHBOURS_WEIGHT) * self.alike + NEIGHBOURS_WEIGHT * neighbours

    def scores(self) -> NDArray[np.float64]:
        """What orders them, shape (n,)."""
        words = self.by_words()
        worth = np.maximum(self.passages - _NO_AGREEMENT, 0) * _AGREEMENT_SCALE
        both = (1 - PASSAGES_WEIGHT) * words + PASSAGES_WEIGHT * worth
        return np.where(np.isnan(self.passages), words, both)


def likeness(subject: Subject, filters: Filters, snapshot: Snapshot) -> Likeness:
    """The candidates beside an article."""
    columns = snapshot.columns
    reports = _candidates(subject, NO_FILTERS, snapshot)
    if filters != NO_FILTERS:
        reports = np.union1d(reports, _candidates(subject, filters, snapshot))
    vectors = _term_vectors(reports, snapshot)
    alike = np.array([subject.terms.similarity(vector) for vector in vectors])
    own = _own_reports(subject, reports[alike >= _MAY_BE_COPY], snapshot)
    alike[np.isin(reports, own)] = -1
    nearest = np.argsort(-alike, kind="stable")[:MOST_COMPARED]
    kept = np.sort(nearest[alike[nearest] >= 0])
    reports = reports[kept]
    agreement = agreed(similarities([subject.terms, *(vectors[at] for at in kept)]))[0, 1:]
    return Likeness(
        own,
        reports,
        columns.story[first_articles(reports, columns)],
        alike[kept],
        agreement.astype(np.float64),
        _passage_agreement(subject, reports, snapshot),
    )


def place_of(subject: Subject, columns: Columns) -> int | None:
    """The place of an article in the columns; None: it is not of the archive."""
    if not subject.is_stored:
        return None
    return int(np.searchsorted(columns.article_number, subject.article.number))


# -------------------------------------------------------------------------------- candidates


def _candidates(subject: Subject, filters: Filters, snapshot: Snapshot) -> NDArray[np.int64]:
    """Reports that may be like the article, ascending."""
    columns = snapshot.columns
    report = columns.report[columns.article]
    resolved = filters.resolve(columns)
    allowed = resolved.mask() if resolved else np.ones(len(report), dtype=np.bool_)
    place = place_of(subject, columns)
    if place is not None:
        allowed &= report != columns.report[place]
    found = [
        _first_reports(search, report)
        for search in (
            _by_words(subject, filters, allowed, snapshot),
            *_by_vectors(subject, allowed, snapshot),
        )
    ]
    if place is not None:
        story = columns.story[columns.article]
        found.append(report[allowed & (story == columns.story[place])])
    return np.unique(np.concatenate(found))


def _first_reports(search: _Search, report: NDArray[np.int64]) -> NDArray[np.int64]:
    """The reports of the best passages, CANDIDATES of them if there are so many.

    Args:
        report: of each passage of the archive.
    """
    depth = 4 * CANDIDATES
    while True:
        positions, are_all = search(depth)
        reports, first = np.unique(report[positions], return_index=True)
        if len(reports) >= CANDIDATES or are_all:
            return reports[np.argsort(first)][:CANDIDATES]
        depth *= 4


def _by_words(
    subject: Subject, filters: Filters, allowed: NDArray[np.bool_], snapshot: Snapshot
) -> _Search:
    resolved = filters.resolve(snapshot.columns)
    clauses = resolved.clauses(snapshot.words.schema) if resolved else []
    question = " ".join(_weightiest_words(subject))
    asked = lexical_query(snapshot.words, question, snapshot.passages, clauses)

    def search(depth: int) -> tuple[NDArray[np.int64], bool]:
        numbers, _ = asked.candidates(depth)
        positions = snapshot.position_of(numbers)
        positions = positions[positions >= 0]
        return positions[allowed[positions]], len(numbers) < depth

    return search


def _by_vectors(
    subject: Subject, allowed: NDArray[np.bool_], snapshot: Snapshot
) -> Iterator[_Search]:
    """By the first passage, and by the mean of all."""
    vectors = subject.vectors[~np.isnan(subject.vectors).any(axis=1)]
    if not len(vectors) or not snapshot.embedded or not allowed.any():
        return
    mean = vectors.mean(axis=0)
    for vector in (vectors[0], mean / max(float(np.linalg.norm(mean)), 1e-9)):

        def search(
            depth: int, vector: NDArray[np.float32] = vector
        ) -> tuple[NDArray[np.int64], bool]:
            positions, _ = snapshot.vectors.search(vector, depth, allowed)
            return positions, len(positions) < depth

        yield search


def _weightiest_words(subject: Subject) -> list[str]:
    """The words that say most of what the article is about, weightiest first."""
    weight_of = dict(zip(subject.terms.terms.tolist(), subject.terms.weights.tolist(), strict=True))
    text = f"{subject.article.headline}\n{subject.article.text}"
    words = {word.lower() for word in words_of(text)}
    weighed = sorted((-weight_of.get(term_of(word), 0.0), word) for word in words)
    return [word for weight, word in weighed[:MAX_TERMS] if weight < 0]


# ---------------------------------------------------------------------------------- comparing


def _term_vectors(reports: NDArray[np.int64], snapshot: Snapshot) -> list[TermVector]:
    """Of each report, by any of its articles; where the stored one is damaged, no terms."""
    places = first_articles(reports, snapshot.columns)
    numbers = snapshot.columns.article_number[places].tolist()
    found = snapshot.term_vectors(numbers)
    return [found.get(number, _NO_TERMS) for number in numbers]


def _own_reports(
    subject: Subject, reports: NDArray[np.int64], snapshot: Snapshot
) -> NDArray[np.int64]:
    """The report of an article; from outside, those of `reports` that it would be joined to."""
    place = place_of(subject, snapshot.columns)
    if place is not None:
        return snapshot.columns.report[place : place + 1]
    mine = member(subject.article)
    own = [
        report
        for report in reports.tolist()
        if any(
            belong_together(mine, member(article))
            for article in snapshot.articles_of_report(report)
        )
    ]
    return np.array(own, dtype=np.int64)


def first_articles(reports: NDArray[np.int64], columns: Columns) -> NDArray[np.int64]:
    """Of each report the live article with the lowest number, by its place in the columns."""
    live = live_with(columns.report, reports, columns)
    held, first = np.unique(columns.report[live], return_index=True)
    return live[first[np.searchsorted(held, reports)]]


def _passage_agreement(
    subject: Subject, reports: NDArray[np.int64], snapshot: Snapshot
) -> NDArray[np.float64]:
    """How far the passages of each report's first article agree with the article's."""
    columns = snapshot.columns
    owners = np.full(len(columns.article_number), -1, dtype=np.int64)
    owners[first_articles(reports, columns)] = np.arange(len(reports))
    owner = owners[columns.article]
    positions = np.flatnonzero(owner >= 0)
    positions = positions[np.argsort(owner[positions], kind="stable")]
    vectors = snapshot.vectors.at(positions)
    return agreements(subject.vectors, vectors, owner[positions], len(reports))
