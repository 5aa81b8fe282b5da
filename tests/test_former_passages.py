"""What passages said that are gone: kept, seen as of each snapshot, and let go."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from oracle import paragraph, record

from index import former_passages, store_folder
from index.article import ArticleId, SourceRecord, passage_id
from index.snapshot import Snapshot, SnapshotReader
from index.words_follower import WordsFollower
from index.writer import Writer

GONE = "SELECT count(*) FROM former_passages"


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    with Writer(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def reader(writer: Writer) -> Iterator[SnapshotReader]:
    with closing(SnapshotReader(writer.folder)) as opened:
        yield opened


def id_of(article: str, name: str) -> str:
    return passage_id(ArticleId(article), paragraph(name))


def said(snapshot: Snapshot, article: str, name: str) -> str | None:
    """What is known of a passage: live, its version, withdrawn (nothing kept); None: never was."""
    id = id_of(article, name)
    if snapshot.passage(id):
        return "live"
    former = snapshot.former_passage(id)
    if former is None:
        return None
    if former.said is None:
        return "nothing"
    assert former.said.text == paragraph(name)
    return f"version {former.said.version}"


def test_a_passage_that_a_new_version_leaves_out_is_kept(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([record("flood", "weir", "dam")])
    writer.add([record("flood", "weir", "lock")])
    snapshot = reader.latest()
    assert said(snapshot, "flood", "weir") == said(snapshot, "flood", "lock") == "live"
    former = snapshot.former_passage(id_of("flood", "dam"))
    assert former is not None
    assert former.article_id == "flood"
    assert former.said == former_passages.FormerText(
        1, 1, len(paragraph("weir")) + 2, paragraph("dam")
    )
    assert former.said.end == former.said.start + len(paragraph("dam"))
    assert snapshot.former_passage("flood-000000000000") is None


def test_it_is_kept_with_the_time_of_the_commit_that_took_it_away(
    writer: Writer, reader: SnapshotReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_700_000_000
    monkeypatch.setattr("index.writer.time.time", lambda: now)
    writer.add([record("flood", "weir")])
    now += 60
    writer.add([record("flood", "dam")])
    now += 60
    writer.add([record("flood", "lock")])
    snapshot = reader.latest()
    former = snapshot.former_passage(id_of("flood", "weir"))
    assert former is not None
    assert snapshot.committed_s(former.gone_seq) == 1_700_000_060


def test_a_passage_that_comes_back_is_live_again_and_may_go_again(
    writer: Writer, reader: SnapshotReader
) -> None:
    for names in (("weir", "dam"), ("weir",), ("weir", "dam"), ("weir", "lock")):
        writer.add([record("flood", *names)])
    assert said(reader.latest(), "flood", "dam") == "version 3"


def test_a_snapshot_sees_what_was_kept_when_it_was_made(
    writer: Writer, reader: SnapshotReader
) -> None:
    states = []
    for names in (("weir",), ("dam",), (), ("lock",), ("weir",), ("dam",)):
        if names:
            writer.add([record("flood", *names)])
        else:
            writer.remove([ArticleId("flood")])
        states.append(reader.latest())
    writer.compact()
    assert [said(state, "flood", "weir") for state in states] == [
        "live",
        "version 1",
        "nothing",
        "nothing",
        "live",
        "version 4",
    ]


def test_nothing_is_kept_of_an_article_that_is_removed(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([record("flood", "weir")])
    writer.add([record("flood", "dam")])
    before = reader.latest()
    writer.remove([ArticleId("flood")])
    snapshot = reader.latest()
    for name in ("weir", "dam"):
        assert said(snapshot, "flood", name) == "nothing"
    assert snapshot.removal_of("flood") == snapshot.horizon
    assert snapshot.removal_of("drought") is None
    assert said(before, "flood", "weir") == "version 1"
    writer.compact()
    assert writer._truth.execute(GONE).fetchone() == (0,)


def test_a_version_that_no_reader_ever_saw_is_kept_like_any_other(
    writer: Writer, reader: SnapshotReader
) -> None:
    names = ("weir", "dam", "weir", "lock")
    writer.add([record("flood", name) for name in names])
    snapshot = reader.latest()
    assert [said(snapshot, "flood", name) for name in names] == [
        "version 3",
        "version 2",
        "version 3",
        "live",
    ]


def test_what_cleaning_takes_out_of_a_passage_is_kept(
    writer: Writer, reader: SnapshotReader
) -> None:
    """A line that stands in most articles of an outlet is learned, and cut from all of them."""
    box = "Sign up for the Bush Telegraph morning letter and never miss a wombat again."
    plain = [record(f"wire-{n}", f"tok{n}") for n in range(12)]
    writer.add([replace(item, body=f"{item.body}\n\n{box}") for item in plain])
    first = reader.latest()
    article = first.article("wire-3")
    assert article is not None
    before = first.passages_of(article)
    writer.finish()
    latest = reader.latest()
    cleaned = latest.article("wire-3")
    assert cleaned is not None
    assert cleaned.text == plain[3].body
    assert cleaned.version == 1
    gone = [passage for passage in before if latest.passage(passage.id) is None]
    assert gone
    for passage in gone:
        former = latest.former_passage(passage.id)
        assert former is not None
        assert former.said is not None
        assert (former.said.text, former.said.version) == (passage.text, 1)


def test_ids_are_the_same_after_twenty_times_of_adding(
    writer: Writer, reader: SnapshotReader
) -> None:
    records = [record(f"wire-{n}", f"tok{n}", "shared", "shared") for n in range(5)]
    writer.add(records)
    ids = _live_ids(reader.latest())
    for _ in range(20):
        writer.add(records)
        writer.finish()
    assert _live_ids(reader.latest()) == ids
    for item in records:
        writer.add([replace(item, headline="Wombats counted twice")])
    assert _live_ids(reader.latest()) == ids
    assert writer._truth.execute(GONE).fetchone() == (0,)


def _live_ids(snapshot: Snapshot) -> list[str]:
    return sorted(row.id for row in snapshot.passage_rows(range(snapshot.passages)).values())


def test_a_change_that_fails_keeps_nothing(
    writer: Writer, reader: SnapshotReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.add([record("flood", "weir")])

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the plug was pulled")

    for change in (
        lambda: writer.add([record("flood", "dam")]),
        lambda: writer.remove([ArticleId("flood")]),
    ):
        with monkeypatch.context() as patched:
            patched.setattr("index.stories.retell", fail)
            with pytest.raises(RuntimeError):
                change()
        assert said(reader.latest(), "flood", "weir") == "live"
        assert reader.latest().former_passage(id_of("flood", "weir")) is None
    assert writer._truth.execute(GONE).fetchone() == (0,)


def test_a_writer_that_dies_before_the_word_index_follows_is_told_of_after_recovery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The truth is committed, the word index is behind: readers stay where both agree."""
    with Writer(tmp_path / "store") as writer:
        writer.add([record("flood", "weir")])
        with closing(SnapshotReader(writer.folder)) as reader:
            with monkeypatch.context() as patched:
                patched.setattr(WordsFollower, "follow", lambda _: None)
                writer.add([record("flood", "dam")])
            assert said(reader.latest(), "flood", "weir") == "live"
            assert reader.latest().former_passage(id_of("flood", "weir")) is None
    with Writer(tmp_path / "store"), closing(SnapshotReader(tmp_path / "store")) as reader:
        assert said(reader.latest(), "flood", "weir") == "version 1"


