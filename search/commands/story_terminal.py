"""How the command line tells stories."""

from typing import Final

from rich.console import Console
from rich.text import Text

from search.coverage.front_page import FrontPage, ListedStory
from search.coverage.story import First, Report, Story, Summary
from search.coverage.story_ids import id_of
from search.coverage.timeline import Development
from search.wording import (
    count_in_words,
    date_in_words,
    days_in_words,
    outlets_in_words,
    span_in_words,
)

_INDENT: Final = "    "


def print_front_page(console: Console, page: FrontPage) -> None:
    """The stories, each with its figures, and how to read on."""
    if not page.stories:
        console.print("No story found. Try other days, or fewer filters.")
    elif time := days_in_words(page.filters.published_from, page.filters.published_to):
        console.print(Text(f"{count_in_words(page.total, 'story')}, {time}", style="dim"))
        console.print()
    for rank, story in enumerate(page.stories, page.rank):
        console.print(
            Text.assemble((f"{rank:>2}. ", "dim"), (_headline(story.summary), "bold cyan"))
        )
        for line in _figures(story):
            console.print(Text(_INDENT + line, style="dim"), soft_wrap=True)
        console.print()
    last = page.rank + len(page.stories) - 1
    if page.stories and last < page.total:
        console.print(Text(f"{last:,} of {page.total:,}; -k shows more.", style="dim"))
    if page.omitted:
        console.print(f"{page.omitted} stories are left out: their stored rows are damaged.")


def print_story(console: Console, story: Story) -> None:
    """Headline, figures, who was first, the timeline, then all reports."""
    summary = story.summary
    if story.asked != summary.number:
        merged = f"{id_of(story.asked)} has become part of {id_of(summary.number)}."
        console.print(Text(merged, style="dim"))
    console.print(Text(_headline(summary), style="bold cyan"))
    reports = count_in_words(len(summary.reports), "report")
    articles = count_in_words(summary.articles, "article")
    span = span_in_words(summary.first_published, summary.last_published)
    console.print(Text(f"{reports}, {articles} · {span}", style="dim"))
    console.print(Text(outlets_in_words(summary.outlets, len(summary.outlets)), style="dim"))
    console.print(Text(_first(summary.first)))
    for development in story.timeline:
        console.print()
        _print_development(console, development)
    console.print()
    console.print(Text("All reports", style="bold"))
    for report in summary.reports:
        console.print(_report(report), soft_wrap=True)


def _print_development(console: Console, development: Development) -> None:
    article = development.article
    console.print(Text(date_in_words(article.published), style="bold"))
    quote = " ".join(development.sentence.text.split())
    for line in Text(quote).wrap(console, max(console.width - len(_INDENT), 20)):
        line.rstrip()
        console.print(Text(_INDENT).append_text(line), soft_wrap=True)
    parts = (article.outlet, development.sentence.passage.id)
    source = " · ".join(part for part in parts if part)
    console.print(Text(_INDENT + source, style="dim"), soft_wrap=True)


def _headline(summary: Summary) -> str:
    return summary.headline or "(no headline)"


def _figures(story: ListedStory) -> list[str]:
    summary = story.summary
    counts = (count_in_words(story.reports, "report"), count_in_words(story.articles, "article"))
    return [
        f"{', '.join(counts)} · {span_in_words(summary.first_published, summary.last_published)}",
        outlets_in_words(story.outlets),
        f"{_first(summary.first)} · {id_of(summary.number)}",
    ]


def _first(first: First) -> str:
    if first.article is None:
        return f"First to report: not known, {first.reason}"
    outlet = first.article.outlet or first.article.id
    return f"First to report: {outlet}, {date_in_words(first.article.published)}, {first.reason}"


def _report(report: Report) -> Text:
    article = report.original
    parts = (date_in_words(article.published), article.outlet)
    line = Text(_INDENT).append(" · ".join(part for part in parts if part), style="dim")
    line.append(f"  {report.headline or '(no headline)'}")
    if report.copies:
        line.append(f"  {count_in_words(report.copies, 'copy')}", style="dim")
    return line.append(f"  {article.id}", style="dim")
