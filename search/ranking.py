"""Ranking: from a question to its result set, on one snapshot.

The steps: what restricts the question, the candidates of both arms, the fusion, the learned ranker
over the first of them and, with `Effort.THOROUGH`, the second look. The fusion decides what is in
the set; the later steps only change the order of its first passages. With `Group.REPORT` copies are
folded on the way (search/grouping.py), so that the set holds one passage of each report.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final
from weakref import ReferenceType, ref

import numpy as np
from numpy.typing import NDArray

from index.columns import Columns
from index.snapshot import Snapshot
from index.store import PassageRow
from index.words import exact_words
from search.conditions import matching, positive_terms
from search.cross_encoder import CrossEncoder, Effort
from search.dense import QuestionEncoder, cosines_in_articles
from search.filters import Filters
from search.fusion import Fused, fused_scores
from search.grouping import (
    Group,
    best_of_reports,
    by_preference,
    counted,
    in_several_articles,
    reports_of,
    same_texts,
)
from search.lexical import LexicalQuery, lexical_query
from search.query import Phrase, Query, Verbatim
from search.reranking import RERANKED, Features, text_features
from search.result_set import CANDIDATES, ResultSet, result_set
from search.time_fit import time_fit
from search.trace import Stage, stage
from search.verdict import (
    Evidence,
    Verdict,
    exactly,
    judged,
    nothing,
    passage_logits,
    sigmoid,
)

# A wish for a time weighs as much as this difference in the fusion's score.
TIME_WEIGHT: Final = 0.05
# How many passages get the second look, and what its log odds count beside the ranker's: both from
# the curve in docs/ranking.md.
SECOND_LOOK: Final = 10
SECOND_LOOK_WEIGHT: Final = 0.4
# Of the filters asked with last; of a million passages 1 MB each.
_KEPT_MASKS: Final = 8
# Texts are compared among so many of the set's first: in all of it, unless a condition lets more
# through than both arms propose.
COMPARED: Final = 2 * CANDIDATES
# Two pages of reports. With fewer among the candidates, and twice as many articles, copies have
# taken the places of others.
LEAST_REPORTS: Final = 20


@dataclass(frozen=True, slots=True)
class Ranking:
    """A result set, best first, and whether it answers."""

    results: ResultSet
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question on a snapshot, with what both arms make of it."""

    query: Query
    words: LexicalQuery
    encoder: QuestionEncoder
    snapshot: Snapshot

    def embedding(self) -> NDArray[np.float32] | None:
        """Waits for it where it was begun; None: no words, or nothing is embedded yet."""
        if not embeds(self.query, self.snapshot):
            return None
        with stage(Stage.EMBED):
            return self.encoder.embed(self.query.words, self.snapshot)


@dataclass(frozen=True, slots=True)
class Parts:
    """What puts one passage where it is; see search/fusion.py and search/reranking.py."""

    fused: float
    cosine: float
    about: float
    share: float
    window: float | None  # None, like the next two: not among the first, which are looked at
    length: float | None
    ranker: float | None


@dataclass(frozen=True, slots=True)
class Looked:
    """The set as the fusion orders it, and what a closer look at its first passages shows."""

    results: ResultSet
    before: NDArray[np.int64]  # positions of the set before anything was folded
    fused: Fused  # of the whole set; of one text in several articles, that of the best placed
    rows: list[PassageRow | None]  # of the first; None: the stored row is damaged
    features: Features  # likewise

    def parts(self, position: int) -> Parts | None:
        """Of the passage at this position of the snapshot; None: it is not in the set."""
        places = np.flatnonzero(self.results.positions == position)
        if not len(places):
            return None
        at = int(places[0])
        looked_at = at < len(self.rows)
        return Parts(
            fused=float(self.fused.scores[at]),
            cosine=float(self.fused.cosine[at]),
            about=float(self.fused.about[at]),
            share=float(self.fused.share[at]),
            window=float(self.features.window[at]) if looked_at else None,
            length=float(self.features.length[at]) if looked_at else None,
            ranker=float(self.features.logits()[at]) if looked_at else None,
        )

    def evidence(
        self,
        places: NDArray[np.int64] | None = None,
        readings: NDArray[np.float64] | None = None,
    ) -> Evidence:
        """Of the passages at these places of the set, or of all.

        Args:
            readings: what the second look says of them, shape (len(places),); None: not taken.
        """
        at = np.arange(len(self.results)) if places is None else places
        # Beyond the first, the share stands for the window: it is no less.
        windows = np.concatenate([self.features.window, self.fused.share[len(self.rows) :]])
        return Evidence(self.fused.cosine[at], windows[at], readings)


