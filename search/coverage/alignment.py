"""What one text has cut from another, added to it, changed and moved, as spans of both.

Words are compared, and the marks between them. Neither spacing nor the shape of quotation marks
and dashes is a difference: every outlet sets its own.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rapidfuzz.distance import Levenshtein

from search.wording import share_in_words

# A word, with apostrophes and hyphens inside it; one character of the scripts that put no space
# between words; a mark.
_TOKEN: Final = re.compile(
    r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]"
    r"|[^\W\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]+"
    r"(?:['’.,‐‑-][^\W\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]+)*"
    r"|-{2,}|\.{3}|[^\w\s]"
)
_TYPOGRAPHY: Final = str.maketrans(
    {
        **dict.fromkeys("“”„«»", '"'),
        **dict.fromkeys("‘’‚`", "'"),
        **dict.fromkeys("–—―‐‑", "-"),
        "…": "...",
    }
)
# A run of common words that is shorter, and no longer than the edits on both its sides, is there
# by chance: kept, it would break what was written anew into pieces that nobody can read. On 57
# natural copies of press-2012-2020 this takes 1,578 edits to 596, and the words kept from .686 to
# .675; runs of three such words were "the White House" and the like, and 5 gives 592 edits.
# Source of the rule for the sides: https://neil.fraser.name/writing/diff/ (semantic cleanup).
_RUN_WORDS: Final = 4
# So many words together, gone here and there elsewhere, were moved. On these copies shorter ones
# were names and captions: 91 moves with 4, of 930 words in all; 25 with 8, of 647.
_MOVED_WORDS: Final = 8
_SENTENCE_ENDS: Final = frozenset(".!?")


class Op(StrEnum):
    """What was done to a stretch of the original."""

    CUT = "cut"
    ADDED = "added"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Edit:
    """One difference; spans in code points, end excluded.

    What was added has an empty span at its place in the original; what was cut, one at the place
    in the copy where it is missing. Nothing stands in two edits.
    """

    op: Op
    original: tuple[int, int]
    copy: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Alignment:
    """An original and its copy side by side."""

    edits: tuple[Edit, ...]  # in the order of the copy
    words: int  # of the original; all these count words, and no marks
    copy_words: int
    kept: int  # of the original's, in their place or moved
    cut: int
    added: int
    changed: int  # where the two texts have more or fewer, the greater number
    moved: int

    @property
    def share_kept(self) -> float:
        """Of the original's words; 1 if it has none."""
        return self.kept / self.words if self.words else 1.0


@dataclass(frozen=True, slots=True)
class _Gap:
    """Between two runs that both texts have: tokens a to a_end of the original, b to b_end."""

    a: int
    a_end: int
    b: int
    b_end: int


def align(original: str, copy: str) -> Alignment:
    """What the copy made of the original, word by word.

    The edits done to the original give the copy, but for spacing and typography; two texts that
    differ in nothing else have none.
    """
    a, b = _Tokens(original), _Tokens(copy)
    gaps = _slid(_readable(_gaps(a, b), a, b), a, b)
    edits = _with_moves(gaps, _moves(gaps, a, b))
    words = dict.fromkeys(Op, 0)
    for op, gap in edits:
        words[op] += max(a.words(gap.a, gap.a_end), b.words(gap.b, gap.b_end))
    gone = sum(a.words(gap.a, gap.a_end) for op, gap in edits if op is not Op.MOVED)
    return Alignment(
        edits=tuple(Edit(op, a.span(g.a, g.a_end), b.span(g.b, g.b_end)) for op, g in edits),
        words=a.words(0, len(a)),
        copy_words=b.words(0, len(b)),
        kept=a.words(0, len(a)) - gone,
        cut=words[Op.CUT],
        added=words[Op.ADDED],
        changed=words[Op.CHANGED],
        moved=words[Op.MOVED],
    )


def in_words(alignment: Alignment) -> str:
    """`keeps 92 % of 512 words; 38 cut, 12 added`."""
    if not alignment.edits:
        return "the same, word for word"
    parts = [
        f"{count:,} {op}"
        for op, count in (
            ("cut", alignment.cut),
            ("added", alignment.added),
            ("changed", alignment.changed),
            ("moved", alignment.moved),
        )
        if count
    ]
    share = share_in_words(alignment.kept, alignment.words)
    done = ", ".join(parts) or "other marks"
    return f"keeps {share} of {alignment.words:,} words; {done}"


