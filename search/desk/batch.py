"""Many questions, one after the other: a table of what the archive has to say to each.

Each question gets a row for each of its first hits, or one row if it has none or cannot be asked.
"""

from dataclasses import dataclass, fields
from datetime import date
from typing import Final

from index.errors import BadQueryError
from search.cross_encoder import Effort
from search.desk.batch_questions import BadLine, Question
from search.exports import export_row
from search.exports.export_row import Cell
from search.filters import Filters
from search.grouping import Group
from search.query import Mode
from search.result_set import Answer, Damaged, Hit, Sort
from search.searcher import Searcher

# Of the question, then of the hit, then of the answer.
_OF_QUESTION: Final = ("line", "id", "question", "verdict", "verdict_probability", "total")
COLUMNS: Final = (*_OF_QUESTION, *export_row.COLUMNS, "snapshot", "problem")

Row = dict[str, Cell]


@dataclass(frozen=True, slots=True)
class Asking:
    """How each question of a batch is asked, unless it says otherwise itself."""

    k: int
    mode: Mode
    filters: Filters
    sort: Sort
    effort: Effort
    group: Group
    as_of: date | None


def rows_of(
    question: Question | BadLine, asking: Asking, searcher: Searcher, base_url: str = ""
) -> list[Row]:
    """The rows of one line, at least one, each with every column; None: unknown.

    A line that cannot be asked has its `problem` and no verdict.

    Raises:
        ModelError, StoreError: no question can be answered, see `Searcher.search`.
    """
    if isinstance(question, BadLine):
        return [_row(question, problem=question.problem)]
    try:
        answer = searcher.search(
            question.text,
            k=asking.k,
            mode=question.mode or asking.mode,
            filters=_merged(question.filters, asking.filters),
            sort=asking.sort,
            effort=asking.effort,
            group=asking.group,
            as_of=asking.as_of,
        )
    except BadQueryError as error:
        field = "question" if error.field == "q" else error.field
        return [_row(question, problem=f"{field}: {error.reason}; {error.advice}")]
    said: Row = {
        "verdict": answer.verdict.kind.value,
        "verdict_probability": answer.verdict.probability,
        "total": answer.total,
        "snapshot": answer.snapshot,
    }
    hits = [export_row.row(hit, base_url) for hit in _places(answer)]
    return [_row(question, **said, **hit) for hit in hits or [{}]]


def is_bad(rows: list[Row]) -> bool:
    """Whether these are the rows of a line that could not be asked."""
    return rows[0]["problem"] is not None


def _merged(own: Filters, batch: Filters) -> Filters:
    """What a question says of each filter, else what its batch says."""
    chosen = {
        each.name: getattr(own, each.name) or getattr(batch, each.name) for each in fields(own)
    }
    for name in ("published_from", "published_to"):
        chosen[name] = chosen[name] and chosen[name].isoformat()
    return Filters.parse(**chosen)


def _places(answer: Answer) -> list[Hit | Damaged]:
    sound = {hit.rank: hit for hit in answer.hits}
    return [sound.get(rank) or Damaged(rank) for rank in range(1, min(answer.k, answer.total) + 1)]


def _row(question: Question | BadLine, **cells: Cell) -> Row:
    asked: Row = {"line": question.line, "id": question.id, "question": question.text}
    return {**dict.fromkeys(COLUMNS), **asked, **cells}
