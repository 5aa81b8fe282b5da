"""Thirty days of press, replayed: each entry of a saved search is due, and none is missing.

The articles are copyrighted and not part of the project: NUTGRAF_DATA names the folder with them.
On each day come its articles, copies of these and of those of the days before (some copies before
their original), new versions and removals; every sixth day passages get vectors, drawn by chance,
which changes what is in the result sets as real ones do.
"""

import io
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

import numpy as np
import pytest
import zstandard
from due_entries import DueEntries, reports_in
from planted_copies import PLANTED, Story, planted
from press_copies import PRESS

from index import saved_searches, store_folder
from index.article import ArticleId, SourceRecord
from index.reading import read_stream
from index.writer import Writer
from search.desk import alerts, saved_search
from search.desk.feeds import FeedFormat, feed_page
from search.desk.saved_search import SavedQuestion
from search.result_set import Hit
from search.searcher import Searcher

pytestmark = pytest.mark.slow

FIRST = date(2020, 6, 17)  # of the thirty days that have most articles
DAYS = 30
BEFORE = 7  # days whose articles are there when the searches are saved
COPIES = 37  # a day; with the originals 60
LONGEST = 6_000  # characters; the longer would take most of the time
OUTLETS = ("Northport Courier", "The Islander", "Harbour Post")

SEARCHES: dict[str, dict[str, object]] = {
    "words": {"q": "coronavirus cases rise in the south"},
    "question": {"q": "Who will decide on reopening schools?"},
    "phrase": {"q": '"supreme court"'},
    "and, not": {"q": "police AND reform -minneapolis"},
    "beginning": {"q": "vaccin* AND trial*"},
    "near": {"q": "unemployment NEAR/8 benefits"},
    "headline": {"q": "headline:trump"},
    "verbatim": {"q": "Black Lives Matter", "mode": "verbatim"},
    "passages": {"q": '"task force" OR "national guard"', "group": "none"},
    "outlet": {"q": "protest", "outlet": ["the islander", "Harbour Post"]},
    "byline": {"q": "president", "byline": ["John"], "sort": "newest"},
    "days": {"q": "virus", "from": "2020-06-20", "to": "2020-07-04", "sort": "oldest"},
    "everything": {"q": "the", "mode": "verbatim"},
}
SAVED_LATER = {"near", "headline", "words again"}  # on the tenth day


@dataclass
class Replay:
    """What the entries were, against what they should have been; `(search, day, report)`."""

    due: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    entered: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    families: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    reading: dict[str, list[str]] = field(default_factory=dict)  # entry ids in the feed at the end
    sets: dict[str, tuple[Counter[str], Counter[str]]] = field(default_factory=dict)  # at the end
    pending: list[str] = field(default_factory=list)  # where the feed was not the same before


@dataclass(frozen=True, repr=False)  # no article's text in a failure's message
class Coming:
    """A day: what is added, in this order, then what is removed."""

    records: Sequence[SourceRecord]
    removed: Sequence[ArticleId]


def _press() -> dict[date, list[SourceRecord]]:
    """Articles of the days, read from those lines of the file that name one of them."""
    days = [FIRST + timedelta(day) for day in range(-BEFORE, DAYS)]
    named = re.compile(f'"date": "({"|".join(map(str, days))})'.encode())
    with PRESS.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as plain:
        lines = [line for line in io.BufferedReader(plain) if named.search(line)]
    by_day: dict[date, list[SourceRecord]] = {day: [] for day in days}
    for record in read_stream(io.BytesIO(b"".join(lines)), name="press.jsonl"):
        if isinstance(record, SourceRecord) and record.published and len(record.body) < LONGEST:
            by_day[record.published.on].append(record)
    return by_day


def _coming(by_day: Mapping[date, list[SourceRecord]], chance: Random) -> Iterator[Coming]:
    recent: list[SourceRecord] = []
    removed: list[SourceRecord] = []
    number = 0
    for day in range(DAYS):
        originals = by_day[FIRST + timedelta(day)]
        recent = [*recent, *originals][-100:]
        # A copy of what is gone, or goes before anyone looked, is a report of its own.
        there = [record for record in recent if record not in removed]
        copies, copied = [], set()
        for _ in range(COPIES):
            record, other = chance.sample(there, 2)
            made = planted(
                chance.choice(PLANTED),
                Story(record.headline, record.body),
                Story(other.headline, other.body),
                chance,
            )
            copies.append(
                replace(
                    record,
                    own_id=f"copy-{number}-of-{record.own_id}",
                    url="",
                    guid="",
                    outlet=chance.choice(OUTLETS),
                    headline=made.headline,
                    body=made.text,
                )
            )
            copied.add(record.own_id)
            number += 1
        edited = [
            replace(record, body=f"{record.body}\n\nThis article was corrected.")
            for record in chance.sample(there, 3)
        ]
        today = [*originals, *copies]
        chance.shuffle(today)  # some copies come before their original
        gone = chance.sample([record for record in there if record.own_id not in copied], 2)
        yield Coming(
            [*today, *edited, *removed], [ArticleId(record.own_id) for record in gone]
        )  # what was removed the day before is back
        removed = gone


def _family(article: str) -> str:
    return article.partition("-of-")[2] or article