def words_in(text: str) -> int:
    """How many words a text has, counted as an alignment counts them."""
    tokens = _Tokens(text)
    return tokens.words(0, len(tokens))


class _Tokens:
    """The words and marks of a text, as they are compared and where they stand."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._spans = [match.span() for match in _TOKEN.finditer(text)]
        self.keys = [_key(text[start:end]) for start, end in self._spans]
        self._words_before = [0]
        for key in self.keys:
            self._words_before.append(self._words_before[-1] + key[0].isalnum())

    def __len__(self) -> int:
        return len(self.keys)

    def words(self, first: int, end: int) -> int:
        """How many of these tokens are words."""
        return self._words_before[end] - self._words_before[first]

    def span(self, first: int, end: int) -> tuple[int, int]:
        """Of tokens `first` to `end`, end excluded; empty, where the token `first` begins."""
        if first < end:
            return self._spans[first][0], self._spans[end - 1][1]
        at = self._spans[first][0] if first < len(self) else self._end()
        return at, at

    def break_before(self, token: int) -> int:
        """How plainly something new begins here: 3 a paragraph, 2 a sentence, 1 a clause."""
        if token in (0, len(self)):
            return 3
        if "\n" in self._text[self._spans[token - 1][1] : self._spans[token][0]]:
            return 3
        # A quotation mark behind the full stop belongs to the sentence.
        last = self.keys[token - 1]
        if last in ('"', ")") and token > 1:
            last = self.keys[token - 2]
        if last in _SENTENCE_ENDS:
            return 2
        return 0 if last[0].isalnum() else 1

    def _end(self) -> int:
        return self._spans[-1][1] if self._spans else 0


def _key(token: str) -> str:
    plain = token.translate(_TYPOGRAPHY)
    if plain == "'":
        return '"'  # what one outlet quotes so, another quotes so
    return plain if plain.strip("-") else "-"


def _gaps(a: _Tokens, b: _Tokens) -> Iterator[_Gap]:
    """What lies between the runs of a shortest alignment, in order."""
    numbers: dict[str, int] = {}
    numbered = [[numbers.setdefault(key, len(numbers)) for key in text.keys] for text in (a, b)]
    open_gap: _Gap | None = None
    for step in Levenshtein.opcodes(*numbered):
        if step.tag == "equal":
            if open_gap:
                yield open_gap
            open_gap = None
        else:
            first = open_gap or _Gap(step.src_start, 0, step.dest_start, 0)
            open_gap = _Gap(first.a, step.src_end, first.b, step.dest_end)
    if open_gap:
        yield open_gap


def _readable(gaps: Iterator[_Gap], a: _Tokens, b: _Tokens) -> list[_Gap]:
    """The gaps, joined where the run between two of them is there by chance."""
    joined: list[_Gap] = []
    for gap in gaps:
        while joined and _is_chance(joined[-1], gap, a):
            before = joined.pop()
            gap = _trimmed(_Gap(before.a, gap.a_end, before.b, gap.b_end), a, b)
        joined.append(gap)
    return joined


def _is_chance(before: _Gap, behind: _Gap, a: _Tokens) -> bool:
    length = behind.a - before.a_end
    shorter = min(max(gap.a_end - gap.a, gap.b_end - gap.b) for gap in (before, behind))
    return a.words(before.a_end, behind.a) < _RUN_WORDS and length <= shorter


def _trimmed(gap: _Gap, a: _Tokens, b: _Tokens) -> _Gap:
    """Without what both texts have at its beginning and at its end."""
    first, first_b, end, end_b = gap.a, gap.b, gap.a_end, gap.b_end
    while first < end and first_b < end_b and a.keys[first] == b.keys[first_b]:
        first, first_b = first + 1, first_b + 1
    while first < end and first_b < end_b and a.keys[end - 1] == b.keys[end_b - 1]:
        end, end_b = end - 1, end_b - 1
    return _Gap(first, end, first_b, end_b)


def _slid(gaps: Sequence[_Gap], a: _Tokens, b: _Tokens) -> list[_Gap]:
    """The same differences, told paragraph by paragraph or sentence by sentence where they can be.

    What was cut between two equal words can be said to begin at the first or behind it.
    """
    slid: list[_Gap] = []
    for place, gap in enumerate(gaps):
        # One token of each run stays, or two gaps would become one.
        least = slid[-1].a_end - gap.a + 1 if slid else -gap.a
        behind = gaps[place + 1].a - 1 if place + 1 < len(gaps) else len(a)
        shift = _best_shift(gap, least, behind - gap.a_end, a, b)
        slid.append(_Gap(gap.a + shift, gap.a_end + shift, gap.b + shift, gap.b_end + shift))
    return slid


def _best_shift(gap: _Gap, least: int, most: int, a: _Tokens, b: _Tokens) -> int:
    if gap.a < gap.a_end and gap.b < gap.b_end:
        return 0
    text, first, end = (a, gap.a, gap.a_end) if gap.a < gap.a_end else (b, gap.b, gap.b_end)
    shifts, keys = [0], text.keys
    while shifts[-1] < most and keys[first + shifts[-1]] == keys[end + shifts[-1]]:
        shifts.append(shifts[-1] + 1)
    back = 0
    while back > least and keys[first + back - 1] == keys[end + back - 1]:
        back -= 1
        shifts.append(back)
    return max(
        shifts,
        key=lambda shift: (
            text.break_before(first + shift) + text.break_before(end + shift),
            -abs(shift),
            shift,
        ),
    )


def _moves(gaps: Sequence[_Gap], a: _Tokens, b: _Tokens) -> list[_Gap]:
    """Stretches that one gap has lost and another has got, each as long as it goes."""
    # None: it is gone from several places, so that none of them can be said to be the one.
    gone: dict[tuple[str, ...], tuple[int, int] | None] = {}
    for gap in gaps:
        for at in range(gap.a, gap.a_end - _MOVED_WORDS + 1):
            words = tuple(a.keys[at : at + _MOVED_WORDS])
            gone[words] = None if words in gone else (at, gap.a_end)
    moves: list[_Gap] = []
    for gap in gaps:
        at = gap.b
        while at + _MOVED_WORDS <= gap.b_end:
            words = tuple(b.keys[at : at + _MOVED_WORDS])
            # A full stop belongs to what came before it, and that was not moved.
            found = None if words[0] in _SENTENCE_ENDS else gone.get(words)
            length = _common_length(a.keys[slice(*found)], b.keys[at : gap.b_end]) if found else 0
            if found and a.words(found[0], found[0] + length) >= _MOVED_WORDS:
                moves.append(_Gap(found[0], found[0] + length, at, at + length))
                at += length
            else:
                at += 1
    return _apart(moves)


def _common_length(one: Sequence[str], other: Sequence[str]) -> int:
    """How many tokens both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _apart(moves: Sequence[_Gap]) -> list[_Gap]:
    """Of those that came from one place, only the first: the others are there once more."""
    apart: list[_Gap] = []
    for move in moves:
        if all(move.a_end <= other.a or other.a_end <= move.a for other in apart):
            apart.append(move)
    return apart


def _with_moves(gaps: Sequence[_Gap], moves: Sequence[_Gap]) -> list[tuple[Op, _Gap]]:
    """The edits: the moves, and of each gap what they leave of it; in the order of the copy."""
    edits = [(Op.MOVED, move) for move in moves]
    for gap in gaps:
        cut = _without(gap.a, gap.a_end, [(move.a, move.a_end) for move in moves])
        added = _without(gap.b, gap.b_end, [(move.b, move.b_end) for move in moves])
        if len(cut) == len(added) == 1:
            edits.append((Op.CHANGED, _Gap(*cut[0], *added[0])))
        else:
            edits += [(Op.CUT, _Gap(first, end, gap.b, gap.b)) for first, end in cut]
            edits += [(Op.ADDED, _Gap(gap.a, gap.a, first, end)) for first, end in added]
    return sorted(edits, key=lambda edit: (edit[1].b, edit[1].b_end, edit[1].a))


def _without(first: int, end: int, taken: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """What is left of a range when those taken are."""
    left = []
    for taken_first, taken_end in sorted(taken):
        if first <= taken_first < end:
            left.append((first, taken_first))
            first = taken_end
    left.append((first, end))
    return [(first, end) for first, end in left if first < end]
