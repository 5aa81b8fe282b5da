"""One hit for a report: what is folded, what is shown of it, and what it stands for."""

import random
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scan import found, mode_of, questions, scanned, written_by_chance

from index.article import Origin, Published, SourceRecord
from index.errors import BadQueryError
from index.snapshot import Snapshot
from index.writer import Writer
from search.explain import Reason, in_words
from search.filters import NO_FILTERS, Filters
from search.grouping import (
    Group,
    SameText,
    best_of_reports,
    counted,
    in_several_articles,
    same_texts,
)
from search.query import Query
from search.reranking import RERANKED
from search.result_set import CANDIDATES, Answer, Hit, Sort
from search.searcher import Searcher

STORM = (
    "Northport harbour opened again on Friday, nine days after the worst storm of the decade "
    "closed it, and eleven boats left before noon.",
    "“The ferry sails at dawn on Saturday,” harbour master Ines Okoro told reporters beside the "
    "broken crane, which stays where it fell until a bigger one comes.",
    "Fishing boats with a deep keel must wait until divers have looked at the outer mole, where "
    "the sea has moved stones as large as a car.",
)
MAP = (
    "The island museum shows the map of 1702 that divers found in a wreck last spring, and "
    "curator Jon Weiss calls it the oldest chart of the sound.",
    "A ferry is drawn on it, he said, two hundred years before anybody thought that one sailed "
    "between the island and the town.",
)


def record(
    name: str, text: str, outlet: str, published: str = "", headline: str = ""
) -> SourceRecord:
    return SourceRecord(
        Origin("test", 1),
        b"",
        text,
        own_id=name,
        outlet=outlet,
        published=Published(published) if published else None,
        headline=headline,
    )


RECORDS = [
    record(
        "courier",
        "\n\n".join(STORM),
        "Northport Courier",
        "2025-03-14T19:12",
        headline="Harbour reopens after the storm",
    ),
    # Later, cut, and with the question's words in a headline of its own: it would rank higher.
    record(
        "islander",
        "\n\n".join(STORM[:2]),
        "The Islander",
        "2025-03-15T06:00",
        headline="When does the ferry sail? At dawn, says the harbour master",
    ),
    record("radio", "\n\n".join(STORM), "Sound Radio", "2025-03-15T08:00"),
    record("museum", "\n\n".join(MAP), "The Islander", "2025-04-01", headline="The lost map"),
]
COPIES = {"courier", "islander", "radio"}


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    """A report that three outlets ran and one that stands alone, found by words."""
    folder = tmp_path_factory.mktemp("grouping") / "store"
    with Writer(folder) as writer:
        writer.add(RECORDS)
    with closing(Searcher(folder)) as searcher:
        yield searcher


def names(answer: Answer) -> list[str]:
    return [hit.article_id for hit in answer.hits]


def whole(searcher: Searcher, question: str, **how: object) -> list[Hit]:
    """The whole result set."""
    export = searcher.export(question, **how)  # type: ignore[arg-type]
    return [hit for hit in export.hits if isinstance(hit, Hit)]


def test_a_report_is_one_hit_and_every_passage_is_one_with_group_none(searcher: Searcher) -> None:
    folded = searcher.search("ferry")
    assert sorted(names(folded)) == ["courier", "museum"]
    assert folded.total == 2
    every = searcher.search("ferry", group=Group.NONE)
    assert sorted(names(every)) == ["courier", "islander", "museum", "radio"]
    assert {hit.passages for hit in every.hits} == {1}


def test_of_the_same_text_the_original_is_shown_where_the_best_of_them_stands(
    searcher: Searcher,
) -> None:
    question = "When does the ferry sail?"
    best, *_ = searcher.search(question, group=Group.NONE).hits
    assert best.article_id == "islander"
    first, *_ = searcher.search(question).hits
    assert (first.article_id, first.score) == ("courier", best.score)
    assert best.text in first.text


