"""A result set as RIS, for reference managers."""

from collections.abc import Iterator

from search.exports.export_citation import citation_of
from search.exports.provenance import Provenance
from search.references import ris
from search.result_set import Export


def ris_records(export: Export, provenance: Provenance, base_url: str) -> Iterator[str]:
    """`export.total` records; RIS has no place for what is of them all, so each has a note."""
    accessed = provenance.exported_at.date()
    for hit in export.hits:
        yield ris.record(citation_of(hit, accessed, base_url), [provenance.note(hit.rank)])
