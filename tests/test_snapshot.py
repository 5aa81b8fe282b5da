"""Snapshots: frozen, whole, and the same in every arm."""

import itertools
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from damage import flip
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import DIM, embed, found_by_word, paragraph, record, shown, vector_of

from index import deadline, store_folder
from index import snapshot as snapshot_module
from index.article import ArticleId, Origin, Published, SourceRecord, embedding_text
from index.columns import UNKNOWN_DAY, UNKNOWN_INSTANT
from index.errors import DeadlineError, StoreCorruptError
from index.segments import Segment, SegmentInfo
from index.snapshot import SnapshotReader
from index.tail import GrowingTail
from index.vectors import VectorsView
from index.writer import Writer


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    with Writer(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def reader(writer: Writer) -> Iterator[SnapshotReader]:
    opened = SnapshotReader(writer.folder)
    yield opened
    opened.close()


def nearest(reader: SnapshotReader, headline: str, name: str) -> list[str]:
    """Names of the passages whose vector is the one of this passage."""
    snapshot = reader.latest()
    query = vector_of(embedding_text(headline, paragraph(name)))
    positions, cosines = snapshot.vectors.search(query, 10, None)
    rows = snapshot.passage_rows(positions[cosines > 0.99].tolist())
    return [row.text.split()[1] for row in rows.values()]


# ------------------------------------------------------------------ frozen


def test_a_snapshot_taken_before_a_replacement_goes_on_showing_the_old_text(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([record("flood", "weir", "bridge")])
    embed(writer, 10)
    before = reader.latest()
    then = shown(before)
    writer.add([record("flood", "dam")])
    writer.remove(["flood"])
    writer.add([record("flood", "lock")])
    writer.compact()  # purges what was replaced
    assert shown(before) == then
    assert before.article("flood").text.startswith("Report weir")
    assert found_by_word(before, "weir")
    assert not found_by_word(before, "lock")
    after = reader.latest()
    assert after.article("flood").text.startswith("Report lock")
    assert not found_by_word(after, "weir")
    assert after.article("flood").version == 3


def test_a_reader_that_is_told_of_changes_shows_them_when_it_is_told(writer: Writer) -> None:
    with closing(SnapshotReader(writer.folder, is_told=True)) as told:
        assert told.at_hand() is None
        writer.add([record("flood", "weir")])
        first = told.refresh()
        assert found_by_word(first, "weir")
        writer.remove(["flood"])
        assert told.latest() is first
        assert told.at_hand() is first
        told.refresh()
        assert not found_by_word(told.latest(), "weir")


def test_a_snapshot_outlives_its_reader_and_its_writer(tmp_path: Path) -> None:
    with Writer(tmp_path) as writer:
        writer.add([record("flood", "weir")])
        embed(writer, 10)
        writer.publish()
        reader = SnapshotReader(tmp_path)
        snapshot = reader.latest()
        then = shown(snapshot)
        reader.close()
        writer.remove(["flood"])
    assert shown(snapshot) == then


def connections_to(folder: Path) -> int:
    """Of this process: each has the log open for itself."""
    log = str(folder / f"{store_folder.DATABASE}-wal")
    links = (os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
    return sum(link == log for link in links)


def test_snapshots_that_are_let_go_of_leave_few_connections_and_a_closed_reader_none(
    writer: Writer,
) -> None:
    before = connections_to(writer.folder)
    reader = SnapshotReader(writer.folder)
    held = []
    for number in range(20):
        writer.add([record(f"a{number}", f"tok{number}")])
        held.append(reader.latest())
    assert connections_to(writer.folder) >= before + 20
    del held[:-1]
    assert connections_to(writer.folder) <= before + 8
    reader.close()
    assert connections_to(writer.folder) == before + 1  # of the one that is still held
    held.clear()
    assert connections_to(writer.folder) == before


def test_a_deadline_of_the_question_before_does_not_end_the_making_of_a_snapshot(
    writer: Writer, reader: SnapshotReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "_STEPS_BETWEEN_LOOKS", 1)
    for number in range(3):
        writer.add([record(f"a{number}", f"tok{number}")])
        with deadline.within(deadline.Deadline(seconds=0)):
            snapshot = reader.latest()
            with pytest.raises(DeadlineError):
                snapshot.article("a0")
    assert len(shown(reader.latest())) == 3


def test_nothing_new_gives_the_same_snapshot_again(writer: Writer, reader: SnapshotReader) -> None:
    writer.add([record("flood", "weir")])
    first = reader.latest()
    assert reader.latest() is first
    writer.add([record("flood", "weir")])  # unchanged
    assert reader.latest().id == first.id
    writer.add([record("fire", "ash")])
    assert reader.latest().id != first.id


def test_articles_that_are_gone_do_not_add_up_in_a_reader(
    writer: Writer, reader: SnapshotReader
) -> None:
    for number in range(25):
        writer.add([record(f"a{number}", f"tok{number}", outlet=f"Outlet {number}")])
        if number >= 10:
            writer.remove([ArticleId(f"a{number - 10}")])
        shown(reader.latest())  # its columns agree with the rows
    columns = reader.latest().columns
    assert 10 <= len(columns.article_id) <= 13
    assert len(columns.values["outlet"]) == len(columns.article_id)
    fresh = SnapshotReader(writer.folder)
    try:
        assert shown(fresh.latest()) == shown(reader.latest())
    finally:
        fresh.close()


def test_a_renewed_snapshot_is_the_same_and_lets_the_log_be_emptied(
    writer: Writer, reader: SnapshotReader
) -> None:
    for number in range(3):
        writer.add([record(f"a{number}", f"tok{number}")])
        before = reader.latest()
    then, id_ = shown(before), before.id
    del before
    assert writer.log_bytes() > 0
    assert writer.begin_log_anew(reader.renew)
    assert writer.log_bytes() == 0
    assert (shown(reader.latest()), reader.latest().id) == (then, id_)


def test_a_snapshot_that_is_still_read_keeps_the_log_and_what_it_shows(
    writer: Writer, reader: SnapshotReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.writer._PATIENCE_S", 0.05)
    writer.add([record("flood", "weir")])
    held = reader.latest()
    then = shown(held)
    writer.add([record("flood", "dam")])
    assert not writer.begin_log_anew(reader.renew)
    assert shown(held) == then
    del held
    assert writer.begin_log_anew(reader.renew)


def test_nobody_waits_for_what_only_others_read(
    writer: Writer, reader: SnapshotReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.writer._PATIENCE_S", 3600)
    writer.add([record("flood", "weir")])
    with closing(SnapshotReader(writer.folder)) as other:
        held = other.latest()
        writer.add([record("flood", "dam")])
        assert not writer.begin_log_anew(reader.renew)
        assert held.articles == 1


def test_reports_of_several_articles_are_told_with_how_many_they_have(
    writer: Writer, reader: SnapshotReader
) -> None:
    same = ["first", "second", "third"]
    writer.add([record(name, "weir", published="2022-01-21") for name in same])
    labels, counts = reader.latest().shared_reports
    assert counts.tolist() == [3]
    writer.remove([ArticleId("first")])  # whose number the report had
    labels_then, counts = reader.latest().shared_reports
    assert counts.tolist() == [2]
    assert labels.tolist() != labels_then.tolist()
    writer.remove([ArticleId("second")])
    assert reader.latest().shared_reports[1].tolist() == []


def test_questions_are_waited_for_however_long_the_writer_was_busy_before(
    writer: Writer, reader: SnapshotReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.writer._PATIENCE_S", 0.2)
    writer.add([record("flood", "weir")])
    held = [reader.latest()]
    writer.add([record("flood", "dam")])

    def renew() -> Callable[[], bool]:
        threading.Timer(0.05, held.clear).start()
        return reader.renew()

    with ThreadPoolExecutor(1) as thread:
        with writer.desk():
            emptied = thread.submit(writer.begin_log_anew, renew)
            time.sleep(0.3)
        assert emptied.result()


def test_every_change_of_what_is_shown_changes_the_id_and_all_readers_agree_on_it(
    writer: Writer, reader: SnapshotReader
) -> None:
    ids = []
    for step in (
        lambda: writer.add([record("flood", "weir"), record("fire", "ash")]),
        lambda: embed(writer, 1),
        lambda: embed(writer, 1),
        lambda: writer.add([record("flood", "dam")]),
        lambda: writer.remove(["fire"]),
    ):
        step()
        newcomer = SnapshotReader(writer.folder)
        assert newcomer.latest().id == reader.latest().id
        newcomer.close()
        ids.append(reader.latest().id)
    assert len(set(ids)) == len(ids)


def test_to_publish_or_compact_changes_no_answer(writer: Writer, reader: SnapshotReader) -> None:
    writer.add([record(f"wire-{n}", f"one{n}", f"two{n}") for n in range(8)])
    embed(writer, 9)
    writer.publish()
    embed(writer, 100)
    writer.remove(["wire-3"])
    query = vector_of("a question")
    answers = []
    for step in (lambda: None, writer.publish, writer.compact):
        step()
        positions, cosines = reader.latest().vectors.search(query, 10, None)
        answers.append((positions.tolist(), cosines.tolist()))
    assert answers[1:] == [answers[0]] * 2
    assert reader.latest().segments == 1


# ------------------------------------------------------------------ whole


@pytest.mark.slow
def test_readers_through_hundreds_of_commits_never_see_half_a_change(tmp_path: Path) -> None:
    """Pairs are added, replaced and removed together; each names the version of its pair."""
    with Writer(tmp_path) as writer:
        done, faults, looks = threading.Event(), [], itertools.count()

        def look() -> None:
            reader = SnapshotReader(tmp_path)
            try:
                while not done.is_set():
                    snapshot = reader.latest()
                    seen = shown(snapshot)
                    for pair in range(3):
                        left, right = seen.get(f"left-{pair}"), seen.get(f"right-{pair}")
                        assert (left is None) == (right is None)
                        assert left is None or left.text.split()[1] == right.text.split()[1]
                    next(looks)
            except BaseException as fault:
                faults.append(fault)
            finally:
                reader.close()

        threads = [threading.Thread(target=look) for _ in range(2)]
        for thread in threads:
            thread.start()
        for step in range(200):
            pair = step % 3
            both = [f"left-{pair}", f"right-{pair}"]
            if step % 7 == 5:
                writer.remove(both)
            else:
                writer.add([record(key, f"version{step}") for key in both])
            if step % 10 == 0:
                embed(writer, 5)
            if step % 40 == 0:
                writer.publish()
        done.set()
        for thread in threads:
            thread.join()
    assert not faults, faults
    assert next(looks) > 20


def test_a_segment_deleted_under_a_reader_s_eyes_is_no_damage(
    writer: Writer,
    reader: SnapshotReader,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Between reading which segments are live and reading them, a compaction replaces them."""
    writer.add([record("flood", "weir"), record("fire", "ash")])
    embed(writer, 10)
    writer.publish()
    read, compactions = snapshot_module.segments.read_segment, iter([writer.compact])

    def late(folder: Path, info: SegmentInfo, *, mapped: bool = False) -> Segment:
        next(compactions, lambda: None)()
        return read(folder, info, mapped=mapped)

    monkeypatch.setattr(snapshot_module.segments, "read_segment", late)
    assert reader.latest().embedded == 2
    assert reader.latest().segments == 1
    assert not caplog.records


def test_a_word_index_being_rebuilt_is_never_seen_in_part(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    with Writer(folder) as writer:
        writer.add([record(f"wire-{n}", f"tok{n}") for n in range(300)])
        writer.remove(["wire-0"])
    with Writer(folder):
        pass  # what was removed is purged
    reader = SnapshotReader(folder)
    assert reader.latest().articles == 299
    victim = max((folder / store_folder.WORDS).glob("*.idx"), key=lambda path: path.stat().st_size)
    flip(victim, victim.stat().st_size // 2)
    seen, done = [], threading.Event()

    def look() -> None:
        while not done.is_set():
            seen.append(reader.latest().articles)
            newcomer = SnapshotReader(folder)
            try:
                seen.append(newcomer.latest().articles)
            except StoreCorruptError:
                seen.append(299)  # it says so, and shows nothing
            newcomer.close()

    thread = threading.Thread(target=look)
    thread.start()
    with Writer(folder):
        assert len(found_by_word(reader.latest(), "wombat")) == 299
    done.set()
    thread.join()
    assert set(seen) == {299}
    assert (folder / "words.damaged" / "meta.json").exists()
    reader.close()


def test_a_word_index_older_than_what_was_purged_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_module, "_PATIENCE_S", 0.1)
    folder = tmp_path / "store"
    with Writer(folder) as writer:
        writer.add([record("flood", "weir"), record("fire", "ash")])
    shutil.copytree(folder / store_folder.WORDS, tmp_path / "older")
    with Writer(folder) as writer:
        writer.remove(["fire"])
    with Writer(folder) as writer:
        writer.add([record("quake", "fault")])
    shutil.rmtree(folder / store_folder.WORDS)
    (tmp_path / "older").rename(folder / store_folder.WORDS)
    reader = SnapshotReader(folder)
    with pytest.raises(StoreCorruptError, match="nutgraf add"):
        reader.latest()
    with Writer(folder):
        assert sorted(shown(reader.latest())) == ["flood", "quake"]
    reader.close()


# ------------------------------------------------------------------ what it holds


def test_columns_say_what_filters_and_order_need(writer: Writer, reader: SnapshotReader) -> None:
    writer.add(
        [
            record("flood", "weir", "dam", outlet="Le Phare", published="2022-01-21T19:12+02:00"),
            record("fire", "ash", outlet="Bush Telegraph"),
            record("quake", "fault", outlet="Le Phare", published="1963"),
        ]
    )
    columns = reader.latest().columns
    assert columns.number.tolist() == [1, 2, 3, 4]
    assert columns.ordinal.tolist() == [0, 1, 0, 0]
    assert [columns.article_id[at] for at in columns.article] == ["flood", "flood", "fire", "quake"]
    outlets = [columns.values["outlet"][code] for code in columns.outlet]
    assert outlets == ["Le Phare", "Bush Telegraph", "Le Phare"]
    flood = Published("2022-01-21T19:12+02:00")
    assert columns.day.tolist() == [
        flood.on.toordinal(),
        UNKNOWN_DAY,
        Published("1963").on.toordinal(),
    ]
    assert columns.instant_s.tolist()[:2] == [flood.instant_s, UNKNOWN_INSTANT]
    for name, kind in [("number", np.int64), ("instant_s", np.int64), ("article", np.int32)]:
        assert getattr(columns, name).dtype == kind


def test_positions_of_numbers_that_are_not_live_are_minus_one(
    writer: Writer, reader: SnapshotReader
) -> None:
    assert reader.latest().position_of(np.array([1, 2])).tolist() == [-1, -1]
    writer.add([record("flood", "weir", "dam"), record("fire", "ash")])
    writer.remove(["flood"])
    assert reader.latest().position_of(np.array([0, 1, 3, 2, 99])).tolist() == [-1, -1, 0, -1, -1]


def test_an_article_is_found_by_its_id_its_url_or_its_guid(
    writer: Writer, reader: SnapshotReader
) -> None:
    body = paragraph("weir")
    by_url = SourceRecord(Origin("f", 1), b"", body, url="https://e.org/a?b=1")
    by_guid = SourceRecord(Origin("f", 2), b"", body, guid="tag:e.org,2024:9", outlet="O")
    outcomes = writer.add([by_url, by_guid])
    snapshot = reader.latest()
    for key, outcome in [("https://e.org/a?b=1", outcomes[0]), ("tag:e.org,2024:9", outcomes[1])]:
        assert snapshot.article(key) == snapshot.article(outcome.article_id)
    assert snapshot.article("https://e.org/") is None
    assert snapshot.article("") is None


def test_a_passage_is_found_by_its_id_and_is_the_text_its_span_points_at(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([record("flood", "weir", "dam")])
    snapshot = reader.latest()
    passages = snapshot.passages_of(snapshot.article("flood"))
    assert [p.ordinal for p in passages] == [0, 1]
    for passage in passages:
        assert snapshot.passage(passage.id) == passage
        assert passage.article.text[passage.start : passage.end] == passage.text
    assert passages[1].text == paragraph("dam")
    assert snapshot.passage("flood-nothing") is None


# ------------------------------------------------------------------ vectors


def test_a_passage_without_a_vector_has_no_cosine_and_is_not_proposed(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([record("flood", "weir", "dam")])
    assert reader.latest().vectors.search(vector_of("q"), 5, None)[0].tolist() == []
    assert reader.latest().vectors.dim == 0
    embed(writer, 1)
    snapshot = reader.latest()
    assert snapshot.vectors.dim == DIM
    cosines = snapshot.vectors.cosines(vector_of("q"), np.array([0, 1]))
    assert np.isnan(cosines).tolist() == [False, True]
    assert snapshot.vectors.search(vector_of("q"), 5, None)[0].tolist() == [0]


def test_an_emptied_store_answers_with_nothing(writer: Writer, reader: SnapshotReader) -> None:
    writer.add([record("flood", "weir")])
    embed(writer, 1)
    writer.publish()
    writer.remove(["flood"])
    snapshot = reader.latest()
    assert (snapshot.articles, snapshot.passages, snapshot.embedded) == (0, 0, 0)
    for allowed in (None, np.zeros(0, dtype=np.bool_)):
        positions, cosines = snapshot.vectors.search(vector_of("q"), 5, allowed)
        assert (positions.tolist(), cosines.tolist()) == ([], [])


@settings(deadline=None, max_examples=80)
@given(st.integers(0, 10**6), st.integers(1, 40), st.sampled_from([None, 0.0, 0.2, 0.8]))
def test_a_search_over_segments_and_tail_is_exact_and_ties_go_to_the_earlier_position(
    tmp_path_factory: pytest.TempPathFactory, seed: int, depth: int, share: float | None
) -> None:
    """Vectors are drawn from a few, so that equal ones stand in all parts."""
    random = np.random.default_rng(seed)
    few = random.standard_normal((4, DIM))
    few = (few / np.linalg.norm(few, axis=1, keepdims=True)).astype(np.float16)
    numbers = np.sort(random.choice(200, 60, replace=False)).astype(np.int64)
    live = np.sort(random.choice(numbers, 45, replace=False))
    vectors = few[random.integers(0, 4, 60)]
    parts = np.array_split(random.permutation(60), 3)
    folder = tmp_path_factory.mktemp("segments")
    loaded = []
    for at, part in enumerate(parts[:2]):
        rows = np.sort(part)
        info = snapshot_module.segments.write_segment(
            folder, f"{at}.seg", numbers[rows], vectors[rows], "m"
        )
        loaded.append(snapshot_module.segments.read_segment(folder, info))
    tail = np.sort(parts[2])
    view = VectorsView(live, loaded, GrowingTail().grown(numbers[tail], vectors[tail]))
    query = vector_of(f"question {seed}")
    allowed = None if share is None else random.random(len(live)) < share
    positions, cosines = view.search(query, depth, allowed)

    every = np.einsum("ij,j->i", vectors.astype(np.float32), query)
    by_number = dict(zip(numbers.tolist(), every, strict=True))
    expected = np.array([by_number[number] for number in live.tolist()])
    possible = np.arange(len(live)) if allowed is None else np.flatnonzero(allowed)
    order = possible[np.lexsort((possible, -expected[possible]))][:depth]
    assert positions.tolist() == order.tolist()
    assert cosines.tolist() == expected[order].tolist()
    assert view.cosines(query, positions).tolist() == cosines.tolist()
