"""The question language: one parser from what a user wrote to one parse tree.

Plain words rank and restrict nothing. What restricts is written as news databases write it:
`"a phrase"`, `word*`, `-word`, `AND`, `OR`, `NOT`, `NEAR/5`, `/s` and `/p` for the same sentence
and the same paragraph, parentheses, and fields such as `headline:storm` or `after:2019`. All of
it in docs/query_language.md. Text that only looks like that, as `AT&T` or `Who said "no"?`, is
words.

`str` of a condition is its canonical form: parsed again it gives the same condition.
"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum, StrEnum, auto
from typing import Final, NoReturn

from index.errors import BadQueryError
from index.model import encodable
from index.words import exact_words
from search.filters import filter_key
from search.time_expressions import TimeExpression, time_expressions

MAX_DISTANCE: Final = 99  # NEAR/n; a passage has some 250 words at most
MAX_TERMS: Final = 500  # one to a line, a long list of names; each is looked up by itself
MAX_DEPTH: Final = 30  # of parentheses; nobody writes five


class Mode(StrEnum):
    """How a question is read."""

    PLAIN = "plain"  # words and the question language
    VERBATIM = "verbatim"  # the question, to the last comma, is what must stand in the text


class Unit(StrEnum):
    """Where words must stand together. A headline is a paragraph of one sentence."""

    SENTENCE = "sentence"
    PARAGRAPH = "paragraph"  # a passage


class Relation(StrEnum):
    """How a day of publication lies to the day, month or year of a condition."""

    AFTER = "after"  # on its first day or later
    BEFORE = "before"  # earlier than its first day
    ON = "on"  # within it


@dataclass(frozen=True, slots=True)
class Phrase:
    """These words one after the other, in a passage or in a headline; it may be a single word."""

    text: str

    def __str__(self) -> str:
        return f'"{self.text}"'


@dataclass(frozen=True, slots=True)
class Prefix:
    """A word that begins so, in a passage or in a headline."""

    start: str

    def __str__(self) -> str:
        return f"{self.start}*"


@dataclass(frozen=True, slots=True)
class Verbatim:
    """This text, character by character, in a passage or in a headline."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Near:
    """Both in one passage or in the headline, at most `distance` words apart, in either order.

    Neighbours are one word apart; what overlaps is not near. Either side is a phrase or prefix,
    or an `Or` of these.
    """

    left: "Condition"
    right: "Condition"
    distance: int

    def __str__(self) -> str:
        return f"{_operand(self.left)} NEAR/{self.distance} {_operand(self.right)}"


@dataclass(frozen=True, slots=True)
class Together:
    """All parts in the same sentence or paragraph; they hold phrases, prefixes and Near alone."""

    parts: tuple["Condition", ...]
    unit: Unit

    def __str__(self) -> str:
        operator = " /s " if self.unit is Unit.SENTENCE else " /p "
        return operator.join(
            str(part) if isinstance(part, Near) else _operand(part) for part in self.parts
        )


@dataclass(frozen=True, slots=True)
class InHeadline:
    """A phrase or prefix in the article's headline."""

    part: Phrase | Prefix

    def __str__(self) -> str:
        return f"headline:{self.part}"


@dataclass(frozen=True, slots=True)
class FieldIs:
    """The article's byline, outlet, section or language, compared as filters compare it."""

    field: str  # "byline", "outlet", "section", "language"
    value: str

    def __str__(self) -> str:
        return f'{_NAME_OF_FIELD[self.field]}:"{self.value}"'


@dataclass(frozen=True, slots=True)
class Dated:
    """The article's day of publication; one of unknown date is neither before nor after."""

    relation: Relation
    when: str  # YYYY, YYYY-MM or YYYY-MM-DD

    def __str__(self) -> str:
        return f"{self.relation}:{self.when}"

    @property
    def days(self) -> tuple[date, date]:
        """First and last day that fulfil it, both included."""
        first, last = _days(self.when)
        match self.relation:
            case Relation.AFTER:
                return first, date.max
            case Relation.BEFORE:
                return date.min, first - timedelta(days=1)
            case Relation.ON:
                return first, last


