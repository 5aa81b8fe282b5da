"""What a condition lets through: each operator on small articles, and all of them by a scan."""

import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scan import Asked, Scanned, found, scanned, written
from test_query import random_text

from index.article import Origin, Published, SourceRecord
from index.errors import BadQueryError
from index.snapshot import Snapshot, SnapshotReader
from index.writer import Writer
from search.conditions import Matching, loosened, matching
from search.interpretation import Role, described
from search.query import Mode, parse

TODAY = date(2026, 3, 1)
# Over 80 tokens, so that it ends a passage whatever follows; it holds no word that is asked for.
FILL = "Nobody in this long paragraph says anything that a question here could be after. " * 6

# Awkward in turn: two passages; words in the headline alone; the same word again and again;
# accents; punctuation in words; prefixes of each other; no headline and three passages; phrases
# that overlap with their words; German.
ARTICLES = [
    ("a0", "Storm closes harbour", f"The storm surge came at night. Flood gates held. {FILL}"),
    ("a1", "Flood in Dover", f"Rain fell. {FILL}\n\nThe storm passed; no surge came. {FILL}"),
    ("a2", "Storm and flood", f"{FILL}\n\n{FILL} Nothing more."),
    ("a3", "No. No. No", f"No, no, no, said the mayor. {FILL}"),
    ("a4", "Café crème für Élysée", f"The CAFÉ’s owner, Zoë, sells crêpes; 25°C. {FILL}"),
    ("a5", "AT&T to buy e-mail firm", f"The U.S.-led C++ group (AT&T) said so. {FILL}"),
    ("a6", "Economy", f"Economics of the economist’s economies. {FILL} Eco. {FILL}"),
    ("a7", "", f"Storm. {FILL}\n\nFlood. {FILL}\n\nStorm, flood. {FILL}"),
    (
        "a8",
        "Minister resigns",
        f"The prime minister, who is ill, spoke. The minister for rain left. {FILL}",
    ),
    ("a9", "The the the", f"A storm of rain and flood: flood of rain, storm. {FILL}"),
    ("b0", "ÅNGSTRÖM & STRASSE", f"Große Straße, naïve résumé. “Storm,” he said. {FILL}"),
]
FIELDS = {
    "a0": ("Le Phare", "Ana Duarte", "News", "2019-03-05"),
    "a1": ("LE PHARÉ", "Tomas Lindqvist and Ana Duarte", "Sport", "2019-03"),
    "a2": ("The Sun", "", "news", "2019"),
    "a3": ("Sun", "O’Brien", "", ""),  # of unknown date
    "a4": ("The Sun", "Duarte", "News", "2018-12-31T23:30"),
}
NEVER = ("", "", "", "2020-01-01")


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    folder = tmp_path_factory.mktemp("conditions")
    records = []
    for own_id, headline, text in ARTICLES:
        outlet, byline, section, published = FIELDS.get(own_id, NEVER)
        records.append(
            SourceRecord(
                Origin("test", 1),
                own_id.encode(),
                text,
                own_id=own_id,
                headline=headline,
                outlet=outlet,
                byline=byline,
                section=section,
                language="de" if own_id == "b0" else "en",
                published=Published(published) if published else None,
            )
        )
    gone = SourceRecord(Origin("test", 1), b"", f"Storm flood rain economy. {FILL}", own_id="gone")
    with Writer(folder) as writer:
        assert all(outcome.status == "added" for outcome in writer.add([gone, *records]))
        (gone_id,) = [o.article_id for o in writer.add([gone])]
        assert writer.remove([gone_id]) == [True]
        reader = SnapshotReader(folder)
        yield reader.latest()
        reader.close()


@pytest.fixture(scope="module")
def articles(snapshot: Snapshot) -> list[Scanned]:
    return scanned(snapshot)


def ask(snapshot: Snapshot, text: str, mode: Mode = Mode.PLAIN) -> Matching:
    condition = parse(text, mode=mode, today=TODAY).condition
    assert condition is not None
    return matching(condition, snapshot)


def hits(snapshot: Snapshot, text: str, mode: Mode = Mode.PLAIN) -> list[str]:
    """Own id and number of each passage that is let through, as `a1.0`."""
    rows = snapshot.passage_rows(np.flatnonzero(ask(snapshot, text, mode).mask).tolist())
    return sorted(f"{row.article.id.split(':')[-1]}.{row.ordinal}" for row in rows.values())


