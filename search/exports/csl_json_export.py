"""A result set as CSL-JSON, for reference managers and citation processors."""

import json
from collections.abc import Iterator

from search.exports.export_citation import citation_of
from search.exports.provenance import Provenance
from search.references import csl_json
from search.result_set import Export


def csl_json_items(export: Export, provenance: Provenance, base_url: str) -> Iterator[str]:
    """An array of `export.total` items, each on a line; `custom.export` is the provenance."""
    accessed = provenance.exported_at.date()
    before = "[\n"
    for hit in export.hits:
        item = csl_json.item(citation_of(hit, accessed, base_url), [provenance.note(hit.rank)])
        custom = item.get("custom")
        known = custom if isinstance(custom, dict) else {}
        item["custom"] = {**known, "rank": hit.rank, "export": provenance.fields()}
        yield f"{before}{json.dumps(item, ensure_ascii=False)}"
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"
