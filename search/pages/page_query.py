"""A view of the search page as the parameters of its URL."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field

from search.cross_encoder import Effort
from search.filters import Filters, day_of
from search.grouping import Group
from search.query import Mode
from search.result_set import Answer, Sort
from search.searcher import Searcher

# (label, parameter): the filters, in the order of the form.
FILTERS: Final = (
    ("Outlet", "outlet"),
    ("Byline", "byline"),
    ("Section", "section"),
    ("Language", "language"),
    ("From", "from"),
    ("To", "to"),
)
AS_OF: Final = ("As of", "as_of")
_DATE_FILTERS: Final = ("from", "to")

Parameters = Sequence[tuple[str, str]]


HITS: Final = 10  # on a page
EFFORT: Final = Effort.THOROUGH


class PageQuery(BaseModel):
    """What the form sends. Fields left empty are not there; unknown ones do not matter."""

    model_config = ConfigDict(populate_by_name=True)

    q: str = ""
    mode: Mode = Mode.PLAIN
    cursor: str = ""
    outlet: list[str] = []
    byline: list[str] = []
    section: list[str] = []
    language: list[str] = []
    published_from: str = Field("", alias="from")
    published_to: str = Field("", alias="to")
    sort: Sort = Sort.RELEVANCE
    group: Group = Group.REPORT
    as_of: str = ""

    def values(self, parameter: str) -> list[str]:
        """What was given for a filter, without the empty ones."""
        name = f"published_{parameter}" if parameter in _DATE_FILTERS else parameter
        given: str | list[str] = getattr(self, name)
        listed = [given] if isinstance(given, str) else given
        return [value.strip() for value in listed if value.strip()]

    def filters(self) -> Filters:
        """The filters given; BadQueryError when one is none."""
        return Filters.parse(
            outlet=self.values("outlet"),
            byline=self.values("byline"),
            section=self.values("section"),
            language=self.values("language"),
            published_from=next(iter(self.values("from")), None),
            published_to=next(iter(self.values("to")), None),
        )

    def day(self) -> date | None:
        """The day to answer as of; BadQueryError when it is none."""
        return day_of("as_of", self.as_of.strip() or None)

    def parameters(self) -> list[tuple[str, str]]:
        """All that settles the result set and its order, which leaves out the cursor."""
        pairs = [("q", self.q)]
        pairs += [(name, value) for _, name in FILTERS for value in self.values(name)]
        if self.mode is not Mode.PLAIN:
            pairs.append(("mode", self.mode.value))
        if self.sort is not Sort.RELEVANCE:
            pairs.append(("sort", self.sort.value))
        if self.group is not Group.REPORT:
            pairs.append(("group", self.group.value))
        if self.as_of.strip():
            pairs.append(("as_of", self.as_of.strip()))
        return pairs

    def without(self, names: Iterable[str]) -> list[tuple[str, str]]:
        """The parameters but for those of these names."""
        left_out = set(names)
        return [pair for pair in self.parameters() if pair[0] not in left_out]


def answer_to(
    query: PageQuery, searcher: Searcher, *, k: int = HITS, cursor: str = "", facets: bool = False
) -> Answer:
    """The page of `k` hits that `cursor` leads to, empty: the first, of what the view asks for.

    Raises:
        BadQueryError and the others: as `Searcher.search`.
    """
    return searcher.search(
        query.q,
        k=k,
        mode=query.mode,
        filters=query.filters(),
        sort=query.sort,
        effort=EFFORT,
        group=query.group,
        as_of=query.day(),
        cursor=cursor or None,
        facets=facets,
    )


def url_of(parameters: Parameters) -> str:
    """The search page with these parameters."""
    return f"/?{urlencode(parameters)}"