def _give_vectors(writer: Writer) -> None:
    """Vectors that are the same for the same text, and nothing more."""
    waiting = writer.waiting_texts(writer.waiting_order(-1))
    rows = [
        np.random.default_rng(zlib.crc32(item.text.encode())).standard_normal(384)
        for item in waiting
    ]
    vectors = np.array(rows, dtype=np.float32)
    writer.store_embeddings(
        waiting, vectors / np.linalg.norm(vectors, axis=1, keepdims=True), writer.fingerprint
    )


def _found(searcher: Searcher, question: SavedQuestion) -> list[str]:
    """The articles of the result set; the test below sees that they are those of its export."""
    results, snapshot = searcher.standing(
        question.q, mode=question.mode, filters=question.filters(), group=question.group
    )
    columns = snapshot.columns
    return [columns.article_id[at] for at in columns.article[results.positions]]


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Replay:
    if not PRESS.exists():
        pytest.skip(f"the press articles are not here: {PRESS} (set NUTGRAF_DATA)")
    folder = tmp_path_factory.mktemp("replay") / "store"
    by_day = _press()
    with Writer(folder) as writer:
        writer.add([record for day, some in by_day.items() if day < FIRST for record in some])
        with closing(Searcher(folder)) as searcher:
            return _replayed(writer, searcher, list(_coming(by_day, Random(1))))


def _replayed(writer: Writer, searcher: Searcher, days: Sequence[Coming]) -> Replay:
    replay = Replay()
    oracle: dict[str, DueEntries] = {}
    ids: dict[str, str] = {}
    numbers: dict[str, int] = {}

    def save(name: str) -> None:
        question = SavedQuestion.checked(**SEARCHES[name.removesuffix(" again")])
        ids[name] = saved_search.save(searcher, writer.desk, name, question)[0].id
        oracle[name], numbers[name] = DueEntries(), 0
        oracle[name].new(_found(searcher, question), reports_in(searcher.folder))

    def look(day: int) -> None:
        report_of = reports_in(searcher.folder)
        # Reading feeds takes longer than all the rest.
        feeds = {name: _feed(searcher, id) for name, id in ids.items() if day % 6 == 2}
        alerts.record(searcher, writer.desk)
        for name, id in ids.items():
            question = SavedQuestion.checked(**SEARCHES[name.removesuffix(" again")])
            for report in oracle[name].new(_found(searcher, question), report_of):
                replay.due[name, day, report] += 1
            with closing(store_folder.open_readonly(searcher.folder)) as truth:
                entries = saved_searches.entries(truth, id, after=numbers[name])
            numbers[name] = max((entry.number for entry in entries), default=numbers[name])
            for entry in entries:
                replay.entered[name, day, report_of[entry.article_id]] += 1
                replay.families[name][_family(entry.article_id)] += 1
            if name in feeds and feeds[name] != _feed(searcher, id):
                replay.pending.append(f"{name}, day {day}")

    for name in SEARCHES:
        if name not in SAVED_LATER:
            save(name)
    for day, coming in enumerate(days):
        if day == 10:
            for name in sorted(SAVED_LATER):
                save(name)
        writer.add(coming.records[:30])
        if day % 3 == 1:
            look(day)
        writer.add(coming.records[30:])
        writer.remove(coming.removed)
        look(day)
        if day % 6 == 2:
            _give_vectors(writer)
            look(day)
    replay.reading = {name: _feed(searcher, id) for name, id in ids.items()}
    for name, fields in SEARCHES.items():
        question = SavedQuestion.checked(**fields)
        replay.sets[name] = (Counter(_found(searcher, question)), _exported(searcher, question))
    return replay


def _exported(searcher: Searcher, question: SavedQuestion) -> Counter[str]:
    whole = searcher.export(
        question.q,
        mode=question.mode,
        filters=question.filters(),
        sort=question.sort,
        group=question.group,
    )
    return Counter(hit.article_id for hit in whole.hits if isinstance(hit, Hit))


def _feed(searcher: Searcher, id: str) -> list[str]:
    """The ids of all entries, page after page."""
    watched = alerts.watch(searcher, id)
    page = feed_page(watched, searcher, "http://127.0.0.1/", FeedFormat.ATOM)
    ids = [page.entry_id(item) for item in page.items]
    while page.next_until is not None:
        page = feed_page(watched, searcher, "http://127.0.0.1/", FeedFormat.ATOM, page.next_until)
        ids += [page.entry_id(item) for item in page.items]
    return ids


def test_entries_are_the_difference_of_the_result_sets(replay: Replay) -> None:
    """Precision and recall are 1: the entries are those due, each once, on the day it is due."""
    assert len(replay.due) > 1_000
    assert {name for name, _, _ in replay.due} == {*SEARCHES, *SAVED_LATER}
    assert replay.entered == replay.due


def test_a_story_is_one_entry_however_many_copies_come(replay: Replay) -> None:
    twice = {
        name: [family for family, count in families.items() if count > 1]
        for name, families in replay.families.items()
    }
    assert {name: some for name, some in twice.items() if some} == {}


def test_a_feed_shows_the_same_before_and_after_its_entries_are_recorded(replay: Replay) -> None:
    assert replay.pending == []


def test_no_entry_is_twice_in_a_feed(replay: Replay) -> None:
    for ids in replay.reading.values():
        assert len(set(ids)) == len(ids)


def test_what_is_compared_is_the_result_set_that_is_exported(replay: Replay) -> None:
    for standing, exported in replay.sets.values():
        assert standing == exported