@dataclass(frozen=True, slots=True)
class And:
    """The article fulfils all parts."""

    parts: tuple["Condition", ...]

    def __str__(self) -> str:
        return " AND ".join(f"({p})" if isinstance(p, Or) else str(p) for p in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    """The article fulfils at least one part."""

    parts: tuple["Condition", ...]

    def __str__(self) -> str:
        return " OR ".join(f"({p})" if isinstance(p, And) else str(p) for p in self.parts)


@dataclass(frozen=True, slots=True)
class Not:
    """The article does not fulfil the part."""

    part: "Condition"

    def __str__(self) -> str:
        return f"NOT ({self.part})" if isinstance(self.part, And | Or) else f"NOT {self.part}"


Condition = (
    Phrase | Prefix | Verbatim | Near | Together | InHeadline | FieldIs | Dated | And | Or | Not
)


def _operand(condition: Condition) -> str:
    simple = isinstance(condition, Phrase | Prefix)
    return str(condition) if simple else f"({condition})"


@dataclass(frozen=True, slots=True)
class Query:
    """A question, understood."""

    text: str  # as asked
    words: str  # what both arms look for: no operators, no field names, nothing that is excluded
    condition: Condition | None  # what restricts the articles; None: nothing does
    time: tuple[TimeExpression, ...] = ()  # their spans are in `text`
    loose: Condition | None = None  # quotations of a question, which restrict nothing


def parse(text: str, *, mode: Mode = Mode.PLAIN, today: date) -> Query:
    """Read a question.

    Raises:
        BadQueryError: it is written in the question language, and wrongly; `position` says where.
    """
    question = encodable(text)
    if mode is Mode.VERBATIM:
        literal = question.strip()
        return Query(text, literal, Verbatim(literal) if literal else None)
    parser = _Parser(_understood(list(_tokens(question))))
    condition = parser.condition()
    # Without any syntax the question is what was written, with its punctuation.
    words = question.strip() if condition is None else " ".join(parser.words)
    asked = _blanked(question, parser.not_asked)
    return Query(text, words, condition, time_expressions(asked, today))


def _blanked(text: str, tokens: Sequence["_Token"]) -> str:
    """`text`, of the same length, without these tokens."""
    for token in tokens:
        behind = token.start + len(token.raw)
        text = text[: token.start] + " " * len(token.raw) + text[behind:]
    return text


# ------------------------------------------------------------------------------------- tokens


class _Kind(Enum):
    WORD = auto()
    QUOTE = auto()
    PREFIX = auto()
    FIELD = auto()
    AND = auto()
    OR = auto()
    NOT = auto()
    NEAR = auto()
    SCOPE = auto()
    MINUS = auto()
    OPEN = auto()
    CLOSE = auto()
    MARKS = auto()  # punctuation that stands alone


_K = _Kind
_OPERANDS = frozenset({_K.WORD, _K.QUOTE, _K.PREFIX, _K.FIELD})


@dataclass(frozen=True, slots=True)
class _Token:
    kind: _Kind
    start: int  # in the question, in code points
    raw: str
    text: str = ""  # what is looked for: without quotes, stars, and punctuation around it
    field: str = ""
    value_start: int = 0  # of a field
    spelled: bool = False  # an operator that is an English word


_QUOTES = '"“”„‟'
_CLOSING_QUOTE = re.compile(f"[{_QUOTES}]")
_FIELDS: Final = {
    "headline": "headline",
    "byline": "byline",
    "outlet": "outlet",
    "section": "section",
    "lang": "language",
    **{str(relation): str(relation) for relation in Relation},
}
_NAME_OF_FIELD: Final = {field: name for name, field in _FIELDS.items()}
_FIELD = re.compile(rf"({'|'.join(_FIELDS)}):", re.IGNORECASE)
_SPELLED: Final = {"AND": _K.AND, "OR": _K.OR, "NOT": _K.NOT}
_SCOPES: Final = {"/s": Unit.SENTENCE, "/p": Unit.PARAGRAPH}
_OPERATOR = re.compile(r"(?:AND|OR|NOT|/s|/p)(?=[\s()]|$)")
_SAME = re.compile(r"SAME\s+(SENTENCE|PARAGRAPH)(?=[\s()]|$)")
_NEAR = re.compile(r"NEAR/(\d+)(?=[\s()]|$)", re.ASCII)
_PREFIX = re.compile(r"([^\W_]{2,})\*")
_SPACE = re.compile(r"\s*")
_SOLID = re.compile(r"\S+")
# What may stand around a word without belonging to it.
_BEHIND_WORD = ").,;:!?…]}»'’" + _QUOTES
_AROUND_WORD = ".,;:!?…]}»'’[{«‘" + _QUOTES


def _tokens(text: str) -> Iterator[_Token]:
    """Everything but white space, in order; operators as if they were always meant as such."""
    at = 0
    while (at := _SPACE.match(text, at).end()) < len(text):  # type: ignore[union-attr]
        token = _mark(text, at) or _operator(text, at) or _quote(text, at) or _field(text, at)
        token = token or _word(text, at)
        yield token
        at += len(token.raw)


def _mark(text: str, at: int) -> _Token | None:
    """A parenthesis, or the minus of something excluded."""
    char = text[at]
    if char in "()":
        return _Token(_K.OPEN if char == "(" else _K.CLOSE, at, char)
    if char == "-" and _begins(text, at) and _can_be_excluded(text, at + 1):
        return _Token(_K.MINUS, at, char)
    return None


def _begins(text: str, at: int) -> bool:
    return at == 0 or text[at - 1].isspace() or text[at - 1] == "("


def _can_be_excluded(text: str, at: int) -> bool:
    """`-5 degrees`, `--` and `:-(` exclude nothing."""
    following = text[at : at + 2]
    if following[:1] == "(":
        return following[1:].isalnum() or following[1:] in ("(", "-", *_QUOTES)
    return following[:1].isalpha() or following[:1] in tuple(_QUOTES)


def _operator(text: str, at: int) -> _Token | None:
    if at and text[at - 1] == "-":
        return None  # `-NOT` excludes a word
    if match := _NEAR.match(text, at):
        return _Token(_K.NEAR, at, match[0], match[1])
    if match := _SAME.match(text, at):
        return _Token(_K.SCOPE, at, match[0], match[1].lower(), spelled=True)
    match = _OPERATOR.match(text, at)
    if not match:
        return None
    if match[0] in _SCOPES:
        return _Token(_K.SCOPE, at, match[0], _SCOPES[match[0]])
    return _Token(_SPELLED[match[0]], at, match[0], match[0], spelled=True)


def _quote(text: str, at: int) -> _Token | None:
    if text[at] not in _QUOTES or not (_begins(text, at) or text[at - 1] == "-"):
        return None
    behind = _behind_quote(text, at)
    inner = _clean(text[at + 1 : behind - 1]) if behind else ""
    return _Token(_K.QUOTE, at, text[at:behind], inner) if exact_words(inner) else None


def _behind_quote(text: str, at: int) -> int:
    """Where a quotation that opens at `at` has ended; 0: it does not."""
    match = _CLOSING_QUOTE.search(text, at + 1)
    return match.end() if match else 0


def _field(text: str, at: int) -> _Token | None:
    match = _FIELD.match(text, at)
    if not match:
        return None
    name, value_at = match[1].lower(), match.end()
    if text[value_at : value_at + 1] in tuple(_QUOTES):
        behind = _behind_quote(text, value_at)
        if not behind:
            _refuse(value_at, "the quotation mark is never closed", "close it after the value")
        value = _spaced(text[value_at + 1 : behind - 1])
    else:
        if text[value_at : value_at + 1] == "(" and _can_be_excluded(text, value_at):
            _refuse(
                value_at,
                f"{name}: takes one value",
                f'write {name}:"two words", or ({name}:one OR {name}:other)',
            )
        solid = _solid(text, value_at)
        value, behind = _spaced(solid).rstrip(",; "), value_at + len(solid)
        if not any(map(str.isalnum, value)):
            return None  # `Come on:-)`
    return _Token(_K.FIELD, at, text[at:behind], value, _FIELDS[name], value_at)


def _word(text: str, at: int) -> _Token:
    raw = _solid(text, at)
    match = _PREFIX.fullmatch(raw.rstrip(_BEHIND_WORD))
    if match and len(exact_words(match[1])) == 1:
        return _Token(_K.PREFIX, at, raw, _clean(match[1]))
    word = _clean(raw)
    return _Token(_K.WORD if exact_words(word) else _K.MARKS, at, raw, word)


def _solid(text: str, at: int) -> str:
    """What stands up to the next space, without parentheses behind it that opened elsewhere."""
    solid = _SOLID.match(text, at)[0] if at < len(text) and not text[at].isspace() else ""  # type: ignore[index]
    word = solid.rstrip(_BEHIND_WORD)
    if not any(map(str.isalnum, word)):
        return solid  # `:-)`
    behind = len(word)
    opened = word.count("(") - word.count(")")
    for char in solid[len(word) :]:
        opened -= char == ")"
        if char == ")" and opened < 0:
            break
        behind += 1
    return solid[:behind]


def _clean(text: str) -> str:
    """`_spaced`, without punctuation around it."""
    spaced = _spaced(text)
    return spaced.strip(_AROUND_WORD + " ") or spaced


def _spaced(text: str) -> str:
    """In Unicode's NFC, as articles are; without quotation marks and superfluous spaces."""
    text = unicodedata.normalize("NFC", text)
    return " ".join("".join(" " if char in _QUOTES else char for char in text).split())


def _understood(tokens: Sequence[_Token]) -> list[_Token]:
    """The tokens with what only looks like syntax as words, and without punctuation."""
    prose = any("?" in _ending(token) for token in tokens)
    if prose or _is_in_capitals(tokens):
        tokens = [_as_word(token) if token.spelled else token for token in tokens]
    if prose:
        tokens = [
            _as_word(token) if _is_scare_quote(token, before) else token
            for before, token in zip((None, *tokens), tokens, strict=False)
        ]
    tokens = [token for token in tokens if token.kind is not _K.MARKS]
    tokens = [
        _as_word(token) if _is_no_operator(tokens, at) else token for at, token in enumerate(tokens)
    ]
    if any(_makes_groups(tokens, at) for at in range(len(tokens))):
        return tokens
    return [token for token in tokens if token.kind not in (_K.OPEN, _K.CLOSE)]


def _ending(token: _Token) -> str:
    if token.kind is _K.MARKS:
        return token.raw
    return token.raw[len(token.raw.rstrip(_BEHIND_WORD)) :] if token.kind is _K.WORD else ""


def _is_in_capitals(tokens: Sequence[_Token]) -> bool:
    """Old wire copy, `CABINET AND UNIONS TO MEET`; not `"NATO" AND "EU"`, `1918 AND 1945`."""
    everything = "".join(token.raw for token in tokens)
    if any(map(str.islower, everything)):
        return False
    words = [token.raw for token in tokens if token.kind is _K.WORD]
    if not words:
        return all(token.kind not in _OPERANDS for token in tokens)
    return any(word != word.lower() for word in words)


def _as_word(token: _Token) -> _Token:
    return replace(token, kind=_K.WORD, text=_clean(token.raw), spelled=False)


def _is_scare_quote(token: _Token, before: _Token | None) -> bool:
    """A word in quotation marks in `Who said "no"?`."""
    excluded = before is not None and before.kind is _K.MINUS
    return token.kind is _K.QUOTE and not excluded and len(exact_words(token.text)) == 1


def _is_no_operator(tokens: Sequence[_Token], at: int) -> bool:
    token, before = tokens[at], tokens[at - 1] if at else None
    if token.kind is _K.SCOPE and not token.spelled:  # irony is marked with `/s`
        after = tokens[at + 1] if at + 1 < len(tokens) else None
        left = before is not None and before.kind in _OPERANDS | {_K.CLOSE}
        right = after is not None and after.kind in _OPERANDS | {_K.OPEN, _K.NOT, _K.MINUS}
        return not (left and right)
    # `Portland, OR`
    return token.spelled and before is not None and "," in _ending(before)


def _makes_groups(tokens: Sequence[_Token], at: int) -> bool:
    """Whether a token gives the question's parentheses a meaning."""
    if tokens[at].kind is _K.MINUS:
        return at + 1 < len(tokens) and tokens[at + 1].kind is _K.OPEN
    return tokens[at].kind in (_K.AND, _K.OR, _K.NOT, _K.NEAR, _K.SCOPE)


# ------------------------------------------------------------------------------------- parser


@dataclass(frozen=True, slots=True)
class _Part:
    condition: Condition
    start: int
    soft: bool  # plain words, which restrict nothing unless an operator takes them


class _Parser:
    """Recursive descent; from tight to loose: NEAR, /s and /p, NOT, AND, OR, side by side."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._excluding = False
        self.words: list[str] = []  # what is looked for, as it was written
        self.not_asked: list[_Token] = []  # fields, and what is excluded

    def condition(self) -> Condition | None:
        """What restricts the whole question."""
        parts = self._side_by_side()
        if token := self._peek(_K.CLOSE):
            _refuse(token.start, "this parenthesis was never opened", _BALANCE)
        restricting = [part.condition for part in parts if not part.soft]
        if sum(map(_terms, restricting)) > MAX_TERMS:
            _refuse(None, f"more than {MAX_TERMS} terms", "ask in two questions, or use word*")
        return _and(restricting) if restricting else None

    def _side_by_side(self) -> list[_Part]:
        parts = []
        while self._at < len(self._tokens) and not self._peek(_K.CLOSE):
            parts.append(self._or())
        return parts

    def _or(self) -> _Part:
        parts = [self._and()]
        while operator := self._take(_K.OR):
            parts.append(self._and(operator))
        return _joined(parts, _or)

    def _and(self, operator: _Token | None = None) -> _Part:
        parts = [self._not(operator)]
        while True:
            if operator := self._take(_K.AND):
                parts.append(self._not(operator))
            elif self._peek(_K.NOT):
                parts.append(self._not(None))
            else:
                return _joined(parts, _and)

    def _not(self, operator: _Token | None) -> _Part:
        first, excludes, before = self._peek(_K.NOT), False, self._excluding
        while token := self._take(_K.NOT):
            operator, excludes = token, not excludes
        self._excluding ^= excludes
        part = self._together(operator)
        self._excluding = before
        if not first:
            return part
        condition = _not(part.condition) if excludes else part.condition
        return _Part(condition, first.start, soft=False)

    def _together(self, operator: _Token | None) -> _Part:
        parts, unit = [self._near(operator)], ""
        while operator := self._take(_K.SCOPE):
            if unit not in ("", operator.text):
                _refuse(operator.start, "/s and /p follow each other", _GROUP)
            unit = operator.text
            parts.append(self._near(operator))
        if not unit:
            return parts[0]
        for part in parts:
            _check_part(part)
        conditions = tuple(part.condition for part in parts)
        if all(isinstance(condition, Not) for condition in conditions):
            _refuse(parts[0].start, "all of this is excluded", "name a word that must stand there")
        return _Part(Together(conditions, Unit(unit)), parts[0].start, soft=False)

    def _near(self, operator: _Token | None) -> _Part:
        left = self._primary(operator)
        operator = self._take(_K.NEAR)
        if not operator:
            return left
        distance = int(operator.text) if len(operator.text) <= 9 else MAX_DISTANCE + 1
        if not 1 <= distance <= MAX_DISTANCE:
            _refuse(
                operator.start,
                f"{operator.raw} is not between NEAR/1 and NEAR/{MAX_DISTANCE}",
                "NEAR/1 means neighbours, NEAR/10 at most nine words between",
            )
        right = self._primary(operator)
        if another := self._peek(_K.NEAR):
            _refuse(another.start, "NEAR takes two sides", "write a NEAR/5 b AND b NEAR/5 c")
        for part in (left, right):
            _check_side(part)
        near = Near(left.condition, right.condition, distance)
        return _Part(near, left.start, soft=False)

    def _primary(self, operator: _Token | None) -> _Part:
        token = self._tokens[self._at] if self._at < len(self._tokens) else None
        if token is None or token.kind not in _OPERANDS | {_K.OPEN, _K.MINUS}:
            _refuse_lonely(token, operator)
        self._at += 1
        if token.kind is _K.MINUS:
            return self._excluded(token)
        if token.kind is _K.OPEN:
            return self._group(token)
        condition = _leaf(token)
        if not self._excluding:
            self.words.extend(_looked_for(token, condition))
        if self._excluding or token.kind is _K.FIELD:
            self.not_asked.append(token)
        return _Part(condition, token.start, soft=token.kind is _K.WORD)

    def _excluded(self, minus: _Token) -> _Part:
        before = self._excluding
        self._excluding = not before
        part = self._primary(minus)
        self._excluding = before
        for kind in (_K.NEAR, _K.SCOPE):
            if operator := self._peek(kind):
                _refuse(minus.start, f"- and {operator.raw} do not go together", _GROUP)
        return _Part(_not(part.condition), minus.start, soft=False)

    def _group(self, opening: _Token) -> _Part:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            _refuse(opening.start, f"more than {MAX_DEPTH} parentheses inside each other", _BALANCE)
        parts = self._side_by_side()
        if not self._take(_K.CLOSE):
            _refuse(opening.start, "this parenthesis is never closed", _BALANCE)
        if not parts:
            _refuse(opening.start, "nothing stands between the parentheses", _BALANCE)
        self._depth -= 1
        condition = _and([part.condition for part in parts])
        return _Part(condition, opening.start, all(part.soft for part in parts))

    def _peek(self, kind: _Kind) -> _Token | None:
        token = self._tokens[self._at] if self._at < len(self._tokens) else None
        return token if token and token.kind is kind else None

    def _take(self, kind: _Kind) -> _Token | None:
        token = self._peek(kind)
        self._at += token is not None
        return token


def _leaf(token: _Token) -> Condition:
    if token.kind is _K.PREFIX:
        return Prefix(token.text)
    if token.kind is not _K.FIELD:
        return Phrase(token.text)
    if token.field in tuple(Relation):
        return Dated(Relation(token.field), _when(token))
    if token.field == "headline":
        return InHeadline(_in_headline(token))
    if not filter_key(token.field, token.text):
        _refuse(token.value_start, f"{token.text!r} holds no word", "name what you look for")
    return FieldIs(token.field, token.text)


def _looked_for(token: _Token, condition: Condition) -> Iterator[str]:
    match condition:
        case Phrase() if token.kind is _K.WORD:
            yield token.raw
        case Phrase(text) | Prefix(text) | InHeadline(Phrase(text) | Prefix(text)):
            yield text


def _in_headline(token: _Token) -> Phrase | Prefix:
    value = _clean(token.text)
    quoted = token.raw[token.value_start - token.start] in _QUOTES
    match = None if quoted else _PREFIX.fullmatch(value)
    if match and len(exact_words(match[1])) == 1:
        return Prefix(match[1])
    if not exact_words(value):
        _refuse(token.value_start, f"{value!r} holds no word", "name a word of the headline")
    return Phrase(value)


def _when(token: _Token) -> str:
    """YYYY, YYYY-MM or YYYY-MM-DD."""
    from index.dates import parse_published  # loads a library of languages: few questions need it

    text = _clean(token.text)
    try:
        published = parse_published(text)
    except ValueError:
        _refuse(token.value_start, f"{text!r} is no date", _WRITE_DATES)
    if published.precision == "year" and len(text) > len("2019"):
        _refuse(token.value_start, f"{text!r} can be read as two dates", _WRITE_DATES)
    return published.iso[: len("2019-03-05")]


def _days(when: str) -> tuple[date, date]:
    """First and last day of a year, a month or a day."""
    year, month, day = (*map(int, when.split("-")), 0, 0)[:3]
    last_month = month or 12
    last_day = day or monthrange(year, last_month)[1]
    return date(year, month or 1, day or 1), date(year, last_month, last_day)


def _terms(condition: Condition) -> int:
    match condition:
        case And(parts) | Or(parts) | Together(parts):
            return sum(map(_terms, parts))
        case Near(left, right):
            return _terms(left) + _terms(right)
        case Not(part):
            return _terms(part)
        case _:
            return 1


def _and(parts: Sequence[Condition]) -> Condition:
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,))]
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def _or(parts: Sequence[Condition]) -> Condition:
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,))]
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def _not(condition: Condition) -> Condition:
    return condition.part if isinstance(condition, Not) else Not(condition)


def _joined(parts: Sequence[_Part], join: Callable[[Sequence[Condition]], Condition]) -> _Part:
    if len(parts) == 1:
        return parts[0]
    return _Part(join([part.condition for part in parts]), parts[0].start, soft=False)


def _check_side(part: _Part) -> None:
    """What NEAR takes."""
    sides = part.condition.parts if isinstance(part.condition, Or) else (part.condition,)
    if not all(isinstance(side, Phrase | Prefix) for side in sides):
        _refuse(
            part.start,
            "NEAR takes words and phrases",
            "or some of them in parentheses, joined by OR: (storm OR flood) NEAR/5 damage",
        )


def _check_part(part: _Part) -> None:
    """What /s and /p take."""
    waiting = [part.condition]
    while waiting:
        condition = waiting.pop()
        if isinstance(condition, And | Or):
            waiting.extend(condition.parts)
        elif isinstance(condition, Not):
            waiting.append(condition.part)
        elif not isinstance(condition, Phrase | Prefix | Near):
            _refuse(part.start, f"{condition} cannot stand beside /s or /p", _GROUP)


_BALANCE = "give each ( its ), or put it in quotes to search for it"
_GROUP = "use parentheses and AND"
_WRITE_DATES = 'write 2019, 2019-03, 2019-03-05 or "5 March 2019"'


def _refuse_lonely(token: _Token | None, operator: _Token | None) -> NoReturn:
    lonely = operator or token
    assert lonely is not None
    side = "after" if operator else "before"
    advice = "write what it joins; to search for the word itself, put it in quotes"
    _refuse(lonely.start, f"{lonely.raw} has nothing {side} it", advice)


def _refuse(position: int | None, reason: str, advice: str) -> NoReturn:
    raise BadQueryError("q", reason, advice, position=position)
