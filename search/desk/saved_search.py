"""Saved searches: questions that are asked again whenever the archive changes.

What answers when a search is saved is its beginning. A report that comes into its result set later
is an entry of its feed, once and for good: see `search.desk.alerts`.
"""

import logging
import secrets
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self
from urllib.parse import urlencode

from pydantic import Field, ValidationError

from index import saved_searches
from index.errors import BadQueryError, NotFoundError
from index.model import encodable
from index.saved_searches import SearchRow
from search.cross_encoder import Effort
from search.desk.standing_reports import Standing
from search.filter_query import FilterQuery
from search.grouping import Group
from search.query import Mode
from search.question_query import MAX_QUERY_LENGTH
from search.result_set import Sort
from search.searcher import Searcher

MAX_NAME_LENGTH: Final = 200  # code points

# `Archive.desk` or `Writer.desk`: one commit of what its users keep.
Desk = Callable[[], AbstractContextManager[sqlite3.Connection]]

logger = logging.getLogger(__name__)


class SavedQuestion(FilterQuery):
    """A question that is kept, and what may answer it."""

    q: str = Field(
        min_length=1,
        max_length=MAX_QUERY_LENGTH,
        description="The question, as `/v1/search` takes it. What must stand in the text "
        '("a phrase", AND, headline:storm) makes for fewer and surer entries.',
        examples=["ferry AND harbour"],
    )
    mode: Mode = Field(Mode.PLAIN, description="As for `/v1/search`.", examples=["plain"])
    sort: Sort = Field(
        Sort.RELEVANCE,
        description="Order of the hits where the search is opened; entries are newest first.",
        examples=["relevance"],
    )
    effort: Effort = Field(
        Effort.QUICK,
        description="Where the search is opened; what is in the set does not depend on it.",
        examples=["quick"],
    )
    group: Group = Group.REPORT

    @classmethod
    def checked(cls, **fields: object) -> Self:
        """The question that these fields make.

        Raises:
            BadQueryError: it is empty or too long.
        """
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            first = error.errors()[0]
            raise BadQueryError(
                str(first["loc"][0]), first["msg"], "ask in a few plain words"
            ) from None

    def standing(self, searcher: Searcher) -> Standing:
        """What answers it now.

        Raises:
            BadQueryError, ModelError, StoreCorruptError: as `Searcher.search`.
        """
        results, snapshot = searcher.standing(
            self.q, mode=self.mode, filters=self.filters(), group=self.group
        )
        return Standing.of(results, snapshot)

    def parameters(self) -> str:
        """The query string with which the search page and `/v1/search` ask the same."""
        given = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return urlencode(given, doseq=True)


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A question that is kept under a name."""

    id: str
    name: str
    question: SavedQuestion
    saved_s: int  # seconds since 1970 UTC

    @property
    def saved_at(self) -> datetime:
        """When it was saved, UTC."""
        return datetime.fromtimestamp(self.saved_s, UTC)

    @classmethod
    def of(cls, row: SearchRow) -> Self | None:
        """The search that a row keeps; None: its question is none any more, which is logged."""
        try:
            question = SavedQuestion.model_validate_json(row.request)
        except ValidationError as error:
            # Neither here nor in `alerts` is the question logged, nor a message that quotes it.
            wrong = error.errors(include_input=False, include_url=False)[0]
            logger.warning(
                "the saved search id=%s cannot be read: field=%s error=%s",
                row.id,
                ".".join(map(str, wrong["loc"])),
                wrong["type"],
            )
            return None
        return cls(row.id, row.name, question, row.saved_s)


def save(
    searcher: Searcher, desk: Desk, name: str, question: SavedQuestion
) -> tuple[SavedSearch, bool]:
    """Keep a question under a name; what answers it now will be no entry.

    The same question under the same name is kept once. Returns the search, and whether it is new.

    Raises:
        BadQueryError: the name says nothing or is too long, or the question cannot be asked.
        StoreReadOnlyError, StoreFullError: it was not kept.
    """
    named = _checked_name(name)
    seen = question.standing(searcher).digests()  # its snapshot must not wait: see `Writer.desk`
    request = question.model_dump_json(by_alias=True, exclude_defaults=True)
    row = SearchRow(
        id=f"q{secrets.token_hex(5)}",
        name=named,
        request=request,
        saved_s=int(time.time()),
        seen=seen,
        delivered=0,
    )
    with desk() as truth:
        for known in saved_searches.searches(truth):
            if (known.name, known.request) == (named, request):
                return _readable(known), False
        saved_searches.insert(truth, row)
    return _readable(row), True


def rename(desk: Desk, id: str, name: str) -> None:
    """Give a search another name.

    Raises:
        NotFoundError: there is none with this id.
        BadQueryError: the name says nothing or is too long.
        StoreReadOnlyError, StoreFullError: it has the name it had.
    """
    named = _checked_name(name)
    with desk() as truth:
        if not saved_searches.rename(truth, encodable(id), named):
            raise no_search(id)


def forget(desk: Desk, id: str) -> None:
    """Keep a search and its entries no longer.

    Raises:
        NotFoundError: there is none with this id.
        StoreReadOnlyError, StoreFullError: it is kept.
    """
    with desk() as truth:
        if not saved_searches.delete(truth, encodable(id)):
            raise no_search(id)


def no_search(id: str) -> NotFoundError:
    """What is raised for an id that no search has."""
    return NotFoundError(f"no saved search has the id {id!r}")


def readable(rows: Sequence[SearchRow]) -> list[tuple[SearchRow, SavedSearch]]:
    """The rows whose questions can be read, each with its search."""
    return [(row, search) for row in rows if (search := SavedSearch.of(row))]


def _readable(row: SearchRow) -> SavedSearch:
    search = SavedSearch.of(row)
    if search is None:
        raise no_search(row.id)
    return search


def _checked_name(name: str) -> str:
    named = " ".join(encodable(name).split())
    if not named:
        raise BadQueryError("name", "it says nothing", "name the search in a few words")
    if len(named) > MAX_NAME_LENGTH:
        raise BadQueryError(
            "name",
            f"it has {len(named):,} characters, at most {MAX_NAME_LENGTH} go",
            "name the search in a few words",
        )
    return named
