"""What a hit is cited as in an export."""

from datetime import date

from index.article import ArticleId
from search.references.archive_url import archive_url
from search.references.citation import Citation
from search.responses import DamagedResponse
from search.result_set import Damaged, Hit


def citation_of(hit: Hit | Damaged, accessed: date, base_url: str) -> Citation:
    """The citation of a hit; of a damaged one, one that says so where a headline would stand."""
    if isinstance(hit, Hit):
        return Citation.of_hit(hit, accessed, archive_url(base_url, hit.article_id, hit.passage_id))
    return Citation(
        article_id=ArticleId(f"omitted-{hit.rank}"),  # formats ask for one, another each time
        passage_id=None,
        headline=f"[Left out: {DamagedResponse(rank=hit.rank).omitted}]",
        outlet="",
        byline="",
        section="",
        language="",
        published=None,
        url="",
        quote="",
        start=0,
        end=0,
        accessed=accessed,
        archive_url="",
    )
