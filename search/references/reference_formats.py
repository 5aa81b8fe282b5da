"""The formats that references are given in, one name for each."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import assert_never

from search.references import bibtex, csl_json, ris
from search.references.citation import Citation
from search.references.reference_styles import Style, formatted


class Format(StrEnum):
    """A file for reference managers, or references in words."""

    RIS = "ris"
    BIBTEX = "bibtex"
    CSL_JSON = "csl-json"
    APA = "apa"
    ISO690 = "iso690"
    CHICAGO = "chicago"
    MLA = "mla"

    @property
    def media_type(self) -> str:
        """What HTTP calls it; all are UTF-8."""
        match self:
            case Format.RIS:
                return "application/x-research-info-systems"
            case Format.BIBTEX:
                return "application/x-bibtex"
            case Format.CSL_JSON:
                return "application/vnd.citationstyles.csl+json"
            case Format.APA | Format.ISO690 | Format.CHICAGO | Format.MLA:
                return "text/plain"
            case _:
                assert_never(self)

    @property
    def suffix(self) -> str:
        """What the name of such a file ends in."""
        match self:
            case Format.RIS:
                return ".ris"
            case Format.BIBTEX:
                return ".bib"
            case Format.CSL_JSON:
                return ".json"
            case Format.APA | Format.ISO690 | Format.CHICAGO | Format.MLA:
                return ".txt"
            case _:
                assert_never(self)


def references(citations: Iterable[Citation], format: Format, notes: Sequence[str] = ()) -> str:
    """A whole file of references, in the order given; references in words stand a line each.

    `notes` goes with each of them, but for those in words.
    """
    match format:
        case Format.RIS:
            return "".join(ris.record(citation, notes) for citation in citations)
        case Format.BIBTEX:
            return "\n".join(_entries(citations, notes))
        case Format.CSL_JSON:
            items = [csl_json.item(citation, notes) for citation in citations]
            return f"{json.dumps(items, ensure_ascii=False, indent=2)}\n"
        case Format.APA | Format.ISO690 | Format.CHICAGO | Format.MLA:
            style = Style(format.value)
            return "".join(f"{formatted(citation, style)}\n" for citation in citations)
        case _:
            assert_never(format)


def _entries(citations: Iterable[Citation], notes: Sequence[str]) -> Iterator[str]:
    """An entry each; what is cited again has a number behind its key, which no two may share."""
    times = Counter[str]()
    for citation in citations:
        key = bibtex.key_of(citation)
        times[key] += 1
        yield bibtex.entry(citation, f"{key}-{times[key]}" if times[key] > 1 else key, notes)
