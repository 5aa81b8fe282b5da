"""Reports: the same whatever the order of arrival, kept up as articles change and go."""

import itertools
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import paragraph, record

from index import reports, store, store_folder
from index.article import Article, ArticleId, Origin, Published, SourceRecord
from index.snapshot import Snapshot, SnapshotReader
from index.store import ArticleRow
from index.writer import Writer

PARAGRAPHS = [
    " ".join(f"{place}{number}" for number in range(20))
    for place in ("harbour", "ferry", "mole", "barge", "quay", "storm", "council")
]


def report_of(own_id: str, *paragraphs: int, lead: str = "", headline: str = "") -> SourceRecord:
    """A record whose text is these paragraphs; each is a fifth of five, in words."""
    body = "\n\n".join(filter(None, [lead, *(PARAGRAPHS[number] for number in paragraphs)]))
    return SourceRecord(
        Origin("test.jsonl", 1),
        b"{}",
        body,
        headline=headline or f"Harbour news {own_id}",
        outlet="Northport Courier",
        own_id=own_id,
        published=Published("2025-03-14"),
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


def grouped(snapshot: Snapshot) -> set[frozenset[str]]:
    """The ids of live articles, by report; each report is labelled by its least number."""
    columns = snapshot.columns
    groups: dict[int, list[ArticleRow]] = {}
    for at in sorted({int(at) for at in columns.article}):
        article = snapshot.article(columns.article_id[at])
        assert article is not None
        groups.setdefault(int(columns.report[at]), []).append(article)
    for label, articles in groups.items():
        assert label == min(article.number for article in articles)
        assert list(snapshot.articles_of_report(label)) == sorted(articles, key=lambda a: a.number)
    return {frozenset(article.id for article in articles) for articles in groups.values()}


def sets(*groups: str) -> set[frozenset[str]]:
    return {frozenset(group.split()) for group in groups}


# ------------------------------------------------------------------ the relation, in any order

PLAIN, MARKED = "Harbour reopens after the storm", "UPDATE 1-Harbour reopens after the storm"


@st.composite
def items(draw: st.DrawFn) -> Article:
    chosen = draw(st.lists(st.integers(0, 6), min_size=1, max_size=5, unique=True))
    return Article(
        ArticleId(draw(st.sampled_from("abcdefgh"))),
        draw(st.sampled_from([PLAIN, MARKED, "Barge raised from the channel"])),
        "\n\n".join(PARAGRAPHS[number] for number in chosen),
        outlet=draw(st.sampled_from(["Northport Courier", "The Islander"])),
        published=draw(
            st.sampled_from([None, Published("2025-03-14"), Published("2025-03-16T19:12")])
        ),
    )


changes = st.lists(
    st.tuples(st.lists(items(), max_size=3), st.lists(st.sampled_from("abcdefgh"), max_size=2)),
    min_size=1,
    max_size=8,
)


@settings(deadline=None, max_examples=60)
@given(changes, st.sampled_from([1, 2, 500]))
def test_any_order_of_changes_ends_in_the_components_of_the_relation(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[list[Article], list[str]]],
    long_list: int,
) -> None:
    truth = store_folder.create_or_open(tmp_path_factory.mktemp("store"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reports, "_LONG_LIST", long_list)
        then = []
        for seq, (added, removed) in enumerate(steps, 1):
            truth.execute("BEGIN")
            for key in removed:
                _remove(truth, key, seq)
            for article in added:
                _remove(truth, article.id, seq)
                _insert(truth, article, seq)
            reports.regroup(truth, seq)
            truth.execute("COMMIT")
            then.append(_labels_by_brute_force(truth))
    assert _labels_at(truth, len(steps)) == then[-1]
    for seq, labels in enumerate(then, 1):
        assert _labels_at(truth, seq) == labels
    live = dict(truth.execute("SELECT article, report FROM sketches").fetchall())
    assert live == then[-1]
    assert all(reports.label(truth, number) == label for number, label in live.items())
    truth.close()


def _insert(truth: sqlite3.Connection, article: Article, seq: int) -> None:
    source = SourceRecord(Origin("test.jsonl", 1), b"", article.text)
    store.insert_article(truth, article, source, (), version=1, seq=seq, content=b"")


def _remove(truth: sqlite3.Connection, key: str, seq: int) -> None:
    truth.execute(
        "UPDATE articles SET removed_seq = ? WHERE id = ? AND removed_seq IS NULL", (seq, key)
    )


def _labels_by_brute_force(truth: sqlite3.Connection) -> dict[int, int]:
    """The least number of each article's component, from all pairs."""
    rows = truth.execute("SELECT number FROM articles WHERE removed_seq IS NULL")
    articles = store.articles_numbered(truth, [row[0] for row in rows])
    members = [reports.member(articles[number]) for number in sorted(articles)]
    labels = {number: number for number in articles}
    for a, b in itertools.combinations(members, 2):
        assert reports.belong_together(a, b) == reports.belong_together(b, a)
        if reports.belong_together(a, b):
            one, other = labels[a.article.number], labels[b.article.number]
            labels = {n: min(one, other) if at in (one, other) else at for n, at in labels.items()}
    return labels


def _labels_at(truth: sqlite3.Connection, horizon: int) -> dict[int, int]:
    rows = truth.execute(
        "SELECT number FROM articles WHERE added_seq <= :horizon "
        "AND (removed_seq IS NULL OR removed_seq > :horizon)",
        {"horizon": horizon},
    )
    changed = reports.changed(truth, 0, horizon)
    return {number: changed.get(number, number) for (number,) in rows}


def test_a_group_of_many_copies_takes_a_comparison_an_article(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []
    belong_together = reports.belong_together

    def counting(a: reports.Member, b: reports.Member) -> bool:
        compared.append(1)
        return belong_together(a, b)

    monkeypatch.setattr(reports, "belong_together", counting)
    truth = store_folder.create_or_open(tmp_path)
    order = random.Random(1)
    for seq in range(1, 61):
        words = " ".join(PARAGRAPHS).split()
        words[order.randrange(len(words))] = f"corrected{seq}"  # no two are equal
        truth.execute("BEGIN")
        _insert(truth, Article(ArticleId(f"a{seq}"), PLAIN, " ".join(words)), seq)
        reports.regroup(truth, seq)
        truth.execute("COMMIT")
    assert truth.execute("SELECT count(DISTINCT report) FROM sketches").fetchone() == (1,)
    assert len(compared) == 59
    compared.clear()
    truth.execute("BEGIN")
    _remove(truth, "a30", 61)
    reports.regroup(truth, 61)
    truth.execute("COMMIT")
    assert len(compared) == 58
    truth.close()


# ------------------------------------------------------------------ through the writer


def test_copies_are_one_report_labelled_by_its_least_number(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([report_of("a", 0, 1, 2, 3), report_of("b", 4, 5, 6)])
    writer.add([report_of("c", 3, 0, 1, 2, lead="Our own correspondent writes.")])
    snapshot = reader.latest()
    assert grouped(snapshot) == sets("a c", "b")
    assert snapshot.articles_of_report(4711) == ()


def test_a_bridge_joins_two_reports_and_its_removal_parts_them(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([report_of("a", 0, 1, 2, 3), report_of("b", 2, 3, 4, 5)])
    assert grouped(reader.latest()) == sets("a", "b")
    writer.add([report_of("bridge", 0, 1, 2, 3, 4, 5)])
    joined = reader.latest()
    assert grouped(joined) == sets("a b bridge")
    writer.remove(["bridge"])
    assert grouped(reader.latest()) == sets("a", "b")
    assert grouped(joined) == sets("a b bridge")


def test_a_replacement_takes_the_article_from_its_old_report_to_its_new_one(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([report_of("a", 0, 1, 2), report_of("b", 0, 1, 2), report_of("c", 4, 5, 6)])
    before = reader.latest()
    writer.add([report_of("a", 4, 5, 6)])
    assert grouped(reader.latest()) == sets("a c", "b")
    writer.compact()  # purges what was replaced
    assert grouped(reader.latest()) == sets("a c", "b")
    assert grouped(before) == sets("a b", "c")
    newcomer = SnapshotReader(writer.folder)
    assert grouped(newcomer.latest()) == sets("a c", "b")
    newcomer.close()


def test_articles_cleaned_anew_stay_in_their_reports(
    writer: Writer, reader: SnapshotReader
) -> None:
    """What recurs in an outlet's articles is cut off when the run of adds ends."""
    box = "All times are those of the Northport lighthouse"
    bodies = {key: [f"{key}{n}" for n in range(40)] for key in "abcdefgh"}
    bodies["z"] = bodies["h"]
    writer.add(
        [
            SourceRecord(
                Origin("test.jsonl", 1),
                b"{}",
                f"{' '.join(words)}.\n\n{box}",
                headline=f"Harbour news {key}",
                outlet="Northport Courier",
                own_id=key,
            )
            for key, words in bodies.items()
        ]
    )
    assert box in reader.latest().article("a").text
    numbers = reader.latest().columns.article_number.tolist()
    writer.finish()
    snapshot = reader.latest()
    assert box not in snapshot.article("a").text
    assert snapshot.article("h").number not in numbers
    assert grouped(snapshot) == sets(*"abcdefg", "h z")


def test_an_update_is_in_the_report_of_what_it_supersedes(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([report_of("a", 0, 1, headline="Harbour reopens after the storm")])
    writer.add([report_of("b", 3, 4, headline="UPDATE 1-Harbour reopens after the storm")])
    assert grouped(reader.latest()) == sets("a b")


def test_to_add_the_same_again_changes_no_report(writer: Writer, reader: SnapshotReader) -> None:
    writer.add([report_of("a", 0, 1, 2), report_of("b", 0, 1, 2)])
    before = reader.latest()
    writer.add([report_of("b", 0, 1, 2)])
    assert reader.latest().id == before.id
    assert grouped(reader.latest()) == sets("a b")


def test_an_article_whose_label_is_damaged_stands_alone(writer: Writer) -> None:
    writer.add([report_of("a", 0, 1, 2), report_of("b", 0, 1, 2)])
    writer.close()
    _change(writer.folder, "UPDATE reports SET report = 7")
    reader = SnapshotReader(writer.folder)
    assert grouped(reader.latest()) == sets("a", "b")
    reader.close()


def test_a_damaged_article_joins_no_other_and_hinders_none(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([report_of("a", 0, 1, 2)])
    _change(writer.folder, "UPDATE articles SET headline = 'x' WHERE id = 'a'")
    writer.add([report_of("b", 0, 1, 2)])
    writer.add([report_of("c", 0, 1, 2)])
    writer.remove(["c"])
    writer.add([report_of("a", 0, 1, 2, lead="Sound again.")])
    assert grouped(reader.latest()) == sets("a b")


def test_no_row_of_a_removed_article_stays(writer: Writer) -> None:
    writer.add([report_of("a", 0, 1, 2), report_of("b", 0, 1, 2)])
    writer.add([report_of("a", 0, 1, 2, 3)])
    writer.remove(["a", "b"])
    writer.compact()
    writer.close()
    connection = sqlite3.connect(writer.folder / store_folder.DATABASE)
    for table in ("sketches", "fingerprints", "reports", "superseded"):
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
    connection.close()


def test_labels_that_no_reader_needs_any_more_are_purged(writer: Writer) -> None:
    writer.add([report_of("b", 0, 1, 2), report_of("a", 0, 1, 2)])
    for step in range(6):
        writer.add([report_of("b", 0, 1, 2, lead=f"Version {step}.")])
    writer.compact()
    rows = writer._truth.execute("SELECT count(*) FROM reports").fetchone()
    assert rows[0] <= 2


def _change(folder: Path, sql: str) -> None:
    connection = sqlite3.connect(folder / store_folder.DATABASE, isolation_level=None)
    assert connection.execute(sql).rowcount > 0
    connection.close()


# ------------------------------------------------------------------ earlier versions


def versions(snapshot: Snapshot, key: str) -> list[tuple[int, str, str]]:
    article = snapshot.article(key)
    assert article is not None
    return [
        (earlier.version, earlier.headline, earlier.text.split()[1])
        for earlier in snapshot.earlier_versions(article)
    ]


def test_earlier_versions_stay_readable_oldest_first(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([record("flood", "weir", headline="Flood", published="2022-01-21T19:12")])
    first = reader.latest()
    writer.add([record("flood", "dam", headline="Flood rises")])
    second = reader.latest()
    writer.add([record("flood", "lock")])
    writer.compact()
    assert versions(first, "flood") == []
    assert versions(second, "flood") == [(1, "Flood", "weir")]
    latest = reader.latest()
    assert versions(latest, "flood") == [(1, "Flood", "weir"), (2, "Flood rises", "dam")]
    earliest = latest.earlier_versions(latest.article("flood"))[0]
    assert earliest.text == paragraph("weir")
    assert earliest.published == Published("2022-01-21T19:12")


def test_earlier_versions_go_with_the_article(writer: Writer, reader: SnapshotReader) -> None:
    writer.add([record("flood", "weir")])
    writer.add([record("flood", "dam")])
    before = reader.latest()
    writer.remove(["flood"])
    writer.add([record("flood", "lock")])
    assert versions(reader.latest(), "flood") == []
    assert [version for version, *_ in versions(before, "flood")] == [1]
    writer.compact()
    assert writer._truth.execute("SELECT count(*) FROM superseded").fetchone() == (0,)


def test_a_damaged_earlier_version_is_left_out(writer: Writer, reader: SnapshotReader) -> None:
    writer.add([record("flood", "weir")])
    writer.add([record("flood", "dam")])
    writer.add([record("flood", "lock")])
    _change(writer.folder, "UPDATE superseded SET published = '2022-91-21' WHERE version = 1")
    assert [version for version, *_ in versions(reader.latest(), "flood")] == [2]
