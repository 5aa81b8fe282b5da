"""The articles that every peer is given: {"_id", "title", "text"}, one a line."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BLANK_LINES = re.compile(r"(?:\r?\n){2,}")


@dataclass(frozen=True)
class Article:
    id: str
    headline: str
    text: str

    def paragraphs(self) -> list[str]:
        """What stands between blank lines, each after the headline: the text that is embedded."""
        split = [part.strip() for part in _BLANK_LINES.split(self.text) if part.strip()]
        return [f"{self.headline}. {part}" if self.headline else part for part in split]


def articles(file: Path) -> Iterator[Article]:
    """Those of a file, in its order."""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            fields = json.loads(line)
            yield Article(fields["_id"], fields.get("title") or "", fields["text"])
