"""A result set as Parquet, for data frames; its metadata has the provenance.

Parquet ends with what tells where everything in it is, so it is written to a temporary file first,
some rows at a time.
"""

import itertools
import json
from collections.abc import Iterator
from importlib import import_module
from tempfile import SpooledTemporaryFile
from types import ModuleType
from typing import Final

from index.errors import NotInstalledError
from search.exports.export_row import COLUMNS, row
from search.exports.provenance import Provenance
from search.result_set import Export

ROWS_AT_A_TIME: Final = 1000  # in a row group, and in memory
# A file up to this size stays in memory, a larger one goes to a file that has no name.
_SPOOL_BYTES: Final = 1 << 20
_CHUNK_BYTES: Final = 1 << 16


def require_pyarrow() -> ModuleType:
    """Import pyarrow, which nothing else here needs.

    Raises:
        NotInstalledError: it is not installed.
    """
    try:
        import_module("pyarrow.parquet")
        return import_module("pyarrow")
    except ImportError:
        raise NotInstalledError(
            "format: parquet needs pyarrow, which is not installed here; "
            "run: pip install 'nutgraf[parquet]', or take csv or jsonl"
        ) from None


def parquet_file(export: Export, provenance: Provenance, base_url: str) -> Iterator[bytes]:
    """The bytes of a file of `export.total` rows; columns as in `search.exports.export_row`.

    The metadata under `nutgraf` is the provenance, a JSON object.

    Raises:
        NotInstalledError: pyarrow is not installed.
    """
    arrow = require_pyarrow()
    schema = _schema(arrow, provenance)
    rows = (row(hit, base_url) for hit in export.hits)
    with SpooledTemporaryFile(max_size=_SPOOL_BYTES) as file:
        with arrow.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
            while group := list(itertools.islice(rows, ROWS_AT_A_TIME)):
                writer.write_table(arrow.Table.from_pylist(group, schema))
        file.seek(0)
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _schema(arrow: ModuleType, provenance: Provenance) -> object:
    types = {str: arrow.string(), int: arrow.int64(), float: arrow.float64()}
    return arrow.schema(
        [arrow.field(name, types[kind], nullable=name != "rank") for name, kind in COLUMNS.items()],
        metadata={"nutgraf": json.dumps(provenance.fields(), ensure_ascii=False)},
    )
