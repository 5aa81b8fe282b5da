"""Text in cells of CSV that a spreadsheet must not take for a formula."""

# What a spreadsheet may read as the beginning of a formula (OWASP, "CSV Injection"); the wide
# forms are read as the narrow ones by spreadsheets set to Chinese, Japanese or Korean.
_BEGINS_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def safe(text: str) -> str:
    """Return `text` as a cell that is shown and never worked out: `=1+1` becomes `'=1+1`.

    Everything else stays as it is. `original(safe(text)) == text` for every text: to tell a quote
    mark of the text from one put here, `'=1+1` becomes `''=1+1`.
    """
    return f"'{text}" if _could_be_formula(text) else text


def original(cell: str) -> str:
    """Return the text that `safe` made `cell` of."""
    return cell[1:] if cell.startswith("'") and _could_be_formula(cell) else cell


def _could_be_formula(text: str) -> bool:
    return text.lstrip("'").startswith(_BEGINS_FORMULA)
