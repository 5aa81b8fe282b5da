"""A result set as BibTeX."""

import json
import re
from collections.abc import Iterator
from typing import Final

from search.exports.export_citation import citation_of
from search.exports.provenance import Provenance
from search.references import bibtex
from search.result_set import Export

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_SPECIAL: Final = re.compile("[{}@]")


def bibtex_entries(export: Export, provenance: Provenance, base_url: str) -> Iterator[str]:
    """A comment with the provenance, then `export.total` entries; each has a note of it too.

    What follows `@comment` is a JSON object.
    """
    accessed = provenance.exported_at.date()
    yield f"@comment{_comment(provenance)}\n"
    for hit in export.hits:
        citation = citation_of(hit, accessed, base_url)
        yield bibtex.entry(citation, bibtex.key_of(citation), [provenance.note(hit.rank)])


def _comment(provenance: Provenance) -> str:
    # Braces must be balanced, and BibTeX itself takes any @ for the beginning of an entry.
    document = json.dumps(provenance.fields(), ensure_ascii=False)
    return _STRING.sub(
        lambda string: _SPECIAL.sub(lambda sign: f"\\u{ord(sign[0]):04x}", string[0]), document
    )
