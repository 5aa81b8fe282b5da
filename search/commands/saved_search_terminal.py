"""How the command line tells of saved searches, and of what came in for them."""

from typing import Final

from rich.console import Console
from rich.text import Text

from index.article import Published
from search.http.saved_search_responses import (
    AlertsResponse,
    EntryResponse,
    SavedSearchesResponse,
    SavedSearchResponse,
)
from search.wording import count_in_words, date_in_words, days_in_words

_INDENT: Final = "    "


def print_searches(console: Console, listed: SavedSearchesResponse) -> None:
    """Each search with its question and its figures."""
    if not listed.searches:
        console.print("No search is saved. Save one with: nutgraf save NAME QUESTION")
    for search in listed.searches:
        console.print(Text.assemble((search.name, "bold cyan"), (f"  {search.id}", "dim")))
        console.print(Text(_INDENT + _question(search)), soft_wrap=True)
        came = f"{count_in_words(search.entries, 'report')} came in, {search.new:,} new"
        saved = f"saved {search.saved_at:%Y-%m-%d}"
        console.print(Text(f"{_INDENT}{came} · {saved}", style="dim"), soft_wrap=True)


def print_alerts(console: Console, told: AlertsResponse) -> None:
    """What came in, search by search, each report with its passage and its source."""
    for alert in told.alerts:
        count = count_in_words(len(alert.entries), "new report")
        console.print(Text.assemble((alert.name, "bold cyan"), f": {count}"), soft_wrap=True)
        for entry in alert.entries:
            _print_entry(console, entry)
        console.print()


def _print_entry(console: Console, entry: EntryResponse) -> None:
    console.print()
    headline = entry.headline or "(no headline)"
    console.print(Text(_INDENT).append(headline, style="bold"), soft_wrap=True)
    for line in Text(" ".join(entry.text.split())).wrap(
        console, max(console.width - len(_INDENT), 20)
    ):
        line.rstrip()
        console.print(Text(_INDENT).append_text(line), soft_wrap=True)
    published = Published(entry.published.iso) if entry.published else None
    parts = (entry.outlet, entry.byline, date_in_words(published), entry.passage_id)
    source = " · ".join(part for part in parts if part)
    console.print(Text(_INDENT + source, style="dim"), soft_wrap=True)


def _question(search: SavedSearchResponse) -> str:
    filters = search.filters
    days = days_in_words(filters.published_from, filters.published_to)
    narrowed = [*filters.outlet, *filters.byline, *filters.section, *filters.language]
    parts = [search.q, *narrowed, *([days] if days else [])]
    return " · ".join([*parts, *(["verbatim"] if search.mode == "verbatim" else [])])
