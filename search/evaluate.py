"""How well the searcher answers: questions that people judged, asked of it as anyone would ask.

A collection is a folder as BEIR lays it out: `corpus.jsonl`, `queries.jsonl` and the judgements
`qrels.tsv` (or `qrels/test.tsv`), one `question<TAB>document<TAB>grade` a line after a header.
Its store is built once and kept, until the corpus, the model or the indexing changes.
"""

import hashlib
import json
import logging
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal

import ir_measures
import numpy as np
from ir_measures import RR, R, Success, nDCG

import index
from index.article import ArticleId, Origin, SourceRecord, article_id
from index.backlog import embed_backlog
from index.errors import BadArticleError, BadCollectionError
from index.model import CPU, DEFAULT_MODEL, model_fingerprint
from index.reading import read
from index.writer import Writer
from search.cross_encoder import Effort
from search.grouping import Group
from search.searcher import MAX_K, Searcher

logger = logging.getLogger(__name__)

_CORPUS: Final = "corpus.jsonl"
_QUESTIONS: Final = "queries.jsonl"
_JUDGEMENTS: Final = ("qrels.tsv", "qrels/test.tsv")
_LAYOUT: Final = f"a collection holds {_CORPUS}, {_QUESTIONS} and {_JUDGEMENTS[0]}"
_COMPLETE: Final = "complete"
_GROUP_RECORDS: Final = 500  # a commit
_MEASURES: Final = {
    nDCG @ 10: "ndcg_10",
    RR @ 10: "rr_10",
    Success @ 1: "success_1",
    R @ 100: "r_100",
}
_PAGE: Final = 10  # hits of the query that is timed


class Half(StrEnum):
    """The half of a collection that a question belongs to, for ever: by a checksum of its id."""

    TUNING = "tuning"
    HELD_OUT = "held-out"


@dataclass(frozen=True, slots=True)
class Step:
    """How far an evaluation is."""

    name: Literal["adding", "embedding", "asking"]
    done: int  # articles, passages or questions
    total: int | None  # None: not known


@dataclass(frozen=True, slots=True)
class QuestionScores:
    """What one question scored, its articles ranked by their best passage."""

    id: str
    question: str
    ndcg_10: float
    rr_10: float
    success_1: float
    r_100: float
    ms: float  # of a query for ten hits


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The means over all questions of which at least one document was judged relevant."""

    questions: int
    ndcg_10: float
    rr_10: float
    success_1: float
    r_100: float
    p50_ms: float
    p95_ms: float
    per_query: tuple[QuestionScores, ...]

    def as_json(self) -> dict[str, int | float]:
        """The means under their names in the field; to 4 decimals, and ms to 2."""
        return {
            "questions": self.questions,
            "nDCG@10": round(self.ndcg_10, 4),
            "RR@10": round(self.rr_10, 4),
            "Success@1": round(self.success_1, 4),
            "R@100": round(self.r_100, 4),
            "p50_ms": round(self.p50_ms, 2),
            "p95_ms": round(self.p95_ms, 2),
        }


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what was judged to answer it."""

    id: str
    text: str
    grades: Mapping[ArticleId, int]  # of the judged articles

    @property
    def half(self) -> "Half":
        """Weights are tuned on one half of the questions and judged by the other."""
        return Half.TUNING if zlib.crc32(self.id.encode()) % 2 == 0 else Half.HELD_OUT


def _ignored(_: Step) -> None:
    pass


def evaluate(
    folder: Path,
    *,
    cache_dir: Path,
    model: str = DEFAULT_MODEL,
    device: str = CPU,
    effort: Effort = Effort.QUICK,
    group: Group = Group.REPORT,
    half: Half | None = None,
    progress: Callable[[Step], None] = _ignored,
) -> Evaluation:
    """Ask every judged question of a collection, or of one half of it, and score the answers.

    Grades above 0 are relevant, and nDCG takes them as they are. An article stands where its best
    passage stands; measures by ir-measures. Times are those of `Searcher.search` for ten hits with
    the model loaded, one question at a time. The first call builds the store in `cache_dir`,
    embedded on `device`; interrupted, it goes on from there when called again.

    Raises:
        BadCollectionError: a file is missing, a line of it cannot be read, or the half is empty.
        StoreLockedError: another process is building the same store.
        ModelError: the model cannot be loaded.
    """
    questions = [q for q in judged_questions(folder) if half in (None, q.half)]
    if not questions:
        raise BadCollectionError(
            f"{folder}: none of its few questions belongs to the {half} half; evaluate all of them"
        )
    store = store_of(folder, cache_dir, model, device, progress)
    searcher = Searcher(store, model=model)
    try:
        searcher.search("a question that loads the model")
        per_query = tuple(_asked(searcher, questions, effort, group, progress))
    finally:
        searcher.close()
    return _means(per_query)


# --- the collection -------------------------------------------------------------------------------


def judged_questions(folder: Path) -> list[Question]:
    """Those with a relevant document, in the order of the file."""
    path = _file(folder, _QUESTIONS)
    grades = _grades(_file(folder, *_JUDGEMENTS))
    judged = []
    for line, text in _lines(path):
        question = _question(path, line, text, grades)
        if any(grade > 0 for grade in question.grades.values()):
            judged.append(question)
    if not judged:
        raise BadCollectionError(
            f"{path}: no question has a relevant document; do the judgements belong to it?"
        )
    return judged


