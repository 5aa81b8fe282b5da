"""Term vectors: what an article is about, as its weightiest words."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.article import Origin, SourceRecord
from index.snapshot import SnapshotReader
from index.term_vectors import (
    TERMS,
    packed,
    shares,
    term_of,
    terms_of,
    unpacked,
    weighed,
    words_of,
)
from index.writer import Writer


def factor(word: str, headline: str, text: str) -> float:
    terms = terms_of(headline, text)
    return float(terms.factors[terms.terms == term_of(word)][0])


def test_words_are_taken_as_written_without_a_possessive_s() -> None:
    text = "Okoro’s ferry didn't sail: the MAYOR'S 1911-built quay, façade and all; a U.S. one."
    assert words_of(text) == [
        *("Okoro", "ferry", "didn't", "sail", "the", "MAYOR", "1911", "built", "quay"),
        *("façade", "and", "all", "one"),
    ]


def test_case_makes_no_other_term() -> None:
    assert term_of("Harbour") == term_of("HARBOUR") == term_of("harbour") != term_of("harbours")


def test_a_word_of_the_first_lines_counts_twice() -> None:
    far = "the ferry sailed again " * 30
    assert factor("storm", "", f"storm {far}") > factor("storm", "", f"{far} storm")


def test_a_word_that_is_mostly_a_name_weighs_more() -> None:
    assert factor("weiss", "", "Weiss spoke. Then Weiss left.") == pytest.approx(
        1.6 * factor("spoke", "", "Weiss spoke. Then he spoke.")
    )


def test_the_weightiest_terms_are_kept_with_norm_one() -> None:
    terms = terms_of("", " ".join(f"word{at}" for at in range(200)))
    rarities = np.arange(200, dtype=np.float32)
    vector = weighed(terms, rarities)
    assert len(vector.terms) == TERMS
    assert set(vector.terms.tolist()) <= set(terms.terms[80:].tolist())
    assert np.linalg.norm(vector.weights) == pytest.approx(1)
    assert vector.similarity(vector) == pytest.approx(1)


def test_a_text_without_words_is_like_none() -> None:
    nothing = weighed(terms_of("", "... a"), np.empty(0, dtype=np.float32))
    assert len(nothing.terms) == 0
    assert nothing.similarity(nothing) == 0


@given(st.text(max_size=300), st.text(max_size=1000))
def test_a_packed_vector_comes_back_and_is_small(headline: str, text: str) -> None:
    terms = terms_of(headline, text)
    vector = weighed(terms, np.ones(len(terms.terms), dtype=np.float32))
    data = packed(vector)
    assert len(data) <= 6 * TERMS
    again = unpacked(data)
    assert again.terms.tolist() == vector.terms.tolist() == sorted(vector.terms.tolist())
    assert again.weights == pytest.approx(vector.weights, abs=1e-3)


def test_the_shares_of_common_and_rare_english_words_are_known() -> None:
    the, minister, unheard = shares(
        np.array([term_of(word) for word in ("the", "minister", "wombatquay")], dtype=np.uint32)
    )
    assert the > 0.95
    assert 0.01 < minister < 0.3
    assert unheard == 0


# ------------------------------------------------------------------ in an archive


def told(own_id: str, text: str, language: str = "en") -> SourceRecord:
    return SourceRecord(
        Origin("test.jsonl", 1), b"{}", text, headline="Ferry", own_id=own_id, language=language
    )


def weight(folder: Path, word: str, text: str, language: str = "en") -> float:
    vector = SnapshotReader(folder).latest().term_vector_of("", text, language)
    found = vector.weights[vector.terms == term_of(word)]
    return float(found[0]) if len(found) else 0.0


def test_a_text_from_outside_is_weighed_as_an_article_is(tmp_path: Path) -> None:
    with Writer(tmp_path) as writer:
        writer.add([told("one", "The ferry of Northport sailed at dawn with harbour pilots.")])
        writer.add([told("two", "The ferry of Eastholm sank at dusk off the island of Sorn.")])
    snapshot = SnapshotReader(tmp_path).latest()
    two = snapshot.article("two")
    assert two
    outside = snapshot.term_vector_of(two.headline, two.text, two.language)
    inside = snapshot.term_vectors([two.number])[two.number]
    assert inside.terms.tolist() == outside.terms.tolist()
    assert inside.weights == pytest.approx(outside.weights, abs=1e-3)


def test_a_word_that_the_archive_has_often_weighs_less(tmp_path: Path) -> None:
    text = "Northport council and Eastholm council met."
    with Writer(tmp_path) as writer:
        writer.add([told("start", "A tram line opened on Monday.")])
        before = weight(tmp_path, "northport", text)
        assert before == pytest.approx(weight(tmp_path, "eastholm", text))
        writer.add([told(f"{at}", f"Northport street {at * 977} closed.") for at in range(40)])
        assert weight(tmp_path, "northport", text) < weight(tmp_path, "eastholm", text)


def test_copies_and_later_versions_make_a_word_no_commoner(tmp_path: Path) -> None:
    text = "Harbour master Okoro let the Northport ferry sail at dawn on Saturday in the storm."
    with Writer(tmp_path) as writer:
        writer.add([told("one", text)])
        before = SnapshotReader(tmp_path).latest().term_vector_of("", text)
        writer.add([told(f"copy{at}", text) for at in range(20)])
        writer.add([told("one", f"{text} Corrected.")])
        after = SnapshotReader(tmp_path).latest().term_vector_of("", text)
    assert after.weights.tolist() == before.weights.tolist()


def test_each_language_has_its_own_common_words(tmp_path: Path) -> None:
    german = [f"Die Fähre {at} und der Hafen {at * 31} und die Mole {at * 77}." for at in range(30)]
    with Writer(tmp_path) as writer:
        writer.add([told(f"de{at}", text, "de") for at, text in enumerate(german)])
        text = "Die Rettung und der Leuchtturm"
        assert weight(tmp_path, "und", text, "de") < weight(tmp_path, "leuchtturm", text, "de") / 3
        assert weight(tmp_path, "und", text, "en") > weight(tmp_path, "die", text, "en")