RULES = [
    ('"storm surge"', "a0.0"),
    ('"storm passed no surge"', "a1.1"),  # punctuation does not count
    ('"surge storm"', ""),
    ('"night flood"', "a0.0"),  # a phrase goes beyond a sentence...
    ('"nothing more the"', ""),  # ...but not beyond a passage
    # the unit is the article with its headline; shown is the passage that holds a term
    ("dover AND surge", "a1.1"),
    ("storm AND surge", "a0.0 a1.1"),
    ("storm AND flood", "a0.0 a1.1 a2.0 a7.0 a7.1 a7.2 a9.0"),
    ("storm NOT flood", "b0.0"),
    ('"storm" -flood', "b0.0"),
    ('-storm "rain"', "a8.0"),
    ("dover OR surge", "a0.0 a1.1"),
    ("headline:storm", "a0.0 a2.0"),
    ("headline:storm AND gates", "a0.0"),
    ('headline:"storm and flood"', "a2.0"),
    ("headline:sto* -harbour", "a2.0"),
    ('"storm" -headline:storm', "a1.1 a7.0 a7.2 a9.0 b0.0"),
    # NEAR counts words, in either order, and a word is not near itself
    ("storm NEAR/1 surge", "a0.0"),
    ("surge NEAR/1 storm", "a0.0"),
    ("storm NEAR/2 surge", "a0.0"),
    ("storm NEAR/3 surge", "a0.0 a1.1"),
    ("surge NEAR/3 storm", "a0.0 a1.1"),
    ("no NEAR/1 no", "a3.0"),
    ("mayor NEAR/9 mayor", ""),
    ("the NEAR/2 the", "a9.0"),  # in the headline
    ('"prime minister" NEAR/3 ill', "a8.0"),
    ('"prime minister" NEAR/2 ill', ""),
    ('"prime minister" NEAR/9 minister', "a8.0"),  # not the one inside of it, but the next
    ('"prime minister" NEAR/5 minister', ""),
    ("(surge OR gates) NEAR/2 (storm OR flood)", "a0.0"),
    ("storm* NEAR/3 (rain OR surge)", "a0.0 a1.1 a9.0"),
    # sentences and paragraphs
    ("storm /s surge", "a0.0 a1.1"),
    ("surge /s flood", ""),
    ("surge /p flood", "a0.0"),
    ("rain /p storm", "a9.0"),
    ("storm /p flood", "a0.0 a2.0 a7.2 a9.0"),  # in a2 in the headline
    ("storm /s flood", "a2.0 a7.2 a9.0"),
    ("minister /s (NOT prime)", "a8.0"),
    ("storm /s (NOT surge)", "a0.0 a2.0 a7.0 a7.2 a9.0 b0.0"),
    ("minister /s ill /s prime", "a8.0"),
    ("minister /s ill /s rain", ""),
    ("(prime NEAR/5 ill) /s spoke", "a8.0"),
    # prefixes
    ("econom*", "a6.0"),
    ("eco*", "a6.0 a6.1"),
    ("economie*", "a6.0"),
    ("cre*", "a4.0"),
    # case and accents
    ('"CREPES"', "a4.0"),
    ('"creme"', "a4.0"),
    ('"elysee"', "a4.0"),
    ('"grosse strasse"', "b0.0"),
    ('"ANGSTROM"', "b0.0"),
    # no stemming
    ('"storms"', ""),
    ('"crepe"', ""),
    # punctuation in words
    ('"AT&T"', "a5.0"),
    ('"at t"', "a5.0"),
    ("AT&T AND led", "a5.0"),
    ('"e-mail"', "a5.0"),
    ('"email"', ""),
    # fields
    ('outlet:"le phare" AND storm', "a0.0 a1.1"),
    ("outlet:sun", "a3.0"),
    ('outlet:"the sun" -section:NEWS', ""),
    ("byline:duarte -outlet:sun", "a0.0 a1.0 a1.1 a4.0"),
    ('byline:"duarte ana"', "a0.0 a1.0 a1.1"),
    ("lang:de", "b0.0"),
    # dates
    ("after:2019 before:2020", "a0.0 a1.0 a1.1 a2.0 a2.1"),
    ("on:2019-03", "a0.0 a1.0 a1.1"),
    ("on:2019-03-01", "a1.0 a1.1"),  # only the month is known: its first day
    ("before:2019", "a4.0"),
    ("NOT after:1900", "a3.0"),  # of unknown date
    ("after:2019-03-05 before:2020", "a0.0"),
]


