"""What is derived comes back as it was; the truth is not touched."""

from pathlib import Path

import pytest
from damage import change, contents, copied, damageable, flip
from store_answers import answers
from two_stories import ARTICLES

from index import store_folder
from index.article import Origin, SourceRecord
from index.errors import StoreLockedError
from index.repair import repair
from index.verify import Depth, verify
from index.writer import Writer


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that is whole. Not to be changed: see `folder`."""
    return damageable(tmp_path_factory.mktemp("sound") / "store")


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return copied(sound, tmp_path / "store")


def test_a_sound_store_is_left_as_it_is(folder: Path) -> None:
    before = contents(folder)
    repaired = repair(folder)
    assert (repaired.mended, repaired.verified.findings) == ((), ())
    assert contents(folder) == before


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE reports SET report = 3",
        "DELETE FROM sketches WHERE article = 1",
        "UPDATE sketches SET fingerprints = X''",
        "DELETE FROM fingerprints",
        "DELETE FROM points",
        "UPDATE postings SET weight = weight / 2",
        "UPDATE lines SET hashes = X'00'",
        "UPDATE segments SET passages = passages + 1",
        "UPDATE generations SET max_seq = 0",
        "UPDATE generation_segments SET segment = 'gone.seg'",
    ],
)
def test_derived_rows_come_back_with_equal_answers(folder: Path, sql: str) -> None:
    expected = answers(folder)
    change(folder, sql)
    repaired = repair(folder)
    assert repaired.mended
    assert repaired.verified.findings == ()
    assert answers(folder) == expected


def test_a_damaged_vector_is_dropped_and_its_passage_waits_again(folder: Path) -> None:
    expected = answers(folder)
    change(folder, "UPDATE vectors SET vector = zeroblob(32) WHERE number = 1")
    assert repair(folder).verified.exit_code == 0
    assert answers(folder).without_vectors() == expected.without_vectors()
    with Writer(folder) as writer:
        assert writer.pending() > 0


def test_articles_whose_story_is_damaged_are_told_anew(folder: Path) -> None:
    change(folder, "UPDATE stories SET story = 99")
    change(folder, "UPDATE term_vectors SET vector = X'00' WHERE article = 1")
    change(folder, "UPDATE term_counts SET articles = articles + 1")
    assert repair(folder).verified.findings == ()


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM points",
        "UPDATE sketches SET words = words + 1",
        "UPDATE term_counts SET articles = articles + 1",
    ],
)
def test_articles_that_wait_for_their_story_go_on_waiting(
    folder: Path, tmp_path: Path, sql: str
) -> None:
    late = [
        SourceRecord(Origin("test.jsonl", line), b"", told["text"], told["headline"], language="en")
        for line, told in enumerate(ARTICLES, 1)
    ]
    stores = [folder, copied(folder, tmp_path / "undamaged")]
    for store in stores:
        with Writer(store) as writer:
            writer.add(late, stories_wait=True)
    change(folder, sql)
    assert repair(folder).verified.findings == ()
    for store in stores:
        with Writer(store) as writer:
            assert writer.tell_stories() == len(ARTICLES)
        assert verify(store, Depth.DEEP).findings == ()
    assert answers(stores[0]) == answers(stores[1])


@pytest.mark.parametrize("name", ["segments", "words"])
def test_a_damaged_file_is_made_anew_and_the_old_one_set_aside(folder: Path, name: str) -> None:
    expected = answers(folder)
    path = next(path for path in (folder / name).glob("*") if path.suffix in (".seg", ".term"))
    flip(path, 60)
    damaged = path.read_bytes()
    assert repair(folder).verified.findings == ()
    assert answers(folder) == expected
    assert any(
        kept.read_bytes() == damaged
        for kept in folder.rglob("*")
        if "damaged" in str(kept) and kept.is_file()
    )


def test_damaged_truth_is_told_and_not_touched(folder: Path) -> None:
    change(folder, "UPDATE articles SET headline = 'Wombats counteD' WHERE id = 'flood'")
    change(folder, "DELETE FROM fingerprints")
    repaired = repair(folder)
    assert repaired.verified.exit_code == 2
    connection = store_folder.open_readonly(folder)
    headline = connection.execute("SELECT headline FROM articles WHERE id = 'flood'").fetchone()
    connection.close()
    assert headline == ("Wombats counteD",)


def test_a_repair_waits_for_no_writer_and_says_who_writes(folder: Path) -> None:
    change(folder, "DELETE FROM fingerprints")
    with Writer(folder), pytest.raises(StoreLockedError, match="is writing to this store"):
        repair(folder)


def test_what_a_repair_mended_stays_mended(folder: Path) -> None:
    change(folder, "DELETE FROM fingerprints")
    assert repair(folder).mended
    assert repair(folder).mended == ()
    assert verify(folder, Depth.DEEP).exit_code == 0
