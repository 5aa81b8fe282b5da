"""From an article's text to its passages: the paragraphs that are embedded and returned.

A line of the text is a paragraph. Short neighbours are packed into one passage, long paragraphs
are split at sentences, so that the model sees the whole of each passage with its headline.

Ids hold a hash of the passage's text, so a boundary must not move because something far away was
edited. Packing therefore looks at nothing but the sizes of the paragraphs at hand: a passage ends
as soon as it holds ENOUGH_TOKENS. A paragraph that has as many by itself (a third of those in
press articles) always ends a passage, whatever stood before it, so an edit never moves a boundary
beyond the next such paragraph. Of 1,466 edits of one paragraph in press articles, 1,230 changed
no more than two passages.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import sentencex

from index.article import Article, Passage, passage_id
from index.default_model import MAX_TOKENS
from index.model import HEADLINE_TOKENS, SPECIAL_TOKENS, divided, encodable, token_counter

# What is left of the model's window when the longest headline has had its share. The actual
# headline does not count: were it edited, every long paragraph would be cut elsewhere.
PASSAGE_TOKENS = MAX_TOKENS - SPECIAL_TOKENS - HEADLINE_TOKENS
# A passage grows until it holds this much. In 5,000 press articles the mean paragraph has 50
# tokens and the mean passage then 110, some 530 characters.
ENOUGH_TOKENS = 80
# Less than this says too little to stand alone (a cross-heading, a credit): the end of an article
# joins the passage before it, and elsewhere the next paragraph is kept small enough to take it.
ALONE_TOKENS = 25
PARAGRAPH_TOKENS = PASSAGE_TOKENS - ALONE_TOKENS
# Some texts have next to no tokens: to the model a word of over 100 letters is one unknown token.
# Three times the length of a full passage of English prose keeps those readable as well.
PASSAGE_CHARS = 2_500
# sentencex is quadratic in the number of opening quotes, so it gets no more than this at once;
# hardly a sentence of prose is longer.
_SENTENCE_WINDOW = 2_000

_LINE = re.compile(r"\S[^\n\r]*")
_LAST_SPACE = re.compile(r"\s\S*\Z")


class _Piece(NamedTuple):
    """A slice of the text that is not divided any further, and its size."""

    start: int
    end: int
    tokens: int


_Count = Callable[[str], int]


def chunk(article: Article) -> tuple[Passage, ...]:
    """Divide an article into passages, in the order of the text.

    They do not overlap and together hold every character that is not white space; of each,
    `article.text[start:end] == text`, without white space at its ends. With `HEADLINE_TOKENS` of
    headline a passage fits the default model's window. The same article gives the same passages;
    the time is linear in the length of the text. No text: no passages.
    """
    count = token_counter()
    pieces = _pieces(article.text, article.language or "en", count)
    passages: list[Passage] = []
    repeats: dict[str, int] = {}
    for ordinal, (start, end, _) in enumerate(_packed(pieces, article.text, count)):
        text = article.text[start:end]
        repeat = repeats.get(text, 0)
        repeats[text] = repeat + 1
        passage = passage_id(article.id, text, repeat)
        passages.append(Passage(passage, article.id, ordinal, start, end, text))
    return tuple(passages)


def sentences(text: str, language: str) -> Iterator[tuple[int, int]]:
    """Spans of the sentences of a passage or headline, in order, without white space at their ends.

    No sentence goes beyond its line. An unknown language (empty) counts as English.
    """
    for start, end in _paragraphs(text):
        yield from _sentences(text, start, end, language or "en")


def _packed(pieces: Iterator[_Piece], text: str, count: _Count) -> list[_Piece]:
    packed: list[_Piece] = []
    growing: _Piece | None = None
    for piece in pieces:
        if growing:
            joined = _joined(growing, piece, text, count)
            if joined is None:
                packed.append(growing)
            growing = joined or piece
        else:
            growing = piece
        if growing.tokens >= ENOUGH_TOKENS:
            packed.append(growing)
            growing = None
    if growing and packed and growing.tokens < ALONE_TOKENS:
        joined = _joined(packed[-1], growing, text, count)
        if joined:
            packed[-1], growing = joined, None
    if growing:
        packed.append(growing)
    return packed


def _joined(first: _Piece, second: _Piece, text: str, count: _Count) -> _Piece | None:
    """Both as one, or None when that would be too long."""
    tokens = first.tokens + second.tokens
    if first.end == second.start:  # without white space between them a word may be divided
        tokens = count(text[first.start : second.end])
    if tokens > PASSAGE_TOKENS or second.end - first.start > PASSAGE_CHARS:
        return None
    return _Piece(first.start, second.end, tokens)


def _pieces(text: str, language: str, count: _Count) -> Iterator[_Piece]:
    """The paragraphs of `text`, long ones as sentences, long sentences as runs of words."""
    for start, end in _paragraphs(text):
        paragraph = _measured(text, start, end, count)
        if paragraph:
            yield paragraph
        else:
            yield from _pieces_of_sentences(text, _sentences(text, start, end, language), count)


def _pieces_of_sentences(
    text: str, sentences: Iterator[tuple[int, int]], count: _Count
) -> Iterator[_Piece]:
    for start, end in sentences:
        sentence = _measured(text, start, end, count)
        if sentence:
            yield sentence
        else:
            yield from _runs_of_words(text, start, end, count)


def _measured(text: str, start: int, end: int, count: _Count) -> _Piece | None:
    """None: too long to be one piece."""
    if end - start > PASSAGE_CHARS:
        return None
    tokens = count(text[start:end])
    return _Piece(start, end, tokens) if tokens <= PARAGRAPH_TOKENS else None


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    for line in _LINE.finditer(text):
        start = line.start()
        yield start, start + len(line.group().rstrip())


def _sentences(text: str, start: int, end: int, language: str) -> Iterator[tuple[int, int]]:
    while start < end:
        window = text[start : min(start + _SENTENCE_WINDOW, end)]
        starts = _sentence_starts(window, language)
        if start + len(window) < end:  # its last sentence, if not its last word, goes on behind it
            window = window[: starts.pop() if len(starts) > 1 else _last_word(window)]
        for first, behind in zip(starts, [*starts[1:], len(window)], strict=True):
            yield from _stripped(text, start + first, start + behind)
        start += len(window)


def _last_word(window: str) -> int:
    space = _LAST_SPACE.search(window, 1)
    return space.start() if space else len(window)


def _sentence_starts(window: str, language: str) -> list[int]:
    boundaries = sentencex.get_sentence_boundaries(language, encodable(window))
    starts = {int(boundary["start_index"]) for boundary in boundaries}
    return sorted(starts | {0})


def _stripped(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    sentence = text[start:end]
    bare = sentence.strip()
    if bare:
        start += sentence.index(bare[0])  # the first character that is not white space
        yield start, start + len(bare)


def _runs_of_words(text: str, start: int, end: int, count: _Count) -> Iterator[_Piece]:
    def fits(part: str) -> bool:
        return len(part) <= PASSAGE_CHARS and count(part) <= PARAGRAPH_TOKENS

    for part in divided(text[start:end], fits):
        for part_start, part_end in _stripped(text, start, start + len(part)):
            yield _Piece(part_start, part_end, count(part))
        start += len(part)
