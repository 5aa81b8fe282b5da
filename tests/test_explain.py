"""Explain: why an article is where it is in a result set, or not in it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from index.article import ArticleId, Origin, Published, SourceRecord
from index.backlog import embed_backlog
from index.errors import BadQueryError, NotFoundError
from index.writer import Writer
from search.explain import Explanation, Reason, in_words
from search.filters import Filters
from search.query import Mode
from search.result_set import CANDIDATES, Sort
from search.searcher import Searcher


def record(name: str, text: str, **fields: object) -> SourceRecord:
    return SourceRecord(Origin("test", 1), b"", text, own_id=name, **fields)  # type: ignore[arg-type]


RECORDS = [
    record(
        "harbour",
        "Northport harbour opened again on Friday, nine days after the storm.\n"
        "“The ferry sails at dawn,” harbour master Ines Okoro told reporters.",
        headline="Harbour reopens",
        outlet="Northport Courier",
        url="https://courier.example/harbour",
        published=Published("2025-03-14"),
    ),
    record(
        "fares",
        "Fares of the island ferry rise by 4 % in January, the company said on Monday.",
        headline="Ferry fares rise",
        outlet="The Islander",
        published=Published("2024-12"),
    ),
    record(
        "recipe",
        "Whisk the eggs with the sugar until they are pale, then fold in the flour.",
        headline="A sponge cake",
        outlet="The Islander",
    ),
]


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    """Three articles, embedded, and two that wait for their embedding."""
    folder = tmp_path_factory.mktemp("explain") / "store"
    with Writer(folder) as writer:
        writer.add(RECORDS)
        embed_backlog(writer)
        writer.add([record("late", "The late ferry."), record("mute", "Nothing of the kind.")])
    with closing(Searcher(folder)) as searcher:
        yield searcher


def test_what_is_found_is_told_its_place_and_what_each_arm_gave(searcher: Searcher) -> None:
    question = "When does the ferry sail?"
    answer = searcher.search(question)
    for place, hit in enumerate(answer.hits):
        if hit.article_id in [earlier.article_id for earlier in answer.hits[:place]]:
            continue
        explanation = searcher.explain(question, hit.article_id)
        assert (explanation.reason, explanation.rank) == (Reason.FOUND, hit.rank)
        assert (explanation.passage_id, explanation.score) == (hit.passage_id, hit.score)
        assert explanation.lexical.score == hit.lexical
        assert explanation.dense.score == hit.dense
        assert explanation.total == answer.total
        assert explanation.best_score == answer.hits[0].score
        assert f"number {hit.rank} of {answer.total}" in in_words(explanation)


def test_the_ranks_of_the_arms_are_their_orders(searcher: Searcher) -> None:
    explanations = [
        searcher.explain("ferry dawn", name) for name in ("harbour", "fares", "recipe", "late")
    ]
    for arm in ("dense", "lexical"):
        places = [getattr(explanation, arm) for explanation in explanations]
        known = [place for place in places if place.rank is not None]
        ordered = sorted(known, key=lambda place: -place.score)
        assert [place.rank for place in ordered] == sorted(place.rank for place in known)
        assert ordered[0].rank == 1
    assert explanations[2].lexical.rank is None


def test_the_filter_that_leaves_an_article_out_is_named(searcher: Searcher) -> None:
    filters = Filters.parse(
        outlet=["northport courier"], byline=["okoro"], published_to="2025-03-13"
    )
    explanation = searcher.explain("ferry", "harbour", filters=filters)
    assert explanation.reason is Reason.FILTERED
    assert explanation.left_out_by == ("byline", "to")
    assert (explanation.rank, explanation.score) == (None, None)
    assert "byline, to" in in_words(explanation)


def test_the_part_of_the_condition_that_an_article_lacks_is_named(searcher: Searcher) -> None:
    explanation = searcher.explain("ferry AND dawn AND (tram OR bus) -storm", "harbour")
    assert explanation.reason is Reason.CONDITION
    assert len(explanation.left_out_by) == 2
    assert "tram" in explanation.left_out_by[0]
    assert explanation.left_out_by[1] == 'NOT "storm"'
    verbatim = searcher.explain("the Ferry", "fares", mode=Mode.VERBATIM)
    assert verbatim.left_out_by == ("the Ferry",)


def test_what_is_too_far_below_the_best_was_looked_at(searcher: Searcher) -> None:
    question = "When does the ferry sail from Northport harbour?"
    explanation = searcher.explain(question, "recipe")
    assert explanation.reason is Reason.BELOW_LEAST_SHARE
    assert (explanation.dense.rank or 0) > 1
    assert "recipe" not in {hit.article_id for hit in searcher.search(question).hits}


def test_what_waits_for_its_embedding_is_said_to_wait(searcher: Searcher) -> None:
    found = searcher.explain("ferry", "late")
    assert (found.reason, found.dense.rank) == (Reason.FOUND, None)
    nowhere = searcher.explain("ferry", "mute")
    assert (nowhere.reason, nowhere.lexical.rank) == (Reason.IN_NO_ARM, None)
    assert all("waits for its embedding" in in_words(each) for each in (found, nowhere))


def test_what_each_arm_has_enough_better_than_is_told_its_exact_ranks(tmp_path: Path) -> None:
    with Writer(tmp_path / "store") as writer:
        writer.add(
            [
                record(f"n{n}", f"The ferry and the ferry, {'ferry ' * 9} number {n}.")
                for n in range(CANDIDATES + 20)
            ]
        )
        writer.add([record("aside", f"The ferry was late. {'It was another day. ' * 20}")])
    with closing(Searcher(tmp_path / "store")) as searcher:
        explanation = searcher.explain("ferry", "aside")
        assert explanation.reason is Reason.BEYOND_CANDIDATES
        assert explanation.lexical.rank == CANDIDATES + 21
        assert str(CANDIDATES) in in_words(explanation)


def test_an_article_is_named_by_its_id_or_url_and_must_be_there(searcher: Searcher) -> None:
    def explain(name: str, **more: object) -> Explanation:
        return searcher.explain("ferry", name, **more)  # type: ignore[arg-type]

    assert explain("https://courier.example/harbour") == explain("harbour")
    for unknown in ("nobody", "", "\ud800"):
        with pytest.raises(NotFoundError):
            explain(unknown)
    with pytest.raises(BadQueryError):
        searcher.explain("(ferry OR tram", "harbour")


def test_the_place_is_that_in_the_order_asked_for(searcher: Searcher) -> None:
    hits = searcher.search("ferry", sort=Sort.OLDEST).hits
    ranks = {hit.article_id: hit.rank for hit in reversed(hits)}
    for name in ("harbour", "fares", "late"):
        assert searcher.explain("ferry", name, sort=Sort.OLDEST).rank == ranks[name]


def test_a_removed_article_is_not_there(tmp_path: Path) -> None:
    with Writer(tmp_path / "store") as writer:
        writer.add(RECORDS)
        with closing(Searcher(tmp_path / "store")) as searcher:
            assert searcher.explain("ferry", "fares").reason is Reason.FOUND
            writer.remove([ArticleId("fares")])
            with pytest.raises(NotFoundError):
                searcher.explain("ferry", "fares")


def test_the_score_of_a_hit_is_told_in_its_parts(searcher: Searcher) -> None:
    told = searcher.explain("When does the ferry sail?", "harbour")
    first = searcher.search("When does the ferry sail?").hits[0]
    assert told.passage_id == first.passage_id
    assert told.parts is not None
    assert told.parts.fused > told.parts.share > 0
    assert told.parts.cosine == pytest.approx(first.dense)
    assert told.parts.window is not None
    assert 0 < told.parts.window <= 1
    assert told.probability == pytest.approx(first.probability)
    assert told.verdict == searcher.search("When does the ferry sail?").verdict


def test_what_is_not_in_the_set_has_no_parts_but_a_verdict(searcher: Searcher) -> None:
    told = searcher.explain('ferry "at dawn"', "recipe")
    assert (told.parts, told.probability) == (None, None)
    assert told.verdict.probability > 0
