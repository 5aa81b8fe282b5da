"""Holds the word index against the truth: which passages it has, and which words of them."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import tantivy
from numpy.typing import NDArray

from index import store, store_folder
from index.article import ArticleId
from index.errors import StoreCorruptError
from index.findings import Finding, Part, derived
from index.store import PassageRow
from index.words import EXACT, WordsReader, WordsView, exact_words

_PASSAGES = 2_000  # looked at at a time
_LAST = (1 << 63) - 1
_VALUES: Final = ("outlet", "byline", "section", "language")
_STANDING: Final = (
    "SELECT p.number FROM passages p JOIN articles a ON a.number = p.article "
    "WHERE a.added_seq <= :horizon AND (a.removed_seq IS NULL OR a.removed_seq > :horizon) "
    "AND NOT EXISTS (SELECT 1 FROM tombstones t WHERE t.passage = p.number AND t.seq <= :horizon)"
)


def opened(folder: Path) -> tuple[WordsView | None, list[Finding]]:
    """The word index as it is now, or what is wrong with it."""
    try:
        return WordsReader(folder / store_folder.WORDS).view(), []
    except StoreCorruptError as error:
        return None, [_finding(str(error).partition(": ")[2].partition("; ")[0])]
    except (OSError, ValueError) as error:
        return None, [_finding(f"not readable ({error})")]


def counts(truth: sqlite3.Connection, view: WordsView) -> Iterator[Finding]:
    """Whether the index has as many passages as stand at its horizon."""
    there = view.count(_numbered(view, 1, _LAST))  # number 0 is the horizon's own document
    wanted = len(_numbers(truth, view.horizon))
    # One that was built since rows were damaged lacks those.
    if there != wanted and there != len(_sound(truth, view.horizon)):
        yield _finding(f"it has {there:,} passages, the store {wanted:,}")


def passages(truth: sqlite3.Connection, view: WordsView) -> Iterator[Finding]:
    """Passages that the index lacks, has twice, or has though they are gone."""
    held = view.all_with(_numbered(view, 1, _LAST))
    sound = _sound(truth, view.horizon)
    missing, twice = np.setdiff1d(sound, held), len(held) - len(np.unique(held))
    # Damaged rows were indexed when they were sound; they are reported as rows.
    extra = np.setdiff1d(held, _numbers(truth, view.horizon))
    if len(missing):
        yield _finding(f"{len(missing):,} passages are missing: not found by their words")
    if len(extra) or twice:
        yield _finding(f"{len(extra) + twice:,} passages are there that should not be")


def terms(truth: sqlite3.Connection, view: WordsView) -> Iterator[Finding]:
    """Words that do not find exactly the passages they stand in."""
    sound = _sound(truth, view.horizon)
    if len(sound) != len(_numbers(truth, view.horizon)):
        return  # what a damaged passage says is not known
    totals: dict[str, Counter[str]] = defaultdict(Counter)
    wrong: Counter[str] = Counter()
    for at in range(0, len(sound), _PASSAGES):
        numbers = sound[at : at + _PASSAGES].tolist()
        for (field, term), expected in _postings(truth, view, numbers).items():
            totals[field][term] += len(expected)
            found = view.all_with(_between(view, field, term, numbers[0], numbers[-1]))
            wrong[field] += found.tolist() != expected
    for field in (*EXACT, *EXACT.values(), *_VALUES):
        for term, _ in view.beginning(field, ""):
            query = tantivy.Query.term_query(view.schema, field, term)
            wrong[field] += view.count(query) != totals[field].pop(term, 0)
        wrong[field] += len(totals[field])
    for field, count in wrong.items():
        if count:
            yield _finding(f"{count:,} words of {field} do not find the passages they stand in")


def _postings(
    truth: sqlite3.Connection, view: WordsView, numbers: Sequence[int]
) -> dict[tuple[str, str], list[int]]:
    """The passages of each field and term, ascending."""
    postings: dict[tuple[str, str], list[int]] = defaultdict(list)
    analysed: dict[ArticleId, dict[str, set[str]]] = {}
    rows = store.passage_rows(truth, numbers, view.horizon)
    for number in sorted(rows):
        row = rows[number]
        if row.article.id not in analysed:
            analysed[row.article.id] = _of_article(view, row)
        of_body = {"body": set(view.analyze(row.text)), EXACT["body"]: set(exact_words(row.text))}
        for field, found in (of_body | analysed[row.article.id]).items():
            for term in found:
                postings[field, term].append(number)
    return postings


def _of_article(view: WordsView, row: PassageRow) -> dict[str, set[str]]:
    headline = row.article.headline
    values = {field: {getattr(row.article, field)} - {""} for field in _VALUES}
    return {
        "headline": set(view.analyze(headline)),
        EXACT["headline"]: set(exact_words(headline)),
        **values,
    }


def _between(view: WordsView, field: str, term: str, first: int, last: int) -> tantivy.Query:
    with_term = tantivy.Query.term_query(view.schema, field, term)
    numbered = _numbered(view, first, last)
    return tantivy.Query.boolean_query(
        [(tantivy.Occur.Must, with_term), (tantivy.Occur.Must, numbered)]
    )


def _numbered(view: WordsView, first: int, last: int) -> tantivy.Query:
    return tantivy.Query.range_query(view.schema, "number", tantivy.FieldType.Integer, first, last)


def _numbers(truth: sqlite3.Connection, horizon: int) -> NDArray[np.int64]:
    """Numbers of the passages that stand at a horizon, shape (n,), int64, ascending."""
    return _ascending(row[0] for row in truth.execute(_STANDING, {"horizon": horizon}))


def _sound(truth: sqlite3.Connection, horizon: int) -> NDArray[np.int64]:
    """Those of `_numbers` whose rows are sound."""
    numbers = _numbers(truth, horizon)
    groups = (numbers[at : at + _PASSAGES].tolist() for at in range(0, len(numbers), _PASSAGES))
    return _ascending(
        number for group in groups for number in store.passage_rows(truth, group, horizon)
    )


def _ascending(numbers: Iterable[int]) -> NDArray[np.int64]:
    return np.array(sorted(numbers), dtype=np.int64)


def _finding(meaning: str) -> Finding:
    return derived(Part.WORDS, f"{store_folder.WORDS}/", meaning)
