"""Which passages hold a question's words, for any question."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tantivy import Occur, Query

from index.words import WordsIndex, WordsReader, WordsRow, WordsView
from search.lexical import MAX_TERMS, LexicalQuery, lexical_query

# Number 3 has the question's word in its headline alone, number 5 a rare word once.
TEXTS = {
    1: ("", "The ferry sails at dawn. The ferry is late."),
    2: ("", "The ferry and the harbour; the harbour master spoke."),
    3: ("Harbour reopens", "Divers looked at the outer mole."),
    4: ("", "The council voted for trams."),
    5: ("", "The council voted for a zeppelin."),
    6: ("", 'What did they say? AND OR NOT body:ferry (ferry* "ferry" ^2'),
}


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WordsView]:
    folder: Path = tmp_path_factory.mktemp("words") / "words"
    index = WordsIndex(folder)
    rows = [
        WordsRow(number, body, headline, "Courier", "", "", "en", None)
        for number, (headline, body) in TEXTS.items()
    ]
    index.apply(1, [], rows)
    yield WordsReader(folder).view()
    index.close()


def asked(words: WordsView, question: str, *filters: Query) -> LexicalQuery:
    return lexical_query(words, question, len(TEXTS), filters)


def found(words: WordsView, question: str, *filters: Query) -> list[int]:
    numbers, _ = asked(words, question, *filters).candidates(100)
    return [int(number) for number in numbers]


def test_any_word_of_the_question_is_enough_and_more_are_better(words: WordsView) -> None:
    assert found(words, "harbour ferry")[0] == 2
    assert set(found(words, "harbour ferry")) == {1, 2, 3, 6}


def test_words_match_by_stem_and_without_case_or_accent(words: WordsView) -> None:
    assert set(found(words, "FERRIES")) == set(found(words, "férry")) == {1, 2, 6}


def test_an_article_is_found_by_a_word_of_its_headline_alone(words: WordsView) -> None:
    assert found(words, "reopened") == [3]


@pytest.mark.parametrize(
    "question", ["the and of", "…—!?", "🚢🚢", "\x00", "zzzz qqqq", "-", "()", "*"]
)
def test_a_question_without_a_word_of_the_archive_finds_nothing(
    words: WordsView, question: str
) -> None:
    query = asked(words, question)
    assert query.bound == 0
    assert not len(query.candidates(10)[0])
    assert query.scores(np.array([1, 2])).tolist() == [0, 0]


@given(question=st.text(max_size=300) | st.text('ferry AND"()*:^~-[]{}\\/+ body0123', max_size=99))
@settings(deadline=None)
def test_no_question_is_an_error(words: WordsView, question: str) -> None:
    question = question.encode("utf-8", "replace").decode()
    numbers, scores = asked(words, question).candidates(10)
    assert len(numbers) == len(scores)


def test_query_syntax_is_words_like_any_other(words: WordsView) -> None:
    assert set(found(words, "ferry -harbour")) == set(found(words, "ferry harbour"))
    assert set(found(words, 'outlet:Courier "late ferry"~3')) == {1, 2, 6}


@given(picked=st.lists(st.sampled_from(" ".join(body for _, body in TEXTS.values()).split())))
@settings(deadline=None)
def test_no_passages_own_words_reach_the_bound(words: WordsView, picked: list[str]) -> None:
    query = asked(words, " ".join(picked))
    without_headlines = [
        (number, score)
        for number, score in zip(*query.candidates(100), strict=True)
        if not TEXTS[int(number)][0]
    ]
    assert all(score < query.bound for _, score in without_headlines)


def test_scores_of_chosen_passages_are_those_of_the_search(words: WordsView) -> None:
    query = asked(words, "the harbour master's ferry")
    numbers, scores = query.candidates(100)
    order = np.array([5, *numbers.tolist()[::-1], 4])  # 4 and 5 hold none of the words
    assert query.scores(order).tolist() == [0.0, *scores.tolist()[::-1], 0.0]
    assert query.scores(np.array([], np.int64)).shape == (0,)


def test_filters_hold_and_add_nothing_to_the_score(words: WordsView) -> None:
    def only(outlet: str) -> Query:
        return Query.const_score_query(Query.term_query(words.schema, "outlet", outlet), 0.0)

    assert found(words, "ferry", only("Nobody")) == []
    every, _ = asked(words, "ferry").candidates(10), None
    same = asked(words, "ferry", only("Courier")).candidates(10)
    assert every[1].tolist() == same[1].tolist()


def test_words_that_no_article_has_are_the_rarest_of_all(words: WordsView) -> None:
    assert asked(words, "harbour ferry").known == 1
    assert asked(words, "harbour ferry zebra").known > 0.4
    assert 0 < asked(words, "ferry zebra yeti").known < 0.3
    assert asked(words, "zebra yeti").known == asked(words, "").known == 0
    misspelt = lexical_query(words, "ferry harbuor", len(TEXTS), (), ["harbour"])
    assert misspelt.known == 1


def test_a_long_question_is_asked_by_its_rarest_words(words: WordsView) -> None:
    many = " ".join(f"w{number}" for number in range(10_000))
    query = asked(words, f"{many} the ferry, the council and a zeppelin {many}")
    assert tuple(query.weights) == ("zeppelin", "council", "ferri")
    assert found(words, f"{many} zeppelin") == [5]


def test_of_more_words_than_the_limit_the_commonest_are_dropped(tmp_path: Path) -> None:
    index = WordsIndex(tmp_path / "words")
    rare = [f"rare{number}x" for number in range(MAX_TERMS)]
    rows = [WordsRow(1, " ".join(rare), "", "", "", "", "", None)]
    rows += [WordsRow(number, "common", "", "", "", "", "", None) for number in range(2, 9)]
    index.apply(1, [], rows)
    query = lexical_query(WordsReader(tmp_path / "words").view(), f"common {' '.join(rare)}", 8, [])
    assert sorted(query.weights) == sorted(rare)
    index.close()


def test_the_numbers_searched_are_only_those_of_passages(words: WordsView) -> None:
    # The index holds one document that is no passage, its horizon.
    everything = Query.boolean_query([(Occur.Must, Query.all_query())])
    assert 0 in words.search(everything, 100)[0]
    assert 0 not in found(words, "ferry harbour council trams divers zeppelin")
