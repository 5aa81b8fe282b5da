"""How the command line tells of the coverage around an article."""

from typing import Final

from rich.console import Console
from rich.text import Text

from search.coverage.alignment import Edit, Op, in_words
from search.coverage.lineage import Lineage, Part, Version
from search.coverage.related import RelatedArticle, RelatedPage
from search.wording import count_in_words, date_in_words, evidence_in_words, others_in_words

_INDENT: Final = "    "
# More are a rewritten text, which is better read whole; `--json` has them all.
_LISTED_EDITS: Final = 12
_EXCERPT_CHARS: Final = 160
_QUOTED_CHARS: Final = 240


def print_lineage(console: Console, lineage: Lineage) -> None:
    """The original and why, then each version in the order of time with what was done in it."""
    versions = lineage.versions
    numbers = {id(version): number for number, version in enumerate(versions, 1)}
    original = f"Original: {numbers[id(lineage.original)]}, {lineage.reason}."
    console.print(Text(f"{_summary(lineage)} {original}"), soft_wrap=True)
    for version in versions:
        source = version.derives_from
        console.print()
        console.print(_heading(numbers[id(version)], version), soft_wrap=True)
        for line in _lines(version, numbers[id(source)] if source else 0):
            console.print(Text(_INDENT).append_text(line), soft_wrap=True)


def _summary(lineage: Lineage) -> str:
    copies = f"{lineage.copies or 'No'} {'copy' if lineage.copies == 1 else 'copies'}."
    return f"{copies} Run by {', '.join(lineage.outlets)}." if lineage.outlets else copies


def _heading(number: int, version: Version) -> Text:
    return Text.assemble(
        (f"{number:>2}. ", "dim"), (version.headline or "(no headline)", "bold cyan")
    )


def _lines(version: Version, source_number: int) -> list[Text]:
    parts = (version.outlet, version.byline, date_in_words(version.published))
    lines = [Text(" · ".join(part for part in parts if part), style="dim")]
    lines.append(Text(_part_in_words(version, source_number)))
    if version.credits:
        lines.append(Text(f"credits {', '.join(version.credits)}"))
    lines += [Text(each, style="dim") for each in (version.url, _id(version)) if each]
    if version.derives_from and version.alignment:
        edits = version.alignment.edits
        for edit in edits[:_LISTED_EDITS]:
            lines += _edit_lines(edit, version.derives_from.text, version.text)
        if len(edits) > _LISTED_EDITS:
            lines.append(Text(f"… {len(edits) - _LISTED_EDITS} more; --json has all", style="dim"))
    return lines


def _part_in_words(version: Version, source_number: int) -> str:
    superseded = ", superseded" if version.superseded else ""
    if version.part is Part.ORIGINAL or version.alignment is None:
        return f"original, {version.words:,} words{superseded}"
    return f"{version.part.value} of {source_number}{superseded}: {in_words(version.alignment)}"


def _id(version: Version) -> str:
    replaced = "" if version.is_stored else f", version {version.version}, replaced"
    return f"{version.article_id}{replaced}"


def _edit_lines(edit: Edit, original: str, copy: str) -> list[Text]:
    if edit.op is Op.MOVED:
        return [_edit_line("~", "yellow", copy, edit.copy, f"moved from {edit.original[0]}: ")]
    lines = []
    if edit.original[0] < edit.original[1]:
        lines.append(_edit_line("-", "red", original, edit.original))
    if edit.copy[0] < edit.copy[1]:
        lines.append(_edit_line("+", "green", copy, edit.copy))
    return lines


def _edit_line(sign: str, style: str, text: str, span: tuple[int, int], said: str = "") -> Text:
    start, end = span
    return Text.assemble(
        (f"{sign} ", style), (f"{start}:{end} {said}", "dim"), (_excerpt(text[start:end]), style)
    )


def _excerpt(text: str) -> str:
    """On one line; of a long one the beginning and the end."""
    line = " ".join(text.split())
    if len(line) <= _EXCERPT_CHARS:
        return line
    words = len(text.split())
    half = _EXCERPT_CHARS // 2
    return f"{line[:half].rstrip()} … {line[-half:].lstrip()} ({words:,} words)"


def print_related(console: Console, page: RelatedPage) -> None:
    """Each article with its role, its source, and why it is there."""
    console.print(Text(page.article.headline or "(no headline)", style="bold"))
    if not page.articles:
        console.print("No other coverage found.")
    for related in page.articles:
        console.print()
        console.print(_related_heading(related))
        for line in _related_lines(related):
            console.print(Text(_INDENT).append_text(line), soft_wrap=True)
    if page.articles and len(page.articles) < page.total:
        first, last = page.articles[0].rank, page.articles[-1].rank
        console.print()
        console.print(Text(f"Articles {first} to {last} of {page.total}.", style="dim"))
    if page.omitted:
        omitted = count_in_words(page.omitted, "article")
        console.print(f"{omitted} left out: the stored rows are damaged.")


def _related_heading(related: RelatedArticle) -> Text:
    return Text.assemble(
        (f"{related.rank:>2}. ", "dim"), (related.article.headline or "(no headline)", "bold cyan")
    )


def _related_lines(related: RelatedArticle) -> list[Text]:
    article, pair = related.article, related.evidence.passages
    source = (article.outlet, article.byline, date_in_words(article.published))
    lines = [
        Text(" · ".join(part for part in source if part), style="dim"),
        Text.assemble((related.role.value, "bold"), f": {evidence_in_words(related.evidence)}"),
    ]
    if pair:
        lines.append(Text(f"“{_quoted(pair.theirs.text)}”"))
    if related.others:
        lines.append(Text(others_in_words(related.others), style="dim"))
    lines += [Text(each, style="dim") for each in (article.url, article.id) if each]
    return lines


def _quoted(text: str) -> str:
    line = " ".join(text.split())
    if len(line) <= _QUOTED_CHARS:
        return line
    return f"{line[:_QUOTED_CHARS].rsplit(' ', 1)[0]} …"
