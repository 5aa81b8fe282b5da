"""`nutgraf add --server`: records from files through the server that holds the store."""

import hashlib
import json
from collections.abc import Iterable, Sequence

import httpx

from index.article import SourceRecord
from index.errors import BadArticleError
from search.commands.adding import OnBatch, OnRejected, Read, Tally, size_bytes, without_bad
from search.commands.client import connection, send
from search.http.batches import batches
from search.responses import AddedResponse


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
        for batch in batches(without_bad(records, tally, reject), size_bytes):
            answer = _post(client, batch)
            pending = answer.pending
            for record, result in zip(batch, answer.results, strict=True):
                tally.count(result.status)
                if result.status == "rejected":
                    reject(_rejection(record, result.reason or "", result.advice or ""))
            on_batch(tally)
    return pending


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
