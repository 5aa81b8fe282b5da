"""The lines of a body joined into paragraphs, each with the way back to where it stood.

Text that is pasted or saved comes in three shapes: one paragraph a line, paragraphs between
blank lines, and lines broken at some 70 characters. `split` gives the paragraphs of each.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from index.article import Run

# What cannot be stored as UTF-8 or displayed (controls, lone surrogates), and what only tells a
# browser where it may break a word: a soft hyphen in "Thou\xadsands" would hide it from search.
# Joiners (U+200C, U+200D) and marks of direction stay: they belong to the spelling.
_UNWANTED = "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u200b\u2060\ufeff\ud800-\udfff"
_GAP = re.compile(rf"[\s{_UNWANTED}]+")
_EDGES = re.compile(rf"[\s{_UNWANTED}]*")
_BULLET = re.compile(r"[-*•–—▪●◦‣·>]\s|\d{1,2}[.)]\s")
_SENTENCE_END = re.compile(r"[.!?…:;。！？؟۔।][\"'”’»)\]]*$")

# A line longer than this was not broken by a mail program, an agency's printer or a text editor.
WIDEST_WRAP = 120
# Shorter lines are labels and link texts, not the full lines of wrapped prose.
NARROWEST_WRAP = 40


class Paragraph(NamedTuple):
    """One paragraph: `text` on one line, whitespace collapsed."""

    text: str
    body_start: int
    pieces: tuple[Run, ...] | None  # None: the text stands in the body as it is

    def runs(self, start: int) -> tuple[Run, ...]:
        """The ways back to the body, for a text in which this paragraph begins at `start`.

        They cover the paragraph but for the single spaces that stand for a line break or a run
        of whitespace.
        """
        if self.pieces is None:
            return (Run(start, self.body_start, len(self.text)),)
        return tuple(
            Run(start + piece.start, piece.body_start, piece.length) for piece in self.pieces
        )


class _Line(NamedTuple):
    text: str
    start: int  # in the body
    pieces: tuple[Run, ...] | None
    indented: bool
    opens_block: bool  # a blank line, or the beginning, stands before it


def split(body: str) -> list[Paragraph]:
    """The paragraphs of `body`, in order, none empty. Linear in its length."""
    lines = list(_lines(body))
    wrap = _wrap_width(lines)
    joined: list[Paragraph] = []
    block: list[_Line] = []
    for line in lines:
        if block and not _continues(block[-1], line, wrap):
            joined.append(_join(block))
            block = []
        block.append(line)
    if block:
        joined.append(_join(block))
    return joined


def collapse(text: str) -> str:
    """`text` on one line: whitespace collapsed, controls and lone surrogates removed."""
    if text.isprintable() and "  " not in text:
        return text.strip()
    return _squeeze(text, 0)[0]


def ends_sentence(text: str) -> bool:
    """Does `text` end as a sentence does, its closing quotes and brackets aside?"""
    return _SENTENCE_END.search(text, max(0, len(text) - 8)) is not None


def _lines(body: str) -> Iterator[_Line]:
    start = 0
    blank = True
    for raw in body.splitlines(keepends=True):
        bare = raw.strip()
        if bare:
            indent = 0 if raw[0] == bare[0] else len(raw) - len(raw.lstrip())
            pieces: tuple[Run, ...] | None = None
            if not bare.isprintable() or "  " in bare:
                bare, pieces = _squeeze(raw, start)
            if bare:
                indented = indent > 1 or raw[0] == "\t"
                yield _Line(bare, start + indent, pieces, indented, blank)
        blank = not bare
        start += len(raw)


def _squeeze(raw: str, start: int) -> tuple[str, tuple[Run, ...]]:
    """`raw` on one line, and its runs: `start` is where it stands in the body."""
    parts: list[str] = []
    runs: list[Run] = []
    length = 0
    first = _EDGES.match(raw)
    begin = first.end() if first else 0
    for gap in _GAP.finditer(raw, begin):
        if gap.group() == " " and gap.end() < len(raw):
            continue
        part = raw[begin : gap.start()]
        parts.append(part)
        runs.append(Run(length, start + begin, len(part)))
        length += len(part)
        begin = gap.end()
        if begin < len(raw) and any(character.isspace() for character in gap.group()):
            parts.append(" ")
            length += 1
    if begin < len(raw):
        parts.append(raw[begin:])
        runs.append(Run(length, start + begin, len(raw) - begin))
    return "".join(parts), tuple(runs)


def _wrap_width(lines: Sequence[_Line]) -> int:
    """The width that these lines were broken at; 0: they were not.

    Lines broken at a width are full: the next word would not have fitted. Three breaks in five
    must be of that kind, and one in three of those inside a sentence.
    """
    pairs = [
        (one.text, next_one.text) for one, next_one in pairwise(lines) if not next_one.opens_block
    ]
    width = max((len(one) for one, _ in pairs if len(one) <= WIDEST_WRAP), default=0)
    if width < NARROWEST_WRAP:
        return 0
    full = [one for one, next_one in pairs if _is_full(one, next_one, width)]
    inside = sum(not ends_sentence(one) for one in full)
    if len(full) >= 3 and 5 * len(full) >= 3 * len(pairs) and 3 * inside >= len(full):
        return width
    return 0


def _is_full(line: str, following: str, width: int) -> bool:
    """Would the first word of the following line not have fitted on this one?"""
    return len(line) <= width < len(line) + 1 + len(following.split(None, 1)[0])


def _continues(line: _Line, following: _Line, wrap: int) -> bool:
    if following.opens_block or _BULLET.match(following.text):
        return False
    if following.indented and not line.indented:
        return False
    if wrap and _is_full(line.text, following.text, wrap):
        return True
    # A break inside a sentence, whatever the width.
    return (
        following.text[0].islower()
        and NARROWEST_WRAP <= len(line.text) <= WIDEST_WRAP
        and not ends_sentence(line.text)
    )


def _join(block: Sequence[_Line]) -> Paragraph:
    first = block[0]
    if len(block) == 1:
        return Paragraph(first.text, first.start, first.pieces)
    parts: list[str] = []
    pieces: list[Run] = []
    length = 0
    for line in block:
        if parts and not _is_broken_word(parts[-1], line.text):
            parts.append(" ")
            length += 1
        pieces.extend(Paragraph(line.text, line.start, line.pieces).runs(length))
        parts.append(line.text)
        length += len(line.text)
    return Paragraph("".join(parts), first.start, tuple(pieces))


def _is_broken_word(line: str, following: str) -> bool:
    """`Russian-` + `backed`: the hyphen stays, and no space comes after it."""
    return len(line) > 1 and line[-1] == "-" and line[-2].isalpha() and following[0].islower()
