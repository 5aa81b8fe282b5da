"""The question language, rule by rule; what only looks like it; and what is refused, and where."""

import random
import re
import unicodedata
from datetime import date

import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import BadQueryError
from index.words import exact_words
from search.query import (
    MAX_DEPTH,
    MAX_DISTANCE,
    MAX_TERMS,
    And,
    Condition,
    Dated,
    FieldIs,
    InHeadline,
    Mode,
    Near,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Relation,
    Together,
    Unit,
    Verbatim,
    parse,
)

TODAY = date(2026, 3, 1)
STORM, FLOOD, RAIN = Phrase("storm"), Phrase("flood"), Phrase("rain")


def read(text: str) -> Query:
    return parse(text, today=TODAY)


def refused(text: str) -> BadQueryError:
    with pytest.raises(BadQueryError) as caught:
        read(text)
    assert caught.value.field == "q"
    return caught.value


# A question, what both arms look for, and what restricts the articles.
RULES: list[tuple[str, str, Condition | None]] = [
    # plain words
    ("storm damage in Dover", "storm damage in Dover", None),
    ("  storm  damage ", "storm  damage", None),
    # phrases
    ('"storm surge" damage', "storm surge damage", Phrase("storm surge")),
    ("“storm surge” damage", "storm surge damage", Phrase("storm surge")),
    ("„storm surge“", "storm surge", Phrase("storm surge")),
    ('"storm"', "storm", STORM),
    ('"storm  \n surge."', "storm surge", Phrase("storm surge")),
    ('"storm" "flood"', "storm flood", And((STORM, FLOOD))),
    # exclusion
    ("storm -flood", "storm", Not(FLOOD)),
    ('storm -"flood plain"', "storm", Not(Phrase("flood plain"))),
    ("-storm -flood", "", And((Not(STORM), Not(FLOOD)))),
    ("rain -(storm flood)", "rain", Not(And((STORM, FLOOD)))),
    ("rain -(storm OR flood)", "rain", Not(Or((STORM, FLOOD)))),
    ("storm -e-mail", "storm", Not(Phrase("e-mail"))),
    # AND, OR, NOT
    ("storm AND flood", "storm flood", And((STORM, FLOOD))),
    ("storm OR flood", "storm flood", Or((STORM, FLOOD))),
    ("storm NOT flood", "storm", And((STORM, Not(FLOOD)))),
    ("storm AND NOT flood", "storm", And((STORM, Not(FLOOD)))),
    ("storm AND -flood", "storm", And((STORM, Not(FLOOD)))),
    ("NOT storm", "", Not(STORM)),
    ("NOT NOT storm", "storm", STORM),
    ("NOT NOT NOT storm", "", Not(STORM)),
    ("rain NOT (storm NOT flood)", "rain flood", And((RAIN, Not(And((STORM, Not(FLOOD))))))),
    ("NOT(storm OR flood)", "", Not(Or((STORM, FLOOD)))),
    # what binds tighter
    ("storm AND flood OR rain", "storm flood rain", Or((And((STORM, FLOOD)), RAIN))),
    ("storm OR flood AND rain", "storm flood rain", Or((STORM, And((FLOOD, RAIN))))),
    ("(storm OR flood) AND rain", "storm flood rain", And((Or((STORM, FLOOD)), RAIN))),
    ("storm AND (flood AND rain)", "storm flood rain", And((STORM, FLOOD, RAIN))),
    ("storm OR flood -rain", "storm flood", And((Or((STORM, FLOOD)), Not(RAIN)))),
    # words beside no operator rank, and in parentheses all count
    ("heavy storm AND flood risk", "heavy storm flood risk", And((STORM, FLOOD))),
    ("(storm flood) OR rain", "storm flood rain", Or((And((STORM, FLOOD)), RAIN))),
    ("(storm) damage OR flood", "storm damage flood", Or((Phrase("damage"), FLOOD))),
    ("(storm OR flood) damage", "storm flood damage", Or((STORM, FLOOD))),
    # NEAR
    ("storm NEAR/5 flood", "storm flood", Near(STORM, FLOOD, 5)),
    ('"a b" NEAR/1 floo*', "a b floo", Near(Phrase("a b"), Prefix("floo"), 1)),
    ("(storm OR rain) NEAR/9 flood", "storm rain flood", Near(Or((STORM, RAIN)), FLOOD, 9)),
    ("NOT storm NEAR/5 flood", "", Not(Near(STORM, FLOOD, 5))),
    ("storm NEAR/5 flood AND rain", "storm flood rain", And((Near(STORM, FLOOD, 5), RAIN))),
    # sentence and paragraph
    ("storm /s flood", "storm flood", Together((STORM, FLOOD), Unit.SENTENCE)),
    ("storm SAME SENTENCE flood", "storm flood", Together((STORM, FLOOD), Unit.SENTENCE)),
    ("storm /s flood /s rain", "storm flood rain", Together((STORM, FLOOD, RAIN), Unit.SENTENCE)),
    ("storm /p flood", "storm flood", Together((STORM, FLOOD), Unit.PARAGRAPH)),
    ("storm SAME PARAGRAPH flood", "storm flood", Together((STORM, FLOOD), Unit.PARAGRAPH)),
    ("storm /s (NOT flood)", "storm", Together((STORM, Not(FLOOD)), Unit.SENTENCE)),
    ("storm NEAR/3 flood /p rain", "storm flood rain",
     Together((Near(STORM, FLOOD, 3), RAIN), Unit.PARAGRAPH)),
    ("NOT storm /s flood", "", Not(Together((STORM, FLOOD), Unit.SENTENCE))),
    # prefixes
    ("econom* policy", "econom policy", Prefix("econom")),
    ("-econom*, policy", "policy", Not(Prefix("econom"))),
    # fields
    ("headline:storm damage", "storm damage", InHeadline(STORM)),
    ('headline:"storm surge"', "storm surge", InHeadline(Phrase("storm surge"))),
    ("headline:floo*", "floo", InHeadline(Prefix("floo"))),
    ('headline:"floo*"', "floo*", InHeadline(Phrase("floo*"))),
    ("storm -headline:flood", "storm", Not(InHeadline(FLOOD))),
    ("storm outlet:Courier", "storm", FieldIs("outlet", "Courier")),
    ('outlet:"Yahoo!"', "", FieldIs("outlet", "Yahoo!")),
    ("Outlet:“The Islander”, storm", "storm", FieldIs("outlet", "The Islander")),
    ("storm -byline:Duarte", "storm", Not(FieldIs("byline", "Duarte"))),
    ("section:Sport lang:en", "", And((FieldIs("section", "Sport"), FieldIs("language", "en")))),
    ("(outlet:Sun OR outlet:Star) storm", "storm",
     Or((FieldIs("outlet", "Sun"), FieldIs("outlet", "Star")))),
    # dates
    ("storm after:2019", "storm", Dated(Relation.AFTER, "2019")),
    ("storm before:2019-03", "storm", Dated(Relation.BEFORE, "2019-03")),
    ("storm on:2019-03-05", "storm", Dated(Relation.ON, "2019-03-05")),
    ('storm on:"5 March 2019"', "storm", Dated(Relation.ON, "2019-03-05")),
    ('storm after:"March 2019"', "storm", Dated(Relation.AFTER, "2019-03")),
    ("storm on:25/12/2019", "storm", Dated(Relation.ON, "2019-12-25")),
    ("storm on:2019-03-05T10:30", "storm", Dated(Relation.ON, "2019-03-05")),
    ("Who won? after:2019", "Who won?", Dated(Relation.AFTER, "2019")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words", "condition"), RULES, ids=[rule[0] for rule in RULES])
def test_the_language(text: str, words: str, condition: Condition | None) -> None:
    query = read(text)
    assert query.text == text
    assert query.condition == condition
    assert query.words == words


@pytest.mark.parametrize("condition", [rule[2] for rule in RULES if rule[2]], ids=str)
def test_the_canonical_form_is_read_as_the_same_condition(condition: Condition) -> None:
    assert read(str(condition)).condition == condition


# Plain text that news is full of. None of it is syntax.
LOOK_ALIKES = [
    "AT&T", "C++", "50/50", "24/7 news", "NATO/Russia", "and/or", "M&S", "R&B", "Q&A", "U.S.-led",
    "Jean-Luc Picard", "e-mail -- dashes", "the vote – a close one – passed", "rock 'n' roll",
    'Who said "no"?', "Who said “no”?", 'Is it "fake" or "real" news?', 'an "unclosed quote',
    'an unclosed quote" here', "a “curly one", '5" disks', '""', '"—"', "(smile :-)", ":-( sad",
    ":) ;) :-P", "(the president)", "Smith (Lab) said", "f(x)", "a) first", "((",
    "http://example.org/a?b=c&d=e", "https://x.example/(y)", "me@example.org", "@user #tag",
    "C:\\dir\\file", "at 10:30", "10:30pm", "the score was 3-2", "-5 degrees", "minus -20C",
    "-2.5%", "- a list item", "--verbose", "foo:bar", "outlet: Times", "headline :storm",
    "Re: storm", "on:-)", "after:", "Genesis 1:3", "rock and roll", "to be or not to be",
    "And Then There Were None", "near/5", "NEAR the sea", "NEAR/x", "Portland, OR wildfire",
    "Salem, OR", "CABINET AND UNIONS TO MEET", "TO BE OR NOT TO BE", "AND", "OR", "NOT",
    "NATO AND EU", "Did Labour AND the Lib Dems vote?", "Did he NOT know?",
    "Why (AND how) did it fail?", "a* search", "A* grades", "f*** that", "f**k", "2*3", "*",
    "**bold** text", "foo_bar*", "e-mail*", "great idea /s", "/s", "w/s", "km /h", "1/s 2",
    "don't", "the workers' party", "O’Brien", "‘quoted’ words", "«guillemets»", "?", "!", "...",
    "—", "\u200b", "\x00", "100%", "$5 < €6", "#1", "x = y", "a | b", "a ^ b ~ c", "[sic]", "{x}",
    "\\", "/", "&",
]  # fmt: skip


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_text_that_only_looks_like_syntax_is_words(text: str) -> None:
    query = read(text)
    assert (query.words, query.condition) == (text, None)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        # A quotation of several words is looked for even in a question...
        ("Who said “I have a dream”?", Phrase("I have a dream")),
        # ...and so is a single word outside of one, or one that is excluded.
        ('the word "no"', Phrase("no")),
        ('Who said -"no"?', Not(Phrase("no"))),
        # Capitals that are in quotes, or no capitals at all, leave operators what they are.
        ('"NATO" AND "EU"', And((Phrase("NATO"), Phrase("EU")))),
        ('"NATO" NOT "EU"', And((Phrase("NATO"), Not(Phrase("EU"))))),
        ("NAT* AND EUR*", And((Prefix("NAT"), Prefix("EUR")))),
        ("1918 AND 1945", And((Phrase("1918"), Phrase("1945")))),
        ("北京 AND 上海", And((Phrase("北京"), Phrase("上海")))),
        ("nato AND EU", And((Phrase("nato"), Phrase("EU")))),
        ("NATO NEAR/5 EU", Near(Phrase("NATO"), Phrase("EU"), 5)),
        # Beside an operator punctuation does not count.
        ("AT&T AND merger", And((Phrase("AT&T"), Phrase("merger")))),
        ("C++ OR Java", Or((Phrase("C++"), Phrase("Java")))),
        ("f(x) OR rain.", Or((Phrase("f(x)"), RAIN))),
        ("the workers' party OR O’Brien", Or((Phrase("party"), Phrase("O’Brien")))),
        ("-AND storm", Not(Phrase("AND"))),
        ('"PEACE NOW" SAYS PM AND CABINET', Phrase("PEACE NOW")),
        ("storm /s flood?", Together((STORM, FLOOD), Unit.SENTENCE)),
    ],
)
def test_what_is_syntax_beside_what_only_looks_like_it(text: str, condition: Condition) -> None:
    assert read(text).condition == condition


