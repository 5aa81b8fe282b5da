"""The articles in sample/ are what the demo and many a test build on: this is what they promise."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pytest

from index.article import PreparedArticle, SourceRecord
from index.errors import BadArticleError
from index.preparing import prepare
from index.reading import read
from index.recurring import is_recurring, line_hashes

SAMPLE = Path(__file__).parent.parent / "sample"
QUESTIONS = Path(__file__).with_name("sample_questions.json")

# Lines of the web page around an article. They stand in the pasted files and in no article.
FURNITURE_LINES = frozenset(
    {
        "[Photo: A boat passes the railway station of Lower Orme on Monday. "
        "Credit: Civil Protection Service/Handout]",
        "1 Chimney comes down on Sunday",
        "2 Rovers draw former champions in first round",
        "3 Pool to close for repairs",
        "ADVERTISEMENT",
        "Advertisement",
        "Compartir",
        "Copy link",
        "Download our app",
        "Email",
        "Enter your email address",
        "Follow us on Facebook and X",
        "Follow us on Facebook, Twitter and Instagram",
        "Got a story? Call the Herald newsdesk on 0155 010 340.",
        "Home / News / Education",
        "In pictures: the coast after Ragna",
        "Local journalism matters. Back the Echo from 3 crowns a month.",
        "Menu",
        "Most read",
        "Photo: Wilma Toft / The Brannick Echo",
        "Power back in most of Tessel",
        "Publicidad",
        "Read more: Council budget at a glance",
        "Read more: How a bicycle mechanic won the Cup",
        "Read more: New buoys for the North Channel, at last",
        "Read more: Two hurt as container falls on Long Quay",
        "Related articles",
        "Search",
        "Share on Facebook",
        "Share on X",
        "Share this article",
        "Share",
        "Sign up for our newsletter",
        "Sign up to the Herald's weekly newsletter",
        "Sign up",
        "Skip to content",
        "Story continues below advertisement",
        "Subscribe",
        "Suscríbete a nuestro boletín",
        "Síguenos en Facebook y X",
        "The best of Brannick in your inbox every morning at 7",
        "Tweet",
        "Video of the day",
        "We use cookies to improve your experience. Accept all | Settings",
        "X",
        "© The Brannick Echo 2023. All rights reserved.",
    }
)
# The same for the saved pages, where a line may have become part of another.
PAGE_FURNITURE = (
    "214 partners",
    "Advertisement",
    "Five stories before your first coffee",
    "More from Business",
    "Printed every day except Sunday",
    "download our app",
    "Comments are closed",
    "Most read this week",
    "Member of the Lake Press Union",
    "Become a member today",
    "Up First in Halvern",
    "Programme guide",
    "dépôt de cookies",
    "À lire aussi",
    "Recevez chaque soir",
    "Tide tables",
    "Write to the editor",
)


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    ids: frozenset[str]
    headlines: frozenset[str]
    answer: str | None

    def is_about(self, prepared: PreparedArticle) -> bool:
        return prepared.article.id in self.ids or prepared.article.headline in self.headlines


def questions() -> list[Question]:
    return [
        Question(
            text=entry["question"],
            ids=frozenset(article["id"] for article in entry["articles"] if "id" in article),
            headlines=frozenset(
                article["headline"] for article in entry["articles"] if "headline" in article
            ),
            answer=entry["answer"],
        )
        for entry in json.loads(QUESTIONS.read_text(encoding="utf-8"))
    ]


@pytest.fixture(scope="module")
def read_results() -> list[SourceRecord | BadArticleError]:
    return list(read([SAMPLE]))


@pytest.fixture(scope="module")
def prepared(read_results: list[SourceRecord | BadArticleError]) -> list[PreparedArticle]:
    """All articles, with the recurring lines of each outlet known, as after a first run."""
    records = [result for result in read_results if isinstance(result, SourceRecord)]
    outlets = Counter(record.outlet for record in records)
    lines = Counter(
        (record.outlet, line) for record in records for line in line_hashes(record.body)
    )
    learned = {
        outlet: frozenset(
            line
            for (of, line), articles in lines.items()
            if of == outlet and is_recurring(articles, outlets[outlet])
        )
        for outlet in outlets
    }
    return [prepare(record, recurring=learned[record.outlet]) for record in records]


def words_of(text: str) -> str:
    """Text without the differences of white space and quotation marks between two outlets."""
    for typographic, plain in (("“", '"'), ("”", '"'), ("’", "'")):
        text = text.replace(typographic, plain)
    return " ".join(text.split())


def paragraphs_of(prepared: PreparedArticle) -> frozenset[str]:
    return frozenset(words_of(line) for line in prepared.article.text.splitlines() if line.strip())


def file_of(prepared: PreparedArticle) -> Path:
    return Path(prepared.source.origin.path)


def copies(prepared: list[PreparedArticle]) -> Iterator[tuple[PreparedArticle, PreparedArticle]]:
    """Pairs of articles that share at least three paragraphs."""
    for one, other in combinations(prepared, 2):
        if len(paragraphs_of(one) & paragraphs_of(other)) >= 3:
            yield one, other


def test_no_record_is_rejected(read_results: list[SourceRecord | BadArticleError]) -> None:
    assert [str(result) for result in read_results if isinstance(result, BadArticleError)] == []


def test_there_are_at_least_sixty_articles_each_with_its_own_id_and_headline(
    prepared: list[PreparedArticle],
) -> None:
    assert len(prepared) >= 60
    assert len({entry.article.id for entry in prepared}) == len(prepared)
    assert len({entry.article.headline for entry in prepared} - {""}) == len(prepared)


def test_articles_come_in_four_formats(prepared: list[PreparedArticle]) -> None:
    formats = Counter(file_of(entry).suffix for entry in prepared)
    assert set(formats) == {".jsonl", ".txt", ".html", ".xml"}
    assert min(formats.values()) >= 8


def test_a_dozen_articles_are_messy_and_their_furniture_is_in_no_article(
    prepared: list[PreparedArticle],
) -> None:
    pasted = [entry for entry in prepared if file_of(entry).suffix == ".txt"]
    furniture = [FURNITURE_LINES.intersection(entry.source.body.splitlines()) for entry in pasted]
    assert sum(len(lines) >= 2 for lines in furniture) >= 12
    assert frozenset().union(*furniture) == FURNITURE_LINES  # none is looked for in vain
    left = {
        (file_of(entry).name, line)
        for entry in pasted
        for line in FURNITURE_LINES.intersection(entry.article.text.splitlines())
    }
    assert left == set()


def test_furniture_of_saved_pages_is_in_no_article(prepared: list[PreparedArticle]) -> None:
    pages = [entry for entry in prepared if file_of(entry).suffix == ".html"]
    sources = [entry.source.raw.decode() for entry in pages]
    assert all(any(words in source for source in sources) for words in PAGE_FURNITURE)
    left = [
        (file_of(entry).name, words)
        for entry in pages
        for words in PAGE_FURNITURE
        if words in entry.article.text
    ]
    assert left == []


def test_at_least_four_agency_stories_ran_in_other_outlets_too(
    prepared: list[PreparedArticle],
) -> None:
    ran_in: Counter[str] = Counter()
    for one, other in copies(prepared):
        if one.article.outlet == "Meridian Wire" != other.article.outlet:
            ran_in[one.article.id] += 1
        elif other.article.outlet == "Meridian Wire" != one.article.outlet:
            ran_in[other.article.id] += 1
    assert len(ran_in) >= 4
    assert max(ran_in.values()) >= 3


def test_an_update_and_a_correction_stand_beside_the_first_version(
    prepared: list[PreparedArticle],
) -> None:
    headlines = [entry.article.headline for entry in prepared]
    assert any(headline.startswith("UPDATE 1-") for headline in headlines)
    corrected = [entry for entry in prepared if entry.article.headline.startswith("CORRECTED-")]
    assert len(corrected) == 1
    assert any(corrected[0] in pair for pair in copies(prepared))


def test_dates_lie_between_2021_and_2024_or_are_unknown(prepared: list[PreparedArticle]) -> None:
    published = {file_of(entry).name: entry.article.published for entry in prepared}
    unknown = {name for name, when in published.items() if when is None}
    assert unknown == {"chess-girl.txt", "kirrin-messenger-launch-noise.html"}
    years = {entry.article.published.on.year for entry in prepared if entry.article.published}
    assert years == {2021, 2022, 2023, 2024}


def test_four_languages_and_many_sections_occur(prepared: list[PreparedArticle]) -> None:
    languages = Counter(entry.article.language for entry in prepared)
    assert {"en", "de", "fr", "es"} <= set(languages)
    assert languages["en"] > 50
    assert len({entry.article.section for entry in prepared}) >= 12


def test_every_address_is_reserved_for_examples(prepared: list[PreparedArticle]) -> None:
    urls = [entry.article.url for entry in prepared if entry.article.url]
    assert len(urls) >= 50
    assert all(url.removeprefix("https://").split("/")[0].endswith(".example") for url in urls)


def test_there_are_forty_answered_questions_and_six_that_nothing_answers() -> None:
    answered = [question for question in questions() if question.answer is not None]
    unanswered = [question for question in questions() if question.answer is None]
    assert len(answered) >= 40
    assert len(unanswered) >= 6
    assert all(question.ids | question.headlines for question in answered)
    assert not any(question.ids | question.headlines for question in unanswered)


@pytest.mark.parametrize(
    "question",
    [question for question in questions() if question.answer is not None],
    ids=lambda question: question.text,
)
def test_the_answer_stands_in_a_passage_of_each_judged_article_and_in_no_other_article(
    question: Question, prepared: list[PreparedArticle]
) -> None:
    answer = question.answer
    assert answer is not None
    judged = [entry for entry in prepared if question.is_about(entry)]
    assert len(judged) == len(question.ids) + len(question.headlines)
    answering = [
        entry for entry in prepared if any(answer in passage.text for passage in entry.passages)
    ]
    assert answering == judged