def _question(
    path: Path, line: int, text: str, grades: Mapping[str, Mapping[ArticleId, int]]
) -> Question:
    try:
        fields = json.loads(text)
        question_id, question = str(fields["_id"]), str(fields["text"])
    except (ValueError, TypeError, KeyError) as error:
        raise BadCollectionError(
            f"{path}:{line}: no question ({error!r}); "
            'write {"_id": "1", "text": "What happened?"}, one a line'
        ) from error
    return Question(question_id, question, grades.get(question_id, {}))


def _grades(path: Path) -> dict[str, dict[ArticleId, int]]:
    grades: dict[str, dict[ArticleId, int]] = {}
    for line, text in _lines(path):
        if line == 1:  # query-id, corpus-id, score
            continue
        try:
            question, document, grade = text.split("\t")
            grades.setdefault(question, {})[_article_of(path, document)] = int(grade)
        except ValueError as error:
            raise BadCollectionError(
                f"{path}:{line}: {text!r} is no judgement; write question, document and "
                "a whole number, with tabs between them"
            ) from error
    return grades


def _article_of(path: Path, document: str) -> ArticleId:
    """The id that a document of the corpus has in the store."""
    return article_id(SourceRecord(Origin(str(path), 0), b"", "", own_id=document))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, numbered from 1."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for line, text in enumerate(file, start=1):
                if text.strip():
                    yield line, text.rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise BadCollectionError(f"{path}: not UTF-8 ({error}); convert it") from error


def _file(folder: Path, *names: str) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    if not folder.is_dir():
        raise BadCollectionError(f"{folder} is no folder; {_LAYOUT}")
    raise BadCollectionError(f"{folder} has no {' or '.join(names)}; {_LAYOUT}")


# --- its store ------------------------------------------------------------------------------------


def store_of(
    collection: Path,
    cache_dir: Path,
    model: str = DEFAULT_MODEL,
    device: str = CPU,
    progress: Callable[[Step], None] = _ignored,
) -> Path:
    """The store of a collection's documents, all embedded; built where `cache_dir` has none."""
    corpus = _file(collection, _CORPUS)
    folder = cache_dir / _store_key(corpus, model)
    store, complete = folder / "store", folder / _COMPLETE
    if not complete.exists():
        with Writer(store, model=model) as writer:
            _add(writer, corpus, progress)
            embed_backlog(
                writer,
                device=device,
                progress=lambda now: progress(Step("embedding", now.done, now.total)),
            )
        complete.touch()
    return store


def _store_key(corpus: Path, model: str) -> str:
    """Changes with the corpus, the model, and the code that makes a store of them."""
    hasher = hashlib.sha256(model_fingerprint(model).encode())
    for path in (corpus, *sorted(Path(index.__path__[0]).rglob("*.py"))):
        with path.open("rb") as file:
            hasher.update(hashlib.file_digest(file, "sha256").digest())
    return hasher.hexdigest()[:16]


def _add(writer: Writer, corpus: Path, progress: Callable[[Step], None]) -> None:
    added = 0
    for group in _groups(read([corpus])):
        records = []
        for record in group:
            if isinstance(record, BadArticleError):
                logger.warning("%s", record)
            else:
                records.append(record)
        for outcome in writer.add(records, stories_wait=True):  # which no question asks for
            if outcome.error:
                logger.warning("%s", outcome.error)
        added += len(records)
        progress(Step("adding", added, None))
    writer.finish()


def _groups(
    records: Iterable[SourceRecord | BadArticleError],
) -> Iterator[list[SourceRecord | BadArticleError]]:
    group: list[SourceRecord | BadArticleError] = []
    for record in records:
        group.append(record)
        if len(group) == _GROUP_RECORDS:
            yield group
            group = []
    if group:
        yield group


# --- asking and scoring ---------------------------------------------------------------------------


def _asked(
    searcher: Searcher,
    questions: Sequence[Question],
    effort: Effort,
    group: Group,
    progress: Callable[[Step], None],
) -> Iterator[QuestionScores]:
    for done, question in enumerate(questions, start=1):
        ms = searcher.search(question.text, k=_PAGE, effort=effort, group=group).took_ms
        answer = searcher.search(question.text, k=MAX_K, effort=effort, group=group)
        ranked = dict.fromkeys(hit.article_id for hit in answer.hits)
        yield _scores(question, list(ranked), ms)
        progress(Step("asking", done, len(questions)))


def _scores(question: Question, ranked: Sequence[ArticleId], ms: float) -> QuestionScores:
    qrels = [
        ir_measures.Qrel(question.id, article, grade) for article, grade in question.grades.items()
    ]
    # A measure orders by score and breaks ties its own way: the rank is a score without ties.
    run = [
        ir_measures.ScoredDoc(question.id, article, float(-rank))
        for rank, article in enumerate(ranked)
    ]
    values = ir_measures.calc_aggregate(list(_MEASURES), qrels, run)
    scores = {name: float(values[measure]) for measure, name in _MEASURES.items()}
    return QuestionScores(question.id, question.text, **scores, ms=ms)


def _means(per_query: tuple[QuestionScores, ...]) -> Evaluation:
    def mean(name: str) -> float:
        return float(np.mean([getattr(scores, name) for scores in per_query]))

    p50_ms, p95_ms = np.percentile([scores.ms for scores in per_query], [50, 95])
    return Evaluation(
        questions=len(per_query),
        **{name: mean(name) for name in _MEASURES.values()},
        p50_ms=float(p50_ms),
        p95_ms=float(p95_ms),
        per_query=per_query,
    )
