"""The searcher: from a question to its answer, on one snapshot from start to end."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.article import Published
from index.errors import BadQueryError, NotFoundError
from index.model import encodable
from index.snapshot import Columns, Snapshot, SnapshotReader
from index.store import ArticleRow, PassageRow
from search.dense import QuestionEncoder
from search.filters import NO_FILTERS, Filters
from search.highlighting import Highlighter
from search.ranking import Ranker
from search.result_set import Answer, Coverage, Hit, ResultSet, Sort

MAX_QUESTION_CHARS: Final = 10_000  # two pages; what is longer was pasted by mistake
MAX_K: Final = 1_000


@dataclass(frozen=True, slots=True)
class Status:
    """What a store holds, as its newest snapshot shows it."""

    store: Path
    articles: int
    passages: int
    embedded: int  # passages
    pending: int  # passages that wait for their embedding
    outlets: int  # those that articles name
    oldest: Published | None  # None: no date is known
    newest: Published | None
    model: str
    fingerprint: str
    snapshot: str
    segments: int
    size_bytes: int  # of all files in the store


class Searcher:
    """Answers questions about one store. Safe for many threads; the model is loaded when needed."""

    def __init__(self, folder: Path, *, model: str | None = None) -> None:
        """`model`: the one the user asked for, a name or folder; None: the store's own.

        Raises:
            StoreFormatError: the folder is no store, or one of a newer format.
        """
        self._folder = folder
        self._reader = SnapshotReader(folder)
        self._ranker = Ranker(QuestionEncoder(model))

    def search(
        self,
        query: str,
        *,
        k: int = 10,
        filters: Filters = NO_FILTERS,
        sort: Sort = Sort.RELEVANCE,
    ) -> Answer:
        """The `k` first passages of the query's result set, see `search.result_set`.

        The first hits are the same whatever `k` is.

        Raises:
            BadQueryError: the query is empty or too long, or `k` is not in 1..1000.
            ModelMismatchError: the store's vectors come from another model than the one asked for.
            ModelError: the model cannot be loaded.
            StoreCorruptError: the store's files do not agree; the message says what to do.
        """
        began = time.perf_counter()
        question = _checked(query, k)
        snapshot = self._reader.latest()
        found = self._ranker.rank(question, filters, snapshot).sorted(sort, snapshot.columns)
        hits = _hits(found, k, Highlighter(question, snapshot.words.analyze), snapshot)
        return Answer(
            query=query,
            k=k,
            sort=sort,
            filters=filters,
            hits=hits,
            total=len(found),
            snapshot=snapshot.id,
            coverage=Coverage(snapshot.articles, snapshot.passages, snapshot.embedded),
            omitted=min(k, len(found)) - len(hits),
            took_ms=(time.perf_counter() - began) * 1000,
        )

    def article(self, article_id: str) -> ArticleRow:
        """An article by its id, else by its exact URL or guid.

        Raises:
            NotFoundError: there is none.
        """
        article = self._reader.latest().article(encodable(article_id))
        if article is None:
            raise NotFoundError(f"no article has the id, URL or guid {article_id!r}")
        return article

    def passages_of(self, article: ArticleRow) -> tuple[PassageRow, ...]:
        """An article's passages, in the order of the text."""
        return self._reader.latest().passages_of(article)

    def passage(self, passage_id: str) -> PassageRow:
        """A passage by its id.

        Raises:
            NotFoundError: there is none, or its article was replaced or removed.
        """
        passage = self._reader.latest().passage(encodable(passage_id))
        if passage is None:
            raise NotFoundError(f"no passage has the id {passage_id!r}")
        return passage

    def snapshot_id(self) -> str:
        """Names the view that the next query would see; the same id, the same answers."""
        return self._reader.latest().id

    def status(self) -> Status:
        """What the store holds now."""
        snapshot = self._reader.latest()
        articles = np.unique(snapshot.columns.article)
        oldest, newest = _first_and_last(snapshot, articles)
        return Status(
            store=self._folder,
            articles=snapshot.articles,
            passages=snapshot.passages,
            embedded=snapshot.embedded,
            pending=snapshot.passages - snapshot.embedded,
            outlets=_outlets(snapshot.columns, articles),
            oldest=oldest,
            newest=newest,
            model=snapshot.model,
            fingerprint=snapshot.fingerprint,
            snapshot=snapshot.id,
            segments=snapshot.segments,
            size_bytes=_size_bytes(self._folder),
        )

    def close(self) -> None:
        """Let go of the store's files; queries that run finish on their snapshot."""
        self._reader.close()


def _checked(query: str, k: int) -> str:
    question = encodable(query).strip()
    if not question:
        raise BadQueryError("q", "the question is empty", "ask in a few plain words")
    if len(question) > MAX_QUESTION_CHARS:
        raise BadQueryError(
            "q",
            f"the question has {len(question):,} characters, at most {MAX_QUESTION_CHARS:,} go",
            "ask about its most important sentences",
        )
    if not 1 <= k <= MAX_K:
        raise BadQueryError("k", f"{k} is not between 1 and {MAX_K:,}", "ask for fewer hits")
    return question


def _hits(
    found: ResultSet, k: int, highlighter: Highlighter, snapshot: Snapshot
) -> tuple[Hit, ...]:
    """The first `k` of the result set whose rows are sound; only these are read from the store."""
    positions = [int(position) for position in found.positions[:k]]
    rows = snapshot.passage_rows(positions)
    sound = [at for at, position in enumerate(positions) if position in rows]
    return tuple(
        _hit(rank, found, at, rows[positions[at]], highlighter)
        for rank, at in enumerate(sound, start=1)
    )


def _hit(rank: int, found: ResultSet, at: int, row: PassageRow, highlighter: Highlighter) -> Hit:
    article, text = row.article, row.text
    cosine, bm25 = float(found.cosines[at]), float(found.bm25[at])
    return Hit(
        rank=rank,
        score=float(found.scores[at]),
        passage_id=row.id,
        article_id=article.id,
        ordinal=row.ordinal,
        text=text,
        start=row.start,
        end=row.end,
        highlights=highlighter.spans(text),
        headline=article.headline,
        byline=article.byline,
        outlet=article.outlet,
        section=article.section,
        language=article.language,
        published=article.published,
        url=article.url,
        dense=None if np.isnan(cosine) else cosine,
        lexical=bm25 or None,
    )


def _first_and_last(
    snapshot: Snapshot, articles: NDArray[np.int32]
) -> tuple[Published | None, Published | None]:
    columns = snapshot.columns
    dated = articles[columns.day[articles] >= 0]
    if not len(dated):
        return None, None
    instants = columns.instant_s[dated]
    ends = [int(dated[instants.argmin()]), int(dated[instants.argmax()])]
    oldest, newest = (snapshot.article(columns.article_id[article]) for article in ends)
    return (oldest.published if oldest else None), (newest.published if newest else None)


def _outlets(columns: Columns, articles: NDArray[np.int32]) -> int:
    codes: Sequence[int] = np.unique(columns.outlet[articles]).tolist()
    return sum(bool(columns.values["outlet"][code]) for code in codes)


def _size_bytes(folder: Path) -> int:
    """A file that a writer deletes meanwhile counts as 0."""
    size = 0
    for path in folder.rglob("*"):
        try:
            size += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return size