@pytest.mark.parametrize(("text", "expected"), RULES, ids=[text for text, _ in RULES])
def test_what_each_operator_lets_through(snapshot: Snapshot, text: str, expected: str) -> None:
    assert hits(snapshot, text) == expected.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("storm surge", "a0.0"),
        ("Storm surge", ""),  # case counts
        ("orm surge came at nigh", "a0.0"),  # and not where words begin
        ("torm clo", "a0.0"),  # in the headline
        ("Flood gates held.", "a0.0"),
        ("Flood gates held,", ""),
        ("CAFÉ’s", "a4.0"),
        ("CAFE's", ""),
        ("AT&T)", "a5.0"),
        ("(AT&T) AND", ""),
        ("25°C.", "a4.0"),
        ("“", "b0.0"),
        ("; ", "a1.1 a4.0"),
        ("No, no", "a3.0"),
        ("ß", "b0.0"),
        ("x" * 3_000, ""),
    ],
)
def test_verbatim_is_found_to_the_last_comma(snapshot: Snapshot, text: str, expected: str) -> None:
    assert hits(snapshot, text, Mode.VERBATIM) == expected.split()


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ('"storm"', True),
        ("storm OR flood", True),
        ("headline:storm", True),
        ('"storm" -flood', True),
        ("-flood", False),
        ("outlet:sun after:2019 NOT flood", False),
        ("NOT (flood NOT storm)", True),
    ],
)
def test_a_condition_with_a_text_to_find_decides_the_whole_result_set(
    snapshot: Snapshot, text: str, complete: bool
) -> None:
    assert ask(snapshot, text).complete is complete


def test_what_was_removed_is_not_found(snapshot: Snapshot) -> None:
    numbers = snapshot.columns.number
    for text in ("storm AND economy", "storm NEAR/9 economy", "storm /s economy"):
        assert hits(snapshot, text) == []
    assert ask(snapshot, "NOT zeppelin").mask.sum() == len(numbers)


def test_an_archive_without_articles_has_nothing_to_find(tmp_path: Path) -> None:
    with Writer(tmp_path):
        pass
    reader = SnapshotReader(tmp_path)
    empty = reader.latest()
    for text in ("storm OR flo*", "NOT storm", "a NEAR/3 a", "a /s b", "headline:x", "on:2019"):
        assert ask(empty, text).mask.tolist() == []
    assert ask(empty, "—", Mode.VERBATIM).mask.tolist() == []
    reader.close()


# ------------------------------------------------------------------------------------ properties

TEXTS = ["storm", "Flood", "rain", "no", "the", "storm surge", "prime minister", "no no", "the s"]
OF_ARTICLES = [
    *(("outlet", "le phare"), ("outlet", "Sun"), ("byline", "Duarte"), ("section", "NEWS")),
    *(("language", "de"), ("after", "2019"), ("before", "2019-03-05"), ("on", "2019-03")),
]


@st.composite
def questions(draw: st.DrawFn, depth: int = 3, in_text: bool = False) -> Asked:
    kinds = ["word", "word", "near"] + ([] if in_text else ["together", "headline", "article"])
    kinds += ["and", "or", "not"] if depth else []

    def drawn() -> Asked:
        return draw(questions(depth=depth - 1, in_text=in_text))

    def word() -> Asked:
        phrase = draw(st.sampled_from(TEXTS))
        start = draw(st.sampled_from(["sto", "eco", "no", "min", "fl"]))
        return ("phrase", phrase) if draw(st.booleans()) else ("prefix", start)

    def side() -> Asked:
        return ("or", word(), word()) if draw(st.booleans()) else word()

    match draw(st.sampled_from(kinds)):
        case "near":
            return ("near", side(), side(), draw(st.integers(1, 12)))
        case "together":
            # One part is not excluded as a whole: the language asks for it.
            other = draw(questions(depth=min(depth, 2), in_text=True))
            return (draw(st.sampled_from(["sentence", "paragraph"])), word(), other)
        case "headline":
            return ("headline", word())
        case "article":
            return draw(st.sampled_from(OF_ARTICLES))
        case "and" | "or" as kind:
            return (kind, drawn(), drawn())
        case "not":
            return ("not", drawn())
        case _:
            return word()