# A question, where it is wrong in code points from 0, and a word of what is said of it.
MISTAKES = [
    ("storm AND", 6, "AND has nothing after it"),
    ("AND storm", 0, "AND has nothing before it"),
    ("storm OR", 6, "OR has nothing after it"),
    ("storm NOT", 6, "NOT has nothing after it"),
    ("storm AND OR flood", 6, "AND has nothing after it"),
    ("(storm AND) flood", 7, "AND has nothing after it"),
    ("(OR storm) flood", 1, "OR has nothing before it"),
    ("“Sturm” AND", 8, "AND has nothing after it"),
    ("🌀🌀 storm AND", 9, "AND has nothing after it"),
    ("storm NEAR/5", 6, "NEAR/5 has nothing after it"),
    ("NEAR/5 storm", 0, "NEAR/5 has nothing before it"),
    ("storm SAME SENTENCE", 6, "SAME SENTENCE has nothing after it"),
    ("(storm OR flood", 0, "never closed"),
    ("rain AND (storm OR (flood)", 9, "never closed"),
    ("storm OR flood)", 14, "never opened"),
    ("storm OR ()", 9, "nothing stands between"),
    ("storm NEAR/0 flood", 6, "NEAR/1"),
    (f"storm NEAR/{MAX_DISTANCE + 1} flood", 6, f"NEAR/{MAX_DISTANCE}"),
    (f"storm NEAR/{'9' * 5000} flood", 6, f"NEAR/{MAX_DISTANCE}"),
    ("storm NEAR/5 flood NEAR/5 rain", 19, "two sides"),
    ("(storm AND flood) NEAR/5 rain", 0, "words and phrases"),
    ("storm NEAR/5 outlet:Sun", 13, "words and phrases"),
    ("storm NEAR/5 -flood", 13, "words and phrases"),
    ("-storm NEAR/5 flood", 0, "do not go together"),
    ("-storm /s flood", 0, "do not go together"),
    ("storm /s outlet:Sun", 9, "cannot stand beside"),
    ("storm /s headline:flood", 9, "cannot stand beside"),
    ("(storm /p flood) /s rain", 0, "cannot stand beside"),
    ("storm /s flood /p rain", 15, "/s and /p"),
    ("(NOT storm) /s (NOT flood)", 0, "excluded"),
    ("storm after:yesterdayish", 12, "no date"),
    ("storm after:2019-13", 12, "no date"),
    ("storm on:2019-02-30", 9, "no date"),
    ("storm before:0001-01-01", 13, "no date"),
    ("storm on:03/04/2019", 9, "two dates"),
    ('storm on:"Friday"', 9, "no date"),
    ('storm outlet:"The Islander', 13, "never closed"),
    ('outlet:"" storm', 7, "no word"),
    ('byline:"..." storm', 7, "no word"),
    ('headline:"—" storm', 9, "no word"),
    ("headline:(storm OR flood)", 9, "one value"),
]