def test_a_filter_that_leaves_the_original_out_shows_the_copy_that_is_left(
    searcher: Searcher,
) -> None:
    for outlet, name in (("The Islander", "islander"), ("Sound Radio", "radio")):
        answer = searcher.search("ferry at dawn", filters=Filters.parse(outlet=[outlet]))
        assert names(answer)[0] == name
        assert answer.hits[0].copies is not None


def test_an_update_is_shown_in_the_place_of_what_it_supersedes(tmp_path: Path) -> None:
    first, late = "\n\n".join(STORM[:2]), "\n\n".join(STORM)
    wire = "Sound Wire"
    headline = "Harbour reopens after the storm"
    with Writer(tmp_path / "store") as writer:
        writer.add(
            [
                record("v1", first, wire, "2025-03-14T10:00", headline=headline),
                record("copy", first, "The Islander", "2025-03-14T11:00"),
                record("v2", late, wire, "2025-03-14T12:00", headline=f"UPDATE 1-{headline}"),
            ]
        )
    with closing(Searcher(tmp_path / "store")) as searcher:
        (hit,) = searcher.search("ferry").hits
        assert hit.article_id == "v2"
        assert hit.copies is not None
        assert (hit.copies.count, hit.copies.original) == (1, "v1")


def test_a_hit_says_what_it_stands_for(searcher: Searcher) -> None:
    by_name = {str(hit.article_id): hit for hit in searcher.search('"ferry" sound').hits}
    every = whole(searcher, '"ferry" sound', group=Group.NONE)
    courier = by_name["courier"]
    assert courier.passages == sum(hit.article_id in COPIES for hit in every) >= 3
    assert courier.copies is not None
    assert courier.copies.count == 2
    assert set(courier.copies.outlets) >= {"The Islander", "Sound Radio"}
    assert courier.copies.original == "courier"
    assert by_name["museum"].copies is None


def test_a_copy_keeps_its_id_its_text_and_its_place_in_the_archive(searcher: Searcher) -> None:
    assert searcher.article("islander").text == "\n\n".join(STORM[:2])
    alone = searcher.search(
        "ferry", group=Group.NONE, filters=Filters.parse(outlet=["Sound Radio"])
    )
    assert names(alone) == ["radio"]


def test_what_is_folded_says_under_which_article(searcher: Searcher) -> None:
    folded = searcher.explain("ferry at dawn", "islander")
    assert folded.reason is Reason.FOLDED
    assert folded.folded_under is not None
    assert (folded.folded_under.article_id, folded.folded_under.rank) == ("courier", 1)
    assert (folded.rank, folded.score, folded.parts) == (None, None, None)
    assert "folded under courier" in in_words(folded)
    assert "number 1 of" in in_words(folded)
    shown = searcher.explain("ferry at dawn", "courier")
    assert (shown.reason, shown.folded_under, shown.rank) == (Reason.FOUND, None, 1)
    alone = searcher.explain("ferry at dawn", "islander", group=Group.NONE)
    assert (alone.reason, alone.folded_under) == (Reason.FOUND, None)
    filters = Filters.parse(outlet=["Northport Courier"])
    left_out = searcher.explain("ferry at dawn", "islander", filters=filters)
    assert left_out.reason is Reason.FILTERED


def test_a_cursor_of_one_group_does_not_fit_the_other(searcher: Searcher) -> None:
    cursor = searcher.search("ferry", k=1).next_cursor
    with pytest.raises(BadQueryError, match="group"):
        searcher.search("ferry", k=1, cursor=cursor, group=Group.NONE)
    assert searcher.search("ferry", k=1, cursor=cursor).hits[0].rank == 2


