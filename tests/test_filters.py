"""One definition of a filter, the same in both arms."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from itertools import product

import numpy as np
import pytest
import tantivy
from hypothesis import given, settings
from hypothesis import strategies as st

from index.article import Origin, Published, SourceRecord
from index.errors import BadQueryError
from index.snapshot import Snapshot, SnapshotReader
from index.store import ArticleRow
from index.writer import Writer
from search.filters import NO_FILTERS, Filters

OUTLETS = ["", "Le Monde", "LE MONDÉ", "The Sun", "Sun"]
BYLINES = ["", "Ana María Duarte", "Duarte", "Tomas Lindqvist and Ana Duarte", "O’Brien-Smith"]
SECTIONS = ["", "Politics", "politics", "Straße", "World  News"]
DATES = [None, "2022", "2022-01-21", "2022-01-22T23:59+02:00", "1963-05-01"]

# As users write them: other case, accents, spaces, word order; and what no article has.
ASKED = {
    "outlet": ["le monde", "Le Mondé", "the sun", "SUN", "Nobody"],
    "byline": ["duarte", "DUARTE ana", "Maria", "brien", "o'brien smith", "Nobody"],
    "section": ["POLITICS", "strasse", "world news", "world", "Nobody"],
    "language": ["en", "EN", "xx"],
}


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    """Every outlet with every byline, each with some section and some date."""
    folder = tmp_path_factory.mktemp("filters")
    records = [
        SourceRecord(
            Origin("test", number),
            b"",
            f"Article number {number} tells of the harbour, the ferry and the council.",
            outlet=outlet,
            byline=byline,
            section=SECTIONS[number % len(SECTIONS)],
            language="en",
            published=Published(iso) if (iso := DATES[(number // 2) % len(DATES)]) else None,
            own_id=f"a{number}",
        )
        for number, (outlet, byline) in enumerate(product(OUTLETS, BYLINES * 2))
    ]
    with Writer(folder) as writer:
        assert all(outcome.status == "added" for outcome in writer.add(records))
    reader = SnapshotReader(folder)
    yield reader.latest()
    reader.close()


def plain(value: str) -> str:
    letters = unicodedata.normalize("NFD", value.casefold())
    return re.sub(r"\s+", " ", re.sub(r"[\u0300-\u036f]", "", letters)).strip()


def matches(filters: Filters, article: ArticleRow) -> bool:
    """The definition once more, article by article."""
    for field in ("outlet", "section", "language"):
        asked = [plain(value) for value in getattr(filters, field)]
        if asked and plain(getattr(article, field)) not in asked:
            return False
    if filters.byline:
        words = re.split(r"\W+", plain(article.byline))
        if not any(
            all(word in words for word in re.split(r"\W+", plain(byline)))
            for byline in filters.byline
        ):
            return False
    if filters.published_from or filters.published_to:
        if article.published is None:
            return False
        if filters.published_from and article.published.on < filters.published_from:
            return False
        if filters.published_to and article.published.on > filters.published_to:
            return False
    return True


DAYS = st.sampled_from([date(1900, 1, 1), date(2022, 1, 1), date(2022, 1, 21), date(2022, 1, 22)])
FILTERS = st.builds(
    Filters,
    **{
        field: st.lists(st.sampled_from(asked), max_size=2).map(tuple)
        for field, asked in ASKED.items()
    },
    published_from=st.none() | DAYS,
    published_to=st.none() | DAYS,
)


@given(filters=FILTERS)
@settings(deadline=None)
def test_both_arms_let_through_exactly_what_matches(snapshot: Snapshot, filters: Filters) -> None:
    columns = snapshot.columns
    expected = {
        position
        for position, article in enumerate(columns.article)
        if matches(filters, _article(snapshot, columns.article_id[article]))
    }
    resolved = filters.resolve(columns)
    if resolved is None:
        assert filters == NO_FILTERS
        return
    assert set(np.flatnonzero(resolved.mask()).tolist()) == expected
    everything = tantivy.Query.term_query(snapshot.words.schema, "body", "harbour")
    numbers, _ = snapshot.words.search(
        tantivy.Query.boolean_query(
            [
                (tantivy.Occur.Must, query)
                for query in [everything, *resolved.clauses(snapshot.words.schema)]
            ]
        ),
        1_000,
    )
    assert set(snapshot.position_of(numbers).tolist()) == expected


_ARTICLES: dict[str, ArticleRow] = {}


def _article(snapshot: Snapshot, article_id: str) -> ArticleRow:
    if article_id not in _ARTICLES:
        row = snapshot.article(article_id)
        assert row
        _ARTICLES[article_id] = row
    return _ARTICLES[article_id]


def test_clauses_add_nothing_to_the_score(snapshot: Snapshot) -> None:
    schema = snapshot.words.schema
    harbour = tantivy.Query.term_query(schema, "body", "harbour")
    resolved = Filters(outlet=("Sun",), published_to=date(2030, 1, 1)).resolve(snapshot.columns)
    assert resolved
    filtered = tantivy.Query.boolean_query(
        [(tantivy.Occur.Must, query) for query in [harbour, *resolved.clauses(schema)]]
    )
    plain_scores = dict(
        zip(*map(np.ndarray.tolist, snapshot.words.search(harbour, 999)), strict=True)
    )
    numbers, scores = snapshot.words.search(filtered, 999)
    assert len(numbers)
    for number, score in zip(numbers.tolist(), scores.tolist(), strict=True):
        assert score == plain_scores[number]


def test_parsing_keeps_each_value_once_and_reads_days() -> None:
    filters = Filters.parse(outlet=["Sun", "Sun"], published_from="2022-01-21")
    assert filters == Filters(outlet=("Sun",), published_from=date(2022, 1, 21))
    assert Filters.parse() == NO_FILTERS


@pytest.mark.parametrize(
    ("field", "given_values"),
    [
        ("outlet", {"outlet": [" "]}),
        ("byline", {"byline": ["Ana", "---"]}),
        ("from", {"published_from": "21/01/2022"}),
        ("from", {"published_from": "2022-02-30"}),
        ("from", {"published_from": ""}),
        ("to", {"published_to": "20220121"}),
        ("from", {"published_from": "2022-02-01", "published_to": "2022-01-01"}),
    ],
)
def test_a_filter_that_is_none_is_refused_by_name(
    field: str, given_values: dict[str, object]
) -> None:
    with pytest.raises(BadQueryError) as caught:
        Filters.parse(**given_values)  # type: ignore[arg-type]
    assert caught.value.field == field
