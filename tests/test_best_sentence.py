"""Which sentence of a passage answers a question."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.chunking import sentences
from index.words import _analyzer
from search.best_sentence import BestSentence

DATA = Path(os.environ.get("NUTGRAF_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
# A little under what was measured of the questions below: .885.
FLOOR_SQUAD = 0.87

analyze = _analyzer().analyze

HARBOUR = (
    "Is the ferry running again? The ferry sailed at dawn. Harbour master Ines Okoro watched it "
    "leave the pier with 212 passengers. She told reporters that the storm had cost the town "
    "dearly. The company closed the line in March 2019 because the pier had sunk. It belongs to "
    "the island’s council."
)


def chosen(question: str, text: str = HARBOUR) -> str:
    start, end = BestSentence(question, analyze).span(text, "en")
    return text[start:end]


@pytest.mark.parametrize(
    ("question", "beginning"),
    [
        ("What did the storm cost?", "She told"),
        ("How many passengers were on the ferry?", "Harbour master"),
        ("How many saw the pier at dawn?", "Harbour master"),  # the dawn is one before
        ("When did the company close the line?", "The company"),
        ("Why was the line closed?", "The company"),
        ("Who watched the ferry?", "Harbour master"),
        ("What did Ines Okoro tell reporters?", "She told"),  # her name is one before
        ("To whom does the company belong?", "It belongs"),
        ("Is the ferry running again?", "The ferry sailed"),  # not where only that is said
    ],
)
def test_the_sentence_that_answers_is_chosen(question: str, beginning: str) -> None:
    assert chosen(question).startswith(beginning)


def test_a_number_or_a_year_that_the_question_says_itself_is_no_answer() -> None:
    text = "The pier was sold in 1994. The pier was painted in 1990."
    assert chosen("In which year was the pier of 1990 sold?", text).startswith("The pier was sold")
    text = "Of the boats 12 were late. The boats counted 40 in all."
    assert chosen("How many boats of 40 were late?", text).startswith("Of the boats")


def test_of_equals_the_first_is_chosen() -> None:
    assert chosen("zeppelin") == "Is the ferry running again?"
    assert chosen("") == chosen("what is it") == "Is the ferry running again?"


def test_a_text_of_one_sentence_or_none_is_taken_as_it_is() -> None:
    assert chosen("Who sailed?", "  The ferry sailed.\n") == "The ferry sailed."
    assert BestSentence("Who sailed?", analyze).span("", "en") == (0, 0)
    assert BestSentence("Who sailed?", analyze).span(" \n ") == (0, 0)


def test_spans_count_code_points() -> None:
    text = "🚢🚢 Die Fähre kam an. Der Hafen blieb geschlossen."
    span = BestSentence("Wer schloss den Hafen?", analyze).span(text, "de")
    assert text[slice(*span)] == "Der Hafen blieb geschlossen."


@given(st.text(max_size=60), st.text(max_size=300))
def test_the_span_is_one_of_the_sentences(question: str, text: str) -> None:
    question = question.encode("utf-8", "replace").decode()
    text = text.encode("utf-8", "replace").decode()
    span = BestSentence(question, analyze).span(text, "en")
    assert span in (list(sentences(text, "en")) or [(0, 0)])


@pytest.mark.skipif(
    not (DATA / "squad_dev_v1.1").is_dir(), reason="needs the judged questions of NUTGRAF_DATA"
)
def test_the_chosen_sentence_holds_the_answer_as_often_as_was_measured() -> None:
    folder = DATA / "squad_dev_v1.1"
    corpus = (folder / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    texts = {document["_id"]: document["text"] for document in map(json.loads, corpus)}
    rows = (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]
    relevant = dict(row.split("\t")[:2] for row in rows)
    lines = (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line) for line in lines[1::20]]  # odd-numbered: 529 of 10,570
    held = [
        any(
            answer in chosen(question["text"], texts[relevant[question["_id"]]])
            for answer in question["metadata"]["answers"]
        )
        for question in questions
    ]
    assert sum(held) / len(held) >= FLOOR_SQUAD
