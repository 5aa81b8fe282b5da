"""`GET /metrics`: what the server counts and what the store holds, for Prometheus."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Depends, Response
from fastapi.security import HTTPBearer
from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as _CONTENT_TYPE

from index import store_folder
from index.errors import NutgrafError
from search.http.access import Access
from search.http.archive import Archive
from search.http.metrics import Metrics
from search.http.problems import declared
from search.http.scrub import Scrubbed
from search.searcher import size_bytes

_MEDIA_TYPE: Final = "text/plain"
_EXAMPLE: Final = """\
# HELP nutgraf_store_articles Articles of the newest snapshot.
# TYPE nutgraf_store_articles gauge
nutgraf_store_articles 37552.0
"""


class StoreNumbers:
    """What the store holds, looked up each time that the metrics are read."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def collect(self) -> Iterator[Metric]:
        """One family after another; without a snapshot only that there is none, and the scrub's."""
        yield from _scrub(self._archive.scrubbed)
        try:
            now = self._archive.searcher.status()
        except NutgrafError:
            yield _gauge("nutgraf_store_readable", "1: a snapshot answers; 0: none does.", 0)
            return
        yield _gauge("nutgraf_store_readable", "1: a snapshot answers; 0: none does.", 1)
        yield _gauge("nutgraf_snapshot_seq", "The commit that answers are up to.", now.seq)
        yield _gauge("nutgraf_store_articles", "Articles of the newest snapshot.", now.articles)
        yield _gauge("nutgraf_store_passages", "Passages of the newest snapshot.", now.passages)
        yield _gauge("nutgraf_store_embedded", "Passages found by their meaning.", now.embedded)
        yield _gauge(
            "nutgraf_store_pending", "Passages that wait for their embedding.", now.pending
        )
        yield _gauge("nutgraf_store_segments", "Files of vectors in use.", now.segments)
        yield _gauge(
            "nutgraf_store_bad_rows",
            "Rows left out of answers because they failed their check, of the newest snapshot.",
            now.bad_rows,
        )
        yield _sizes(now.store)


def build_metrics(archive: Archive, access: Access, metrics: Metrics) -> APIRouter:
    """The route of the metrics; what the store holds is among them from now on."""
    metrics.registry.register(StoreNumbers(archive))
    bearer = HTTPBearer(
        auto_error=False, description="Of scope admin, unless you are on the server's machine."
    )
    router = APIRouter(
        tags=["health"],
        dependencies=[Depends(access.may_administer), Depends(bearer)],
        responses=declared(401, 403),
    )

    @router.get(
        "/metrics",
        summary="What is counted and measured",
        description="In the text format of Prometheus.",
        response_class=Response,
        responses={
            200: {
                "description": "All metrics.",
                "content": {_MEDIA_TYPE: {"schema": {"type": "string"}, "example": _EXAMPLE}},
            }
        },
    )
    def read() -> Response:
        return Response(generate_latest(metrics.registry), media_type=_CONTENT_TYPE)

    return router


def _gauge(name: str, description: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, description, value=value)


def _scrub(done: Scrubbed) -> Iterator[Metric]:
    """What the background scrub has read since the server was started."""
    for name, description, value in (
        ("nutgraf_scrub_rounds", "Rounds of the scrub through the whole store.", done.rounds),
        ("nutgraf_scrub_rows", "Rows that the scrub held against their checksums.", done.rows),
        ("nutgraf_scrub_bytes", "Bytes of segments that the scrub read again.", done.bytes),
    ):
        yield CounterMetricFamily(name, description, value=value)
    yield _gauge(
        "nutgraf_scrub_damaged", "Rows and files found damaged in the newest round.", done.damaged
    )
    if done.finished_s is not None:
        yield _gauge(
            "nutgraf_scrub_finished_seconds", "When the last round ended.", done.finished_s
        )


def _sizes(folder: Path) -> GaugeMetricFamily:
    """Bytes of the store's files, by what they are."""
    sizes = GaugeMetricFamily("nutgraf_store_bytes", "Bytes of the store.", labels=("part",))
    sizes.add_metric(("database",), size_bytes(folder / store_folder.DATABASE))
    sizes.add_metric(("log",), size_bytes(folder / f"{store_folder.DATABASE}-wal"))
    for part in (store_folder.WORDS, store_folder.SEGMENTS):
        sizes.add_metric((part,), size_bytes(folder / part))
    return sizes
