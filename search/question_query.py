"""A question and what may answer it, as the query parameters of a request."""

from datetime import date
from typing import Final

from pydantic import Field

from search.cross_encoder import Effort
from search.filter_query import FilterQuery
from search.filters import day_of
from search.grouping import Group
from search.query import Mode
from search.result_set import Sort

# In code points; percent-encoded it still fits the 64 KiB that a request line may take.
MAX_QUERY_LENGTH: Final = 2000


class AnswerQuery(FilterQuery):
    """How a question is answered, whatever it is."""

    mode: Mode = Field(
        Mode.PLAIN,
        description="plain: words and the question language; verbatim: the question, to the last "
        "comma, is what must stand in the text or the headline.",
        examples=["plain"],
    )
    sort: Sort = Field(Sort.RELEVANCE, description="Order of the hits.", examples=["relevance"])
    effort: Effort = Field(
        Effort.QUICK,
        description="thorough: the first passages get a second look, which takes longer.",
        examples=["quick"],
    )
    group: Group = Field(
        Group.REPORT,
        description="report: an article with its copies and updates is one hit, its best passage; "
        "totals and facets count reports. none: every passage is a hit.",
        examples=["report"],
    )
    as_of: str | None = Field(
        None,
        description="Answer as the archive stood at the end of this day, YYYY-MM-DD, by date of "
        "publication: later articles are not there, and copies are counted without them.",
        examples=["2025-03-31"],
    )

    def day(self) -> date | None:
        """The day to answer as of; BadQueryError when it is none."""
        return day_of("as_of", self.as_of)


class QuestionQuery(AnswerQuery):
    """A question, and what may answer it."""

    q: str = Field(
        min_length=1,
        max_length=MAX_QUERY_LENGTH,
        description='The question, in plain words; or with "a phrase", beginning*, -without, AND, '
        "OR, NOT, NEAR/5, headline:storm, after:2019 and the like.",
        examples=["When does the ferry sail?"],
    )
