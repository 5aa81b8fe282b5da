"""The writer: what it answers, what it promises, and what it does when the disk is full or lies."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from damage import flip
from oracle import Model, embed, found_by_word, paragraph, record, shown, signed, vectors_of

from index import store, store_folder
from index import writer as writer_module
from index.article import Origin, SourceRecord
from index.errors import (
    BadArticleError,
    ConflictError,
    ModelMismatchError,
    StoreFullError,
    StoreLockedError,
    StoreReadOnlyError,
)
from index.generations import live_segments
from index.groundwork import Groundwork, groundworks
from index.snapshot import SnapshotReader
from index.words import WordsIndex
from index.writer import Writer

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def writer(folder: Path) -> Iterator[Writer]:
    with Writer(folder) as opened:
        yield opened


@pytest.fixture
def reader(writer: Writer) -> Iterator[SnapshotReader]:
    opened = SnapshotReader(writer.folder)
    yield opened
    opened.close()


def passage_ids(reader: SnapshotReader, key: str) -> list[str]:
    snapshot = reader.latest()
    article = snapshot.article(key)
    assert article is not None
    return [passage.id for passage in snapshot.passages_of(article)]


def answers(writer: Writer, *records: SourceRecord, key: str | None = None) -> list[object]:
    outcomes = writer.add(records, idempotency_key=key)
    return [(outcome.status, outcome.version) for outcome in outcomes]


# ------------------------------------------------------------------ articles


def test_what_was_added_is_found_by_its_words_when_add_returns(
    writer: Writer, reader: SnapshotReader
) -> None:
    assert answers(writer, record("flood", "weir")) == [("added", 1)]
    assert len(found_by_word(reader.latest(), "weir")) == 1
    assert reader.latest().embedded == 0


def test_each_record_has_its_own_outcome_in_order_and_a_bad_one_does_not_stop_the_rest(
    writer: Writer,
) -> None:
    empty = SourceRecord(Origin("feed.jsonl", 7), b"", " \n ")
    outcomes = writer.add([record("flood", "weir"), empty, record("fire", "ash")])
    assert [o.status for o in outcomes] == ["added", "rejected", "added"]
    assert [o.article_id for o in outcomes] == ["flood", None, "fire"]
    assert outcomes[1].error is not None
    assert (outcomes[1].error.path, outcomes[1].error.line) == ("feed.jsonl", 7)


def test_the_same_record_again_changes_nothing_wherever_it_was_read(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([record("flood", "weir", "dam")])
    ids, snapshot = passage_ids(reader, "flood"), reader.latest()
    again = record("flood", "weir", "dam")
    again = SourceRecord(Origin("other.jsonl", 99), b"other bytes", again.body, **_fields(again))
    assert answers(writer, again) == [("unchanged", 1)]
    assert passage_ids(reader, "flood") == ids
    assert reader.latest().id == snapshot.id


def _fields(item: SourceRecord) -> dict[str, str]:
    return {"headline": item.headline, "outlet": item.outlet, "own_id": item.own_id}


def test_the_same_id_with_other_content_replaces_the_old_in_every_arm_in_one_commit(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([record("flood", "weir", "dam")])
    embed(writer, 10)
    writer.publish()
    kept = passage_ids(reader, "flood")[1]
    assert answers(writer, record("flood", "lock", "dam")) == [("replaced", 2)]
    snapshot = reader.latest()
    assert shown(snapshot)["flood"].version == 2
    assert not found_by_word(snapshot, "weir")
    assert len(found_by_word(snapshot, "lock")) == 1
    assert snapshot.embedded == 1  # the passage that stayed; its text is not embedded again
    assert passage_ids(reader, "flood")[1] == kept


def test_the_last_of_two_records_of_one_id_in_one_call_stands(
    writer: Writer, reader: SnapshotReader
) -> None:
    assert answers(writer, record("flood", "weir"), record("flood", "dam")) == [
        ("added", 1),
        ("replaced", 2),
    ]
    assert shown(reader.latest())["flood"].text == paragraph("dam")
    assert not found_by_word(reader.latest(), "weir")


def test_remove_says_what_was_there(writer: Writer, reader: SnapshotReader) -> None:
    writer.add([record("flood", "weir"), record("fire", "ash")])
    assert writer.remove(["fire", "never-was", "fire"]) == [True, False, False]
    assert sorted(shown(reader.latest())) == ["flood"]


def test_versions_go_on_counting_after_a_removal_and_a_compaction(
    writer: Writer, folder: Path
) -> None:
    writer.add([record("flood", "weir")])
    writer.add([record("flood", "dam")])
    writer.remove(["flood"])
    assert answers(writer, record("flood", "dam")) == [("added", 3)]
    writer.remove(["flood"])
    writer.compact()
    writer.close()
    with Writer(folder) as again:
        assert answers(again, record("flood", "weir")) == [("added", 4)]


def test_numbers_go_on_counting_when_the_newest_rows_are_purged(
    writer: Writer, reader: SnapshotReader
) -> None:
    """A number used again would be taken for the row that a tombstone or a segment speaks of."""
    writer.add([record("flood", "weir")])
    writer.add([record("fire", "ash", "ridge")])
    before = reader.latest().columns
    writer.remove(["fire"])
    writer.compact()
    writer.add([record("quake", "fault")])
    after = reader.latest()
    assert sorted(shown(after)) == ["flood", "quake"]
    assert after.columns.number[-1] > before.number[-1]
    assert after.columns.article_number[-1] > before.article_number[-1]


def test_what_was_removed_leaves_no_row_behind(writer: Writer, folder: Path) -> None:
    writer.add([record("flood", "weir"), record("fire", "ash")])
    embed(writer, 10)
    writer.remove(["flood"])
    writer.compact()
    writer.close()
    connection = sqlite3.connect(folder / store_folder.DATABASE)
    for table in ("articles", "passages", "sources", "lines", "vectors"):
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,), table
    connection.close()


# ------------------------------------------------------------------ idempotency keys


def test_an_idempotency_key_gives_the_answers_of_the_first_time(
    writer: Writer, reader: SnapshotReader, folder: Path
) -> None:
    bad = SourceRecord(Origin("feed.jsonl", 7), b"", "")
    first = writer.add([record("flood", "weir"), bad], idempotency_key="monday")
    writer.add([record("flood", "dam")])
    assert str(writer.add([record("flood", "weir"), bad], idempotency_key="monday")) == str(first)
    assert shown(reader.latest())["flood"].version == 2
    writer.close()
    with Writer(folder) as again:
        repeated = again.add([record("flood", "weir"), bad], idempotency_key="monday")
        assert [o.status for o in repeated] == ["added", "rejected"]


def test_an_idempotency_key_used_for_other_content_is_a_conflict_and_changes_nothing(
    writer: Writer, reader: SnapshotReader
) -> None:
    answers(writer, record("flood", "weir"), key="monday")
    with pytest.raises(ConflictError, match="monday"):
        answers(writer, record("flood", "dam"), key="monday")
    assert shown(reader.latest())["flood"].version == 1
    assert answers(writer, record("flood", "dam"), key="tuesday") == [("replaced", 2)]


def test_a_writer_that_stays_open_for_a_month_forgets_idempotency_keys_when_it_compacts(
    writer: Writer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(writer, record("flood", "weir"), key="old")
    month_later_s = time.time() + 31 * 24 * 3600
    monkeypatch.setattr("time.time", lambda: month_later_s)
    answers(writer, record("fire", "ash"), key="new")
    writer.compact()
    with store_folder.reading(folder) as truth:
        assert truth.execute("SELECT key FROM idempotency_keys").fetchall() == [("new",)]


# ------------------------------------------------------------------ one writer

_HOLD = """
import sys, time
from pathlib import Path
from index.words import WordsIndex
from index.writer import Writer
writer = Writer(Path(sys.argv[1]))
print("open", flush=True)
time.sleep(60)
"""


@contextlib.contextmanager
def another_writer(folder: Path) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout
    assert process.stdout.readline() == "open\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_writer_ends_at_once_and_says_who_holds_the_store(folder: Path) -> None:
    with another_writer(folder) as other:
        began = time.monotonic()
        with pytest.raises(StoreLockedError, match=f"process {other.pid} ") as caught:
            Writer(folder)
        assert time.monotonic() - began < 1
        assert caught.value.holder.startswith(f"process {other.pid} (since ")
        assert caught.value.exit_code == 75
        other.send_signal(signal.SIGKILL)
        other.wait()
        Writer(folder).close()  # its death frees the store


def test_a_writer_that_could_not_open_lets_go_of_all_that_it_held(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as failing:
        failing.setattr(writer_module.idempotency, "forget_old", fail)  # in a transaction
        with pytest.raises(StoreReadOnlyError) as kept:
            Writer(folder)
    # The error is still held, and with its frames all that they hold.
    with Writer(folder) as second:
        assert answers(second, record("flood", "weir")) == [("added", 1)]
    assert kept.value


def test_a_writer_that_was_overtaken_changes_nothing_any_more(
    writer: Writer, reader: SnapshotReader
) -> None:
    """A lock can be lost, on a network disk; the epoch in the truth cannot."""
    writer.add([record("flood", "weir")])
    connection = sqlite3.connect(writer.folder / store_folder.DATABASE)
    store.set_meta(connection, epoch=int(store.meta(connection, "epoch") or 0) + 1)
    connection.commit()
    connection.close()
    with pytest.raises(StoreReadOnlyError, match="another writer has taken over"):
        writer.add([record("fire", "ash")])
    assert sorted(shown(reader.latest())) == ["flood"]


def test_any_number_of_threads_may_share_a_writer(writer: Writer, reader: SnapshotReader) -> None:
    faults: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for step in range(12):
                added = writer.add([record(f"{name}-{n}", f"{name}{step}") for n in range(3)])
                assert {o.version for o in added} == {step + 1}
                writer.remove([f"{name}-0"])
                embed(writer, 4)
                writer.publish()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("ants", "bees", "cats")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults
    seen = shown(reader.latest())
    assert sorted(seen) == sorted(
        f"{name}-{n}" for name in ("ants", "bees", "cats") for n in (1, 2)
    )
    assert {article.version for article in seen.values()} == {12}


def test_closing_shortens_the_log_and_waits_for_no_reader(writer: Writer, folder: Path) -> None:
    writer.add([record("flood", "weir")])
    reader = SnapshotReader(folder)
    snapshot = reader.latest()
    began = time.monotonic()
    writer.close()
    writer.close()  # twice does no harm
    assert time.monotonic() - began < 2
    assert shown(snapshot)
    del snapshot
    reader.close()
    Writer(folder).close()
    log = folder / f"{store_folder.DATABASE}-wal"
    assert not log.exists() or log.stat().st_size == 0


# ------------------------------------------------------------------ a full disk


def test_a_full_database_is_said_reading_goes_on_and_the_same_call_succeeds_with_room(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([record("flood", "weir")])
    embed(writer, 10)
    before = shown(reader.latest())
    pages = writer._truth.execute("PRAGMA page_count").fetchone()[0]
    many = [record(f"wire-{n}", *(f"tok{n}x{m}" for m in range(20))) for n in range(30)]
    for attempt in (
        lambda: writer.add(many, idempotency_key="monday"),
        lambda: writer.add(many, idempotency_key="monday"),
    ):
        writer._truth.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreFullError, match="free some space and repeat"):
            attempt()
        assert shown(reader.latest()) == before
    # A fresh connection has no such limit.
    assert set(answers(writer, *many, key="monday")) == {("added", 1)}
    assert len(shown(reader.latest())) == 31


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 24 MiB, where this user may mount one."""
    mount = tmp_path / "disk"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m", "nutgraf-test", str(mount)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("this user may not mount a file system")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


