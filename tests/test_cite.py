"""What becomes of a citation when its article changes, and how it is cited then."""

import io
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from rich.console import Console

from index.article import ArticleId, Origin, Published, SourceRecord
from index.errors import BadQueryError, NotFoundError
from index.snapshot import Snapshot, SnapshotReader
from index.writer import Writer
from search.commands.cite_terminal import print_cited
from search.coverage.alignment import Op
from search.references.cite import Status, cited, cited_article, cited_passage

# Each is long enough to be a passage by itself.
OPENING = (
    "Northport harbour opened again on Friday, nine days after the storm closed it and eleven days "
    "after the first ships had been sent to other ports along the coast of the sound. Crews of the "
    "port authority had worked in shifts, day and night, to clear the channel of the masts, nets "
    "and containers that the sea had left there, and a survey ship had measured every part of it "
    "twice. The harbour master signed the order at noon, and a tug led the first freighter in."
)
FERRY = (
    "“The ferry sails at dawn on Saturday,” harbour master Ines Okoro told reporters on the quay, "
    "and she added that tickets bought for the days of the storm would be honoured until the end "
    "of April. The company will put on a second ship at the weekend, because hundreds of islanders "
    "have waited for a week in hotels and with relatives, and because the shops of the island are "
    "short of milk, bread and fuel. Cars must be booked a day before, as they always had to be."
)
FERRY_LATER = FERRY.replace("at dawn on Saturday", "at noon on Sunday")
DIVERS = (
    "Fishing boats must wait until divers have looked at the outer mole, where the waves moved "
    "blocks of several tons. The cooperative said that each day in port costs its forty members "
    "as much as a new engine, and asked the council for a loan without interest. A decision is "
    "expected on Tuesday, when the council meets for the first time since the storm, and the "
    "mayor has said that she will propose to pay half of what was lost."
)
ACCESSED = date(2025, 4, 1)
BASE = "http://127.0.0.1:8765/"