def test_a_damaged_row_is_left_out(
    writer: Writer, reader: SnapshotReader, caplog: pytest.LogCaptureFixture
) -> None:
    writer.add([record("flood", "weir")])
    writer.add([record("flood", "dam")])
    with closing(sqlite3.connect(writer.folder / store_folder.DATABASE)) as truth, truth:
        truth.execute("UPDATE former_passages SET start = 7")
    assert said(reader.latest(), "flood", "weir") == "nothing"
    assert id_of("flood", "weir") in caplog.text


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_every_id_that_ever_was_is_told_of_rightly(
    writer: Writer, reader: SnapshotReader, seed: int
) -> None:
    """Against a model in plain Python, on every snapshot that was ever taken."""
    chance = random.Random(seed)
    live: dict[str, tuple[int, tuple[str, ...]]] = {}
    last: dict[str, int] = {}
    state: dict[tuple[str, str], str] = {}
    seen: list[tuple[Snapshot, dict[tuple[str, str], str]]] = []
    for _ in range(40):
        article = chance.choice("abc")
        names = tuple(chance.sample(["weir", "dam", "lock", "mole", "quay"], chance.randint(1, 3)))
        if chance.random() < 0.2:
            writer.remove([ArticleId(article)])
            if live.pop(article, None):
                state.update({key: "nothing" for key in state if key[0] == article})
        else:
            writer.add([_record(article, names)])
            version, before = live.get(article, (last.get(article, 0), ()))
            if before != names:
                last[article] = version + 1
                live[article] = (version + 1, names)
                state.update({(article, name): f"version {version}" for name in before})
                state.update({(article, name): "live" for name in names})
        if chance.random() < 0.2:
            writer.compact()
        seen = [*seen[-4:], (reader.latest(), dict(state))]
        for snapshot, expected in seen:
            found = {key: said(snapshot, *key) for key in expected}
            assert found == expected


def _record(article: str, names: tuple[str, ...]) -> SourceRecord:
    return record(article, *names)
