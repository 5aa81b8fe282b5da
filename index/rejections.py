"""Records that could not be taken: which and why, so that whoever feeds the archive can see to it.

Only the newest are kept. A record that is taken later under the same name stays among them: they
tell what happened, not what is missing.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from index import store
from index.checksums import columns_of, insert_into, sealed, sound
from index.errors import BadArticleError
from index.model import encodable

KEPT: Final = 10_000  # some 2 MB; who rejects more has one cause for them all


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that was not taken."""

    path: str  # the file, as messages show it; "request" for what came over HTTP
    line: int  # of the file or the request, from 1
    reason: str
    advice: str
    rejected_at: datetime  # UTC, to the second


def insert(
    truth: sqlite3.Connection, errors: Iterable[BadArticleError], rejected_at: datetime
) -> None:
    """Keep why some records were rejected, inside the transaction that is open."""
    at_s = int(rejected_at.timestamp())
    for error in errors:
        texts = [encodable(text) for text in (error.path, error.reason, error.advice)]
        path, reason, advice = texts
        number = store.next_number(truth, "rejections")
        truth.execute(
            insert_into("rejections"),
            sealed("rejections", number, path, error.line, reason, advice, at_s),
        )
    truth.execute(
        "DELETE FROM rejections WHERE number <= (SELECT max(number) FROM rejections) - ?", (KEPT,)
    )


def count(truth: sqlite3.Connection) -> int:
    """How many are kept, at most `KEPT`."""
    return int(truth.execute("SELECT count(*) FROM rejections").fetchone()[0])


def newest(truth: sqlite3.Connection, k: int) -> list[Rejection]:
    """The last `k`, the newest first; one whose row is damaged is left out and logged."""
    rows = truth.execute(
        f"SELECT {columns_of('rejections')} FROM rejections ORDER BY number DESC LIMIT ?",
        (k,),
    )
    return [
        Rejection(path, line, reason, advice, datetime.fromtimestamp(at_s, UTC))
        for _, path, line, reason, advice, at_s in sound("rejections", rows)
    ]