class Ranker:
    """Ranks the passages of a snapshot. Safe for many threads."""

    def __init__(self, encoder: QuestionEncoder) -> None:
        self._encoder = encoder
        self._cross_encoder = CrossEncoder()

    def load(self, model: str, fingerprint: str) -> None:
        """Load what the first question to a store with vectors of this model would wait for.

        Raises:
            ModelMismatchError, ModelError: as `rank`.
        """
        self._encoder.load(model, fingerprint)
        self._cross_encoder.load()

    def rank(
        self,
        query: Query,
        filters: Filters,
        effort: Effort,
        group: Group,
        snapshot: Snapshot,
        variants: Sequence[str] = (),
    ) -> Ranking:
        """The result set of a question, best first.

        Args:
            variants: words to look for besides: how the archive writes what seems misspelt.

        Raises:
            ModelMismatchError: the store's vectors come from another model than the one asked for.
            ModelError: the model cannot be loaded.
        """
        looked = self.look(query, filters, group, snapshot, variants)
        if looked is None:
            return Ranking(ResultSet.empty(), nothing())
        if query.words:
            ranking = self._reordered(query, looked, effort)
        else:
            sure = np.ones(len(looked.results))
            ranking = Ranking(replace(looked.results, probabilities=sure), exactly())
        if group is Group.NONE:
            return ranking
        with stage(Stage.FOLD):
            results = _folded(ranking.results, looked.before, snapshot.columns)
        return replace(ranking, results=results)

    def look(
        self,
        query: Query,
        filters: Filters,
        group: Group,
        snapshot: Snapshot,
        variants: Sequence[str] = (),
    ) -> Looked | None:
        """What `rank` decides by, but for the second look; None: nothing may be found."""
        with stage(Stage.WORDS):
            allowed, complete = allowed_passages(query, filters, snapshot)
        if allowed is not None and not allowed.any():
            return None
        asked = self._asked(query, filters, snapshot, variants)
        if complete and allowed is not None:
            positions = np.flatnonzero(allowed)
            with stage(Stage.WORDS):
                bm25 = asked.words.scores(snapshot.columns.number[positions])
        else:
            positions, bm25 = _in_order(*_proposed(asked, allowed, group))
        cosines, of_article = _cosines(asked, positions)
        with stage(Stage.FUSE):
            fused = _fused(asked, positions, bm25, cosines, of_article)
            candidates = ResultSet.of(positions, fused.scores, cosines, bm25)
            results = result_set(candidates, snapshot.columns, complete=complete)
            fused = fused.taken(np.searchsorted(positions, results.positions))
        before, read = results.positions, dict[int, PassageRow]()
        if group is Group.REPORT:
            with stage(Stage.FOLD):
                results, kept, read = _one_of_each_text(results, snapshot)
                fused = fused.taken(kept)
        with stage(Stage.RANK):
            # Without words there is no order to better, and no text to read for it.
            rows = _first_rows(results, read, snapshot) if query.words else []
            return Looked(results, before, fused, rows, _features(fused, rows, asked))

    def read(self, query: Query, rows: Sequence[PassageRow | None]) -> NDArray[np.float64]:
        """The cross-encoder's log odds that passages answer; see `CrossEncoder.logits`."""
        pairs = [(row.article.headline, row.text) if row else ("", "") for row in rows]
        return self._cross_encoder.logits(query.words, pairs).round(3)

    def _asked(
        self, query: Query, filters: Filters, snapshot: Snapshot, variants: Sequence[str]
    ) -> _Asked:
        with stage(Stage.WORDS):
            resolved = filters.resolve(snapshot.columns)
            clauses = resolved.clauses(snapshot.words.schema) if resolved else []
            words = lexical_query(snapshot.words, query.words, snapshot.passages, clauses, variants)
        return _Asked(query, words, self._encoder, snapshot)

    def _reordered(self, query: Query, looked: Looked, effort: Effort) -> Ranking:
        """The set with its first passages in the order that the closer look gives."""
        ranker = looked.features.logits()
        order = _by(ranker)
        logits = passage_logits(looked.evidence())
        if effort is Effort.THOROUGH:
            read = order[:SECOND_LOOK]
            with stage(Stage.READ_AGAIN):
                readings = self.read(query, [looked.rows[at] for at in read])
            logits[read] = passage_logits(looked.evidence(read, readings))
            again = _by(ranker[read] + SECOND_LOOK_WEIGHT * readings)
            order = np.concatenate([read[again], order[SECOND_LOOK:]])
            verdict = judged(logits[read], read=True)
        else:
            verdict = judged(logits[order[:SECOND_LOOK]], read=False)
        results = replace(looked.results, probabilities=sigmoid(logits)).with_first(order)
        return Ranking(results, exactly() if _is_exact(query) else verdict)


