"""Which words of a question look misspelt against an archive, and which never do."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.article import Origin, SourceRecord
from index.snapshot import Snapshot, SnapshotReader
from index.writer import Writer
from search.spelling import NearMiss, corrected, edit_distance, near_misses

# How often each sentence stands in the archive, every time in an article of its own.
SENTENCES = {
    "Minister Ostrovanov met the envoy in Genthaven for talks on the harbour treaty.": 12,
    "The government of Northport said that the council must pay for the bridge.": 130,
    "The goverment printer made this mistake once in a notice about tickets.": 1,
    "Sanne Marel opened the lighthouse museum on the island.": 1,
    "Marcel Pottel drove the ferry through the storm last winter.": 60,
    "Iran and the island signed a fishing accord.": 4,
    "Iraq sent two ships to the regatta.": 40,
    "Erdöğal praised the sailors of the regatta.": 6,
    "Wardenov sank with the trawler near the reef.": 2,
    "Voters sunk the plan for a tunnel.": 30,
}


def article(number: int, text: str) -> SourceRecord:
    headline = f"Notes of the day {number}"
    return SourceRecord(
        Origin("test.jsonl", number), b"{}", text, headline=headline, own_id=f"n{number}"
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("spelling") / "store"
    texts = [text for text, times in SENTENCES.items() for _ in range(times)]
    with Writer(folder) as writer:
        writer.add([article(number, text) for number, text in enumerate(texts)])
        writer.finish()
    return folder


@pytest.fixture(scope="module")
def archive(folder: Path) -> Iterator[Snapshot]:
    reader = SnapshotReader(folder)
    yield reader.latest()
    reader.close()


def offered(question: str, archive: Snapshot) -> dict[str, str]:
    return {miss.word: miss.variant for miss in near_misses(question, archive)}


@pytest.mark.parametrize(
    ("question", "typed", "written"),
    [
        ("What did Ostrovanow say about the treaty?", "Ostrovanow", "Ostrovanov"),  # substituted
        ("What did Ostrvanov say about the treaty?", "Ostrvanov", "Ostrovanov"),  # left out
        ("What did Osttrovanov say about the treaty?", "Osttrovanov", "Ostrovanov"),  # put in
        ("What did Ostrovnaov say about the treaty?", "Ostrovnaov", "Ostrovanov"),  # swapped
        ("What did Ostrvanow tell the envoy of the treaty?", "Ostrvanow", "Ostrovanov"),  # two
        ("what did ostrovanow say about the treaty", "ostrovanow", "Ostrovanov"),
        ("OSTROVANOW ON THE TREATY", "OSTROVANOW", "Ostrovanov"),
        ("Ostrovanow’s talks in Genthaven", "Ostrovanow", "Ostrovanov"),
        ("who praised the sailors, Erdogall?", "Erdogall", "Erdöğal"),
        ("What must the goverment pay?", "goverment", "government"),  # stands there once, too
        ("the govenrment", "govenrment", "government"),
    ],
)
def test_a_misspelt_word_is_offered_as_the_archive_writes_it(
    question: str, typed: str, written: str, archive: Snapshot
) -> None:
    assert offered(question, archive) == {typed: written}


def test_a_near_miss_says_where_it_stands_and_how_many_passages_it_would_find(
    archive: Snapshot,
) -> None:
    question = "The treaty: Ostrovanow in Genthavn?"
    assert near_misses(question, archive) == (
        NearMiss("Ostrovanow", (12, 22), "Ostrovanov", 12),
        NearMiss("Genthavn", (26, 34), "Genthaven", 12),
    )


@pytest.mark.parametrize(
    "question",
    [
        "Who is Marel?",  # once in the archive; Marcel is there 60 times
        "Who is Sanne Marel of the museum?",
        "Iran",  # 4 times; Iraq 40 times
        "Did Iran or Iraq come to the regatta?",
        "Wardenov and the reef",
        "What did Sunal do?",  # a name that is not there, and "sunk" is no name
        "What did Pottol say of the treaty?",  # but for a letter nothing speaks for Pottel
        "trams and zeppelins",  # common words that are not there
        "ministers and governments",  # there in another form
    ],
)
def test_what_is_spelt_right_is_not_corrected_to_a_neighbour(
    question: str, archive: Snapshot
) -> None:
    assert offered(question, archive) == {}


@pytest.mark.parametrize(
    "question",
    [
        'Who said "Ostrovanow" of the treaty?',
        "“the Ostrovanow treaty”",
        "headline:Ostrovanow treaty",
        "treaty -Ostrovanow",
        "Ostrovano* treaty",
        "https://treaty.example/Ostrovanow or ostrovanow@treaty.example",
        "#Ostrovanow and @Ostrovanow",
        "2,015 trety4 1O99 Iro",
        "OstrovanoW treaty",
        "",
    ],
)
def test_phrases_fields_addresses_numbers_and_short_words_are_left_alone(
    question: str, archive: Snapshot
) -> None:
    assert offered(question, archive) == {}


def test_a_short_word_is_not_two_edits_away(archive: Snapshot) -> None:
    assert offered("the trawler of Wardonof near the reef", archive) == {"Wardonof": "Wardenov"}
    assert offered("the storm and the fery of Pottal, Pottle and Potle", archive) == {
        "fery": "ferry",
        "Pottal": "Pottel",
        "Pottle": "Pottel",
    }


def test_what_was_removed_is_not_offered(tmp_path: Path) -> None:
    with Writer(tmp_path / "store") as writer:
        writer.add([article(1, "Ostrovanov signed the harbour treaty."), article(2, "The treaty.")])
        reader = SnapshotReader(tmp_path / "store")
        assert offered("Ostrovanow and the treaty", reader.latest())
        writer.remove(["n1"])
        assert not offered("Ostrovanow and the treaty", reader.latest())
        reader.close()


def test_an_empty_archive_offers_nothing(tmp_path: Path) -> None:
    with Writer(tmp_path / "store"):
        reader = SnapshotReader(tmp_path / "store")
        assert near_misses("Ostrovanow and the goverment", reader.latest()) == ()
        reader.close()


def test_a_correction_changes_those_words_alone_and_keeps_their_capitals() -> None:
    question = "Goverment  of ostrovanow: OSTROVANOW, goverment?"
    misses = [
        NearMiss("Goverment", (0, 9), "government", 130),
        NearMiss("ostrovanow", (14, 24), "Ostrovanov", 12),
        NearMiss("OSTROVANOW", (26, 36), "Ostrovanov", 12),
        NearMiss("goverment", (38, 47), "government", 130),
    ]
    wanted = "Government  of Ostrovanov: OSTROVANOV, government?"
    assert corrected(question, misses) == corrected(question, misses[::-1]) == wanted
    assert corrected(question, ()) == question


PIECES = st.sampled_from(
    ["Ostrovanow", "treaty", "goverment", "Genthavn", "erdogall", '"', "-", "é", "🚢", "NOT", "a:"]
)


@settings(max_examples=50, deadline=None)
@given(pieces=st.lists(PIECES | st.text(max_size=6), max_size=8))
def test_spans_are_in_order_apart_and_hold_the_word(pieces: list[str], archive: Snapshot) -> None:
    question = " ".join(pieces).encode("utf-8", "replace").decode()
    behind = 0
    for miss in near_misses(question, archive):
        start, end = miss.span
        assert behind <= start < end
        assert question[start:end] == miss.word
        assert miss.passages > 0
        behind = end


WORDS = st.text(alphabet="abc", max_size=6)


@given(WORDS, WORDS)
def test_the_edit_distance_is_the_shortest_way_from_one_word_to_the_other(a: str, b: str) -> None:
    @cache
    def shortest(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        ways = [shortest(i - 1, j) + 1, shortest(i, j - 1) + 1]
        ways.append(shortest(i - 1, j - 1) + (a[i - 1] != b[j - 1]))
        if i > 1 and j > 1 and a[i - 2 : i] == b[j - 2 : j][::-1]:
            ways.append(shortest(i - 2, j - 2) + 1)
        return min(ways)

    assert edit_distance(a, b) == shortest(len(a), len(b))
