"""What became of what someone cites: it still stands, was edited, or was withdrawn.

A passage's id is a hash of what it says, so while it is live it says what it said. When it is gone
and its article is not, what it said is put beside what stands in its place now; of an article that
was removed nothing is told but when.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from index.article import ArticleId
from index.errors import BadQueryError, NotFoundError
from index.former_passages import FormerPassage, FormerText
from index.model import encodable
from index.snapshot import Snapshot
from index.store import ArticleRow, PassageRow
from search.coverage.alignment import Alignment, align
from search.references.archive_url import archive_url
from search.references.citation import Citation
from search.references.text_fragment import link_to_text


class Status(StrEnum):
    """What became of what is cited."""

    UNCHANGED = "unchanged"
    EDITED = "edited"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Standing:
    """What an article says now."""

    article: ArticleRow
    passage: PassageRow | None  # that all of it is in; None: the whole article, or several
    start: int  # span in the article's text; 0 to 0: the whole article
    end: int

    def citation(self, accessed: date, base_url: str = "") -> Citation:
        """How it is cited; `base_url`: of the server, with its last slash, empty: none."""
        url = archive_url(base_url, self.article.id, self.passage.id if self.passage else None)
        if url and self._is_stretch:
            page, sign, passage = url.partition("#")
            url = f"{page}?start={self.start}&end={self.end}{sign}{passage}"
        return Citation.of_stretch(self.article, self.passage, self.start, self.end, accessed, url)

    def live_url(self) -> str:
        """Where the outlet has it: a browser goes to the quote. Empty: it gave no web address."""
        article = self.article
        if not article.url.lower().startswith(("http://", "https://")):
            return ""
        return link_to_text(article.url, article.text, self.start, self.end)

    @property
    def _is_stretch(self) -> bool:
        whole = (self.passage.start, self.passage.end) if self.passage else (0, 0)
        return (self.start, self.end) != whole


@dataclass(frozen=True, slots=True)
class Edited:
    """A passage that its article no longer has, and what was made of it."""

    said: FormerText | None  # None: it was withdrawn in between, or is damaged
    alignment: Alignment | None  # of both; None: nothing like it stands there now


@dataclass(frozen=True, slots=True)
class Cited:
    """What someone cites, and what became of it."""

    id: str  # as it was asked for
    status: Status
    article_id: ArticleId
    # When it was edited or withdrawn, UTC. None: it is unchanged, or what says when is damaged.
    since: datetime | None
    now: Standing | None  # what is to be cited now; None: it was withdrawn
    edited: Edited | None

    def standing(self) -> Standing:
        """What is to be cited now.

        Raises:
            NotFoundError: it was withdrawn.
        """
        if self.now is None:
            on_day = f" on {self.since:%Y-%m-%d}" if self.since else ""
            raise NotFoundError(
                f"the article {self.article_id!r} was withdrawn{on_day}; "
                "nothing of it is kept, so there is no reference to it"
            )
        return self.now


def span_of(start: int | None, end: int | None) -> tuple[int, int] | None:
    """The stretch that two parameters name; None: they name none.

    Raises:
        BadQueryError: there is only one of them.
    """
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise BadQueryError(
            "start" if start is None else "end", "it is missing", "give both start and end"
        )
    return start, end


def cited(snapshot: Snapshot, id: str, span: tuple[int, int] | None = None) -> Cited:
    """A passage by its id, else an article by its id, URL or guid.

    Args:
        span: a stretch of the article's text, in code points, end excluded; of a passage that was
            edited, of the text that it stood in.

    Raises:
        NotFoundError: neither is there, nor ever was.
        BadQueryError: the span is no stretch of that text.
    """
    try:
        return cited_passage(snapshot, id, span)
    except NotFoundError:
        pass
    try:
        return cited_article(snapshot, id, span)
    except NotFoundError:
        raise NotFoundError(f"no passage or article has or had the id {id!r}") from None


def cited_passage(snapshot: Snapshot, id: str, span: tuple[int, int] | None = None) -> Cited:
    """A passage by its id; span and errors as `cited`."""
    passage = snapshot.passage(encodable(id))
    if passage is not None:
        now = Standing(passage.article, passage, passage.start, passage.end)
        if span is not None:
            now = _stretch(snapshot, passage.article, span)
        return Cited(id, Status.UNCHANGED, passage.article.id, None, now, None)
    former = snapshot.former_passage(encodable(id))
    if former is None:
        raise NotFoundError(f"no passage has or had the id {id!r}")
    article = snapshot.article(former.article_id)
    if article is None or article.id != former.article_id:
        return _withdrawn(snapshot, id, former.article_id)
    return _edited(snapshot, former, article, span)


def cited_article(snapshot: Snapshot, id: str, span: tuple[int, int] | None = None) -> Cited:
    """A whole article by its id, URL or guid, or a stretch of it; errors as `cited`."""
    article = snapshot.article(encodable(id))
    if article is None:
        return _withdrawn(snapshot, id, ArticleId(encodable(id)))
    now = Standing(article, None, 0, 0) if span is None else _stretch(snapshot, article, span)
    return Cited(id, Status.UNCHANGED, article.id, None, now, None)


def _withdrawn(snapshot: Snapshot, id: str, article_id: ArticleId) -> Cited:
    removal = snapshot.removal_of(article_id)
    if removal is None:
        raise NotFoundError(f"no article has or had the id {article_id!r}")
    since = _time_of(snapshot, removal)
    return Cited(id, Status.WITHDRAWN, article_id, since, None, None)


def _edited(
    snapshot: Snapshot, former: FormerPassage, article: ArticleRow, span: tuple[int, int] | None
) -> Cited:
    said, passages = former.said, snapshot.passages_of(article)
    now, alignment = Standing(article, None, 0, 0), None
    if said is not None:
        first, last = (said.start, said.end) if span is None else _inside(said, span)
        quote = said.text[first - said.start : last - said.start]
        place = nearest_place(quote, article.text, first)
        near = _nearest(said, passages)
        if place is not None:
            stands = (place, place + len(quote))
            now = Standing(article, _around(stands, passages), *stands)
            said = FormerText(said.version, said.ordinal, first, quote)
            alignment = align(quote, quote)
        elif near is not None:
            now = Standing(article, near, near.start, near.end)
            alignment = align(said.text, near.text)
    since = _time_of(snapshot, former.gone_seq)
    return Cited(former.id, Status.EDITED, article.id, since, now, Edited(said, alignment))


def _stretch(snapshot: Snapshot, article: ArticleRow, span: tuple[int, int]) -> Standing:
    start, end = span
    if not 0 <= start < end <= len(article.text):
        raise BadQueryError(
            "end" if start < len(article.text) else "start",
            f"{start} to {end} is no stretch of the article's text, which is "
            f"{len(article.text)} long",
            "give a start below the end, and both inside the text, counted in code points",
        )
    return Standing(article, _around(span, snapshot.passages_of(article)), start, end)


def _inside(said: FormerText, span: tuple[int, int]) -> tuple[int, int]:
    if not said.start <= span[0] < span[1] <= said.end:
        raise BadQueryError(
            "start",
            f"{span[0]} to {span[1]} is not inside the passage, which stood at {said.start} to "
            f"{said.end} in version {said.version}",
            "give a stretch of that, or leave it out",
        )
    return span


def _around(span: tuple[int, int], passages: Sequence[PassageRow]) -> PassageRow | None:
    start, end = span
    return next((each for each in passages if each.start <= start and end <= each.end), None)


def nearest_place(quote: str, text: str, start: int) -> int | None:
    """Where a quote stands word for word, nearest to where it stood; None: nowhere."""
    before = text.rfind(quote, 0, start + len(quote))
    behind = text.find(quote, start)
    places = [place for place in (before, behind) if place >= 0]
    return min(places, key=lambda place: abs(place - start), default=None)


def _nearest(said: FormerText, passages: Sequence[PassageRow]) -> PassageRow | None:
    """The passage with most words in common, of several the one nearest to the former's place."""

    def likeness(passage: PassageRow) -> tuple[float, int]:
        beside = align(said.text, passage.text)
        words = beside.words + beside.copy_words
        return 2 * beside.kept / words if words else 0.0, -abs(passage.ordinal - said.ordinal)

    nearest = max(passages, key=likeness, default=None)
    return nearest if nearest and likeness(nearest)[0] > 0 else None


def _time_of(snapshot: Snapshot, seq: int) -> datetime | None:
    committed_s = snapshot.committed_s(seq)
    return None if committed_s is None else datetime.fromtimestamp(committed_s, UTC)