def embeds(query: Query, snapshot: Snapshot) -> bool:
    """Whether the dense arm has a part in the answer."""
    return bool(query.words) and snapshot.embedded > 0


def allowed_passages(
    query: Query, filters: Filters, snapshot: Snapshot
) -> tuple[NDArray[np.bool_] | None, bool]:
    """Which passages may be found, shape (passages,), None for any; and whether all of them are."""
    allowed = _mask(filters, ref(snapshot))
    if query.condition is None:
        return allowed, False
    matched = matching(query.condition, snapshot)
    allowed = matched.mask if allowed is None else allowed & matched.mask
    return allowed, matched.complete or not query.words


@lru_cache(_KEPT_MASKS)
def _mask(filters: Filters, snapshot: ReferenceType[Snapshot]) -> NDArray[np.bool_] | None:
    """Not to be written to, so that `VectorsView.search` remembers what it leaves."""
    of = snapshot()
    assert of is not None  # whoever asks has it
    resolved = filters.resolve(of.columns)
    if resolved is None:
        return None
    mask = resolved.mask()
    mask.flags.writeable = False
    return mask


def _proposed(
    asked: _Asked, allowed: NDArray[np.bool_] | None, group: Group
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The candidates; more of them where copies would leave too few reports."""
    depth = CANDIDATES
    while True:
        positions, bm25 = _candidates(asked, allowed, depth)
        are_all = len(positions) < depth
        if are_all or group is Group.NONE or not _is_crowded(positions, asked.snapshot.columns):
            return positions, bm25
        depth *= 4


def _is_crowded(positions: NDArray[np.int64], columns: Columns) -> bool:
    """Whether most of these passages are of copies, and few reports are among them."""
    articles = np.unique(columns.article[positions])
    reports = len(np.unique(columns.report[articles]))
    return reports < LEAST_REPORTS and len(articles) >= 2 * reports


def _candidates(
    asked: _Asked, allowed: NDArray[np.bool_] | None, depth: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """What either arm proposes, its best `depth`: positions, (n,), int64, and BM25, float32."""
    snapshot = asked.snapshot
    with stage(Stage.WORDS):
        lexical, bm25 = _lexical_candidates(asked, allowed, depth)
    embedding = asked.embedding()
    if embedding is None:
        return lexical, bm25
    with stage(Stage.DENSE):
        dense, _ = snapshot.vectors.search(embedding, depth, allowed)
    others = np.setdiff1d(dense, lexical)
    with stage(Stage.WORDS):
        others_bm25 = asked.words.scores(snapshot.columns.number[others])
    return np.concatenate([lexical, others]), np.concatenate([bm25, others_bm25])


def _lexical_candidates(
    asked: _Asked, allowed: NDArray[np.bool_] | None, wanted: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The best by BM25 of what is allowed; the word index knows filters, but no condition."""
    depth = wanted
    while True:
        numbers, bm25 = asked.words.candidates(depth)
        positions = asked.snapshot.position_of(numbers)
        kept = positions >= 0
        if allowed is not None:
            kept &= allowed[positions]
        if np.count_nonzero(kept) >= wanted or len(numbers) < depth:
            return positions[kept][:wanted], bm25[kept][:wanted]
        depth *= 4


def _in_order(
    positions: NDArray[np.int64], bm25: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """By position: equal BM25 comes in an order that changes when the word index merges."""
    order = np.argsort(positions)
    return positions[order], bm25[order]


def _cosines(
    asked: _Asked, positions: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """As `cosines_in_articles`; all NaN where the question has no embedding."""
    embedding = asked.embedding()
    if embedding is None:
        unknown = np.full(len(positions), np.nan, dtype=np.float32)
        return unknown, unknown
    with stage(Stage.DENSE):
        return cosines_in_articles(embedding, positions, asked.snapshot)


def _fused(
    asked: _Asked,
    positions: NDArray[np.int64],
    bm25: NDArray[np.float32],
    cosines: NDArray[np.float32],
    of_article: NDArray[np.float32],
) -> Fused:
    """What the fusion, and the times that the question speaks of, make of candidates."""
    columns = asked.snapshot.columns
    articles = columns.article[positions]
    fused = fused_scores(cosines, of_article, bm25, asked.words.bound, asked.words.known, articles)
    wished = TIME_WEIGHT * time_fit(asked.query.time, columns.day[articles])
    return replace(fused, scores=(fused.scores + wished).round(6))


def _one_of_each_text(
    results: ResultSet, snapshot: Snapshot
) -> tuple[ResultSet, NDArray[np.int64], dict[int, PassageRow]]:
    """A set in which a text that several articles of a report hold stands once.

    Returns:
        The set; by which place in `results` each of its passages stands where it does, shape (n,),
        int64; and the rows that were read for it, by position.
    """
    positions = results.positions[:COMPARED]
    reports = reports_of(positions, snapshot.columns)
    several = in_several_articles(reports, snapshot.columns.article[positions])
    rows = snapshot.passage_rows(positions[several].tolist()) if len(several) else {}
    shown, kept = np.arange(len(results)), np.ones(len(results), np.bool_)
    for places in _by_report(reports, several[np.isin(positions[several], list(rows))]):
        read = [rows[int(positions[at])] for at in places]
        articles = {row.article.number: row.article for row in read}
        repeated = [same for same in same_texts([row.text for row in read]) if len(same.places) > 1]
        preference = by_preference(list(articles.values())) if repeated else {}
        for same in repeated:
            first, *others = same.places
            at = min(same.whole, key=lambda at: preference[read[at].article.number])
            shown[places[first]] = places[at]
            kept[[places[other] for other in others]] = False
    by = np.flatnonzero(kept)
    return replace(results.taken(shown[by]), scores=results.scores[by]), by, rows


def _by_report(reports: NDArray[np.int64], places: NDArray[np.int64]) -> Iterable[list[int]]:
    by_report: dict[int, list[int]] = {}
    for report, at in zip(reports[places].tolist(), places.tolist(), strict=True):
        by_report.setdefault(report, []).append(at)
    return by_report.values()


def _folded(results: ResultSet, before: NDArray[np.int64], columns: Columns) -> ResultSet:
    """The best passage of each report, with how many of the passages `before` it stands for."""
    reports = reports_of(results.positions, columns)
    best = best_of_reports(reports)
    passages = counted(reports[best], reports_of(before, columns))
    return replace(results.taken(best), passages=passages)


def _first_rows(
    results: ResultSet, read: Mapping[int, PassageRow], snapshot: Snapshot
) -> list[PassageRow | None]:
    """The rows of the first passages, some of them `read`; None where the stored is damaged."""
    positions = results.positions[:RERANKED].tolist()
    rows = snapshot.passage_rows([position for position in positions if position not in read])
    return [rows.get(position, read.get(position)) for position in positions]


def _features(fused: Fused, rows: Sequence[PassageRow | None], asked: _Asked) -> Features:
    texts = [asked.snapshot.words.analyze(row.text) if row else [] for row in rows]
    window, length = text_features(texts, asked.words.weights)
    first = slice(len(rows))
    return Features(fused.scores[first], fused.about[first], window, length)


def _by(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Places by falling score; equals stay in order."""
    return np.argsort(-scores.round(6), kind="stable")


def _is_exact(query: Query) -> bool:
    """Whether the question is nothing but what restricts it."""
    if query.condition is None:
        return False
    held = {
        word
        for term in positive_terms(query.condition)
        if isinstance(term, Phrase | Verbatim)
        for word in exact_words(term.text)
    }
    return set(exact_words(query.words)) <= held