@given(asked=questions(), seed=st.integers(0, 1 << 20))
@settings(deadline=None)
def test_all_that_a_scan_finds_is_found_and_nothing_else(
    snapshot: Snapshot, articles: list[Scanned], asked: Asked, seed: int
) -> None:
    # One more condition, so that a plain word is none of its own.
    text = f"({written(asked, random.Random(seed))}) AND NOT zeppelin"
    assert _positions(ask(snapshot, text), snapshot) == found(asked, articles)


def _positions(matched: Matching, snapshot: Snapshot) -> set[tuple[int, int]]:
    columns = snapshot.columns
    return {
        (int(columns.article[position]), int(columns.ordinal[position]))
        for position in np.flatnonzero(matched.mask)
    }


@given(data=st.data())
@settings(deadline=None)
def test_any_piece_of_a_text_is_found_verbatim(
    snapshot: Snapshot, articles: list[Scanned], data: st.DataObject
) -> None:
    text = data.draw(
        st.sampled_from([unit.text for a in articles for unit in a.units if unit.text])
    )
    start = data.draw(st.integers(0, len(text) - 1))
    piece = text[start : start + data.draw(st.integers(1, 60))].strip()
    if piece:
        matched = ask(snapshot, piece, Mode.VERBATIM)
        assert _positions(matched, snapshot) == found(("verbatim", piece), articles)


def test_two_thousand_random_texts_match_something_or_nothing(snapshot: Snapshot) -> None:
    chance = random.Random(20_260_302)
    answered = 0
    for number in range(2_000):
        mode = Mode.VERBATIM if number % 10 == 0 else Mode.PLAIN
        try:
            query = parse(random_text(chance), mode=mode, today=TODAY)
        except BadQueryError:
            continue
        if query.condition is not None:
            assert matching(query.condition, snapshot).mask.shape == (snapshot.passages,)
            answered += 1
        if number % 10 == 1:
            described(query, snapshot)
    assert answered > 200


# ------------------------------------------------------------------------------------ quotations


@pytest.mark.parametrize("quoted", ["yellow river of storms", "storm surge came"])
def test_a_question_asks_for_what_it_quotes_by_words(quoted: str, snapshot: Snapshot) -> None:
    query = parse(f'Who sang "{quoted}" at night?', today=TODAY)
    loose = loosened(query)
    assert (loose.condition, loose.loose) == (None, query.condition)
    assert loose.words == query.text
    assert described(loose, snapshot).loose == f'"{quoted}"'


@pytest.mark.parametrize(
    "question",
    [
        '"yellow river of storms"',  # nothing but the quotation
        '"yellow river of storms"?',
        'sang "yellow river of storms"',  # no question
        'Who sang "yellow river of storms" outlet:Sun?',  # more than a quotation
        "Who sang?",
    ],
)
def test_any_other_question_keeps_what_restricts_it(question: str) -> None:
    query = parse(question, today=TODAY)
    assert loosened(query) is query


# ------------------------------------------------------------------------------- interpretation


def test_an_interpretation_says_what_each_term_does_and_finds(snapshot: Snapshot) -> None:
    query = parse('the sails "storm" eco* -flood -headline:dover since 2018', today=TODAY)
    told = described(query, snapshot)
    assert told.words == "the sails storm eco since 2018"
    assert told.condition == '"storm" AND eco* AND NOT "flood" AND NOT headline:"dover"'
    assert told.complete
    assert told.time == query.time != ()
    terms = {term.text: term for term in told.terms}
    assert list(terms) == [
        '"storm"',
        "eco*",
        '"flood"',
        'headline:"dover"',
        "sails",
        "since",
        "2018",
    ]
    assert [terms[text].role for text in ('"storm"', '"flood"', "sails")] == [
        Role.RESTRICTS,
        Role.EXCLUDES,
        Role.RANKS,
    ]
    # In its text or in its headline: a0, a1.1, both of a2, a7.0, a7.2, a9, b0.
    assert terms['"storm"'].passages == 8
    assert terms['headline:"dover"'].passages == 2
    assert terms["eco*"].passages == 2
    assert dict(terms["eco*"].expansions)["economics"] == 1
    assert terms["sails"].passages == 0


def test_plain_words_are_counted_in_all_their_forms(snapshot: Snapshot) -> None:
    told = described(parse("ministers in storms", today=TODAY), snapshot)
    assert [(term.text, term.role, term.passages) for term in told.terms] == [
        ("ministers", Role.RANKS, 1),
        ("storms", Role.RANKS, 8),
    ]
    assert (told.condition, told.complete) == (None, False)
