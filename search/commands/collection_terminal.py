"""How the command line shows collections."""

from typing import Final

from rich.console import Console
from rich.text import Text

from index.article import Published
from search.http.collection_responses import (
    CollectionsResponse,
    MarkResponse,
    WholeCollectionResponse,
)
from search.references.cite import Status
from search.wording import count_in_words, date_in_words

_INDENT: Final = "    "
_BECAME: Final = {
    Status.UNCHANGED: "",
    Status.EDITED: "edited since",
    Status.WITHDRAWN: "not in the archive now",
}


def print_collections(console: Console, listed: CollectionsResponse) -> None:
    """A line for each: its id, its name, and how much is in it."""
    if not listed.collections:
        console.print("No collections. Begin one with: nutgraf collect NAME ID")
    for each in listed.collections:
        line = Text(each.id, style="dim").append(f"  {each.name}", style="bold cyan")
        line.append(f"  {count_in_words(each.marks, 'mark')}", style="dim")
        console.print(line, soft_wrap=True)


def print_collection(console: Console, whole: WholeCollectionResponse) -> None:
    """Its name, then each mark: what is quoted, the note, the source and what became of it."""
    console.print(Text(whole.name, style="bold cyan"))
    console.print(Text(f"{whole.id} · {count_in_words(len(whole.marks), 'mark')}", style="dim"))
    for mark in whole.marks:
        console.print()
        console.print(Text.assemble((f"{mark.number}. ", "dim"), mark.headline or "(no headline)"))
        for text in (mark.quote, f"Note: {mark.note}" if mark.note else ""):
            _print_indented(console, Text(" ".join(text.split())))
        console.print(Text(_INDENT + _source(mark), style="dim"), soft_wrap=True)
    if whole.omitted:
        console.print(f"{whole.omitted} marks are left out: their stored rows are damaged.")


def _source(mark: MarkResponse) -> str:
    published = Published(mark.published.iso) if mark.published else None
    parts = (
        date_in_words(published),
        mark.outlet,
        mark.passage_id or mark.article_id,
        _BECAME[mark.status],
    )
    return " · ".join(part for part in parts if part)


def _print_indented(console: Console, text: Text) -> None:
    for line in text.wrap(console, max(console.width - len(_INDENT), 20)) if text else ():
        line.rstrip()
        console.print(Text(_INDENT).append_text(line), soft_wrap=True)
