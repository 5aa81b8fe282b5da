"""The name of an export's file: from the question and the day, and safe wherever it is saved."""

import re
import unicodedata
from itertools import groupby
from typing import Final
from urllib.parse import quote

from search.exports.provenance import Provenance

_LONGEST: Final = 40  # characters of the question; in UTF-8 the name stays below 255 bytes
_UNSAFE: Final = re.compile(r"[^\w.~-]", re.ASCII)


def file_name(provenance: Provenance, suffix: str) -> str:
    """`nutgraf-when-does-the-ferry-sail-2025-03-15.csv`: letters, digits and hyphens alone."""
    words = " ".join(_words(unicodedata.normalize("NFKC", provenance.query)))
    if len(words) > _LONGEST:
        # To the last whole word, or if there is none, as far as it goes.
        words = words[: _LONGEST + 1].rpartition(" ")[0] or words[:_LONGEST]
    named = ["nutgraf", *words.lower().split(), provenance.exported_at.date().isoformat()]
    return f"{'-'.join(named)}{suffix}"


def content_disposition(name: str) -> str:
    """The header that has a browser save an answer under this name (RFC 6266)."""
    plain = _UNSAFE.sub("", unicodedata.normalize("NFKD", name))
    if plain == name:
        return f'attachment; filename="{name}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _words(text: str) -> list[str]:
    # Not \w: it parts the letters of Hindi from their vowels, which are marks.
    runs = groupby(text, key=lambda character: unicodedata.category(character)[0] in "LMN")
    return ["".join(run) for is_word, run in runs if is_word]
