"""Export: a whole result set, in the format that is asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from search.exports.bibtex_export import bibtex_entries
from search.exports.csl_json_export import csl_json_items
from search.exports.csv_export import csv_rows
from search.exports.jsonl_export import jsonl_lines
from search.exports.parquet_export import parquet_file, require_pyarrow
from search.exports.provenance import Provenance
from search.exports.ris_export import ris_records
from search.references.reference_formats import Format
from search.result_set import Export

_CHUNK_BYTES: Final = 1 << 16  # sent or written at once; a hit has 1 to 2 KB


class ExportFormat(StrEnum):
    """What an export is written as."""

    JSONL = "jsonl"
    RIS = "ris"
    BIBTEX = "bibtex"
    CSL_JSON = "csl-json"
    CSV = "csv"
    PARQUET = "parquet"

    @property
    def media_type(self) -> str:
        """What HTTP calls it."""
        return _KINDS[self].media_type

    @property
    def suffix(self) -> str:
        """What the name of such a file ends in."""
        return _KINDS[self].suffix


@dataclass(frozen=True, slots=True)
class _Kind:
    media_type: str
    suffix: str
    pieces: Callable[[Export, Provenance, str], Iterator[str] | Iterator[bytes]]


_KINDS: Final = {
    ExportFormat.JSONL: _Kind("application/x-ndjson", ".jsonl", jsonl_lines),
    ExportFormat.RIS: _Kind(Format.RIS.media_type, Format.RIS.suffix, ris_records),
    ExportFormat.BIBTEX: _Kind(Format.BIBTEX.media_type, Format.BIBTEX.suffix, bibtex_entries),
    ExportFormat.CSL_JSON: _Kind(
        Format.CSL_JSON.media_type, Format.CSL_JSON.suffix, csl_json_items
    ),
    ExportFormat.CSV: _Kind("text/csv", ".csv", csv_rows),
    ExportFormat.PARQUET: _Kind("application/vnd.apache.parquet", ".parquet", parquet_file),
}


def exported(
    export: Export, format: ExportFormat, provenance: Provenance, base_url: str = ""
) -> Iterator[bytes]:
    """The export as bytes, a piece at a time; text is UTF-8.

    It has one record for each place in the result set, in its order; where a stored row is damaged
    the record says so. Rows are read as they are written, so that an export of any length takes
    the same memory.

    Args:
        base_url: of the server, with its last slash; empty: the archive is not served.

    Raises:
        NotInstalledError: the format needs a package that is not installed; raised at once.
    """
    require(format)
    return _chunks(_KINDS[format].pieces(export, provenance, base_url))


def require(format: ExportFormat) -> None:
    """Raise NotInstalledError if the format needs a package that is not installed."""
    if format is ExportFormat.PARQUET:
        require_pyarrow()


def _chunks(pieces: Iterator[str] | Iterator[bytes]) -> Iterator[bytes]:
    chunk = bytearray()
    for piece in pieces:
        chunk += piece.encode() if isinstance(piece, str) else piece
        if len(chunk) >= _CHUNK_BYTES:
            yield bytes(chunk)
            chunk.clear()
    if chunk:
        yield bytes(chunk)
