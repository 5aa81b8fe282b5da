"""What the HTTP interface and `--json` answer about what someone cites.

Spans count code points, end excluded.
"""

from datetime import date, datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from search.coverage.alignment import Edit
from search.http import cite_example
from search.http.related_responses import StretchResponse
from search.references import bibtex, csl_json, ris
from search.references.citation import Citation
from search.references.cite import Cited, Edited, Standing
from search.references.reference_styles import Style, formatted
from search.references.selectors import selectors
from search.responses import PublishedResponse


class _Response(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StylesResponse(_Response):
    """The reference as a bibliography prints it, plain text."""

    apa: str = Field(description="APA, 7th edition.")
    iso690: str = Field(description="ISO 690.")
    chicago: str = Field(description="Chicago, notes and bibliography.")
    mla: str = Field(description="MLA, 9th edition.")

    @classmethod
    def of(cls, citation: Citation) -> Self:
        return cls(**{style.value: formatted(citation, style) for style in Style})


class FormatsResponse(_Response):
    """The reference as reference managers read it."""

    ris: str
    bibtex: str
    csl_json: dict[str, Any] = Field(description="An item; a document is a list of them.")

    @classmethod
    def of(cls, citation: Citation) -> Self:
        return cls(
            ris=ris.record(citation),
            bibtex=bibtex.entry(citation, bibtex.key_of(citation)),
            csl_json=csl_json.item(citation),
        )


class CitationResponse(_Response):
    """What is to be cited, and how."""

    article_id: str
    version: int = Field(description="Of the article, as it is now.")
    passage_id: str | None = Field(
        description="The passage that all of it stands in; null: the whole article, or several."
    )
    quote: str = Field(description="Empty: the whole article is cited.")
    start: int = Field(description="Span of the quote in the article's text.")
    end: int
    headline: str
    byline: str = Field(description="Empty: unknown; the same for the next three and the URL.")
    outlet: str
    section: str
    language: str = Field(description="ISO 639-1.")
    published: PublishedResponse | None = Field(description="null: unknown.")
    url: str
    live_url: str = Field(
        description="The outlet's page; a browser goes to the quote by a text fragment, as long "
        "as it stands there. Empty: the article has no web address."
    )
    archive_url: str = Field(description="The same in this archive; empty: it is not served.")
    accessed: date
    selectors: list[dict[str, Any]] = Field(
        description="Of the Web Annotation Data Model: a TextQuoteSelector and a "
        "TextPositionSelector, in the article's text."
    )
    styles: StylesResponse
    formats: FormatsResponse

    @classmethod
    def of(cls, now: Standing, accessed: date, base_url: str) -> Self:
        article, citation = now.article, now.citation(accessed, base_url)
        return cls(
            article_id=citation.article_id,
            version=article.version,
            passage_id=citation.passage_id,
            quote=citation.quote,
            start=citation.start,
            end=citation.end,
            headline=citation.headline,
            byline=citation.byline,
            outlet=citation.outlet,
            section=citation.section,
            language=citation.language,
            published=PublishedResponse.of(citation.published),
            url=citation.url,
            live_url=now.live_url(),
            archive_url=citation.archive_url,
            accessed=citation.accessed,
            selectors=selectors(article.text, now.start, now.end),
            styles=StylesResponse.of(citation),
            formats=FormatsResponse.of(citation),
        )


class ChangeResponse(_Response):
    """One difference; an empty span says where."""

    op: Literal["cut", "added", "changed", "moved"]
    before: StretchResponse = Field(description="Of the `text` that was cited.")
    now: StretchResponse = Field(description="Of the `quote` as it is now.")

    @classmethod
    def of(cls, edit: Edit, before: str, now: str) -> Self:
        return cls(
            op=edit.op.value,
            before=StretchResponse.of(before, edit.original),
            now=StretchResponse.of(now, edit.copy),
        )


class EditedResponse(_Response):
    """What the passage said, beside the citation: what stands there now."""

    text: str | None = Field(
        description="null: it is not kept, for the article was withdrawn in between, or damaged."
    )
    version: int | None = Field(
        description="Of the article, the last one that had it; the same as now: the passage was "
        "cleaned of a line that its outlet repeats. null: not kept."
    )
    start: int | None = Field(description="Its span in the text of that version.")
    end: int | None
    kept: float | None = Field(
        description="Share of its words that stand there now; null: nothing like it does."
    )
    changes: list[ChangeResponse] | None = Field(
        description="In the order of the text now; empty: it stands there word for word."
    )

    @classmethod
    def of(cls, edited: Edited | None, now: Standing | None) -> Self | None:
        if edited is None or now is None:
            return None
        said, alignment = edited.said, edited.alignment
        quote = now.article.text[now.start : now.end]
        return cls(
            text=said.text if said else None,
            version=said.version if said else None,
            start=said.start if said else None,
            end=said.end if said else None,
            kept=round(alignment.share_kept, 4) if alignment else None,
            changes=[ChangeResponse.of(edit, said.text, quote) for edit in alignment.edits]
            if said and alignment
            else None,
        )


def _add_example(schema: dict[str, Any]) -> None:
    answer = CiteResponse.of(cite_example.EXAMPLE, cite_example.ACCESSED, cite_example.BASE_URL)
    schema["example"] = answer.model_dump(mode="json")


class CiteResponse(_Response):
    """What became of what someone cites, and how it is cited now."""

    model_config = ConfigDict(json_schema_extra=_add_example)

    id: str = Field(description="As it was asked for.")
    status: Literal["unchanged", "edited", "withdrawn"] = Field(
        description="unchanged: it stands as it was; edited: its article is there and says "
        "something else; withdrawn: its article was removed, and nothing of it is kept."
    )
    article_id: str
    since: datetime | None = Field(
        description="When this archive took the change, UTC; null: it is unchanged, or what says "
        "when is damaged."
    )
    citation: CitationResponse | None = Field(
        description="Of an edited passage: of what stands in its place, or if nothing like it "
        "does, of the whole article. null: it was withdrawn."
    )
    edited: EditedResponse | None = Field(description="null: it was not edited.")

    @classmethod
    def of(cls, cited: Cited, accessed: date, base_url: str = "") -> Self:
        """`base_url`: of the server, with its last slash; empty: the archive is not served."""
        return cls(
            id=cited.id,
            status=cited.status.value,
            article_id=cited.article_id,
            since=cited.since,
            citation=CitationResponse.of(cited.now, accessed, base_url) if cited.now else None,
            edited=EditedResponse.of(cited.edited, cited.now),
        )
