"""Where a browser finds what a text directive names, by the steps of the specification.

The page is a text whose lines are its blocks. Word boundaries are those between what is a letter,
digit or underline and what is none. Source: https://wicg.github.io/scroll-to-text-fragment/,
"parse a text directive" and "find a range from a text directive".
"""

import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote


@dataclass(frozen=True)
class Directive:
    start: str
    end: str | None = None
    prefix: str | None = None
    suffix: str | None = None


def parsed(fragment: str) -> Directive | None:
    """The directive of `:~:text=...`; None: a browser takes it for none."""
    value = fragment.removeprefix(":~:text=")
    tokens = value.split(",")
    prefix = suffix = None
    if tokens and tokens[0].endswith("-"):
        prefix = tokens.pop(0)[:-1]
    if tokens and tokens[-1].startswith("-"):
        suffix = tokens.pop()[1:]
    if len(tokens) not in (1, 2) or "&" in value or not value.isascii():
        return None
    terms = [*tokens, *(term for term in (prefix, suffix) if term is not None)]
    if any(not term or "-" in term or set(term) & set(' "<>`') for term in terms):
        return None
    start, end = (*map(unquote, tokens), None)[:2]
    return Directive(
        start or "", end, unquote(prefix) if prefix else None, unquote(suffix) if suffix else None
    )


def found(page: str, directive: Directive) -> tuple[int, int] | None:
    """The span of `page` that is marked."""
    searched = 0
    while searched < len(page):
        must_end_at_word = directive.end is not None or directive.suffix is None
        if directive.prefix is not None:
            prefix = _find(page, directive.prefix, searched, starts_word=True, ends_word=False)
            if prefix is None:
                return None
            searched = prefix[0] + 1
            begin = _next_non_whitespace(page, prefix[1])
            match = _find(
                page,
                directive.start,
                begin,
                starts_word=False,
                ends_word=must_end_at_word,
                at_beginning=True,
            )
            if match is None:
                continue
        else:
            match = _find(
                page, directive.start, searched, starts_word=True, ends_word=must_end_at_word
            )
            if match is None:
                return None
            searched = match[0] + 1
        start, end = match
        range_end = end
        while range_end < len(page) or directive.end is None:
            if directive.end is not None:
                last = _find(
                    page,
                    directive.end,
                    range_end,
                    starts_word=True,
                    ends_word=directive.suffix is None,
                )
                if last is None:
                    return None
                end = last[1]
            if directive.suffix is None:
                return start, end
            begin = _next_non_whitespace(page, end)
            if _find(
                page,
                directive.suffix,
                begin,
                starts_word=False,
                ends_word=True,
                at_beginning=True,
            ):
                return start, end
            if directive.end is None:
                break
            range_end = end
        else:
            return None
    return None


def _find(
    page: str,
    query: str,
    begin: int,
    *,
    starts_word: bool,
    ends_word: bool,
    at_beginning: bool = False,
) -> tuple[int, int] | None:
    text, wanted = folded(page), folded(query)
    place = text.find(wanted, begin)
    while place >= 0:
        end = place + len(wanted)
        if at_beginning and place != begin:
            return None
        if (not starts_word or _is_boundary(page, place)) and (
            not ends_word or _is_boundary(page, end)
        ):
            return place, end
        place = text.find(wanted, place + 1)
    return None


def _next_non_whitespace(page: str, begin: int) -> int:
    while begin < len(page) and page[begin].isspace():
        begin += 1
    return begin


def _is_boundary(page: str, place: int) -> bool:
    return place in (0, len(page)) or not (_in_word(page[place - 1]) and _in_word(page[place]))


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def folded(text: str) -> str:
    """Primary level, roughly: no capitals, no accents. As long as `text`."""
    return "".join(unicodedata.normalize("NFD", character)[0].lower()[:1] for character in text)