@pytest.mark.parametrize(("text", "position", "reason"), MISTAKES)
def test_a_mistake_is_refused_where_it_is(text: str, position: int, reason: str) -> None:
    error = refused(text)
    assert error.position == position
    assert reason in error.reason
    assert error.advice


def test_what_would_cost_too_much_is_refused() -> None:
    terms = [f"word{number}" for number in range(MAX_TERMS)]
    assert read(" OR ".join(terms)).condition == Or(tuple(map(Phrase, terms)))
    assert "500 terms" in refused(" OR ".join([*terms, "more"])).reason

    def nested(depth: int) -> str:
        return "(" * depth + "storm" + ")" * depth + " OR rain"

    assert read(nested(MAX_DEPTH)).condition == Or((STORM, RAIN))
    assert refused(nested(MAX_DEPTH + 1)).position == MAX_DEPTH
    assert "inside each other" in refused("not NOT (" * 3_000).reason
    assert read("NOT " * 3_000 + "storm").condition == STORM
    assert read(" ".join(f"plain{number}" for number in range(2_000))).condition is None


def test_verbatim_takes_the_question_as_it_is() -> None:
    query = parse(' "storm" AND (flood  ', mode=Mode.VERBATIM, today=TODAY)
    assert query.condition == Verbatim('"storm" AND (flood')
    assert query.words == '"storm" AND (flood'
    assert query.time == ()
    assert parse("  ", mode=Mode.VERBATIM, today=TODAY).condition is None