def test_nothing_more_is_read_where_nobody_ran_a_copy(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unwanted(*_: object) -> None:
        raise AssertionError("read")

    rows = Snapshot.passage_rows
    read: list[int] = []

    def listen(snapshot: Snapshot, positions: list[int]) -> object:
        read.append(len(positions))
        return rows(snapshot, positions)

    monkeypatch.setattr(Snapshot, "articles_of_report", unwanted)
    monkeypatch.setattr(Snapshot, "passage_rows", listen)
    answer = searcher.search("map museum curator chart")
    assert names(answer)[0] == "museum"
    alone = [answer.total, answer.total]  # for the closer look, and to be shown
    assert read == alone


# --- many reports ---------------------------------------------------------------------------------

WORDS = re.findall(
    r"\w+",
    "anchor bell bridge buoy cabin captain cargo chart coast crane crew deck dock engine ferry fog "
    "gale harbour hull island lamp light line mast mole net oar pier pilot plank port rope rudder "
    "sail shore sound storm tide tower town trawler water wave wharf wind wreck",
)


def reprinted(count: int) -> Iterator[SourceRecord]:
    """So many reports of one to three passages, each run by one to five outlets."""
    chosen = random.Random(7)
    for number in range(count):
        paragraphs = [
            " ".join(chosen.choices(WORDS, k=chosen.randint(24, 40))).capitalize() + "."
            for _ in range(chosen.randint(1, 3))
        ]
        for copy in range(chosen.choice((1, 1, 2, 3, 5))):
            text = "\n\n".join(paragraphs[: len(paragraphs) if copy % 2 == 0 else 2])
            yield record(
                f"report-{number}-{copy}",
                text,
                f"Outlet {copy}",
                f"2025-{number % 12 + 1:02}-{copy + 1:02}",
                headline=f"{chosen.choice(WORDS)} {chosen.choice(WORDS)}",
            )


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    folder = tmp_path_factory.mktemp("reprinted") / "store"
    with Writer(folder) as writer:
        writer.add(list(reprinted(60)))
    with closing(Searcher(folder)) as searcher:
        yield searcher


def report_of(name: str) -> str:
    return name.rpartition("-")[0]


_QUESTIONS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
_ASKED = st.one_of(_QUESTIONS, st.sampled_from(WORDS).map('"{}"'.format), st.just("NOT harbour"))
_FILTERS = st.sampled_from([NO_FILTERS, *(Filters(outlet=(f"Outlet {n}",)) for n in range(3))])


@given(
    question=_ASKED,
    filters=_FILTERS,
    sort=st.sampled_from(Sort),
    group=st.sampled_from(Group),
    sizes=st.lists(st.integers(1, 40), min_size=200, max_size=200),
)
@settings(max_examples=60, deadline=None)
def test_pages_together_are_the_export_and_as_many_as_the_total_and_the_facets_say(
    many: Searcher, question: str, filters: Filters, sort: Sort, group: Group, sizes: list[int]
) -> None:
    answer = many.search(question, k=sizes[0], filters=filters, sort=sort, group=group, facets=True)
    total, facets = answer.total, answer.facets
    hits = list(answer.hits)
    for k in sizes[1:]:
        if answer.next_cursor is None:
            break
        answer = many.search(
            question, k=k, filters=filters, sort=sort, group=group, cursor=answer.next_cursor
        )
        hits += answer.hits
    assert answer.next_cursor is None
    assert hits == whole(many, question, filters=filters, sort=sort, group=group)
    assert [hit.rank for hit in hits] == list(range(1, total + 1))
    for facet in facets:
        assert sum(v.count for v in facet.values) + facet.other + facet.unknown == total
    if group is Group.REPORT:
        assert len({report_of(hit.article_id) for hit in hits}) == total


@given(question=_ASKED, filters=_FILTERS)
@settings(max_examples=60, deadline=None)
def test_every_report_of_the_whole_set_is_in_the_folded_one_exactly_once(
    many: Searcher, question: str, filters: Filters
) -> None:
    every = whole(many, question, filters=filters, group=Group.NONE)
    folded = whole(many, question, filters=filters)
    reports = [report_of(hit.article_id) for hit in folded]
    assert sorted(reports) == sorted({report_of(hit.article_id) for hit in every})
    of_report = dict.fromkeys(reports, 0)
    for hit in every:
        of_report[report_of(hit.article_id)] += 1
    assert [hit.passages for hit in folded] == [of_report[report] for report in reports]
    assert {hit.passage_id for hit in folded} <= {hit.passage_id for hit in every}


def test_every_report_with_a_matching_passage_is_in_an_exact_set_exactly_once(
    many: Searcher,
) -> None:
    columns = many._reader.latest().columns
    articles = scanned(many._reader.latest())
    exact = 0
    for number, (_, asked) in enumerate(questions(articles, 120, seed=3)):
        export = many.export(written_by_chance(asked, seed=number), mode=mode_of(asked))
        if export.interpretation.complete:
            exact += 1
            hits = [hit for hit in export.hits if isinstance(hit, Hit)]
            matching = {report_of(columns.article_id[at]) for at, _ in found(asked, articles)}
            assert sorted(report_of(hit.article_id) for hit in hits) == sorted(matching)
    assert exact > 60


def test_copies_take_no_places_from_others_in_the_closer_look(tmp_path: Path) -> None:
    copies = [record(f"storm-{n}", "\n\n".join(STORM), f"Outlet {n}") for n in range(2 * RERANKED)]
    with Writer(tmp_path / "store") as writer:
        writer.add([*copies, *reprinted(40)])
    with closing(Searcher(tmp_path / "store")) as searcher:
        asked = "ferry harbour storm"
        looked = searcher._ranker.look(
            Query(asked, asked, None, ()), NO_FILTERS, Group.REPORT, searcher._reader.latest()
        )
        assert looked is not None
        said = [row.text for row in looked.rows if row]
        assert len(said) == RERANKED
        assert len({" ".join(text.split()) for text in said}) == RERANKED
        answer = searcher.search(asked)
        assert len({report_of(name) for name in names(answer)}) == len(answer.hits) == 10


# --- the pieces -----------------------------------------------------------------------------------


def test_the_same_text_is_the_same_but_for_a_few_words() -> None:
    dateline = f"NORTHPORT (Sound Wire) — {STORM[0]}"
    said = same_texts([STORM[0], STORM[1], dateline, STORM[1].upper()])
    assert said == [SameText([0, 2], [0, 2]), SameText([1, 3], [1, 3])]
    assert same_texts([]) == []


def test_a_part_of_a_text_is_not_shown_for_the_whole() -> None:
    more = f"{STORM[0]} {STORM[1]}"
    assert same_texts([more, STORM[0]]) == [SameText([0, 1], [0])]
    assert same_texts([STORM[0], more]) == [SameText([0, 1], [0, 1])]


_ARTICLES = st.lists(st.integers(0, 9), max_size=30)


@given(articles=_ARTICLES, reports=st.lists(st.integers(0, 4), min_size=10, max_size=10))
def test_reports_are_told_by_their_articles(articles: list[int], reports: list[int]) -> None:
    of_article = np.array(reports, np.int64)
    own = np.array(articles, np.int32)
    labels = of_article[own]
    several = [
        at
        for at, label in enumerate(labels)
        if len({a for a in articles if reports[a] == label}) > 1
    ]
    assert in_several_articles(labels, own).tolist() == several
    best = best_of_reports(labels)
    assert best.tolist() == [
        labels.tolist().index(label) for label in dict.fromkeys(labels.tolist())
    ]
    assert counted(labels[best], labels).tolist() == [
        labels.tolist().count(label) for label in labels[best]
    ]


def test_hundreds_of_copies_crowd_out_no_other_report(tmp_path: Path) -> None:
    wire = [record(f"copy-{n}", "\n\n".join(STORM), f"Paper {n}") for n in range(CANDIDATES + 50)]
    others = [
        record(f"other-{n}", f"The ferry to {place} stays in the harbour on Monday.", place)
        for n, place in enumerate(("Aldby", "Bersund", "Corran", "Dunmore", "Eskvik"))
    ]
    with Writer(tmp_path / "store") as writer:
        writer.add([*wire, *others])
    with closing(Searcher(tmp_path / "store")) as searcher:
        answer = searcher.search("When does the ferry sail from the harbour?")
    assert {hit.article_id for hit in answer.hits} >= {other.own_id for other in others}
    assert answer.total == len(others) + 1
    (story,) = [hit for hit in answer.hits if hit.copies]
    assert story.copies
    assert story.copies.count == len(wire) - 1
