"""Where a report comes from: its original, who ran it after that, and what each made of it.

A report is a set of near-identical articles. Those of one outlet that supersede each other are one
piece in several versions; the original is the first version of one piece, and every other piece is
a copy.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, cmp_to_key

import numpy as np

from index.article import Published
from index.snapshot import Snapshot
from index.store import ArticleRow, EarlierVersion
from index.updates import WINDOW_DAYS, Mark, day_of, mark_of, supersedes
from search.coverage.alignment import Alignment, align, words_in
from search.coverage.credits import credits_of
from search.coverage.original import in_time_key, moment_key, original_of


@dataclass(frozen=True, slots=True)
class Copies:
    """Who ran a report; the versions of one piece count once."""

    count: int  # pieces beside the one that was asked about
    outlets: tuple[str, ...]  # of the whole report, each once, in the order of time
    first: Published | None  # of the whole report; None: no date is known
    last: Published | None
    original: str  # the id of the likely original
    reason: str  # why it is taken for that, in words


class Part(StrEnum):
    """What a version is in its report."""

    ORIGINAL = "original"
    COPY = "copy"
    UPDATE = "update"
    CORRECTION = "correction"


@dataclass(frozen=True)
class Version:
    """An article of a report, or what stood under its id before."""

    part: Part
    article_id: str
    version: int  # of what stands under this id
    superseded: bool  # its outlet has sent a later version
    derives_from: "Version | None"  # None: it is the original
    outlet: str
    byline: str
    headline: str
    url: str
    published: Published | None
    credits: tuple[str, ...]  # the agencies it names as its source
    text: str
    is_stored: bool  # False: another version stands under this id now

    @cached_property
    def words(self) -> int:
        return words_in(self.text)

    @cached_property
    def alignment(self) -> Alignment | None:
        """Its text beside that of its source; None: it is the original."""
        return align(self.derives_from.text, self.text) if self.derives_from else None


@dataclass(frozen=True, slots=True)
class Lineage:
    """A report in the order of time."""

    article_id: str  # of the article that was asked about
    original: Version
    reason: str
    copies: int  # pieces that are copies of the original
    outlets: tuple[str, ...]  # each once, in the order of time
    versions: tuple[Version, ...]  # all of them, the original too


def copies_of(members: Sequence[ArticleRow]) -> Copies | None:
    """What a hit of a report says of the copies in it; `members`: all of its articles.

    None: there are none, though there may be versions of one piece.
    """
    pieces = pieces_of(members)
    if len(pieces) < 2:
        return None
    original, reason = original_of([piece[0] for piece in pieces], members)
    in_time = sorted(members, key=in_time_key)
    dates = [member.published for member in in_time if member.published]
    return Copies(
        count=len(pieces) - 1,
        outlets=_each_once(member.outlet for member in in_time),
        first=dates[0] if dates else None,
        last=dates[-1] if dates else None,
        original=original.id,
        reason=reason,
    )


def lineage_of(article: ArticleRow, snapshot: Snapshot) -> Lineage:
    """The lineage of the report that an article of the snapshot belongs to."""
    pieces = pieces_of(_members(article, snapshot))
    members = [member for piece in pieces for member in piece]
    original, reason = original_of([piece[0] for piece in pieces], members)
    home = _told(next(piece for piece in pieces if original in piece), (), snapshot)
    told = [home]
    told += [_told(piece, home, snapshot) for piece in pieces if original not in piece]
    versions = _in_time(told)
    return Lineage(
        article_id=article.id,
        original=home[0],
        reason=reason,
        copies=len(told) - 1,
        outlets=_each_once(version.outlet for version in versions),
        versions=tuple(versions),
    )


def _each_once(outlets: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(outlet for outlet in outlets if outlet))


def _members(article: ArticleRow, snapshot: Snapshot) -> Sequence[ArticleRow]:
    columns = snapshot.columns
    position = int(np.searchsorted(columns.article_number, article.number))
    return snapshot.articles_of_report(int(columns.report[position]))


def _told(
    piece: Sequence[ArticleRow], sources: Sequence[Version], snapshot: Snapshot
) -> list[Version]:
    """All versions of a piece in their order; the first derives from the nearest of `sources`."""
    told: list[Version] = []
    for article in piece:
        standing: list[ArticleRow | EarlierVersion] = [*snapshot.earlier_versions(article), article]
        for stored in standing:
            told.append(
                Version(
                    part=_part(stored.headline, stored.text, told, sources),
                    article_id=article.id,
                    version=stored.version,
                    superseded=stored is not piece[-1],
                    derives_from=told[-1] if told else _nearest(sources, stored.text),
                    outlet=article.outlet,
                    byline=stored.byline,
                    headline=stored.headline,
                    url=article.url,
                    published=stored.published,
                    credits=tuple(sorted(credits_of(stored.byline, stored.text))),
                    text=stored.text,
                    is_stored=stored is article,
                )
            )
    return told


def _part(headline: str, text: str, before: Sequence[Version], sources: Sequence[Version]) -> Part:
    if not before:
        return Part.COPY if sources else Part.ORIGINAL
    return Part.CORRECTION if mark_of(headline, text) is Mark.CORRECTION else Part.UPDATE


def _nearest(sources: Sequence[Version], text: str) -> Version | None:
    """The version that least was done to; of several the first. None: there are no versions."""
    if len(sources) < 2:
        return sources[0] if sources else None

    def done(source: Version) -> int:
        beside = align(source.text, text)
        return beside.words + beside.copy_words - 2 * beside.kept

    return min(sources, key=done)


def pieces_of(members: Sequence[ArticleRow]) -> list[list[ArticleRow]]:
    """The versions of each piece in their order, the pieces in the order of time."""
    by_outlet: dict[str, list[ArticleRow]] = {}
    for member in sorted(members, key=in_time_key):
        by_outlet.setdefault(member.outlet.casefold(), []).append(member)
    pieces = [piece for some in by_outlet.values() for piece in _pieces_of_outlet(some)]
    ordered = [sorted(piece, key=cmp_to_key(_order)) for piece in pieces]
    return sorted(ordered, key=lambda piece: in_time_key(piece[0]))


def _pieces_of_outlet(members: Sequence[ArticleRow]) -> list[list[ArticleRow]]:
    """Articles of one outlet, those together that are versions of one piece."""
    # Of two versions one says that it is one, and they are of nearly the same day. Both are looked
    # at once for each article, not for each pair: a notice that came daily has thousands.
    marked = [member for member in members if mark_of(member.headline, member.text)]
    days = {member.number: day_of(member.published) for member in members} if marked else {}
    piece_of = {member.number: [member] for member in members}
    for version in marked:
        for other in members:
            day, other_day = days[version.number], days[other.number]
            if day is not None and other_day is not None and abs(day - other_day) > WINDOW_DAYS:
                continue
            piece, joined = piece_of[version.number], piece_of[other.number]
            if piece is not joined and _order(version, other):
                piece += joined
                piece_of |= dict.fromkeys((member.number for member in joined), piece)
    return list({id(piece): piece for piece in piece_of.values()}.values())


def _order(one: ArticleRow, other: ArticleRow) -> int:
    """-1 if `one` is an earlier version of the other's piece, 1 if a later one, 0 if neither."""
    if supersedes(one, other):
        return 1
    return -1 if supersedes(other, one) else 0


def _in_time(pieces: Sequence[Sequence[Version]]) -> list[Version]:
    """All versions in the order of time; no version comes before the one it supersedes.

    Of the same time the original's piece comes first, then the lower id.
    """
    placed = []
    for number, piece in enumerate(pieces):
        latest = moment_key(piece[0].published)
        for place, version in enumerate(piece):
            if version.published:
                latest = max(latest, moment_key(version.published))
            placed.append((latest, number > 0, piece[0].article_id, place, version))
    return [version for *_, version in sorted(placed, key=lambda each: each[:4])]
