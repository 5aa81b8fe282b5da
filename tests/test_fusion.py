"""What one score must say of two arms."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from search.fusion import FLOOR_RANK, fused_scores

NO_COSINE = float("nan")


def scores(
    cosines: list[float],
    bm25: list[float],
    *,
    bound: float = 10.0,
    known: float = 1.0,
    articles: list[int] | None = None,
    article_cosines: list[float] | None = None,
) -> NDArray[np.float64]:
    """Each passage an article of its own, unless said otherwise."""
    return fused_scores(
        np.array(cosines, np.float32),
        np.array(cosines if article_cosines is None else article_cosines, np.float32),
        np.array(bm25, np.float32),
        bound,
        known,
        np.array(range(len(cosines)) if articles is None else articles, np.int32),
    ).scores


def test_both_arms_count() -> None:
    both, meaning_only, words_only, neither = scores([0.6, 0.6, 0.1, 0.1], [5.0, 0.0, 5.0, 0.0])
    assert both > meaning_only > neither
    assert both > words_only > neither


@given(st.lists(st.floats(0, 10, width=32), min_size=1, max_size=50))
def test_without_any_vector_the_order_is_bm25s(bm25: list[float]) -> None:
    found = scores([NO_COSINE] * len(bm25), bm25, articles=[0] * len(bm25))
    for better in range(len(bm25)):
        for worse in range(len(bm25)):
            if bm25[better] > bm25[worse] + 1e-4:
                assert found[better] > found[worse]


def test_a_passage_that_waits_is_not_taken_to_say_what_no_article_says() -> None:
    """It holds all of the question that is known, which is next to nothing of it."""
    cosines = [NO_COSINE, 0.45]
    assert np.argmax(scores(cosines, [9.0, 9.0])) == 0
    assert np.argmax(scores(cosines, [9.0, 9.0], known=0.1)) == 1


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=50))
def test_without_any_word_the_order_is_the_cosines(cosines: list[float]) -> None:
    found = scores(cosines, [0.0] * len(cosines), bound=0.0)
    assert np.allclose(found, cosines, atol=1e-6)


def test_a_passage_that_waits_for_its_embedding_is_neither_first_nor_last_for_it() -> None:
    waiting_full, waiting_poor, embedded_good, embedded_poor = scores(
        [NO_COSINE, NO_COSINE, 0.7, 0.05], [8.0, 1.0, 4.0, 1.0]
    )
    assert waiting_full > embedded_poor
    assert embedded_good > waiting_poor
    assert waiting_full > waiting_poor


def test_an_article_that_answers_twice_comes_before_one_that_answers_once() -> None:
    # Articles 1 and 2 have equally good best passages; 1 has another good one.
    found = scores([0.6, 0.5, 0.6, 0.0], [4.0, 4.0, 4.0, 0.0], articles=[1, 1, 2, 3])
    assert found[0] > found[2]


def test_only_the_best_passage_of_an_article_is_lifted() -> None:
    cosines, bm25 = [0.6, 0.5, 0.4, 0.0], [4.0, 4.0, 4.0, 0.0]
    together = scores(cosines, bm25, articles=[1, 1, 1, 2])
    apart = scores(cosines, bm25, articles=[1, 2, 3, 4])
    assert together[0] > apart[0]
    assert together[1:].tolist() == apart[1:].tolist()


def test_a_second_passage_no_better_than_the_rest_lifts_nothing() -> None:
    rest = [0.3] * FLOOR_RANK
    cosines = [0.6, 0.2, *rest]
    articles = [0, 0, *range(1, FLOOR_RANK + 1)]
    found = scores(cosines, [1.0] * len(cosines), articles=articles)
    alone = scores([0.6, *rest], [1.0] * (len(rest) + 1))
    assert found[0] == alone[0]


def test_an_article_about_the_question_comes_before_one_that_touches_it() -> None:
    about, touching = scores([0.5, 0.5], [2.0, 2.0], article_cosines=[0.45, 0.1])
    assert about > touching


def test_the_last_bits_of_a_cosine_decide_no_order() -> None:
    one, other = scores([0.5, float(np.nextafter(np.float32(0.5), np.float32(1)))], [2.0, 2.0])
    assert one == other


def test_no_candidates_have_no_scores() -> None:
    assert scores([], []).shape == (0,)
    assert scores([], [], bound=0.0).shape == (0,)