@pytest.mark.parametrize(
    ("relation", "when", "first", "last"),
    [
        (Relation.ON, "2019", date(2019, 1, 1), date(2019, 12, 31)),
        (Relation.ON, "2020-02", date(2020, 2, 1), date(2020, 2, 29)),
        (Relation.ON, "2019-03-05", date(2019, 3, 5), date(2019, 3, 5)),
        (Relation.AFTER, "2019", date(2019, 1, 1), date.max),
        (Relation.AFTER, "2019-03-05", date(2019, 3, 5), date.max),
        (Relation.BEFORE, "2019", date.min, date(2018, 12, 31)),
        (Relation.BEFORE, "2019-03", date.min, date(2019, 2, 28)),
    ],
)
def test_after_is_on_or_after_and_before_is_earlier(
    relation: Relation, when: str, first: date, last: date
) -> None:
    assert Dated(relation, when).days == (first, last)


def test_a_time_in_plain_words_is_found_where_it_stands_and_restricts_nothing() -> None:
    query = read('  "storm surge" since 2018 outlet:Sun -2019x after:2017')
    (time,) = query.time
    assert query.text[slice(*time.span)] == "since 2018"
    assert (time.first, time.last) == (date(2018, 1, 1), None)
    assert read("storm after:2019").time == read("storm NOT 2019").time == ()


