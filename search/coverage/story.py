"""A story told: the reports of one event under one headline, who was first, and what came when.

Counted are reports: an article with its copies and its versions is one. Each report is spoken for
by the likely original of its articles and that piece's later versions.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import log, sqrt
from typing import Final

import numpy as np

from index.article import Published
from index.columns import Columns
from index.errors import NotFoundError
from index.snapshot import Snapshot
from index.store import ArticleRow, PassageRow
from index.term_vectors import shares, term_of, words_of
from index.updates import plain_headline
from search.coverage.lineage import pieces_of
from search.coverage.original import (
    earliest_of,
    gap_in_words,
    in_time_key,
    original_of,
    surely_before,
)
from search.coverage.story_ids import number_of
from search.coverage.timeline import Development, Telling, developments, lead_of

# Of a word that the list of shares does not hold: half the least share that it does hold.
_UNKNOWN_SHARE: Final = 0.0006
_FIRST_FEW: Final = 4
_LENGTH_POWER: Final = 0.7
# A headline that asks, explains or comments, and what it is worth beside one that tells.
_IS_ASIDE: Final = re.compile(
    r"\?[\"'”’]?\s*$|\bexplained$|^\W*(?:opinion|editorial|analysis|comment|commentary|letters?"
    r"|review|live|video|watch|podcast)\b\s*[:|–—-]",
    re.IGNORECASE,
)
_ASIDE: Final = 0.5
_BEGINNING_WORDS: Final = 60  # as many as the term vectors take for the beginning


@dataclass(frozen=True, slots=True)
class Report:
    """One report of a story."""

    versions: tuple[ArticleRow, ...]  # of the original's piece, in their order
    articles: int  # versions and copies
    copies: int  # pieces beside the original's

    @property
    def original(self) -> ArticleRow:
        return self.versions[0]

    @property
    def headline(self) -> str:
        """Of the last version, without what says which version it is."""
        return plain_headline(self.versions[-1].headline)


@dataclass(frozen=True, slots=True)
class First:
    """Who was the first to report."""

    article: ArticleRow | None  # None: not known
    reason: str  # by how much it was first, or why it is not known


@dataclass(frozen=True, slots=True)
class Summary:
    """What a story is, in a few words and figures."""

    number: int
    headline: str
    articles: int  # copies and versions among them
    copies: int
    outlets: tuple[str, ...]  # each once, in the order of time
    first_published: Published | None  # None: no date is known
    last_published: Published | None
    first: First
    reports: tuple[Report, ...]  # in the order of time; of unknown date last


@dataclass(frozen=True, slots=True)
class Story:
    """A story with what happened in it."""

    asked: int  # the number asked for; another than the summary's: it was merged into this one
    summary: Summary
    timeline: tuple[Development, ...]  # in the order of time


def summary_of(number: int, members: Sequence[ArticleRow], report_of: Mapping[int, int]) -> Summary:
    """A story from its articles, one at least.

    Args:
        members: all of the story's articles.
        report_of: the report of each, by the article's number.
    """
    reports = _reports(members, report_of)
    in_time = sorted(members, key=in_time_key)
    dates = [member.published for member in in_time if member.published]
    return Summary(
        number=number,
        headline=headline_of(reports),
        articles=len(members),
        copies=sum(report.copies for report in reports),
        outlets=tuple(dict.fromkeys(member.outlet for member in in_time if member.outlet)),
        first_published=dates[0] if dates else None,
        last_published=dates[-1] if dates else None,
        first=first_of([report.original for report in reports]),
        reports=reports,
    )


def story_of(story_id: str, snapshot: Snapshot) -> Story:
    """The story of this id, or the one it was merged into.

    Raises:
        NotFoundError: there is none.
    """
    asked = number_of(story_id)
    number = snapshot.story(asked) if asked else 0
    members = snapshot.articles_of_story(number) if number else ()
    if not members:
        raise NotFoundError(f"no story has the id {story_id!r}")
    summary = summary_of(number, members, reports_of(members, snapshot.columns))
    return Story(asked, summary, timeline_of(summary, snapshot.passages_of))


def timeline_of(
    summary: Summary, passages_of: Callable[[ArticleRow], Sequence[PassageRow]]
) -> tuple[Development, ...]:
    """What happened, in the order of time; `passages_of` gives an article's passages in order."""
    versions = sorted(
        chain.from_iterable(report.versions for report in summary.reports), key=in_time_key
    )
    tellings = [_telling(version, passages_of(version)) for version in versions]
    weights = _weights(chain.from_iterable(telling.words for telling in tellings))
    return developments(tellings, weights)


def reports_of(articles: Sequence[ArticleRow], columns: Columns) -> dict[int, int]:
    """The report of each article, by the article's number."""
    numbers = [article.number for article in articles]
    positions = np.searchsorted(columns.article_number, numbers)
    return dict(zip(numbers, columns.report[positions].tolist(), strict=True))


