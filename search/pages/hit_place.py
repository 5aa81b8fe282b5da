"""Where a reader stands in a result set: the hit that led to an article, and those beside it."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from search.cursors import Cursor
from search.pages.page_query import HITS, PageQuery, answer_to, url_of
from search.result_set import Answer, Hit
from search.searcher import Searcher


@dataclass(frozen=True, slots=True)
class HitPlace:
    """A place in the result set of a question, as the archive stands now."""

    rank: int  # from 1
    total: int
    hit: Hit | None  # None: its stored row is damaged
    previous: Hit | None  # None: there is none, or its row is damaged
    next: Hit | None
    page_cursor: str  # of the page of hits that it stands on; empty: the first


def hit_place(searcher: Searcher, query: PageQuery, rank: int) -> HitPlace | None:
    """The place of this rank in the result set that the search page shows; None: it has fewer.

    Raises:
        BadQueryError and the others: as `Searcher.search`.
    """
    first = answer_to(query, searcher, k=1)
    if rank > first.total:
        return None
    if first.next_cursor is None:
        return HitPlace(1, 1, *_by_rank(first, 1), page_cursor="")
    begin = Cursor.decode(first.next_cursor)
    around = answer_to(query, searcher, k=3, cursor=begin.at(max(rank - 2, 0)).encode())
    # A link back must lead to a page that begins where the search page begins one.
    page_offset = (rank - 1) // HITS * HITS
    cursor = begin.at(page_offset).encode() if page_offset else ""
    return HitPlace(rank, first.total, *_by_rank(around, rank), page_cursor=cursor)


def _by_rank(answer: Answer, rank: int) -> tuple[Hit | None, Hit | None, Hit | None]:
    """The hit of this rank, the one before and the one behind."""
    hits = {hit.rank: hit for hit in answer.hits}
    return hits.get(rank), hits.get(rank - 1), hits.get(rank + 1)


def hit_url(hit: Hit, query: PageQuery) -> str:
    """The page of a hit's article at its passage; it knows of which result set the hit is."""
    asked = urlencode([*query.parameters(), ("rank", str(hit.rank))])
    return f"/articles/{quote(hit.article_id, safe='')}?{asked}#{hit.passage_id}"


def back_url(query: PageQuery, place: HitPlace | None) -> str:
    """The search page that the reader came from, at the hit where he stands now."""
    if not query.q.strip():
        return "/"
    asked = query.parameters()
    if place is None:
        return url_of(asked)
    if place.page_cursor:
        asked.append(("cursor", place.page_cursor))
    return f"{url_of(asked)}#hit-{place.rank}"