def test_words_are_composed_as_articles_are() -> None:
    decomposed = unicodedata.normalize("NFD", "Café")
    assert read(f'"{decomposed}"').condition == Phrase("Café")


# ------------------------------------------------------------------------------------ properties

SYNTAX = [
    *("storm", "Flood", "RAIN", "é", "AT&T", "5", "-5", "a", "e\u0301", "ß", "北京"),
    *("ＮＡＴＯ", "ǆ", "🌀"),
    *("AND", "OR", "NOT", "and", "NEAR/3", "NEAR/0", "NEAR/100", "NEAR", "/s", "/p"),
    *("SAME SENTENCE", "SAME PARAGRAPH", "(", ")", "-(", "-", "--", '"', "“", "”", "„", '-"', "*"),
    *("stor*", "st*", "*x", "headline:", "byline:", "outlet:", "section:", "lang:", "after:"),
    *("before:", "on:", "foo:", "2019", "2019-03", "5 March 2019", ":-)", "?", "!", ",", ".", "'"),
    *("\u200b", "\x00", "\ud800", "\u0301", "\u2028", "\t", "ᴀ", "⑴", "İ"),
]  # fmt: skip
ASKED = st.text(max_size=300) | st.lists(
    st.sampled_from(SYNTAX) | st.text(max_size=3), max_size=30
).flatmap(lambda parts: st.sampled_from(["", " "]).map(lambda joint: joint.join(parts)))


def is_understood_or_refused(text: str) -> None:
    for mode in Mode:
        try:
            query = parse(text, mode=mode, today=TODAY)
        except BadQueryError as error:
            inside = error.position is not None and 0 <= error.position < len(text)
            assert inside, error  # noqa: PT017
            continue
        assert query.text == text
        for time in query.time:
            assert time.text == text[slice(*time.span)]
        if query.condition is not None:
            again = parse(str(query.condition), mode=mode, today=TODAY)
            assert again.condition == query.condition
            assert str(again.condition) == str(query.condition)


@given(text=ASKED)
@settings(deadline=None)
def test_any_text_is_understood_or_refused_and_its_canonical_form_is_the_same(text: str) -> None:
    is_understood_or_refused(text)


def random_text(chance: random.Random) -> str:
    """Up to some hundred code points: syntax, letters, and whatever Unicode has."""
    parts = []
    for _ in range(chance.randrange(40)):
        kind = chance.random()
        if kind < 0.6:
            parts.append(chance.choice(SYNTAX))
        elif kind < 0.8:
            parts.append("".join(chance.choices('ab "()-*:/ANDORT', k=chance.randrange(8))))
        else:
            parts.append(chr(chance.randrange(0x11_0000)))
        parts.append(chance.choice(["", " ", " ", " "]))
    return "".join(parts)


def test_two_thousand_random_texts_are_understood_or_refused() -> None:
    chance = random.Random(20_260_301)
    refusals = 0
    for _ in range(2_000):
        text = random_text(chance)
        is_understood_or_refused(text)
        try:
            refusals += read(text).condition is None
        except BadQueryError:
            refusals += 1
    assert 200 < refusals < 1_900  # both happen often


