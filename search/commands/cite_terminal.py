"""How the command line tells what became of what someone cites, and how it is cited."""

from datetime import date
from typing import Final

from rich.console import Console
from rich.text import Text

from search.coverage.alignment import Edit, in_words
from search.references.cite import Cited, Standing, Status
from search.references.reference_styles import Style, formatted
from search.wording import date_in_words, moment_in_words

_INDENT: Final = "    "
_STYLES: Final = {
    Style.APA: "APA",
    Style.ISO690: "ISO 690",
    Style.CHICAGO: "Chicago",
    Style.MLA: "MLA",
}


def print_cited(console: Console, cited: Cited, accessed: date) -> None:
    """The status and why, the quote, where it stands, and the reference in each style."""
    console.print(Text(_status_in_words(cited), style="bold"), soft_wrap=True)
    if cited.now is None:
        return
    for line in _changes(cited, cited.now):
        console.print(Text(_INDENT).append_text(line), soft_wrap=True)
    citation = cited.now.citation(accessed)
    console.print()
    if citation.quote:
        console.print(Text(f"“{citation.quote}”"), soft_wrap=True)
    console.print(Text(citation.headline or "(no headline)", style="bold cyan"), soft_wrap=True)
    source = (citation.outlet, citation.byline, date_in_words(citation.published))
    facts = [" · ".join(part for part in source if part), cited.now.live_url(), _place(cited.now)]
    for fact in filter(None, facts):
        console.print(Text(f"{_INDENT}{fact}", style="dim"), soft_wrap=True)
    console.print()
    for style, name in _STYLES.items():
        reference = Text.assemble((f"{name:<9}", "dim"), formatted(citation, style))
        console.print(reference, soft_wrap=True)


def _status_in_words(cited: Cited) -> str:
    when = f" on {moment_in_words(cited.since)}" if cited.since else ""
    if cited.status is Status.WITHDRAWN:
        return f"Withdrawn{when}; nothing of the article {cited.article_id} is kept."
    if cited.edited is None:
        return "Unchanged."
    said, alignment = cited.edited.said, cited.edited.alignment
    if said is None:
        return f"Edited{when}; what it said before is not kept."
    if alignment is None:
        made = "nothing like it stands in the article now, which is cited as a whole"
    elif not alignment.edits:
        made = "it still stands there, word for word, as part of another passage"
    else:
        made = in_words(alignment)
    return f"Edited{when}, in version {said.version} until then: {made}."


def _changes(cited: Cited, now: Standing) -> list[Text]:
    if cited.edited is None or cited.edited.said is None:
        return []
    said, alignment = cited.edited.said.text, cited.edited.alignment
    if alignment is None:
        return [Text(f"- {said}", style="red")]
    quote = now.article.text[now.start : now.end]
    return [line for edit in alignment.edits for line in _edit_lines(edit, said, quote)]


def _edit_lines(edit: Edit, said: str, quote: str) -> list[Text]:
    both = (("-", "red", said[slice(*edit.original)]), ("+", "green", quote[slice(*edit.copy)]))
    return [Text(f"{sign} {text}", style=style) for sign, style, text in both if text]


def _place(now: Standing) -> str:
    whole = f"{now.article.id}, version {now.article.version}"
    span = f"{now.start} to {now.end}" if now.end else ""
    return ", ".join(filter(None, (whole, now.passage.id if now.passage else "", span)))
