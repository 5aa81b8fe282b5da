"""Which sentences make the entries of a timeline."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from index.article import ArticleId, PassageId, Published
from index.store import ArticleRow, PassageRow
from search.coverage.story import summary_of, timeline_of
from search.coverage.timeline import MOST_ENTRIES, Development, lead_of

FIRE = "The ferry Petrel caught fire off Tern Island on Monday and 84 passengers were rescued."
AGAIN = (
    "All 84 passengers were rescued on Monday when the ferry Petrel caught fire off Tern Island."
)
WARNED = "Inspector Falk said Wednesday that the Petrel’s owner ignored warnings about a fuel pipe."
SENTENCES = (FIRE, AGAIN, WARNED)


def article(number: int, published: str, text: str, language: str = "en") -> ArticleRow:
    return ArticleRow(
        number=number,
        id=ArticleId(f"a-{number}"),
        version=1,
        added_seq=1,
        headline="",
        outlet=f"Outlet {number}",
        byline="",
        section="",
        language=language,
        url="",
        guid="",
        published=Published(published) if published else None,
        text=text,
    )


def passages_of(article: ArticleRow) -> list[PassageRow]:
    """Each line of the text as a passage."""
    passages, start = [], 0
    for number, line in enumerate(article.text.split("\n")):
        if line:
            id = PassageId(f"{article.id}-{number}")
            passages.append(PassageRow(number, id, number, start, start + len(line), article))
        start += len(line) + 1
    return passages


def timeline(*articles: ArticleRow) -> tuple[Development, ...]:
    """Of a story in which each article is a report."""
    summary = summary_of(1, articles, {each.number: each.number for each in articles})
    return timeline_of(summary, passages_of)


def quotes(developments: Sequence[Development]) -> list[str]:
    return [development.sentence.text for development in developments]


def test_each_development_is_told_once_in_the_order_of_time() -> None:
    told = timeline(
        article(3, "2025-03-12", WARNED),
        article(2, "2025-03-10T09:00Z", AGAIN),
        article(1, "2025-03-10T06:00Z", FIRE),
    )
    assert quotes(told) == [FIRE, WARNED]
    assert [development.article.id for development in told] == ["a-1", "a-3"]


def test_the_first_report_always_has_an_entry() -> None:
    assert quotes(timeline(article(1, "", FIRE))) == [FIRE]
    assert quotes(timeline(article(1, "2025-03-10", FIRE), article(2, "", AGAIN)))[0] == FIRE


def test_news_that_is_repeated_the_next_day_makes_no_entry() -> None:
    assert quotes(timeline(article(1, "2025-03-10", FIRE), article(2, "2025-03-11", AGAIN))) == [
        FIRE
    ]


def test_the_sentence_with_the_news_is_quoted_wherever_it_stands_in_the_beginning() -> None:
    later = article(2, "2025-03-12", f"{AGAIN}\n\n{WARNED}")
    told = timeline(article(1, "2025-03-10", FIRE), later)
    assert quotes(told) == [FIRE, WARNED]
    assert told[1].sentence.passage.id == "a-2-2"


def test_an_entry_says_how_many_took_it_up() -> None:
    told = timeline(
        article(1, "2025-03-10", FIRE),
        article(2, "2025-03-12", WARNED),
        article(3, "2025-03-13", f"{WARNED}\n\n{FIRE}"),
    )
    assert [development.taken_up for development in told] == [1, 1]


def test_captions_and_fragments_are_not_quoted() -> None:
    text = (
        "FILE - The ferry Petrel lies in the harbour of Tern Island, in this photo of 2024.\n"
        "Ferry on fire.\n"
        "News | Weather | The ferry Petrel burns off Tern Island and more of today’s stories.\n"
        f"{FIRE}"
    )
    assert [sentence.text for sentence in lead_of(passages_of(article(1, "", text)))] == [FIRE]


def test_a_story_of_captions_has_no_timeline() -> None:
    assert timeline(article(1, "2025-03-10", "Ferry on fire")) == ()


def test_a_long_story_keeps_to_a_dozen_entries_from_its_beginning_to_its_end() -> None:
    days = [
        article(
            day,
            f"2025-03-{day:02}",
            f"The ferry Petrel off Tern Island met trouble word{day}a word{day}b word{day}c.",
        )
        for day in range(1, 31)
    ]
    told = timeline(*days)
    assert len(told) == MOST_ENTRIES
    assert told[0].article.id == "a-1"
    ids = [int(development.article.id[2:]) for development in told]
    assert ids == sorted(ids)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "2025", "2025-03", "2025-03-10", "2025-03-10T06:00Z"]),
            st.lists(st.sampled_from([*SENTENCES, "", "X.", "“Ja!”", "…"]), max_size=5),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_every_entry_is_what_its_span_points_at_inside_its_passage(
    drawn: list[tuple[str, list[str]]],
) -> None:
    articles = [
        article(number, published, "\n".join(lines))
        for number, (published, lines) in enumerate(drawn, 1)
    ]
    for development in timeline(*articles):
        sentence = development.sentence
        assert development.article.text[sentence.start : sentence.end] == sentence.text
        assert sentence.passage.start <= sentence.start < sentence.end <= sentence.passage.end
        assert sentence.passage.article is development.article


def test_a_text_in_another_language_has_entries_too() -> None:
    first = article(1, "2025-03-10", "Die Fähre Petrel brannte am Montag vor der Insel.", "de")
    then = article(2, "2025-03-12", "Der Reeder hatte zwei Warnungen übersehen, sagte Falk.", "de")
    assert len(timeline(first, then)) == 2
