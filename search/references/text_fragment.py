"""Links to a quote on the outlet's own page, as browsers follow them: text fragments.

    https://courier.example/harbour#:~:text=[prefix-,]start[,end][,-suffix]

The browser looks for the first place where `start` stands, between `prefix` and `suffix`, and marks
it; with `end`, all from `start` to the next `end`. Capitals and accents make no difference to it.
Each of the four must stand in one paragraph and be whole words, but where one follows the other.
Source: https://wicg.github.io/scroll-to-text-fragment/
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from typing import Final
from urllib.parse import quote

# A longer quote is named by its first and last words: URLs stay short.
_WHOLE_CHARS: Final = 300
# More than that in all its terms makes a link of no use; then it leads to the like of the quote.
_MOST_CHARS: Final = 2_000
# What stands around the article on its page may say so few words too: they are given neighbours.
_FEW_WORDS: Final = 4
# Words of `start` and `end`, and of `prefix` and `suffix`: more are taken until the browser finds
# this very quote. Many stands for all there are in the paragraph.
_MANY: Final = 10_000
_ENDS_WORDS: Final = (5, 10, 20, _MANY)
_CONTEXT_WORDS: Final = (3, 6, 12, _MANY)
# Words; where no spaces are between them, what ends in a stop or comma.
_WORD: Final = re.compile(
    r"[^\s。！？；：，、」』）]+[。！？；：，、」』）]*|[。！？；：，、」』）]+"
)

_Span = tuple[int, int]  # in the text
_NONE: Final = (0, 0)


@dataclass(frozen=True, slots=True)
class _Directive:
    start: _Span
    end: _Span = _NONE
    prefix: _Span = _NONE
    suffix: _Span = _NONE

    @property
    def chars(self) -> int:
        spans = (self.start, self.end, self.prefix, self.suffix)
        return sum(last - first for first, last in spans)


def link_to_text(url: str, text: str, start: int, end: int) -> str:
    """`url`, leading to `text[start:end]` on its page; where there is nothing to say, `url`."""
    fragment = text_fragment(text, start, end)
    if not url or not fragment:
        return url
    return f"{url}{'' if '#' in url else '#'}{fragment}"


def text_fragment(text: str, start: int, end: int) -> str:
    """`:~:text=` and what leads a browser to `text[start:end]`; of nothing but whitespace, "".

    On a page that has nothing but `text` it leads to this very place, unless the same words with
    the same neighbours stand in `text` before it: then to these.
    """
    start += len(text[start:end]) - len(text[start:end].lstrip())
    end -= len(text[start:end]) - len(text[start:end].rstrip())
    if start >= end:
        return ""
    directives = _directives(text, start, end)
    best = next(directives)
    for directive in chain([best], directives):
        if directive.chars <= _MOST_CHARS:
            best = directive
        if _found(text, best) == (start, end):
            break
    terms = (
        f"{_encoded(text, best.prefix)}-" if best.prefix != _NONE else "",
        _encoded(text, best.start),
        _encoded(text, best.end),
        f"-{_encoded(text, best.suffix)}" if best.suffix != _NONE else "",
    )
    return f":~:text={','.join(filter(None, terms))}"


def _directives(text: str, start: int, end: int) -> Iterator[_Directive]:
    """What may lead to the span, the shortest first."""
    # Terms are whole words. What begins inside one, or behind a quotation mark, begins as one with
    # its prefix.
    begins_inside = start > 0 and not text[start - 1].isspace()
    ends_inside = end < len(text) and not text[end].isspace()
    for match in _matches(text, start, end):
        few = match.end == _NONE and len(_words(text, start, end)) <= _FEW_WORDS
        for words in _CONTEXT_WORDS:
            before, after = _before(text, start, words), _after(text, end, words)
            suffix = after if few or ends_inside else _NONE
            if words == _CONTEXT_WORDS[0]:
                prefix = before if few or begins_inside else _NONE
                yield replace(match, prefix=prefix, suffix=suffix)
            yield replace(match, prefix=before, suffix=suffix)
            yield replace(match, prefix=before, suffix=after)


def _matches(text: str, start: int, end: int) -> Iterator[_Directive]:
    """Start, or start and end, without what is around them."""
    in_one_line = "\n" not in text[start:end]
    if end - start > _WHOLE_CHARS or not in_one_line:
        yield from (
            _Directive(*ends)
            for words in _ENDS_WORDS
            if (ends := _first_and_last(text, start, end, words))
        )
    if in_one_line:
        yield _Directive((start, end))


def _first_and_last(text: str, start: int, end: int, words: int) -> tuple[_Span, _Span] | None:
    """As many of the first and of the last words, each in one line; None: they would overlap."""
    first_line = _words(text, start, _line_end(text, start, end))
    last_line = _words(text, _line_start(text, end, start), end)
    if first_line == last_line:
        words = min(words, len(first_line) // 2)
        if words == 0:
            return None
    first, last = first_line[:words], last_line[-words:]
    return (first[0][0], first[-1][1]), (last[0][0], last[-1][1])


def _before(text: str, start: int, words: int) -> _Span:
    """The last words before `start` in its line, or where it begins one, in the line before."""
    stop = len(text[:start].rstrip())
    last = _words(text, _line_start(text, stop, 0), stop)[-words:]
    return (last[0][0], last[-1][1]) if last else _NONE


def _after(text: str, end: int, words: int) -> _Span:
    start = len(text) - len(text[end:].lstrip())
    first = _words(text, start, _line_end(text, start, len(text)))[:words]
    return (first[0][0], first[-1][1]) if first else _NONE


def _line_start(text: str, before: int, least: int) -> int:
    return max(text.rfind("\n", least, before) + 1, least)


def _line_end(text: str, behind: int, most: int) -> int:
    found = text.find("\n", behind, most)
    return most if found < 0 else found


def _words(text: str, start: int, end: int) -> list[_Span]:
    return [match.span() for match in _WORD.finditer(text, start, end)]


def _found(text: str, directive: _Directive) -> _Span | None:
    """The span that a browser finds first.

    It looks for whole words; where it finds the first, so do we, who take parts of words too.
    """
    folded = _folded(text)
    pattern = rf"(?P<start>{_pattern(folded, directive.start)})"
    suffix = rf"\s*{_pattern(folded, directive.suffix)}"
    if directive.prefix != _NONE:
        pattern = rf"{_pattern(folded, directive.prefix)}\s*{pattern}"
    if directive.end == _NONE:
        match = re.search(pattern + suffix, folded)
        return match.span("start") if match else None
    match = re.search(pattern, folded)
    if not match:
        return None
    last = re.compile(rf"(?P<end>{_pattern(folded, directive.end)}){suffix}").search(
        folded, match.end()
    )
    return (match.start("start"), last.end("end")) if last else None


def _pattern(text: str, span: _Span) -> str:
    return r"[^\S\n]+".join(map(re.escape, text[slice(*span)].split()))


@lru_cache(maxsize=16)
def _folded(text: str) -> str:
    """`text` without capitals and accents, position for position."""
    return "".join(map(_base, text))


@lru_cache(maxsize=4096)
def _base(character: str) -> str:
    return unicodedata.normalize("NFKD", character)[0].lower()[0]


def _encoded(text: str, span: _Span) -> str:
    """A term: with `-`, `,` and `&` as plain characters it would be taken apart."""
    return quote(" ".join(text[slice(*span)].split()), safe="").replace("-", "%2D")