def test_a_full_disk_is_said_reading_goes_on_and_the_same_call_succeeds_with_room(
    small_disk: Path,
) -> None:
    """The disk fills up at another step each time: in the truth, the words, or a segment."""
    folder, ballast = small_disk / "store", small_disk / "ballast"
    model, refused = Model(), 0
    with Writer(folder) as writer:
        reader = SnapshotReader(folder)
        for turn in range(24):
            batch = [
                record(f"wire-{turn}-{n}", *(f"t{turn}n{n}m{m}" for m in range(4)))
                for n in range(8)
            ]
            free = shutil.disk_usage(small_disk).free
            ballast.write_bytes(bytes(max(0, free - turn * 12_288)))
            before = shown(reader.latest())
            try:
                outcomes = writer.add(batch)
            except StoreFullError:
                refused += 1
                assert shown(reader.latest()) == before
                ballast.unlink()
                outcomes = writer.add(batch)
                assert {outcome.version for outcome in outcomes} == {1}
            model.add(batch)
            ballast.write_bytes(bytes(max(0, shutil.disk_usage(small_disk).free - turn * 4096)))
            texts: list[str] = []
            try:
                embed(writer, 100, texts.extend)
                writer.publish()
            except StoreFullError:
                refused += 1
                ballast.unlink()
                embed(writer, 100, texts.extend)
                writer.publish()
            ballast.unlink(missing_ok=True)
            model.embed(texts)
            model.compact(certainly=False)
            writer.remove([f"wire-{turn}-{n}" for n in range(1, 8)])
            model.remove([f"wire-{turn}-{n}" for n in range(1, 8)])
            assert not model.differs_from(shown(reader.latest()))
        assert refused >= 5
        writer.compact()
        model.compact()
        assert not model.differs_from(shown(reader.latest()))
        reader.close()
    with Writer(folder):
        reader = SnapshotReader(folder)
        assert not model.differs_from(shown(reader.latest()))
        reader.close()