def harbour(*paragraphs: str, id: str = "harbour-041") -> SourceRecord:
    return SourceRecord(
        Origin("wire.jsonl", 1),
        b"{}",
        "\n\n".join(paragraphs),
        headline="Harbour reopens after the storm",
        outlet="Northport Courier",
        byline="Tomas Lindqvist",
        url="https://courier.example/2025/03/harbour",
        own_id=id,
        published=Published("2025-03-14T19:12"),
    )


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    with Writer(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def reader(writer: Writer) -> Iterator[SnapshotReader]:
    with closing(SnapshotReader(writer.folder)) as opened:
        yield opened


def id_of(snapshot: Snapshot, text: str) -> str:
    article = snapshot.article("harbour-041")
    assert article is not None
    return next(each.id for each in snapshot.passages_of(article) if each.text == text)


def test_a_passage_that_is_there_is_unchanged(writer: Writer, reader: SnapshotReader) -> None:
    writer.add([harbour(OPENING, FERRY, DIVERS)])
    ferry = id_of(reader.latest(), FERRY)
    found = cited_passage(reader.latest(), ferry)
    assert (found.status, found.since, found.edited) == (Status.UNCHANGED, None, None)
    assert found.now is not None
    citation = found.now.citation(ACCESSED, BASE)
    assert (citation.id, citation.quote) == (ferry, FERRY)
    assert citation.start == len(OPENING) + 2
    assert citation.archive_url == f"{BASE}articles/harbour-041#{ferry}"
    assert found.now.live_url().startswith("https://courier.example/2025/03/harbour#:~:text=")
    assert found.now.citation(ACCESSED).archive_url == ""


def test_a_passage_that_moved_is_unchanged(writer: Writer, reader: SnapshotReader) -> None:
    writer.add([harbour(OPENING, FERRY)])
    ferry = id_of(reader.latest(), FERRY)
    writer.add([harbour(FERRY, DIVERS)])
    found = cited_passage(reader.latest(), ferry)
    assert found.status is Status.UNCHANGED
    assert found.now is not None
    assert (found.now.start, found.now.article.version) == (0, 2)


def test_an_edited_passage_is_put_beside_what_stands_there_now(
    writer: Writer, reader: SnapshotReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2025, 3, 15, 8, 30, tzinfo=UTC)
    monkeypatch.setattr("index.writer.time.time", lambda: now.timestamp())
    writer.add([harbour(OPENING, FERRY, DIVERS)])
    ferry = id_of(reader.latest(), FERRY)
    now = datetime(2025, 3, 16, 9, 0, tzinfo=UTC)
    writer.add([harbour(OPENING, DIVERS, FERRY_LATER)])
    found = cited_passage(reader.latest(), ferry)
    assert (found.status, found.since) == (Status.EDITED, now)
    assert found.edited is not None
    assert found.edited.said is not None
    assert (found.edited.said.version, found.edited.said.text) == (1, FERRY)
    assert found.now is not None
    assert found.now.article.version == 2
    quote = found.now.citation(ACCESSED).quote
    assert quote == FERRY_LATER
    assert found.edited.alignment is not None
    changed = [
        (FERRY[slice(*edit.original)], quote[slice(*edit.copy)])
        for edit in found.edited.alignment.edits
        if edit.op is Op.CHANGED
    ]
    assert changed == [("dawn on Saturday", "noon on Sunday")]


def test_a_passage_that_comes_back_is_unchanged_again(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([harbour(OPENING, FERRY)])
    ferry = id_of(reader.latest(), FERRY)
    writer.add([harbour(OPENING, FERRY_LATER)])
    assert cited_passage(reader.latest(), ferry).status is Status.EDITED
    writer.add([harbour(OPENING, FERRY)])
    assert cited_passage(reader.latest(), ferry).status is Status.UNCHANGED


def test_a_passage_that_was_cut_has_nothing_beside_it(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([harbour(OPENING, FERRY)])
    ferry = id_of(reader.latest(), FERRY)
    writer.add([harbour(DIVERS)])
    found = cited_passage(reader.latest(), ferry)
    assert found.status is Status.EDITED
    assert found.edited is not None
    assert found.edited.alignment is None
    assert found.now is not None
    citation = found.now.citation(ACCESSED, BASE)  # of the whole article
    assert (citation.id, citation.quote) == ("harbour-041", "")
    assert citation.archive_url == f"{BASE}articles/harbour-041"
    assert found.now.live_url() == "https://courier.example/2025/03/harbour"


def test_words_that_still_stand_in_another_passage_are_found_there(
    writer: Writer, reader: SnapshotReader
) -> None:
    """A short line joins the passage: the id is another one, the words are the same."""
    writer.add([harbour(OPENING, FERRY)])
    ferry = id_of(reader.latest(), FERRY)
    writer.add([harbour(OPENING, f"{FERRY} No fares will rise.")])
    found = cited_passage(reader.latest(), ferry)
    assert found.status is Status.EDITED
    assert found.edited is not None
    assert found.edited.alignment is not None
    assert found.edited.alignment.edits == ()
    assert found.now is not None
    assert found.now.passage is not None
    assert found.now.citation(ACCESSED).quote == FERRY


def test_of_a_withdrawn_article_nothing_is_told_but_when(
    writer: Writer, reader: SnapshotReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.add([harbour(OPENING, FERRY)])
    ferry, opening = (id_of(reader.latest(), text) for text in (FERRY, OPENING))
    writer.add([harbour(OPENING, FERRY_LATER)])
    now = datetime(2025, 3, 17, tzinfo=UTC)
    monkeypatch.setattr("index.writer.time.time", now.timestamp)
    writer.remove([ArticleId("harbour-041")])
    # Another article whose guid is the id of the one that is gone.
    writer.add([SourceRecord(Origin("wire.jsonl", 2), b"{}", DIVERS, guid="harbour-041")])
    for id in (ferry, opening):  # of which one was edited before
        found = cited_passage(reader.latest(), id)
        assert (found.status, found.since) == (Status.WITHDRAWN, now)
        assert (found.article_id, found.now, found.edited) == ("harbour-041", None, None)


def test_of_what_was_withdrawn_with_a_damaged_commit_no_time_is_told(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([harbour(OPENING)])
    opening = id_of(reader.latest(), OPENING)
    writer.remove([ArticleId("harbour-041")])
    with writer.desk() as truth:
        truth.execute("UPDATE commits SET at_s = at_s - 864000 WHERE seq = 2")
    found = cited_passage(reader.latest(), opening)
    assert (found.status, found.since) == (Status.WITHDRAWN, None)
    with pytest.raises(NotFoundError, match="was withdrawn; nothing of it is kept"):
        found.standing()
    console = Console(file=io.StringIO(), record=True)
    print_cited(console, found, ACCESSED)
    assert "Withdrawn; nothing of the article harbour-041 is kept." in console.export_text()


def test_an_article_that_comes_back_otherwise_does_not_tell_what_was_withdrawn(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([harbour(OPENING, FERRY)])
    ferry, opening = (id_of(reader.latest(), text) for text in (FERRY, OPENING))
    writer.remove([ArticleId("harbour-041")])
    writer.add([harbour(OPENING, FERRY_LATER)])
    assert cited_passage(reader.latest(), opening).status is Status.UNCHANGED
    found = cited_passage(reader.latest(), ferry)
    assert found.status is Status.EDITED
    assert found.edited is not None
    assert (found.edited.said, found.edited.alignment) == (None, None)


def test_an_article_is_cited_whole_or_by_a_stretch_of_it(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([harbour(OPENING, FERRY)])
    url = "https://courier.example/2025/03/harbour"
    whole = cited_article(reader.latest(), url)
    assert whole.now is not None
    assert whole.now.citation(ACCESSED).id == whole.article_id == "harbour-041"
    start = len(OPENING) - 10
    across = cited_article(reader.latest(), url, (start, start + 40)).now
    inside = cited_article(reader.latest(), url, (2, 20)).now
    assert across is not None
    assert inside is not None
    assert across.passage is None
    assert across.citation(ACCESSED).quote == f"{OPENING}\n\n{FERRY}"[start : start + 40]
    opening = id_of(reader.latest(), OPENING)
    assert inside.passage is not None
    assert inside.passage.id == opening
    assert inside.citation(ACCESSED, BASE).archive_url == (
        f"{BASE}articles/harbour-041?start=2&end=20#{opening}"
    )
    assert across.citation(ACCESSED, BASE).archive_url == (
        f"{BASE}articles/harbour-041?start={start}&end={start + 40}"
    )


def test_a_withdrawn_article_is_told_by_its_id(writer: Writer, reader: SnapshotReader) -> None:
    writer.add([harbour(OPENING)])
    writer.remove([ArticleId("harbour-041")])
    assert cited(reader.latest(), "harbour-041").status is Status.WITHDRAWN


def test_a_stretch_of_an_edited_passage_is_looked_for_by_itself(
    writer: Writer, reader: SnapshotReader
) -> None:
    writer.add([harbour(OPENING, FERRY)])
    ferry = id_of(reader.latest(), FERRY)
    at = len(OPENING) + 2
    stands, gone = FERRY.index("The company"), FERRY.index("at dawn")
    writer.add([harbour(DIVERS, FERRY_LATER)])
    snapshot = reader.latest()
    found = cited_passage(snapshot, ferry, (at + stands, at + stands + 50))
    assert found.status is Status.EDITED
    assert found.now is not None
    assert found.now.citation(ACCESSED).quote == FERRY[stands : stands + 50]
    found = cited_passage(snapshot, ferry, (at + gone, at + gone + 18))
    assert found.now is not None
    assert found.now.citation(ACCESSED).quote == FERRY_LATER
    with pytest.raises(BadQueryError, match="version 1"):
        cited_passage(snapshot, ferry, (0, 10))


@pytest.mark.parametrize("span", [(5, 5), (6, 5), (-1, 5), (0, 10**6), (10**6, 10**6 + 1)])
def test_a_span_that_is_none_is_refused(
    writer: Writer, reader: SnapshotReader, span: tuple[int, int]
) -> None:
    writer.add([harbour(OPENING)])
    with pytest.raises(BadQueryError):
        cited(reader.latest(), "harbour-041", span)


def test_what_never_was_is_not_found(writer: Writer, reader: SnapshotReader) -> None:
    writer.add([harbour(OPENING)])
    for id in ("harbour-041-000000000000", "harbour-042", "", "\ud800"):
        with pytest.raises(NotFoundError):
            cited(reader.latest(), id)
