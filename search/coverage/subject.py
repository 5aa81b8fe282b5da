"""The article whose coverage is looked for: one of the archive, or one from outside."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.article import PassageId, PreparedArticle
from index.snapshot import Snapshot
from index.store import ArticleRow, PassageRow
from index.term_vectors import TermVector

_OUTSIDE: Final = -1


@dataclass(frozen=True, slots=True)
class Span:
    """A passage, without the article around it."""

    passage_id: PassageId
    start: int  # in the article's text, in code points, end excluded
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Subject:
    """An article, and what it is compared by."""

    article: ArticleRow
    passages: tuple[Span, ...]
    vectors: NDArray[np.float32]  # of the passages, shape (n, dim); NaN where there is none yet
    terms: TermVector

    @property
    def is_stored(self) -> bool:
        """Whether it is an article of the archive."""
        return self.article.number != _OUTSIDE


def subject_in(article: ArticleRow, snapshot: Snapshot) -> Subject:
    """An article of the snapshot."""
    rows = snapshot.passages_of(article)
    terms = snapshot.term_vectors([article.number]).get(article.number)
    return Subject(
        article,
        tuple(span_of(row) for row in rows),
        vectors_of(rows, snapshot),
        terms or snapshot.term_vector_of(article.headline, article.text, article.language),
    )


def subject_from(
    prepared: PreparedArticle, vectors: NDArray[np.float32], snapshot: Snapshot
) -> Subject:
    """An article from outside; `vectors` are those of its passages, shape (n, dim)."""
    article = prepared.article
    given = {field.name: getattr(article, field.name) for field in fields(article)}
    return Subject(
        ArticleRow(number=_OUTSIDE, version=1, added_seq=snapshot.seq, **given),
        tuple(Span(each.id, each.start, each.end, each.text) for each in prepared.passages),
        vectors,
        snapshot.term_vector_of(article.headline, article.text, article.language),
    )


def span_of(row: PassageRow) -> Span:
    """A passage of the archive."""
    return Span(row.id, row.start, row.end, row.text)


def vectors_of(rows: Sequence[PassageRow], snapshot: Snapshot) -> NDArray[np.float32]:
    """The vectors of passages, shape (len(rows), dim); NaN where there is none yet."""
    numbers = np.array([row.number for row in rows], dtype=np.int64)
    return snapshot.vectors.at(snapshot.position_of(numbers))
