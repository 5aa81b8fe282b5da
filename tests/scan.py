"""What a question must find, by reading every text: an oracle that shares no code with the search.

A question is asked of it as nested tuples, ("and", ("phrase", "storm"), ("not", ("prefix", "flo")))
and is written in the question language by `written`. Words are told apart by a regular expression
and folded by Unicode's decomposition; nothing here knows the parser or the word index. Only where
sentences end is taken from the project, which is what `same sentence` means.
"""

import random
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from index.chunking import sentences
from index.snapshot import Snapshot
from search.query import Mode

Asked = tuple[Any, ...]

_OF_ARTICLES = ("outlet", "section", "language", "byline", "after", "before", "on")
_WORD = re.compile(r"[^\W_]+")
_BARE = re.compile(r"(?=[A-Z]*[a-z])[A-Za-z]+")  # surely no operator
# Letters that Unicode does not decompose and readers without a keyboard for them do.
_LETTERS = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ð": "d", "þ": "th"}
_LETTERS |= {"ı": "i", "ŋ": "n", "ħ": "h"}


@dataclass(frozen=True)
class Scanned:
    """An article as a reader sees it."""

    headline: str
    passages: tuple[str, ...]
    outlet: str
    byline: str
    section: str
    language: str
    published: str  # ISO; empty: unknown

    @cached_property
    def units(self) -> tuple["Unit", ...]:
        """The passages, and the headline behind them."""
        return (
            *(Unit(text, self.language) for text in self.passages),
            Unit(self.headline, ""),
        )


@dataclass(frozen=True)
class Unit:
    """A passage or a headline; a headline has no language and is one sentence."""

    text: str
    language: str

    @cached_property
    def words(self) -> list[str]:
        return words(self.text)

    @cached_property
    def line(self) -> str:
        """The words with a space around each."""
        return f" {' '.join(self.words)} "

    @cached_property
    def sentences(self) -> list["Unit"]:
        if not self.language:
            return [self]
        spans = sentences(self.text, self.language)
        return [Unit(self.text[start:end], "") for start, end in spans]


def words(text: str) -> list[str]:
    """Every word, without case and accents."""
    return [_folded(word) for word in _WORD.findall(unicodedata.normalize("NFC", text))]


@lru_cache(1 << 17)
def _folded(word: str) -> str:
    return "".join(map(_letter, word.lower()))


def _letter(char: str) -> str:
    if char in _LETTERS:
        return _LETTERS[char]
    plain = "".join(c for c in unicodedata.normalize("NFKD", char) if not unicodedata.combining(c))
    return plain if plain.isalnum() else char  # not `½`, which is `1⁄2` taken apart


def scanned(snapshot: Snapshot) -> list[Scanned]:
    """All articles of a snapshot, in the order of `columns.article_id`."""
    articles = []
    for article_id in snapshot.columns.article_id:
        row = snapshot.article(article_id)
        assert row
        articles.append(
            Scanned(
                row.headline,
                tuple(passage.text for passage in snapshot.passages_of(row)),
                row.outlet,
                row.byline,
                row.section,
                row.language,
                row.published.iso if row.published else "",
            )
        )
    return articles


def found(asked: Asked, articles: Sequence[Scanned]) -> set[tuple[int, int]]:
    """Article and passage, by number from 0, of all that must be found."""
    hits = set()
    terms = list(_terms(asked))
    for number, article in enumerate(articles):
        if not fulfils(asked, article):
            continue
        holding = [
            ordinal
            for ordinal, unit in enumerate(article.units[:-1])
            if not terms or any(stands_in(term, unit) for term in terms)
        ]
        hits |= {(number, ordinal) for ordinal in holding or [0]}
    return hits


def fulfils(asked: Asked, article: Scanned) -> bool:
    """The unit of a question is the article with its headline."""
    kind, *rest = asked
    match kind:
        case "and":
            return all(fulfils(part, article) for part in rest)
        case "or":
            return any(fulfils(part, article) for part in rest)
        case "not":
            return not fulfils(rest[0], article)
        case "outlet" | "section" | "language":
            return _value(getattr(article, kind)) == _value(rest[0])
        case "byline":
            return set(words(rest[0])) <= set(words(article.byline))
        case "after":
            return bool(article.published) and _first_day(article.published) >= _first_day(rest[0])
        case "before":
            return bool(article.published) and _first_day(article.published) < _first_day(rest[0])
        case "on":
            return bool(article.published) and _first_day(article.published).startswith(rest[0])
        case "headline":
            return stands_in(rest[0], article.units[-1])
        case _:
            return any(stands_in(asked, unit) for unit in article.units)