def first_of(originals: Sequence[ArticleRow]) -> First:
    """Who was first among the originals of a story's reports."""
    dated = sorted((each for each in originals if each.published), key=in_time_key)
    if not dated:
        return First(None, "no date is known")
    # `earliest_of` compares each date with each other: most are plainly later than the first few.
    early = [each.published for each in dated[:_FIRST_FEW]]
    earliest = earliest_of(
        [each for each in dated if not any(surely_before(one, each.published) for one in early)]
    )
    outlets = {each.outlet for each in earliest}
    if len(outlets) > 1:
        return First(None, f"{len(outlets)} outlets reported it {_same_time(earliest)}")
    first = earliest[0]
    later = [each.published for each in dated if each.outlet != first.outlet]
    if first.published and later and later[0]:
        return First(first, f"first by {gap_in_words(first.published, later[0])}")
    return First(
        first, "the only outlet" + ("" if len(dated) == len(originals) else " with a date")
    )


def _same_time(articles: Sequence[ArticleRow]) -> str:
    known = {article.published.precision for article in articles if article.published}
    coarsest = next(name for name in ("year", "month", "day", "minute", "second") if name in known)
    return "on the same day" if coarsest == "day" else f"in the same {coarsest}"


def headline_of(reports: Sequence[Report]) -> str:
    """The headline that says most of what all the reports say in their first lines.

    That is the product of its words with those of the mean report, over its own length to the
    power of .7: with a full cosine a name alone wins ("The paradox of Nikki Haley"), without any
    the longest does. Chosen by reading the first thirty stories of press in October 2018. Copies
    have no say; questions and what says that it is opinion count half. Of equals the earlier one;
    empty: no report has a headline.
    """
    leads = [_words(f"{report.headline}\n{_beginning(report)}") for report in reports]
    heads = [_words(report.headline).keys() for report in reports]
    weights = _weights(chain.from_iterable(leads))
    mean: Counter[str] = Counter()
    for lead in leads:
        mean.update(_directed(lead, weights))
    scores = [_says(head, mean, weights) for head in heads]
    scores = [
        score * (_ASIDE if _IS_ASIDE.search(report.headline) else 1)
        for score, report in zip(scores, reports, strict=True)
    ]
    return reports[max(range(len(reports)), key=lambda at: (scores[at], -at))].headline


def _says(head: Collection[str], mean: Mapping[str, float], weights: Mapping[str, float]) -> float:
    length = sqrt(sum(weights[word] ** 2 for word in head))
    said = sum(weights[word] * mean[word] for word in head)
    return said / length**_LENGTH_POWER if length else 0.0


def _reports(members: Sequence[ArticleRow], report_of: Mapping[int, int]) -> tuple[Report, ...]:
    groups: dict[int, list[ArticleRow]] = {}
    for member in members:
        groups.setdefault(report_of[member.number], []).append(member)
    reports = [_report(group) for group in groups.values()]
    return tuple(sorted(reports, key=lambda report: in_time_key(report.original)))


def _report(members: Sequence[ArticleRow]) -> Report:
    if len(members) == 1:  # most are; what follows looks into the texts
        return Report(tuple(members), articles=1, copies=0)
    pieces = pieces_of(members)
    original, _ = original_of([piece[0] for piece in pieces], members)
    home = next(piece for piece in pieces if original in piece)
    return Report(tuple(home), articles=len(members), copies=len(pieces) - 1)


def _telling(version: ArticleRow, passages: Sequence[PassageRow]) -> Telling:
    quotable = [(sentence, _words(sentence.text).keys()) for sentence in lead_of(passages)]
    told = set(_words(version.headline)).union(*(words for _, words in quotable))
    day = version.published.on.isoformat() if version.published else ""
    return Telling(version, day, told, quotable)


def _beginning(report: Report) -> str:
    return " ".join(report.versions[-1].text[: 12 * _BEGINNING_WORDS].split()[:_BEGINNING_WORDS])


def _words(text: str) -> Counter[str]:
    return Counter([word for word in words_of(text.lower()) if len(word) > 1])


def _weights(words: Iterable[str]) -> dict[str, float]:
    """How much each word says: minus the logarithm of its share of English news articles."""
    listed = sorted(set(words))
    share = shares(np.array([term_of(word) for word in listed], dtype=np.uint32))
    weights = -np.log(np.where(share > 0, share, _UNKNOWN_SHARE))
    return dict(zip(listed, weights.tolist(), strict=True))


def _directed(words: Counter[str], weights: Mapping[str, float]) -> dict[str, float]:
    """The words with their weights, of length 1."""
    weighed = {word: (1 + log(count)) * weights[word] for word, count in words.items()}
    length = sqrt(sum(weight**2 for weight in weighed.values())) or 1.0
    return {word: weight / length for word, weight in weighed.items()}
