"""What the pages for readers share: their templates, and how these show text, dates and links.

Pages are rendered here, whole: every view has its own URL. Autoescape shows what an article holds
as text, whatever it holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from search.coverage.alignment import in_words as changes_in_words
from search.web_url import web_url
from search.wording import (
    copies_in_words,
    count_in_words,
    coverage_in_words,
    date_in_words,
    days_in_words,
    evidence_in_words,
    hits_in_words,
    moment_in_words,
    others_in_words,
    outlets_in_words,
    passages_in_words,
    place_in_words,
    share_in_words,
    size_in_words,
    span_in_words,
    verdict_in_words,
)

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a passage, marked or not."""

    text: str
    marked: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """Pieces that belong together: the sentence that answers, or what is around it."""

    pieces: tuple[Piece, ...]
    answers: bool


def static_files() -> StaticFiles:
    """Style sheets and scripts."""
    return StaticFiles(directory=_HERE / "static")


def stretches(
    text: str, highlights: Sequence[tuple[int, int]], sentence: tuple[int, int]
) -> list[Stretch]:
    """`text` cut at the sentence that answers, if it is not all of it, and at its highlights.

    Spans are in code points, end excluded; overlapping highlights are merged.
    """
    start, end = sentence
    if text[:start].strip() or text[end:].strip():
        parts = [(0, start, False), (start, end, True), (end, len(text), False)]
    else:
        parts = [(0, len(text), False)]
    return [
        Stretch(tuple(_pieces(text, highlights, start, end)), answers)
        for start, end, answers in parts
        if start < end
    ]


def _pieces(text: str, highlights: Sequence[tuple[int, int]], first: int, last: int) -> list[Piece]:
    """The pieces of `text` from `first` to `last`, end excluded."""
    cut: list[Piece] = []
    at = first
    for start, end in sorted(highlights):
        start, end = max(start, at), min(end, last)
        if start >= end:
            continue
        if start > at:
            cut.append(Piece(text[at:start], marked=False))
        cut.append(Piece(text[start:end], marked=True))
        at = end
    if at < last:
        cut.append(Piece(text[at:last], marked=False))
    return cut


def environment() -> Environment:
    """What templates are rendered with, by every page."""
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["changes_in_words"] = changes_in_words
    environment.filters["date_in_words"] = date_in_words
    environment.filters["evidence_in_words"] = evidence_in_words
    environment.filters["moment_in_words"] = moment_in_words
    environment.filters["others_in_words"] = others_in_words
    environment.filters["size_in_words"] = size_in_words
    environment.globals["stretches"] = stretches
    environment.globals["verdict_in_words"] = verdict_in_words
    environment.filters["web_url"] = web_url
    environment.filters["path"] = lambda text: quote(text, safe="")
    environment.globals["count_in_words"] = count_in_words
    environment.globals["coverage_in_words"] = coverage_in_words
    environment.globals["days_in_words"] = days_in_words
    environment.globals["place_in_words"] = place_in_words
    environment.globals["hits_in_words"] = hits_in_words
    environment.globals["copies_in_words"] = copies_in_words
    environment.globals["outlets_in_words"] = outlets_in_words
    environment.globals["passages_in_words"] = passages_in_words
    environment.globals["share_in_words"] = share_in_words
    environment.globals["span_in_words"] = span_in_words
    return environment