def stands_in(asked: Asked, unit: Unit) -> bool:
    """Whether all of it stands in one passage, headline or sentence."""
    kind, *rest = asked
    match kind:
        case "and":
            return all(stands_in(part, unit) for part in rest)
        case "or":
            return any(stands_in(part, unit) for part in rest)
        case "not":
            return not stands_in(rest[0], unit)
        case "paragraph":
            return all(stands_in(part, unit) for part in rest)
        case "sentence":
            return any(all(stands_in(part, s) for part in rest) for s in unit.sentences)
        case "verbatim":
            return rest[0] in unit.text
        case "headline":
            return False
        case "near":
            left, right, distance = rest
            return (stands_in(left, unit) and stands_in(right, unit)) and any(
                0 < behind[0] - before[-1] <= distance
                for one in _places(left, unit.words)
                for other in _places(right, unit.words)
                for before, behind in [sorted((one, other), key=tuple)]
            )
        case "prefix":
            return f" {_folded(rest[0])}" in unit.line
        case _:
            return f" {' '.join(words(rest[0]))} " in unit.line


def _places(asked: Asked, text: Sequence[str]) -> Iterator[range]:
    kind, *rest = asked
    if kind == "or":
        for part in rest:
            yield from _places(part, text)
    elif kind == "prefix":
        start = _folded(rest[0])
        yield from (range(at, at + 1) for at, word in enumerate(text) if word.startswith(start))
    else:
        phrase = words(rest[0])
        for at, word in enumerate(text):
            if word == phrase[0] and text[at : at + len(phrase)] == phrase:
                yield range(at, at + len(phrase))


def _terms(asked: Asked, excluded: bool = False) -> Iterator[Asked]:
    """What a passage must hold to be shown: what stands in texts and is not excluded."""
    kind, *rest = asked
    if kind in ("and", "or"):
        for part in rest:
            yield from _terms(part, excluded)
    elif kind == "not":
        yield from _terms(rest[0], not excluded)
    elif kind not in _OF_ARTICLES and not excluded:
        yield asked


def _value(value: str) -> str:
    decomposed = unicodedata.normalize("NFKD", value.casefold())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


def _first_day(iso: str) -> str:
    """An article of which only the year or month is known counts as of its first day."""
    return (iso[:10] + "-01-01")[:10]


# ---------------------------------------------------------------------------------- questions


def mode_of(asked: Asked) -> Mode:
    """How a question is to be asked."""
    return Mode.VERBATIM if asked[0] == "verbatim" else Mode.PLAIN


def written_by_chance(asked: Asked, seed: int) -> str:
    """A whole question: `written`, or itself when it is literal text."""
    return str(asked[1]) if asked[0] == "verbatim" else written(asked, random.Random(seed))


def written(asked: Asked, chance: random.Random) -> str:
    """`asked` in the question language, in one of the ways in which it can be written."""
    kind, *rest = asked
    if kind in ("and", "or"):
        parts = [_operand(part, chance) for part in rest]
        return f" {kind.upper()} ".join(parts)
    if kind == "not":
        part = rest[0]
        text = _operand(part, chance)
        # A minus before a digit is that of a number.
        return f"-{text}" if not text[0].isdigit() and chance.random() < 0.5 else f"NOT {text}"
    if kind == "near":
        left, right, distance = rest
        return f"{_operand(left, chance)} NEAR/{distance} {_operand(right, chance)}"
    if kind in ("sentence", "paragraph"):
        operator = chance.choice([f" /{kind[0]} ", f" SAME {kind.upper()} "])
        return operator.join(_operand(part, chance) for part in rest)
    if kind == "headline":
        return f"headline:{written(rest[0], chance)}"
    if kind == "prefix":
        return f"{rest[0]}*"
    if kind == "phrase":
        opening, closing = chance.choice(['""', "“”"])
        return f"{opening}{rest[0]}{closing}"
    if kind in ("after", "before", "on"):
        return f"{kind}:{rest[0]}"
    return f'{ {"language": "lang"}.get(kind, kind) }:"{rest[0]}"'