# ------------------------------------------------------------------ embeddings and segments


def test_leads_of_the_newest_articles_wait_first_then_the_rest(writer: Writer) -> None:
    writer.add(
        [
            record("old", "o1", "o2", published="2019-05-01"),
            record("undated", "u1", "u2"),
            record("new", "n1", "n2", published="2022-01-21T19:12"),
        ]
    )
    texts = [item.text for item in writer.waiting_texts(writer.waiting_order(10))]
    assert [text.split("Report ")[1].split()[0] for text in texts] == [
        "n1",
        "o1",
        "u1",
        "n2",
        "o2",
        "u2",
    ]
    assert writer.pending() == 6
    assert writer.waiting_order(2) == writer.waiting_order(10)[:2]


def test_equal_texts_are_embedded_once_however_many_articles_have_them(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([record("flood", "same", "weir"), record("fire", "same")])
    assert len(writer.waiting_texts(writer.waiting_order(10))) == 2
    embed(writer, 10)
    assert (writer.pending(), reader.latest().embedded) == (0, 3)
    writer.add([record("quake", "same", "same")])
    assert (writer.pending(), reader.latest().embedded) == (0, 5)
    writer.add([record("storm", "same", headline="Another headline")])  # another text to the model
    assert writer.pending() == 1


def test_vectors_of_another_model_answer_from_the_switch_on_and_not_before(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([record("flood", "weir", "dam")])
    embed(writer, 10)
    writer.publish()
    before = reader.latest()
    order = writer.waiting_order(-1, fingerprint="other")
    waiting = writer.waiting_texts(order, fingerprint="other")
    assert len(waiting) == 2
    other = vectors_of([f"other {item.text}" for item in waiting])
    writer.store_embeddings(waiting[:1], other[:1], "other")
    assert len(writer.waiting_order(-1, fingerprint="other")) == 1
    assert shown(reader.latest()) == shown(before)
    writer.switch_model("other-model", "other")
    after = reader.latest()
    assert (after.model, after.fingerprint) == ("other-model", "other")
    assert (after.embedded, writer.pending()) == (1, 1)
    assert after.vectors.search(other[0], 1, None)[1][0] > 0.999
    assert before.embedded == 2
    writer.store_embeddings(waiting[1:], other[1:], "other")
    assert reader.latest().embedded == 2


def test_a_store_of_another_model_than_the_one_asked_for_is_refused(
    writer: Writer, folder: Path
) -> None:
    writer.switch_model("other-model", "other")
    writer.close()
    with pytest.raises(ModelMismatchError, match=r"nutgraf reembed --model all-MiniLM-L6-v2"):
        Writer(folder, model="all-MiniLM-L6-v2")
    with Writer(folder) as again:
        assert again.model == "other-model"


def test_there_are_never_more_than_eight_segments(writer: Writer, reader: SnapshotReader) -> None:
    counts = []
    for n in range(12):
        writer.add([record(f"wire-{n}", f"tok{n}")])
        embed(writer, 10)
        writer.publish()
        counts.append(reader.latest().segments)
    assert counts[:8] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert max(counts[8:]) <= 8
    assert reader.latest().embedded == 12
    assert len(list((writer.folder / store_folder.SEGMENTS).iterdir())) == counts[-1]


def test_segments_are_rewritten_when_more_than_a_fifth_of_their_vectors_is_dead(
    writer: Writer,
) -> None:
    writer.add([record(f"wire-{n}", f"tok{n}") for n in range(10)])
    embed(writer, 10)
    writer.publish()

    def held() -> int:
        return sum(info.passages for info in live_segments(writer._truth))

    writer.remove(["wire-0", "wire-1"])
    writer.publish()
    assert held() == 10
    writer.remove(["wire-2"])
    writer.publish()
    assert held() == 7


def test_publishing_nothing_makes_no_segment(writer: Writer, reader: SnapshotReader) -> None:
    writer.add([record("flood", "weir")])
    writer.publish()
    writer.compact()
    assert reader.latest().segments == 0


@pytest.mark.parametrize("and_then", ["publish", "compact"])
def test_a_removal_cut_off_before_the_words_takes_its_vectors_with_it_or_keeps_them(
    writer: Writer, reader: SnapshotReader, monkeypatch: pytest.MonkeyPatch, and_then: str
) -> None:
    """Ctrl-C between the truth's commit and the words': readers still show what was removed."""
    writer.add([record("flood", "weir"), record("fire", "ash"), record("quake", "fault")])
    embed(writer, 10)
    if and_then == "compact":
        writer.publish()

    def cut_off() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(writer._words, "follow", cut_off)
        with pytest.raises(KeyboardInterrupt):
            writer.remove(["flood", "fire"])
    assert (reader.latest().articles, reader.latest().embedded) == (3, 3)
    getattr(writer, and_then)()
    assert sorted(shown(reader.latest())) == ["quake"]
    assert reader.latest().embedded == 1


# ------------------------------------------------------------------ followers that fell behind


@pytest.fixture
def filled(folder: Path) -> Path:
    """A closed store of three articles, with a segment and a tail."""
    with Writer(folder) as writer:
        writer.add([record("flood", "weir", "dam"), record("fire", "ash")])
        embed(writer, 2)
        writer.publish()
        writer.add([record("quake", "fault")])
        embed(writer, 10)
    return folder


def everything(folder: Path) -> object:
    reader = SnapshotReader(folder)
    try:
        return shown(reader.latest())
    finally:
        reader.close()


def test_a_damaged_segment_changes_no_answer_and_the_next_writer_rebuilds_it(filled: Path) -> None:
    before = everything(filled)
    (segment,) = (filled / store_folder.SEGMENTS).glob("*.seg")
    flip(segment, segment.stat().st_size // 2)
    assert everything(filled) == before
    with Writer(filled):
        assert everything(filled) == before
    names = sorted(path.name for path in (filled / store_folder.SEGMENTS).iterdir())
    assert names[0] == f"{segment.name}.damaged"
    assert len(names) == 2
    assert segment.name not in names


def test_deleted_segments_change_no_answer_and_the_next_writer_rebuilds_them(filled: Path) -> None:
    before = everything(filled)
    shutil.rmtree(filled / store_folder.SEGMENTS)
    assert everything(filled) == before
    with Writer(filled):
        assert everything(filled) == before
    assert len(list((filled / store_folder.SEGMENTS).glob("*.seg"))) == 1


@pytest.mark.parametrize("how", ["deleted", "emptied", "garbled"])
def test_a_word_index_that_is_gone_is_rebuilt_by_the_next_writer(filled: Path, how: str) -> None:
    before = everything(filled)
    words = filled / store_folder.WORDS
    if how == "garbled":
        (words / "meta.json").write_bytes(b"\x00" * 100)
    else:
        shutil.rmtree(words)
    if how == "emptied":
        words.mkdir()
    with Writer(filled) as writer:
        assert everything(filled) == before
        writer.add([record("storm", "gale")])
    assert set(everything(filled)) == {"flood", "fire", "quake", "storm"}


def test_an_older_word_index_catches_up_with_the_truth(filled: Path, tmp_path: Path) -> None:
    shutil.copytree(filled / store_folder.WORDS, tmp_path / "older")
    with Writer(filled) as writer:
        writer.add([record("flood", "lock"), record("storm", "gale")])
        writer.remove(["fire"])
        after = everything(filled)
    shutil.rmtree(filled / store_folder.WORDS)
    (tmp_path / "older").rename(filled / store_folder.WORDS)
    with Writer(filled):
        assert everything(filled) == after


def test_a_word_index_ahead_of_the_truth_is_rebuilt(filled: Path, tmp_path: Path) -> None:
    """As when the database alone was restored from a backup."""
    shutil.copy(filled / store_folder.DATABASE, tmp_path / "backup.db")
    before = everything(filled)
    with Writer(filled) as writer:
        writer.remove(["fire"])
    (tmp_path / "backup.db").replace(filled / store_folder.DATABASE)
    with Writer(filled):
        assert everything(filled) == before


def test_a_word_index_that_cannot_be_written_to_is_rebuilt(filled: Path, tmp_path: Path) -> None:
    """Here a file is in tantivy's way that it knows nothing of."""
    shutil.copytree(filled / store_folder.WORDS, tmp_path / "older")
    with Writer(filled) as writer:
        writer.remove(["fire"])
        after = everything(filled)
    older = {path.name for path in (tmp_path / "older").iterdir()}
    in_the_way = [
        path for path in (filled / store_folder.WORDS).glob("*.del") if path.name not in older
    ]
    assert in_the_way
    for path in in_the_way:
        shutil.copy(path, tmp_path / "older")
    shutil.rmtree(filled / store_folder.WORDS)
    (tmp_path / "older").rename(filled / store_folder.WORDS)
    with Writer(filled):
        assert everything(filled) == after


def test_what_a_crash_left_among_the_segments_is_swept_away(filled: Path) -> None:
    (filled / store_folder.SEGMENTS / "000000000009-abcd.seg").write_bytes(b"never published")
    (filled / store_folder.SEGMENTS / "000000000009-abcd.draft").write_bytes(b"half")
    with Writer(filled):
        pass
    assert len(list((filled / store_folder.SEGMENTS).iterdir())) == 1


# ------------------------------------------------------------------ recurring lines


def test_a_line_learned_at_the_end_is_dropped_from_the_earlier_articles_too(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([signed(n) for n in range(20)])
    assert len(found_by_word(reader.latest(), "letter")) == 20
    writer.finish()
    assert found_by_word(reader.latest(), "letter") == []
    seen = shown(reader.latest())
    assert {article.text for article in seen.values()} == {paragraph(f"tok{n}") for n in range(20)}
    assert {article.version for article in seen.values()} == {1}
    writer.add([signed(20)])  # and from those that come
    assert found_by_word(reader.latest(), "letter") == []
    assert answers(writer, signed(3)) == [("unchanged", 1)]


def test_on_the_way_a_line_must_stand_in_twice_as_many_articles_as_at_the_end(
    writer: Writer, reader: SnapshotReader
) -> None:
    others = [record(f"other-{n}", f"tik{n}", outlet="Bush Telegraph") for n in range(70)]
    writer.add([*others, *map(signed, range(29))])  # in 15 of 99 it recurs
    writer.learn_midway()
    assert len(found_by_word(reader.latest(), "letter")) == 29
    writer.add([signed(29)])
    writer.learn_midway()
    assert found_by_word(reader.latest(), "letter") == []


def test_what_the_way_leaves_to_the_end_is_learned_there(
    writer: Writer, reader: SnapshotReader
) -> None:
    others = [record(f"other-{n}", f"tik{n}", outlet="Bush Telegraph") for n in range(70)]
    writer.add([*others, *map(signed, range(29))])
    writer.learn_midway()
    writer.finish()
    assert found_by_word(reader.latest(), "letter") == []


def test_what_was_prepared_before_a_lesson_and_is_stored_after_it_is_clean(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([signed(n) for n in range(20)])
    late = [signed(20), signed(21)]
    recurring = writer.recurring_lines(late)
    works = groundworks(late, recurring)
    writer.finish()
    writer.add(late, works=works, recurring=recurring)
    assert len(shown(reader.latest())) == 22
    assert found_by_word(reader.latest(), "letter") == []


def test_a_lesson_that_was_cut_off_is_learned_by_the_next_one(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([signed(n) for n in range(20)])

    def cut_off(
        batches: Iterable[Sequence[SourceRecord]], recurring: Mapping[str, frozenset[bytes]]
    ) -> Iterator[tuple[Sequence[SourceRecord], Sequence[Groundwork | BadArticleError]]]:
        for records in batches:
            yield records[:7], groundworks(records[:7], recurring)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        writer.finish(cut_off)
    assert len(found_by_word(reader.latest(), "letter")) == 13
    writer.finish()
    assert found_by_word(reader.latest(), "letter") == []
    assert len(shown(reader.latest())) == 20


def test_words_that_tantivy_calls_corrupted_when_they_are_read_are_built_anew(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Writer(filled):
        before = everything(filled)
    opening = WordsIndex.__init__
    said = ["Data corrupted: 'Failed to open field \"number\"'s positions in the composite file.'"]

    def opened(self: WordsIndex, folder: Path, **options: bool) -> None:
        if said:
            raise ValueError(said.pop())
        opening(self, folder, **options)

    monkeypatch.setattr(WordsIndex, "__init__", opened)
    with Writer(filled):
        assert everything(filled) == before
    assert not said
    assert (filled / "words.damaged").is_dir()
