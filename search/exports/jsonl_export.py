"""A result set as JSON Lines: a header, then a line for each place in it."""

from collections.abc import Iterator

from search.exports.provenance import Provenance
from search.responses import DamagedResponse, ExportHeader, HitResponse
from search.result_set import Damaged, Export


def jsonl_lines(export: Export, provenance: Provenance, base_url: str) -> Iterator[str]:
    """`export.total` + 1 lines, each a JSON object and its newline; fewer: it was cut off.

    A passage whose stored row is damaged has a line too, which says so.
    """
    yield f"{ExportHeader.of(export, provenance.exported_at).model_dump_json()}\n"
    for hit in export.hits:
        line = DamagedResponse(rank=hit.rank) if isinstance(hit, Damaged) else HitResponse.of(hit)
        yield f"{line.model_dump_json()}\n"
