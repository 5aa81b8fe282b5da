"""Idempotency keys: the same call made twice changes the store once and is answered the same."""

import hashlib
import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from index.article import ArticleId, SourceRecord
from index.checksums import columns_of, insert_into, sealed, sound
from index.errors import BadArticleError, ConflictError

_KEY_LIFETIME_S = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one record."""

    status: Literal["added", "replaced", "unchanged", "rejected"]
    article_id: ArticleId | None = None
    version: int = 0
    error: BadArticleError | None = None


def recall(
    truth: sqlite3.Connection, key: str | None, records: Sequence[SourceRecord]
) -> list[Outcome] | None:
    """What came of these records when the key was used before; None: it was not.

    Raises:
        ConflictError: the key was used for other records.
    """
    if key is None:
        return None
    rows = truth.execute(
        f"SELECT {columns_of('idempotency_keys')} FROM idempotency_keys WHERE key = ?", (key,)
    )
    row = next(iter(sound("idempotency_keys", rows)), None)
    if row is None:
        return None
    if row[1] != _request_digest(records):
        raise ConflictError(
            f"the idempotency key {key!r} was used before for other articles; use a new key"
        )
    return [_outcome_from_json(item) for item in json.loads(row[2])]


def remember(
    truth: sqlite3.Connection,
    key: str | None,
    records: Sequence[SourceRecord],
    outcomes: Sequence[Outcome],
) -> None:
    """Keep what came of the records, in the transaction that stores them."""
    if key is not None:
        kept = json.dumps([_outcome_json(outcome) for outcome in outcomes])
        truth.execute(
            insert_into("idempotency_keys", instead=True),
            sealed("idempotency_keys", key, _request_digest(records), kept, int(time.time())),
        )


def forget_old(truth: sqlite3.Connection) -> None:
    """Delete keys that nobody repeats any more."""
    last = truth.execute(f"SELECT {columns_of('commits')} FROM commits ORDER BY seq DESC LIMIT 1")
    # A clock that jumped ahead, while no commit bears it out, makes no key old.
    now_s = min([int(time.time()), *(at_s for _, at_s in sound("commits", last))])
    truth.execute("DELETE FROM idempotency_keys WHERE at_s < ?", (now_s - _KEY_LIFETIME_S,))


def content_hash(record: SourceRecord) -> bytes:
    """What makes two records the same content: all but where they were read."""
    published = record.published.iso if record.published else ""
    same = (record.own_id, record.guid, record.url, record.headline, record.outlet)
    more = (record.byline, record.section, record.language, published, record.body)
    return hashlib.blake2b(repr((same, more, record.pasted)).encode(), digest_size=16).digest()


def _request_digest(records: Sequence[SourceRecord]) -> bytes:
    return hashlib.blake2b(b"".join(content_hash(r) for r in records), digest_size=16).digest()


def _outcome_json(outcome: Outcome) -> dict[str, object]:
    error = outcome.error
    return {
        "status": outcome.status,
        "article_id": outcome.article_id,
        "version": outcome.version,
        "error": [error.path, error.line, error.reason, error.advice] if error else None,
    }


def _outcome_from_json(item: dict[str, object]) -> Outcome:
    error = item.pop("error")
    return Outcome(
        **item,  # type: ignore[arg-type]
        error=BadArticleError(*error) if isinstance(error, list) else None,
    )
