"""The lineage of a report: original, copies, and the versions of each."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from index.article import ArticleId, Origin, Published, SourceRecord
from index.snapshot import Snapshot, SnapshotReader
from index.store import ArticleRow
from index.writer import Writer
from search.coverage.lineage import Copies, Lineage, copies_of, lineage_of, pieces_of

LEAD = (
    "The harbour opened again on Friday, nine days after the storm closed it. Until then the mail, "
    "the milk and the doctor had come by helicopter, on the few mornings when the wind allowed it."
)
FERRY = (
    "“The ferry sails at dawn on Saturday,” harbour master Ines Okoro told reporters at the quay, "
    "where a crowd had gathered to see the first boats leave."
)
BOATS = (
    "Fishing boats must wait until divers have looked at the outer mole, which lost forty metres "
    "of stone in the night of the storm."
)
STORES = "The island lived from its stores, and from what the hotels had left over."


class Archive:
    """A store that is added to and looked at."""

    def __init__(self, writer: Writer, reader: SnapshotReader) -> None:
        self.writer = writer
        self._reader = reader

    def add(
        self,
        own_id: str,
        *paragraphs: str,
        outlet: str,
        headline: str = "Harbour reopens",
        byline: str = "",
        published: str = "",
    ) -> None:
        record = SourceRecord(
            Origin("test.jsonl", 1),
            b"{}",
            "\n\n".join(paragraphs),
            headline=headline,
            outlet=outlet,
            byline=byline,
            own_id=own_id,
            published=Published(published) if published else None,
        )
        self.writer.add([record])

    @property
    def snapshot(self) -> Snapshot:
        return self._reader.latest()

    def lineage(self, own_id: str) -> Lineage:
        article = self.snapshot.article(own_id)
        assert article
        return lineage_of(article, self.snapshot)

    def copies(self, *own_ids: str) -> Copies | None:
        members = [self.snapshot.article(own_id) for own_id in own_ids]
        found = [member for member in members if member]
        return copies_of(found)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Writer(tmp_path / "store") as writer:
        reader = SnapshotReader(writer.folder)
        yield Archive(writer, reader)
        reader.close()


def parts(lineage: Lineage) -> list[tuple[str, int, str, str]]:
    """Of each version id, version, part and what it derives from."""
    return [
        (
            version.article_id,
            version.version,
            version.part.value,
            f"{source.article_id} {source.version}" if (source := version.derives_from) else "",
        )
        for version in lineage.versions
    ]


def test_an_article_without_copies_is_a_lineage_of_one(archive: Archive) -> None:
    archive.add("wire", LEAD, FERRY, BOATS, outlet="Coast Wire")
    archive.add("other", "The museum shows the map of 1702.", STORES, outlet="Courier")
    lineage = archive.lineage("wire")
    assert parts(lineage) == [("wire", 1, "original", "")]
    assert (lineage.copies, lineage.outlets) == (0, ("Coast Wire",))
    assert lineage.reason == "no copy of it is here"
    assert archive.copies("wire") is None


def test_the_lineage_is_the_same_from_whichever_article_it_is_asked(archive: Archive) -> None:
    archive.add("courier", LEAD, FERRY, outlet="Courier", published="2025-03-15")
    archive.add("wire", LEAD, FERRY, BOATS, outlet="Coast Wire", published="2025-03-14")
    archive.add("undated", FERRY, BOATS, outlet="The Islander")
    lineages = [archive.lineage(id) for id in ("courier", "wire", "undated")]
    assert [lineage.article_id for lineage in lineages] == ["courier", "wire", "undated"]
    for lineage in lineages:
        assert parts(lineage) == [
            ("wire", 1, "original", ""),
            ("courier", 1, "copy", "wire 1"),
            ("undated", 1, "copy", "wire 1"),
        ]
        assert lineage.reason == "the most complete; not every date is known"
        assert lineage.outlets == ("Coast Wire", "Courier", "The Islander")
        assert lineage.copies == 2
    assert archive.copies("courier", "wire", "undated") == Copies(
        count=2,
        outlets=("Coast Wire", "Courier", "The Islander"),
        first=Published("2025-03-14"),
        last=Published("2025-03-15"),
        original="wire",
        reason="the most complete; not every date is known",
    )


def test_spans_are_what_each_copy_cut_and_added(archive: Archive) -> None:
    archive.add("wire", LEAD, FERRY, BOATS, outlet="Coast Wire", published="2025-03-14")
    archive.add("courier", LEAD, FERRY, STORES, outlet="Courier", published="2025-03-15")
    original, copy = archive.lineage("wire").versions
    assert original.alignment is None
    assert copy.alignment
    (edit,) = copy.alignment.edits
    start, end = edit.original
    assert original.text[start:end] == BOATS[:-1]  # the full stop is the same
    start, end = edit.copy
    assert copy.text[start:end] == STORES[:-1]


def test_a_copy_that_the_agency_is_credited_in_comes_first_in_time_but_is_a_copy(
    archive: Archive,
) -> None:
    archive.add(
        "courier", LEAD, FERRY, BOATS, outlet="Courier", published="2025-03-13", byline="AFP"
    )
    archive.add("afp", LEAD, FERRY, BOATS, outlet="AFP", published="2025-03-14")
    lineage = archive.lineage("afp")
    assert parts(lineage) == [("courier", 1, "copy", "afp 1"), ("afp", 1, "original", "")]
    assert lineage.reason == "the agency the others credit"
    assert [version.credits for version in lineage.versions] == [("AFP",), ()]


def test_what_stood_under_the_same_id_before_is_a_version_of_the_piece(archive: Archive) -> None:
    archive.add("wire", LEAD, FERRY, outlet="Coast Wire", published="2025-03-14T09:00Z")
    archive.add("wire", LEAD, FERRY, BOATS, outlet="Coast Wire", published="2025-03-14T10:00Z")
    archive.add("courier", LEAD, FERRY, BOATS, outlet="Courier", published="2025-03-14T11:00Z")
    lineage = archive.lineage("courier")
    assert parts(lineage) == [
        ("wire", 1, "original", ""),
        ("wire", 2, "update", "wire 1"),
        ("courier", 1, "copy", "wire 2"),  # it has what only the second version says
    ]
    first, second, copy = lineage.versions
    assert (first.superseded, second.superseded, copy.superseded) == (True, False, False)
    assert (first.is_stored, second.is_stored) == (False, True)
    assert BOATS not in first.text
    assert copy.alignment
    assert copy.alignment.edits == ()
    assert lineage.copies == 1


def test_updates_of_one_outlet_are_versions_and_not_copies(archive: Archive) -> None:
    archive.add(
        "wire-1",
        LEAD,
        FERRY,
        outlet="Coast Wire",
        published="2025-03-14T09:00Z",
        headline="Northport harbour reopens after storm",
    )
    archive.add(
        "wire-2",
        LEAD,
        FERRY,
        BOATS,
        outlet="Coast Wire",
        published="2025-03-14T10:00Z",
        headline="UPDATE 1-Northport harbour reopens after storm",
    )
    archive.add(
        "wire-3",
        LEAD,
        FERRY,
        BOATS.replace("forty", "fifty"),
        outlet="Coast Wire",
        published="2025-03-14T12:00Z",
        headline="CORRECTED-UPDATE 1-Northport harbour reopens after storm",
    )
    assert archive.copies("wire-1", "wire-2", "wire-3") is None
    archive.add("courier", LEAD, FERRY, BOATS, outlet="Courier", published="2025-03-14T11:00Z")
    lineage = archive.lineage("wire-3")
    assert parts(lineage) == [
        ("wire-1", 1, "original", ""),
        ("wire-2", 1, "update", "wire-1 1"),
        ("courier", 1, "copy", "wire-2 1"),
        ("wire-3", 1, "correction", "wire-2 1"),
    ]
    assert [version.superseded for version in lineage.versions] == [True, True, False, False]
    assert lineage.copies == 1
    copies = archive.copies("wire-1", "wire-2", "wire-3", "courier")
    assert copies
    assert (copies.count, copies.original) == (1, "wire-1")


def test_a_removed_original_leaves_the_next_best(archive: Archive) -> None:
    archive.add("wire", LEAD, FERRY, BOATS, outlet="Coast Wire", published="2025-03-14")
    archive.add("courier", LEAD, FERRY, BOATS, outlet="Courier", published="2025-03-15")
    archive.writer.remove(["wire"])
    assert parts(archive.lineage("courier")) == [("courier", 1, "original", "")]


def row(number: int, *, headline: str, text: str, published: Published) -> ArticleRow:
    return ArticleRow(
        number,
        ArticleId(f"n-{number}"),
        1,
        1,
        headline,
        "Court",
        "",
        "",
        "en",
        "",
        "",
        published,
        text,
    )


def test_a_notice_that_came_a_thousand_times_is_told_of_quickly_and_rightly() -> None:
    """Only those that say they are versions are compared, and only with those of their days."""
    days = [Published((date(2024, 1, 1) + timedelta(days=n)).isoformat()) for n in range(1000)]
    notices = [
        row(n, headline=f"Notice {n}", text="No session is held today.", published=day)
        for n, day in enumerate(days)
    ]
    corrected = row(
        1000,
        headline="CORRECTED-Notice 500 of the court",
        text="The judges sit at nine in the old town hall, not at ten.",
        published=days[500],
    )
    first = row(
        1001,
        headline="Notice 500 of the court",
        text="The judges sit at ten in the old town hall.",
        published=days[500],
    )
    pieces = pieces_of([*notices, corrected, first])
    assert len(pieces) == 1001
    assert [piece for piece in pieces if len(piece) > 1] == [[first, corrected]]