PHRASES = ["storm", "Storm Surge", "AT&T", "AND", "NATO", "é", "5", "(x", "is it? no"]


@st.composite
def conditions(draw: st.DrawFn, depth: int = 3, in_text: bool = False) -> Condition:
    """As the parser makes them: And, Or and Not do not stand directly inside their like."""
    kinds = ["phrase", "phrase", "prefix", "near"]
    kinds += [] if in_text else ["together", "headline", "field", "date"]
    kinds += ["and", "or", "not"] if depth else []

    def drawn() -> Condition:
        return draw(conditions(depth=depth - 1, in_text=in_text))

    def word() -> Phrase | Prefix:
        phrase, start = draw(st.sampled_from(PHRASES)), draw(st.sampled_from(["stor", "ÉC", "20"]))
        return Phrase(phrase) if draw(st.booleans()) else Prefix(start)

    def side() -> Condition:
        return Or((word(), word())) if draw(st.booleans()) else word()

    match draw(st.sampled_from(kinds)):
        case "near":
            return Near(side(), side(), draw(st.integers(1, MAX_DISTANCE)))
        case "together":
            part = draw(conditions(depth=min(depth, 1), in_text=True))
            return Together((word(), part), draw(st.sampled_from(Unit)))
        case "headline":
            return InHeadline(word())
        case "field":
            field = draw(st.sampled_from(["byline", "outlet", "section", "language"]))
            return FieldIs(field, draw(st.sampled_from(["The Sun", "Yahoo!", "A/B", "sun's"])))
        case "date":
            when = draw(st.sampled_from(["2019", "2019-03", "2019-03-05"]))
            return Dated(draw(st.sampled_from(Relation)), when)
        case "and":
            return And(tuple(p for part in (drawn(), drawn()) for p in _parts(part, And)))
        case "or":
            return Or(tuple(p for part in (drawn(), drawn()) for p in _parts(part, Or)))
        case "not":
            part = drawn()
            return part.part if isinstance(part, Not) else Not(part)
        case _:
            return word()


def _parts(condition: Condition, kind: type[And] | type[Or]) -> tuple[Condition, ...]:
    return condition.parts if isinstance(condition, kind) else (condition,)


@given(condition=conditions())
@settings(deadline=None)
def test_every_condition_has_a_form_that_is_read_as_it(condition: Condition) -> None:
    assert read(str(condition)).condition == condition


@given(text=st.text(max_size=200))
@settings(deadline=None)
def test_words_in_quotation_marks_are_always_a_phrase_of_these_words(text: str) -> None:
    inner = "".join(char for char in text if char not in '"“”„‟').replace("\ud800", "")
    try:
        inner.encode()
    except UnicodeEncodeError:
        return
    query = read(f'"{inner}"')
    if exact_words(inner):
        assert isinstance(query.condition, Phrase)
        assert exact_words(query.condition.text) == exact_words(inner)
    else:
        assert query.condition is None


# ------------------------------------------------------------------------------------------ docs

DOCS = (ROOT / "docs" / "query_language.md").read_text("utf-8")


def test_the_documented_examples_are_read_as_the_docs_say() -> None:
    rows = [line.strip("| ").split(" | ")[-2:] for line in DOCS.splitlines() if line[:1] == "|"]
    examples = [(text, reading) for texts, reading in rows for text in re.findall("`(.+?)`", texts)]
    assert len(examples) > 40
    for text, reading in examples:
        condition = read(text).condition
        assert (f"`{condition}`" if condition else "words") == reading, text


def test_the_documented_mistakes_are_refused_where_the_docs_say() -> None:
    mistakes = re.findall(r"`([^`\n]+)` at (\d+)", DOCS)
    assert len(mistakes) == 4
    assert [(text, str(refused(text).position)) for text, _ in mistakes] == mistakes


def test_the_documented_limits_are_those_of_the_code() -> None:
    assert f"{MAX_TERMS} terms and {MAX_DEPTH} parentheses" in DOCS
    assert f"n goes to {MAX_DISTANCE}." in DOCS
