"""From a question to its answer, over real stores."""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.article import ArticleId, Origin, Published, SourceRecord
from index.backlog import embed_backlog
from index.errors import (
    BadQueryError,
    ModelMismatchError,
    NotFoundError,
    StoreFormatError,
)
from index.writer import Writer
from search import dense
from search.filters import Filters
from search.grouping import Group
from search.questions_together import QuestionsTogether
from search.result_set import CANDIDATES, Answer, Sort
from search.searcher import MAX_K, MAX_QUESTION_CHARS, Searcher


def record(name: str, text: str, **fields: object) -> SourceRecord:
    return SourceRecord(Origin("test", 1), b"", text, own_id=name, **fields)  # type: ignore[arg-type]


RECORDS = [
    record(
        "harbour",
        "Northport harbour opened again on Friday, nine days after the storm closed it to ships.\n"
        "“The ferry sails at dawn on Saturday,” harbour master Ines Okoro told reporters.",
        headline="Harbour reopens",
        outlet="Northport Courier",
        byline="Tomas Lindqvist",
        published=Published("2025-03-14T19:12"),
    ),
    record(
        "trams",
        "The council voted for the tram line on Monday, by nine votes to four.",
        headline="Council votes on trams",
        outlet="Northport Courier",
        published=Published("2025-02-01"),
    ),
    record(
        "museum",
        "The island museum shows the map of 1702 that divers found in a sunken ship.",
        headline="Lost map on show",
        outlet="The Islander",
    ),
    record(
        "fares",
        "Fares of the island ferry rise by 4 % in January, the company said on Monday.",
        headline="Ferry fares rise",
        outlet="The Islander",
        published=Published("2024-12"),
    ),
    # Two papers with the same text: equal scores, the newer first.
    record("wire-1", "A comet passes the earth tonight.", published=Published("2024-05-01")),
    record("wire-2", "A comet passes the earth tonight.", published=Published("2024-05-02")),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The records above, all embedded. Not to be changed."""
    folder = tmp_path_factory.mktemp("searcher") / "store"
    with Writer(folder) as writer:
        assert all(outcome.status == "added" for outcome in writer.add(RECORDS))
        embed_backlog(writer)
    return folder


@pytest.fixture(scope="module")
def searcher(store: Path) -> Iterator[Searcher]:
    searcher = Searcher(store)
    yield searcher
    searcher.close()


def articles(answer: Answer) -> list[str]:
    return [hit.article_id for hit in answer.hits]


def without_time(answer: Answer) -> tuple[object, ...]:
    return answer.hits, answer.total, answer.snapshot, answer.coverage, answer.omitted


def test_a_hit_is_the_passage_with_its_source_and_what_each_arm_gave(searcher: Searcher) -> None:
    answer = searcher.search("When does the ferry leave, says the harbour master?")
    hit = answer.hits[0]
    assert (hit.article_id, hit.headline, hit.byline) == (
        "harbour",
        "Harbour reopens",
        "Tomas Lindqvist",
    )
    assert (hit.outlet, hit.published) == ("Northport Courier", Published("2025-03-14T19:12"))
    assert "sails at dawn" in hit.text
    assert searcher.article("harbour").text[hit.start : hit.end] == hit.text
    marked = {hit.text[start:end].casefold() for start, end in hit.highlights}
    assert {"ferry", "harbour master"} <= marked
    start, end = hit.best_sentence
    assert hit.text[start:end].startswith("“The ferry sails at dawn on Saturday,”")
    assert hit.rank == 1
    assert hit.dense
    assert hit.dense > 0.4
    assert hit.lexical
    assert hit.lexical > 1
    assert answer.coverage.embedded == answer.coverage.passages > 0


def test_meaning_finds_what_no_word_does(searcher: Searcher) -> None:
    hit = searcher.search("antique charts recovered from a wreck").hits[0]
    assert (hit.article_id, hit.lexical) == ("museum", None)


@pytest.mark.parametrize(
    "question", ["what is it that was", "…!?—", "🚢", "a\x00b", "\ud800 ferry"]
)
def test_questions_without_words_are_answered_by_meaning(searcher: Searcher, question: str) -> None:
    answer = searcher.search(question)
    assert answer.hits
    assert all(hit.dense is not None for hit in answer.hits)


@given(question=st.text(min_size=1, max_size=200).filter(str.strip))
@settings(max_examples=50, deadline=None)
def test_any_question_has_a_sound_answer(searcher: Searcher, question: str) -> None:
    answer = searcher.search(question)
    assert len({hit.passage_id for hit in answer.hits}) == len(answer.hits) <= answer.total
    for hit in answer.hits:
        assert np.isfinite(hit.score)
        assert all(0 <= start < end <= len(hit.text) for start, end in hit.highlights)


def test_a_question_of_ten_thousand_characters_is_answered(searcher: Searcher) -> None:
    question = ("the ferry sails and " * MAX_QUESTION_CHARS)[:MAX_QUESTION_CHARS]
    assert "ferry" in searcher.search(question).hits[0].text


@pytest.mark.parametrize(
    ("field", "question", "k"),
    [
        ("q", "", 10),
        ("q", " \n\t", 10),
        ("q", "x" * (MAX_QUESTION_CHARS + 1), 10),
        ("k", "ferry", 0),
        ("k", "ferry", -1),
        ("k", "ferry", MAX_K + 1),
    ],
)
def test_what_is_no_query_is_refused_by_name(
    searcher: Searcher, field: str, question: str, k: int
) -> None:
    with pytest.raises(BadQueryError) as caught:
        searcher.search(question, k=k)
    assert caught.value.field == field


def test_the_first_hits_do_not_depend_on_k(searcher: Searcher) -> None:
    few, many = (
        searcher.search("ferry to the island", k=2),
        searcher.search("ferry to the island", k=1000),
    )
    assert few.hits == many.hits[:2]
    assert few.total == many.total == len(many.hits)


def test_equal_passages_are_ordered_by_date(searcher: Searcher) -> None:
    answer = searcher.search("comet passes tonight", group=Group.NONE)
    assert articles(answer)[:2] == ["wire-2", "wire-1"]
    assert answer.hits[0].score == answer.hits[1].score


@pytest.mark.parametrize("sort", list(Sort))
def test_every_order_shows_the_same_result_set(searcher: Searcher, sort: Sort) -> None:
    by_relevance = searcher.search("ferry island ship", k=1000)
    answer = searcher.search("ferry island ship", k=1000, sort=sort)
    assert {hit.passage_id for hit in answer.hits} == {hit.passage_id for hit in by_relevance.hits}
    instants = [hit.published.instant_s for hit in answer.hits if hit.published]
    if sort is not Sort.RELEVANCE:
        assert instants == sorted(instants, reverse=sort is Sort.NEWEST)
        unknown = [hit.published is None for hit in answer.hits]
        assert unknown == sorted(unknown)


def test_filters_hold_in_both_arms(searcher: Searcher) -> None:
    answer = searcher.search("ferry", filters=Filters(outlet=("the islander",)), k=1000)
    assert "fares" in articles(answer)
    assert {hit.outlet for hit in answer.hits} == {"The Islander"}
    dated = searcher.search("ferry", filters=Filters(published_from=date(2025, 1, 1)), k=1000)
    assert set(articles(dated)) <= {"harbour", "trams"}
    assert dated.hits


def test_a_filter_that_matches_nothing_gives_no_hits(searcher: Searcher) -> None:
    answer = searcher.search("ferry", filters=Filters(outlet=("Nobody",)))
    assert (answer.hits, answer.total) == ((), 0)


def test_the_same_query_gives_the_same_answer(store: Path, searcher: Searcher) -> None:
    again = Searcher(store)
    question = "Who told reporters about the ferry?"
    assert without_time(searcher.search(question)) == without_time(again.search(question))
    assert without_time(searcher.search(question)) == without_time(searcher.search(question))
    again.close()


def test_many_threads_get_the_answers_of_one(store: Path) -> None:
    questions = [
        f"{word} {other}" for word in ("ferry", "map", "tram") for other in ("harbour", "comet")
    ]
    expected = {}
    one = Searcher(store)
    for question in questions:
        expected[question] = without_time(one.search(question))
    one.close()
    many = Searcher(store)

    def ask(_: int) -> bool:
        return all(without_time(many.search(q)) == expected[q] for q in questions)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(8)))
    many.close()


# --- before and while passages are embedded -------------------------------------------------------


def test_with_nothing_embedded_words_answer_and_no_model_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Writer(tmp_path) as writer:
        writer.add(RECORDS)

    def unwanted(model: str, *, threads: int) -> None:
        raise AssertionError("the model was loaded")

    monkeypatch.setattr(dense, "load_encoder", unwanted)
    searcher = Searcher(tmp_path)
    answer = searcher.search("island ferry fares")
    assert articles(answer)[0] == "fares"
    assert all(hit.dense is None and hit.lexical for hit in answer.hits)
    bm25 = [hit.lexical or 0.0 for hit in answer.hits]
    assert bm25 == sorted(bm25, reverse=True)
    assert answer.coverage.embedded == 0
    assert searcher.search("what is it").hits == ()
    searcher.close()


def test_a_new_article_is_found_by_words_among_embedded_ones(store: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(store, tmp_path / "store"))
    searcher = Searcher(folder)
    before = searcher.search("zeppelin over the ferry harbour")
    with Writer(folder) as writer:
        writer.add([record("zeppelin", "A zeppelin flew over the ferry harbour at noon.")])
        answer = searcher.search("zeppelin over the ferry harbour")
        assert articles(answer)[0] == "zeppelin"
        assert answer.hits[0].dense is None
        assert answer.snapshot != before.snapshot
        assert answer.coverage.passages == answer.coverage.embedded + 1
        embed_backlog(writer)
        answer = searcher.search("zeppelin over the ferry harbour")
        assert articles(answer)[0] == "zeppelin"
        assert answer.hits[0].dense
        writer.remove([ArticleId("zeppelin")])
        gone = searcher.search("zeppelin over the ferry harbour")
        assert "zeppelin" not in articles(gone)
    searcher.close()


def test_published_vectors_answer_as_those_of_the_tail_do(tmp_path: Path) -> None:
    answers = []
    searcher: Searcher | None = None
    with Writer(tmp_path) as writer:
        writer.add(RECORDS)
        embed_backlog(writer)
        searcher = Searcher(tmp_path)
        answers.append(searcher.search("ferry").hits)
        writer.compact()
        answers.append(searcher.search("ferry").hits)
    searcher.close()
    assert answers[0] == answers[1]


def test_more_passages_than_candidates_make_a_set_that_k_does_not_change(tmp_path: Path) -> None:
    with Writer(tmp_path) as writer:
        writer.add(
            [
                record(f"n{number}", f"The ferry number {number} sails.")
                for number in range(CANDIDATES + 9)
            ]
        )
    searcher = Searcher(tmp_path)
    ten, all_hits = searcher.search("ferry", k=10), searcher.search("ferry", k=MAX_K)
    assert ten.hits == all_hits.hits[:10]
    assert ten.total == len(all_hits.hits) == CANDIDATES
    searcher.close()


def test_a_damaged_row_is_left_out_and_counted(store: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(store, tmp_path / "store"))
    with contextlib.closing(sqlite3.connect(folder / "nutgraf.db")) as truth, truth:
        truth.execute("UPDATE articles SET headline = 'Harbour closes' WHERE id = 'harbour'")
    searcher = Searcher(folder)
    answer = searcher.search("ferry harbour", k=1000)
    assert "harbour" not in articles(answer)
    assert answer.omitted >= 1
    assert answer.omitted + len(answer.hits) == answer.total
    # Its place in the result set stays free, so no hit on this or a later page moves.
    places = set(range(1, answer.total + 1))
    assert len(places - {hit.rank for hit in answer.hits}) == answer.omitted
    searcher.close()


# --- models ---------------------------------------------------------------------------------------


def test_vectors_of_another_model_are_refused_with_the_way_out(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dense, "model_fingerprint", lambda model: f"another: {model}")
    asked = Searcher(store, model="some/model")
    with pytest.raises(ModelMismatchError, match="nutgraf reembed --model some/model"):
        asked.search("ferry")
    asked.close()
    changed = Searcher(store)
    with pytest.raises(ModelMismatchError, match="have changed"):
        changed.search("ferry")
    changed.close()


def test_a_question_asked_again_is_not_embedded_again(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searcher = Searcher(store)
    first = searcher.search("ferry")

    def unwanted(self: object, question: object) -> None:
        raise AssertionError("embedded again")

    monkeypatch.setattr(QuestionsTogether, "embed", unwanted)
    assert without_time(searcher.search("ferry")) == without_time(first)
    searcher.close()


def test_a_process_that_only_answers_imports_no_torch(store: Path) -> None:
    script = (
        "import json, sys; from pathlib import Path; from search.searcher import Searcher; "
        f"hits = Searcher(Path({str(store)!r})).search('ferry').hits; "
        "heavy = {'torch', 'transformers', 'sentence_transformers'} & set(sys.modules); "
        "print(json.dumps([len(hits), sorted(heavy)]))"
    )
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        timeout=120,
        check=True,
    )
    hits, heavy = json.loads(done.stdout)
    assert hits
    assert heavy == []


# --- looking up -----------------------------------------------------------------------------------


def test_articles_and_passages_are_found_by_id(searcher: Searcher) -> None:
    hit = searcher.search("ferry").hits[0]
    assert searcher.passage(hit.passage_id).text == hit.text
    article = searcher.article(hit.article_id)
    assert hit.passage_id in [passage.id for passage in searcher.passages_of(article)]
    find: Callable[[str], object]
    for find in (searcher.article, searcher.passage):
        for unknown in ("nobody", "", "\x00", "\ud800"):
            with pytest.raises(NotFoundError):
                find(unknown)


def test_status_tells_what_the_store_holds(searcher: Searcher, store: Path) -> None:
    status = searcher.status()
    assert (status.articles, status.outlets, status.pending) == (6, 2, 0)
    assert status.embedded == status.passages >= 6
    assert (status.oldest, status.newest) == (
        Published("2024-05-01"),
        Published("2025-03-14T19:12"),
    )
    assert status.store == store
    assert status.size_bytes > 10_000
    assert status.snapshot == searcher.snapshot_id()


def test_a_folder_that_is_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreFormatError):
        Searcher(tmp_path / "nothing")


def test_an_empty_store_answers_nothing(tmp_path: Path) -> None:
    with Writer(tmp_path):
        pass
    searcher = Searcher(tmp_path)
    assert searcher.search("ferry").hits == ()
    assert searcher.search("ferry", filters=Filters(outlet=("x",))).hits == ()
    status = searcher.status()
    assert (status.articles, status.passages, status.oldest, status.newest) == (0, 0, None, None)
    searcher.close()
