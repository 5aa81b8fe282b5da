"""`nutgraf add`: records from files into a store here, or through a server that holds it."""

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from index import rejections
from index.article import SourceRecord
from index.errors import BadArticleError
from index.preparing_ahead import PreparingAhead
from index.reading import read, read_stream
from index.writer import Writer
from search.commands.client import connection, send
from search.http.batches import BATCH_RECORDS, batches
from search.responses import AddedResponse

Read = SourceRecord | BadArticleError
OnBatch = Callable[["Tally"], None]
OnRejected = Callable[[BadArticleError], None]


@dataclass
class Tally:
    """What became of the records read so far."""

    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    rejected: int = 0
    started: float = field(default_factory=time.monotonic)

    @property
    def total(self) -> int:
        """Records read."""
        return self.added + self.replaced + self.unchanged + self.rejected

    @property
    def stored(self) -> int:
        """Articles that are in the store."""
        return self.total - self.rejected

    @property
    def seconds(self) -> float:
        """Since the first was read."""
        return time.monotonic() - self.started

    def count(self, status: str) -> None:
        """One more record that was `added`, `replaced`, `unchanged` or `rejected`."""
        setattr(self, status, getattr(self, status) + 1)


def read_sources(sources: Sequence[str], field_map: Mapping[str, str]) -> Iterator[Read]:
    """The records of files and folders, and of stdin where a source is `-`, in this order."""
    for source in sources:
        if source == "-":
            yield from read_stream(sys.stdin.buffer, name="<stdin>", field_map=field_map)
        else:
            yield from read([Path(source)], field_map=field_map)


def add_to_store(
    writer: Writer, records: Iterable[Read], tally: Tally, on_batch: OnBatch, reject: OnRejected
) -> None:
    """Commit `records` group by group; what is counted in `tally` is safe and found by words.

    The store keeps why the others were rejected, see `index.rejections`.
    """
    kept = _KeptRejections(writer, reject)
    with closing(PreparingAhead(writer.recurring_lines)) as preparing:
        batch_by_batch = batches(_without_bad(records, tally, kept.add), _size_bytes)
        for batch, works in preparing.prepared(batch_by_batch):
            for outcome in writer.add(batch, works=works):
                tally.count(outcome.status)
                if outcome.error:
                    kept.add(outcome.error)
            kept.commit()
            on_batch(tally)
    kept.commit()
    if tally.stored:
        writer.finish()


class _KeptRejections:
    """Tells of rejected records at once, and commits them to the store in groups."""

    def __init__(self, writer: Writer, reject: OnRejected) -> None:
        self._writer, self._reject = writer, reject
        self._waiting: list[BadArticleError] = []

    def add(self, error: BadArticleError) -> None:
        """One more."""
        self._reject(error)
        self._waiting.append(error)
        if len(self._waiting) >= BATCH_RECORDS:
            self.commit()

    def commit(self) -> None:
        """Keep those that wait."""
        if self._waiting:
            with self._writer.desk() as truth:
                rejections.insert(truth, self._waiting, datetime.now(UTC))
            self._waiting = []


def add_to_server(
    url: str,
    key: str | None,
    records: Iterable[Read],
    tally: Tally,
    on_batch: OnBatch,
    reject: OnRejected,
) -> int:
    """Send `records` to the server at `url`, group by group; passages that wait there.

    A group carries a digest of itself as idempotency key, so it can be sent again without harm.

    Raises:
        ServerError: it cannot be reached, or it refuses.
    """
    pending = 0
    with connection(url, key) as client:
        for batch in batches(_without_bad(records, tally, reject), _size_bytes):
            answer = _post(client, batch)
            pending = answer.pending
            for record, result in zip(batch, answer.results, strict=True):
                tally.count(result.status)
                if result.status == "rejected":
                    reject(_rejection(record, result.reason or "", result.advice or ""))
            on_batch(tally)
    return pending


def _without_bad(
    records: Iterable[Read], tally: Tally, reject: OnRejected
) -> Iterator[SourceRecord]:
    for record in records:
        if isinstance(record, BadArticleError):
            tally.count("rejected")
            reject(record)
        else:
            yield record


def _size_bytes(record: SourceRecord) -> int:
    return len(record.raw) + len(record.body)


def _rejection(record: SourceRecord, reason: str, advice: str) -> BadArticleError:
    return BadArticleError(record.origin.path, record.origin.line, reason, advice)


def _post(client: httpx.Client, batch: Sequence[SourceRecord]) -> AddedResponse:
    body = "".join(f"{json.dumps(_fields(record))}\n" for record in batch).encode()
    headers = {
        "Content-Type": "application/x-ndjson",
        "Idempotency-Key": hashlib.sha256(body).hexdigest(),
    }
    response = send(client, "POST", "v1/articles", content=body, headers=headers)
    return AddedResponse.model_validate_json(response.content)


def _fields(record: SourceRecord) -> dict[str, object]:
    fields: dict[str, object] = {
        "id": record.own_id,
        "guid": record.guid,
        "headline": record.headline,
        "text": record.body,
        "outlet": record.outlet,
        "byline": record.byline,
        "section": record.section,
        "language": record.language,
        "url": record.url,
        "published": record.published.iso if record.published else "",
        "pasted": record.pasted,
    }
    return {name: value for name, value in fields.items() if value}
