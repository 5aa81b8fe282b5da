"""Exports: a whole result set in a file, whatever its size.

- `export`: the formats by name, and a stream for each
- `provenance`: what every export says of itself
- `export_row`, `csv_cells`: a hit as a row, and cells that no spreadsheet takes for formulas
- `export_citation`: a hit as a reference
- `jsonl_export`, `csv_export`, `parquet_export`, `ris_export`, `bibtex_export`, `csl_json_export`
- `export_name`, `whole_file`: what a file is called, and that it appears whole or not at all
"""
