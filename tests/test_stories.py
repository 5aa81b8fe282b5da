"""Stories: the reports of one event, kept up to date, and each reader's own view of them."""

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from b_cubed import b_cubed

from index.article import Origin, Published, SourceRecord
from index.clustering import agreed, joined, similarities
from index.reading import read
from index.snapshot import Snapshot, SnapshotReader
from index.stories import numbered
from index.term_vectors import TermVector
from index.verify import Depth, verify
from index.writer import Writer

DATA = Path(os.environ.get("NUTGRAF_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
EVENTS = DATA / "events" / "corpus.jsonl"

# One event, told by two outlets in their own words, and what came of it; then another event of the
# same kind; then something else.
FIRE = (
    "Fire destroys Northport fish market",
    "A fire destroyed the fish market of Northport on Tuesday night. Fire chief Ines Okoro said "
    "that the flames began in a smokehouse behind the auction hall.\n\nNobody was hurt. The market "
    "had stood at the quay since 1911.",
)
FIRE_TOLD_AGAIN = (
    "Historic market hall at Northport quay burns down",
    "Northport lost its fish market to a blaze that lit up the quay for hours. The auction hall, "
    "built in 1911, fell in at midnight.\n\nChief Okoro thought that a smokehouse was where it "
    "started. Traders stood and watched.",
)
FIRE_FOLLOWED_UP = (
    "Smokehouse owner questioned over Northport market fire",
    "Police questioned the owner of the smokehouse in which the fire at the Northport fish market "
    "is thought to have begun. Chief Ines Okoro had said that the flames came from there.\n\n"
    "Traders want the auction hall at the quay built up again.",
)
OTHER_FIRE = (
    "Fire guts Eastholm paper mill",
    "A fire gutted the paper mill of Eastholm on Tuesday night. Fire chief Bram Castellan said "
    "that the flames began in a drying room under the roof.\n\nNobody was hurt. The mill had "
    "employed ninety people by the river Sorn.",
)
OTHER_FIRE_TOLD_AGAIN = (
    "Ninety jobs in doubt as Eastholm mill burns",
    "The paper mill on the river Sorn at Eastholm burned out, and ninety people do not know "
    "whether they still have work. Castellan, who led the firefighters, said that a drying room "
    "under the roof was lost first.",
)
ELECTION = (
    "Liv Aasen wins a third term as mayor",
    "Mayor Liv Aasen won a third term on Sunday with 54 % of the vote. Her rival Jon Weiss, a "
    "museum curator, conceded an hour after the polls closed and spoke of a fair campaign.",
)


def told(
    own_id: str, piece: tuple[str, str], published: str = "2025-03-11", outlet: str = ""
) -> SourceRecord:
    headline, text = piece
    return SourceRecord(
        Origin("test.jsonl", 1),
        text.encode(),
        text,
        headline=headline,
        outlet=outlet or f"The {own_id} Times",
        own_id=own_id,
        language="en",
        published=Published(published) if published else None,
    )


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    with Writer(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def reader(writer: Writer) -> Iterator[SnapshotReader]:
    opened = SnapshotReader(writer.folder)
    yield opened
    opened.close()


def numbers(snapshot: Snapshot) -> dict[str, int]:
    """The story of every live article, by id."""
    columns = snapshot.columns
    live = np.unique(columns.article)
    return {columns.article_id[at]: int(columns.story[at]) for at in live}


def stories(snapshot: Snapshot) -> set[frozenset[str]]:
    by_number: dict[int, set[str]] = {}
    for article_id, number in numbers(snapshot).items():
        by_number.setdefault(number, set()).add(article_id)
    return {frozenset(ids) for ids in by_number.values()}


def sets(*ids: str) -> set[frozenset[str]]:
    return {frozenset(some.split()) for some in ids}


# ------------------------------------------------------------------- one event


def test_two_events_of_one_kind_on_one_day_are_two_stories(
    writer: Writer, reader: SnapshotReader
) -> None:
    pieces = {
        "fire": FIRE,
        "mill": OTHER_FIRE,
        "again": FIRE_TOLD_AGAIN,
        "jobs": OTHER_FIRE_TOLD_AGAIN,
        "vote": ELECTION,
    }
    for name, piece in pieces.items():
        writer.add([told(name, piece)])
    assert stories(reader.latest()) == sets("fire again", "mill jobs", "vote")


def test_the_order_of_arrival_and_the_size_of_a_batch_change_no_story(tmp_path: Path) -> None:
    records = [
        told("fire", FIRE),
        told("again", FIRE_TOLD_AGAIN),
        told("police", FIRE_FOLLOWED_UP),
        told("mill", OTHER_FIRE),
        told("jobs", OTHER_FIRE_TOLD_AGAIN),
        told("vote", ELECTION),
    ]
    for seed in range(4):
        order = random.Random(seed).sample(records, len(records))
        with Writer(tmp_path / str(seed)) as writer:
            for record in order if seed % 2 else ():
                writer.add([record])
            writer.add(order)
            found = stories(SnapshotReader(writer.folder).latest())
        assert found == sets("fire again police", "mill jobs", "vote")


@pytest.mark.parametrize("published", ["2025-03-24", "2025-03", ""])
def test_a_follow_up_of_the_next_weeks_or_without_a_day_joins(
    published: str, writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([told("fire", FIRE), told("again", FIRE_TOLD_AGAIN)])
    writer.add([told("police", FIRE_FOLLOWED_UP, published)])
    assert stories(reader.latest()) == sets("fire again police")


def test_a_like_event_a_year_later_is_another_story(writer: Writer, reader: SnapshotReader) -> None:
    writer.add([told("fire", FIRE), told("again", FIRE_TOLD_AGAIN)])
    writer.add([told("next", FIRE_FOLLOWED_UP, "2026-03-11")])
    assert stories(reader.latest()) == sets("fire again", "next")


def test_a_report_without_a_day_does_not_join_what_lies_years_apart(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([told("fire", FIRE), told("again", FIRE_TOLD_AGAIN)])
    writer.add([told("years", FIRE_FOLLOWED_UP, "2031-05-01")])
    both = f"{FIRE[1][:130]} {FIRE_FOLLOWED_UP[1][:170]}"
    writer.add([told("undated", ("Fire at Northport fish market and smokehouse", both), "")])
    story_of = numbers(reader.latest())
    assert story_of["fire"] == story_of["again"] != story_of["years"]


def test_every_article_has_a_story_even_one_without_words(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([told("abc", ("", "A b c d.")), told("xyz", ("", "W x y z.")), told("fire", FIRE)])
    assert stories(reader.latest()) == sets("abc", "xyz", "fire")
    assert all(number > 0 for number in numbers(reader.latest()).values())


# ------------------------------------------------------------- copies, changes


def test_copies_go_with_their_report_and_count_once(writer: Writer, reader: SnapshotReader) -> None:
    headline, text = FIRE
    writer.add([told("fire", FIRE), told("vote", ELECTION)])
    writer.add([told(f"copy{at}", (f"{headline} ({at})", text)) for at in range(5)])
    snapshot = reader.latest()
    copies = " ".join(f"copy{at}" for at in range(5))
    assert stories(snapshot) == sets(f"fire {copies}", "vote")
    story = numbers(snapshot)["copy3"]
    members = snapshot.articles_of_story(story)
    assert [article.id for article in members] == ["fire", *copies.split()]
    vectors = snapshot.term_vectors([article.number for article in members])
    assert len({vector.weights.tobytes() for vector in vectors.values()}) == 1


def test_when_the_first_of_the_copies_is_removed_the_others_keep_the_story(
    writer: Writer, reader: SnapshotReader
) -> None:
    headline, text = FIRE
    writer.add([told("fire", FIRE), told("copy", (f"{headline}, again", text))])
    writer.add([told("again", FIRE_TOLD_AGAIN)])
    before = numbers(reader.latest())["fire"]
    writer.remove(["fire"])
    assert numbers(reader.latest()) == {"copy": before, "again": before}


def test_a_replaced_article_keeps_its_story_unless_it_tells_another_now(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([told("fire", FIRE), told("again", FIRE_TOLD_AGAIN), told("vote", ELECTION)])
    before = numbers(reader.latest())
    writer.add([told("again", FIRE_FOLLOWED_UP), told("vote", (ELECTION[0], "Aasen won again."))])
    assert numbers(reader.latest()) == before
    writer.add([told("again", OTHER_FIRE)])
    after = numbers(reader.latest())
    assert after["fire"] == before["fire"]
    assert after["again"] not in before.values()


def test_a_removed_article_leaves_its_story(writer: Writer, reader: SnapshotReader) -> None:
    writer.add([told("fire", FIRE), told("again", FIRE_TOLD_AGAIN), told("mill", OTHER_FIRE)])
    before = numbers(reader.latest())
    writer.remove(["again", "mill"])
    snapshot = reader.latest()
    assert numbers(snapshot) == {"fire": before["fire"]}
    assert snapshot.articles_of_story(before["mill"]) == ()


# ------------------------------------------------------------- told afterwards


def counted_articles(writer: Writer) -> list[tuple[int]]:
    return writer._truth.execute("SELECT articles FROM term_counts WHERE term = -1").fetchall()


def tell_all(writer: Writer) -> None:
    while writer.tell_stories():
        pass


def test_stories_told_after_a_run_of_adds_are_those_told_on_the_way(
    writer: Writer, reader: SnapshotReader
) -> None:
    headline, text = FIRE
    writer.add([told("fire", FIRE), told("mill", OTHER_FIRE)], stories_wait=True)
    writer.add([told("again", FIRE_TOLD_AGAIN), told("vote", ELECTION)], stories_wait=True)
    writer.add([told("copy", (f"{headline}, again", text))], stories_wait=True)
    assert len(reader.latest().articles_of_report(1)) == 2  # copies are known as such at once
    assert all(number < 0 for number in numbers(reader.latest()).values())
    tell_all(writer)
    assert stories(reader.latest()) == sets("fire again copy", "mill", "vote")
    assert all(number > 0 for number in numbers(reader.latest()).values())
    before = reader.latest().id
    assert not writer.tell_stories()
    assert reader.latest().id == before


def test_nothing_is_damaged_while_stories_wait(writer: Writer) -> None:
    writer.add([told("fire", FIRE)])
    writer.add([told("again", FIRE_TOLD_AGAIN), told("mill", OTHER_FIRE)], stories_wait=True)
    writer.add([told("mill", OTHER_FIRE_TOLD_AGAIN)], stories_wait=True)
    writer.remove(["again"])
    writer.compact()
    assert verify(writer.folder, Depth.DEEP).findings == ()
    tell_all(writer)
    assert verify(writer.folder, Depth.DEEP).findings == ()


def test_what_is_told_goes_on_at_once_beside_what_waits(
    writer: Writer, reader: SnapshotReader
) -> None:
    headline, text = FIRE
    writer.add([told("fire", FIRE), told("again", FIRE_TOLD_AGAIN)])
    story = numbers(reader.latest())["fire"]
    writer.add([told("vote", ELECTION), told("again", FIRE_FOLLOWED_UP)], stories_wait=True)
    writer.add([told("copy", (f"{headline}, again", text))], stories_wait=True)
    now = numbers(reader.latest())
    assert now.pop("vote") < 0
    assert now == {"fire": story, "again": story, "copy": story}
    writer.remove(["fire"])
    assert numbers(reader.latest())["copy"] == story
    tell_all(writer)
    assert stories(reader.latest()) == sets("again copy", "vote")


def test_an_article_that_is_replaced_or_removed_while_it_waits_is_told_as_it_is_then(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([told("fire", FIRE), told("mill", OTHER_FIRE)])
    writer.add([told("late", FIRE_TOLD_AGAIN), told("vote", ELECTION)], stories_wait=True)
    writer.add([told("late", OTHER_FIRE_TOLD_AGAIN)], stories_wait=True)
    writer.remove(["vote"])
    writer.compact()
    tell_all(writer)
    assert stories(reader.latest()) == sets("fire", "mill late")


def test_an_article_that_comes_by_itself_is_told_at_once_though_others_wait(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([told("fire", FIRE), told("mill", OTHER_FIRE)], stories_wait=True)
    writer.add([told("again", FIRE_TOLD_AGAIN)])
    story = numbers(reader.latest())["again"]
    assert story > 0
    tell_all(writer)
    assert numbers(reader.latest())["fire"] == story
    assert stories(reader.latest()) == sets("fire again", "mill")


def test_words_of_what_waits_count_when_a_copy_comes_that_does_not_wait(writer: Writer) -> None:
    headline, text = FIRE
    writer.add([told("fire", FIRE)], stories_wait=True)
    writer.add([told("copy", (f"{headline}, again", text))])
    tell_all(writer)
    assert counted_articles(writer) == [(1,)]


def test_words_of_what_waited_count_once(writer: Writer) -> None:
    writer.add([told("fire", FIRE)], stories_wait=True)
    writer.add([told("fire", FIRE_TOLD_AGAIN)], stories_wait=True)
    tell_all(writer)
    writer.add([told("fire", FIRE_FOLLOWED_UP)])
    assert counted_articles(writer) == [(1,)]


# -------------------------------------------------------------------- numbers


def test_a_number_goes_to_the_group_that_most_of_its_reports_are_in() -> None:
    assert numbered([[7, 7, 0], [7, 3], [0]]) == [7, 3, 0]
    assert numbered([[1, 1, 2, 2, 2]]) == [2]
    assert numbered([[1], [1, 1]]) == [0, 1]
    assert numbered([]) == []


def test_a_merged_story_leads_to_the_one_that_took_over(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([told("fire", FIRE), told("vote", ELECTION)])
    then = reader.latest()
    before = numbers(then)
    writer.add([told("again", FIRE_TOLD_AGAIN), told("vote", FIRE_FOLLOWED_UP)])
    now = reader.latest()
    after = numbers(now)
    assert after["fire"] == after["again"] == after["vote"] == before["fire"]
    assert now.story(before["vote"]) == before["fire"]
    assert then.story(before["vote"]) == before["vote"]
    assert now.story(999) == 999


def test_the_numbers_of_a_story_survive_what_comes_later_and_a_reopened_store(
    tmp_path: Path,
) -> None:
    with Writer(tmp_path) as writer:
        writer.add([told("fire", FIRE), told("mill", OTHER_FIRE)])
        before = numbers(SnapshotReader(tmp_path).latest())
    with Writer(tmp_path) as writer:
        writer.add([told("again", FIRE_TOLD_AGAIN), told("jobs", OTHER_FIRE_TOLD_AGAIN)])
        writer.add([told("vote", ELECTION)])
        after = numbers(SnapshotReader(tmp_path).latest())
    assert after["again"] == after["fire"] == before["fire"]
    assert after["jobs"] == after["mill"] == before["mill"]
    assert after["vote"] not in before.values()


# -------------------------------------------------------------------- readers


def test_a_reader_of_an_earlier_state_goes_on_seeing_its_stories(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([told("fire", FIRE), told("vote", ELECTION)])
    then = reader.latest()
    before, members = stories(then), then.articles_of_story(numbers(then)["fire"])
    writer.add([told("again", FIRE_TOLD_AGAIN)])
    writer.remove(["fire"])
    writer.compact()  # purges what was removed
    assert stories(then) == before == sets("fire", "vote")
    assert then.articles_of_story(numbers(then)["fire"]) == members
    assert stories(reader.latest()) == sets("again", "vote")
    assert stories(SnapshotReader(writer.folder).latest()) == sets("again", "vote")


def test_nothing_of_a_removed_article_is_left_behind(tmp_path: Path) -> None:
    with Writer(tmp_path) as writer:
        writer.add([told("fire", FIRE), told("again", FIRE_TOLD_AGAIN)])
        writer.add([told("fire", OTHER_FIRE)])
        writer.remove(["fire", "again"])
        writer.compact()
        for table in ("stories", "term_vectors", "points", "postings"):
            assert writer._truth.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table


def test_a_damaged_row_puts_an_article_into_a_story_of_its_own(tmp_path: Path) -> None:
    with Writer(tmp_path) as writer:
        writer.add([told("fire", FIRE), told("again", FIRE_TOLD_AGAIN)])
        writer._truth.execute("UPDATE stories SET story = 77 WHERE article = 2")
        writer._truth.execute("UPDATE term_vectors SET crc = 1 WHERE article = 2")
    snapshot = SnapshotReader(tmp_path).latest()
    assert stories(snapshot) == sets("fire", "again")
    assert list(snapshot.term_vectors([1, 2, 3])) == [1]


# ------------------------------------------------------------------ the pieces


def unit(*terms: int) -> TermVector:
    count = len(terms)
    return TermVector(
        np.array(terms, dtype=np.uint32), np.full(count, max(count, 1) ** -0.5, dtype=np.float32)
    )


def test_similarities_are_the_products_of_the_vectors() -> None:
    vectors = [unit(1, 2, 3, 4), unit(3, 4, 5, 6), unit(9), unit()]
    alike = similarities(vectors)
    assert alike.shape == (4, 4)
    assert alike.dtype == np.float32
    for i, one in enumerate(vectors):
        for j, other in enumerate(vectors):
            assert alike[i, j] == pytest.approx(1 if i == j else one.similarity(other))
    assert similarities([]).shape == (0, 0)


def test_two_agree_more_when_the_same_others_are_near_them() -> None:
    alike = similarities([unit(1, 2, 3), unit(3, 4, 5), unit(1, 2, 4, 5), unit(8)])
    agreement = agreed(alike)
    assert agreement[0, 1] > alike[0, 1] > 0
    assert agreement[0, 3] == 0
    assert agreed(alike[:1, :1]) == pytest.approx(1)


def test_groups_are_joined_by_their_average_down_to_the_least_agreement() -> None:
    agreement = np.array([[1, 0.9, 0.5], [0.9, 1, 0.1], [0.5, 0.1, 1]], dtype=np.float32)
    assert joined(agreement, 0.95) == [[0], [1], [2]]
    assert joined(agreement, 0.31) == [[0, 1], [2]]
    assert joined(agreement, 0.29) == [[0, 1, 2]]
    assert joined(agreement[:0, :0], 0.3) == []


# ------------------------------------------------------------------- on events


@pytest.mark.skipif(not EVENTS.exists(), reason="needs the events of NUTGRAF_DATA")
def test_stories_of_the_events_agree_with_readers(tmp_path: Path) -> None:
    """Recorded with scripts/bench/stories.py: F1 .92 over its orders; a TF-IDF single pass .86."""
    records = [record for record in read([EVENTS]) if isinstance(record, SourceRecord)]
    random.Random(1).shuffle(records)
    with Writer(tmp_path) as writer:
        for at in range(0, len(records), 50):
            writer.add(records[at : at + 50])
    found = numbers(SnapshotReader(tmp_path).latest())
    rows = map(json.loads, EVENTS.read_text().splitlines())
    agreement = b_cubed(found, {row["_id"]: row["metadata"]["cluster"] for row in rows})
    assert agreement.f1 >= 0.89
    assert agreement.precision >= 0.87
