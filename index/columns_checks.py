"""Holds the saved columns against the truth: their file, and what they say of each passage."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index import saved_columns
from index.columns import EMPTY, FILTER_FIELDS, Columns, extended
from index.errors import StoreCorruptError
from index.findings import Finding, Part, derived


def file(folder: Path, truth: sqlite3.Connection) -> Iterator[Finding]:
    """Whether the file is what was saved, where there is one."""
    try:
        saved_columns.read(folder, truth)
    except StoreCorruptError:
        yield _finding("not the bytes that were saved; the store opens more slowly without them")


def contents(folder: Path, truth: sqlite3.Connection, seq: int) -> Iterator[Finding]:
    """Passages of which the saved columns, brought up to `seq`, say what the truth does not.

    Of a file that `file` finds sound.
    """
    saved = saved_columns.read(folder, truth)
    if saved is None:
        return
    since = extended(saved.columns, truth, saved.seq, seq)
    anew = extended(EMPTY, truth, 0, seq)
    if not np.array_equal(since.number, anew.number):
        yield _finding("the passages are not those of the database")
        return
    wrong = np.zeros(len(anew.number), dtype=np.bool_)
    for one, other in zip(_by_passage(since), _by_passage(anew), strict=True):
        wrong |= one != other
    if wrong.any():
        yield _finding(f"{np.count_nonzero(wrong):,} passages are not as the database has them")


def _by_passage(columns: Columns) -> Iterator[NDArray[np.generic]]:
    """What the columns say of each passage, one array of shape (passages,) after the other."""
    yield columns.ordinal
    for name in ("article_number", "report", "story", "day", "instant_s"):
        yield getattr(columns, name)[columns.article]
    yield np.array(columns.article_id, dtype=np.str_)[columns.article]
    for field in FILTER_FIELDS:
        values = np.array([*columns.values[field], ""], dtype=np.str_)
        yield values[getattr(columns, field)[columns.article]]


def _finding(meaning: str) -> Finding:
    return derived(Part.COLUMNS, saved_columns.NAME, meaning)
