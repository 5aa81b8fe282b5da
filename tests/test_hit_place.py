"""The hit that led a reader to an article, and those before and behind it."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from conftest import Run

from index.errors import BadQueryError
from search.cross_encoder import Effort
from search.pages.hit_place import back_url, hit_place, hit_url
from search.pages.page_query import PageQuery
from search.result_set import Hit, Sort
from search.searcher import Searcher


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory, nutgraf: Run) -> Iterator[Searcher]:
    """Of 23 trips of a ferry, found by their words."""
    folder: Path = tmp_path_factory.mktemp("trips") / "store"
    articles = [
        {"id": f"trip:{n}", "text": f"The ferry made trip {n}.", "outlet": "AB"[n % 2]}
        for n in range(23)
    ]
    lines = "".join(f"{json.dumps(article)}\n" for article in articles)
    assert nutgraf("add", "-", "--no-wait", "--store", folder, stdin=lines).returncode == 0
    searcher = Searcher(folder)
    yield searcher
    searcher.close()


def ids(*hits: Hit | None) -> list[str | None]:
    return [hit.passage_id if hit else None for hit in hits]


def test_before_and_behind_each_hit_are_those_of_the_search_page(searcher: Searcher) -> None:
    query = PageQuery(q="ferry", outlet=["A"])
    shown = searcher.search("ferry", k=100, filters=query.filters(), effort=Effort.THOROUGH).hits
    assert len(shown) == 12
    around = [None, *shown, None]
    for rank in range(1, 13):
        place = hit_place(searcher, query, rank)
        assert place
        assert (place.rank, place.total) == (rank, 12)
        assert ids(place.previous, place.hit, place.next) == ids(*around[rank - 1 : rank + 2])


def test_behind_the_last_hit_there_is_no_place(searcher: Searcher) -> None:
    assert hit_place(searcher, PageQuery(q="ferry"), 24) is None
    assert hit_place(searcher, PageQuery(q="zeppelin"), 1) is None


def test_an_only_hit_has_nothing_beside_it(searcher: Searcher) -> None:
    place = hit_place(searcher, PageQuery(q='"trip 7"'), 1)
    assert place
    assert (place.rank, place.total, place.previous, place.next) == (1, 1, None, None)


def test_a_wrong_question_is_refused_as_everywhere(searcher: Searcher) -> None:
    with pytest.raises(BadQueryError):
        hit_place(searcher, PageQuery(q="(ferry OR tram"), 1)


def test_the_way_back_leads_to_the_page_that_the_hit_stands_on(searcher: Searcher) -> None:
    query = PageQuery(q="ferry", sort=Sort.OLDEST)
    url = urlsplit(back_url(query, hit_place(searcher, query, 14)))
    parameters = dict(parse_qsl(url.query))
    assert url.fragment == "hit-14"
    page = searcher.search(
        "ferry", sort=Sort.OLDEST, effort=Effort.THOROUGH, cursor=parameters.pop("cursor")
    )
    assert [hit.rank for hit in page.hits] == list(range(11, 21))
    assert parameters == {"q": "ferry", "sort": "oldest"}


def test_from_the_first_page_the_way_back_needs_no_cursor(searcher: Searcher) -> None:
    query = PageQuery(q="ferry")
    assert back_url(query, hit_place(searcher, query, 10)) == "/?q=ferry#hit-10"
    assert back_url(query, None) == "/?q=ferry"
    assert back_url(PageQuery(q=" "), None) == "/"


def test_a_link_to_a_hit_keeps_the_question_and_escapes_the_id(searcher: Searcher) -> None:
    query = PageQuery(q="ferry OR & co", outlet=["A", "B"])
    place = hit_place(searcher, query, 2)
    assert place
    assert place.hit
    url = hit_url(place.hit, query)
    assert url.startswith("/articles/trip%3A")
    assert url.endswith(f"?q=ferry+OR+%26+co&outlet=A&outlet=B&rank=2#{place.hit.passage_id}")