def _operand(asked: Asked, chance: random.Random) -> str:
    text = written(asked, chance)
    if asked[0] == "phrase" and _BARE.fullmatch(asked[1]) and chance.random() < 0.5:
        return str(asked[1])
    return text if asked[0] in ("phrase", "prefix", "headline", "outlet") else f"({text})"


KINDS = (
    *("word", "phrase", "prefix", "exclusion", "and", "or", "not", "nested", "near", "near phrase"),
    *("sentence", "paragraph", "headline", "field", "date", "verbatim"),
)


def questions(articles: Sequence[Scanned], count: int, seed: int) -> Iterator[tuple[str, Asked]]:
    """As many of each kind as of another, with words that articles hold; the kind of each."""
    chance = random.Random(seed)
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        yield kind, _question(kind, articles, chance)


def _question(kind: str, articles: Sequence[Scanned], chance: random.Random) -> Asked:
    unit = _some_unit(articles, chance)

    def word() -> Asked:
        return ("phrase", chance.choice(_original_words(unit)))

    def phrase() -> Asked:
        there = _original_words(unit)
        length = min(chance.randrange(2, 5), len(there))
        at = chance.randrange(len(there) - length + 1)
        return ("phrase", " ".join(there[at : at + length]))

    def other() -> Asked:
        return ("phrase", chance.choice(_original_words(_some_unit(articles, chance))))

    def prefix() -> Asked:
        there = [w for w in _original_words(unit) if len(w) >= 3]
        return ("prefix", chance.choice(there or ["the"])[: chance.randrange(2, 7)])

    def term() -> Asked:
        return chance.choice([word, other, phrase, prefix])()

    def tree(depth: int) -> Asked:
        if depth == 0 or chance.random() < 0.2:
            return term()
        shape = chance.choice(["and", "or", "not"])
        if shape == "not":
            return ("and", tree(depth - 1), ("not", tree(depth - 1)))
        return (shape, *(tree(depth - 1) for _ in range(chance.randrange(2, 4))))

    article = chance.choice(articles)
    match kind:
        case "word":
            return word()
        case "phrase":
            return phrase()
        case "prefix":
            return prefix()
        case "exclusion":
            return ("and", chance.choice([word, phrase])(), ("not", other()))
        case "and" | "or":
            return (kind, term(), term())
        case "not":
            return ("not", chance.choice([word, phrase, prefix])())
        case "nested":
            return tree(3)
        case "near":
            return ("near", word(), word(), chance.randrange(1, 12))
        case "near phrase":
            either = ("or", word(), other())
            return ("near", chance.choice([phrase(), prefix(), either]), word(), 8)
        case "sentence" | "paragraph":
            return (kind, word(), chance.choice([word, phrase, other])())
        case "headline":
            there = _WORD.findall(article.headline) or ["the"]
            return ("and", ("headline", ("phrase", chance.choice(there))), ("not", other()))
        case "field":
            fields = ("outlet", "byline", "section", "language")
            values = [
                (field, value)
                for field in fields
                if words(value := getattr(article, field)) and not set(value) & set('"“”„‟')
            ]
            return ("and", term(), chance.choice(values or [("outlet", "Nobody")]))
        case "date":
            day = article.published[: chance.choice([4, 7, 10])] or "2017"
            return ("and", word(), (chance.choice(["after", "before", "on"]), day))
        case _:
            start = chance.randrange(max(1, len(unit.text) - 40))
            text = unit.text[start : start + chance.randrange(1, 40)].strip()
            return ("verbatim", text or unit.text.strip()[:1])


def _some_unit(articles: Iterable[Scanned], chance: random.Random) -> Unit:
    units = [unit for unit in chance.choice(list(articles)).units if len(unit.words) > 1]
    return chance.choice(units) if units else Unit("the storm", "en")


def _original_words(unit: Unit) -> list[str]:
    return _WORD.findall(unit.text)
