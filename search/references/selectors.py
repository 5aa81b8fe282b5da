"""Selectors of the Web Annotation Data Model: where a quote stands, for other programs.

Source: https://www.w3.org/TR/annotation-model/#selectors
"""

from typing import Final

_CONTEXT_CHARS: Final = 32  # on each side, as annotation tools give it


def selectors(text: str, start: int, end: int) -> list[dict[str, object]]:
    """A TextQuoteSelector and a TextPositionSelector of `text[start:end]`.

    Positions are in code points, as the model counts them. Prefix and suffix grow until quote and
    context together stand nowhere else in `text`. Of an empty stretch there are none.
    """
    if start >= end:
        return []
    before, after = _context(text, start, end)
    return [
        {
            "type": "TextQuoteSelector",
            "exact": text[start:end],
            "prefix": before,
            "suffix": after,
        },
        {"type": "TextPositionSelector", "start": start, "end": end},
    ]


def _context(text: str, start: int, end: int) -> tuple[str, str]:
    chars = _CONTEXT_CHARS
    while True:
        first, last = max(0, start - chars), min(len(text), end + chars)
        if (first, last) == (0, len(text)) or not _stands_twice(text, text[first:last]):
            return text[first:start], text[end:last]
        chars *= 2


def _stands_twice(text: str, part: str) -> bool:
    first = text.find(part)
    return text.find(part, first + 1) >= 0
