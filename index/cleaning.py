"""From a body as it was read to the report alone, with the way back."""

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass

from index.article import Published, Run, SourceRecord
from index.head import Head, is_byline, read_head
from index.paragraphs import Paragraph, collapse, split
from index.promo_lines import promo_lines
from index.recurring import line_hash

JOINT = "\n\n"

_SENTENCE_WITH_CREDIT = re.compile(r"(?:\S+ ){7,}?\S*[.!?]['\"’”]? \([^()]{3,120}\)$")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What is left of a record. `text` is empty when nothing of it was a report.

    `runs` lead from `text` back to the body: for each, `text[start : start + length]` equals
    `body[body_start : body_start + length]`. They cover `text` but for the joints between
    paragraphs and the single spaces that stand for a line break or a run of whitespace.
    Control characters, lone surrogates, soft hyphens and zero-width spaces do not survive.
    """

    headline: str
    byline: str
    section: str
    published: Published | None
    text: str
    runs: tuple[Run, ...]
    lines: frozenset[bytes]  # as `recurring.line_hashes` of the body


def clean(record: SourceRecord, recurring: Container[bytes] = frozenset()) -> Cleaned:
    """Find the head of the article, and drop what is not of the report.

    What the record states wins over what its first lines say; the lines go in either case. Of a
    pasted text the first lines also give the headline. Dropped: promo lines, bylines, and lines
    whose hash (`recurring.line_hash`) is in `recurring`, unless nothing would be left without
    them. Linear in the length of the body; never raises.
    """
    paragraphs = split(record.body)
    lines = [paragraph.text for paragraph in paragraphs]
    head = read_head(lines, headline=collapse(record.headline), pasted=record.pasted)
    hashes = [line_hash(line) for line in lines]
    report = _report(paragraphs, hashes, head, recurring) or _captions(paragraphs)
    if not report and record.pasted and head.headline:
        # One line and nothing else is a text without a headline.
        report = [paragraph for paragraph in paragraphs if paragraph.text == head.headline][:1]
        head.headline = ""
    text, runs = _join(report)
    return Cleaned(
        headline=head.headline,
        byline=record.byline or head.byline,
        section=record.section or head.section,
        published=record.published or head.published,
        text=text,
        runs=runs,
        lines=frozenset(hashed for hashed in hashes if hashed is not None),
    )


def _report(
    paragraphs: Sequence[Paragraph],
    hashes: Sequence[bytes | None],
    head: Head,
    recurring: Container[bytes],
) -> list[Paragraph]:
    promo = promo_lines([paragraph.text for paragraph in paragraphs])
    kept = [
        number
        for number, paragraph in enumerate(paragraphs)
        if not promo[number] and number not in head.lines and not is_byline(paragraph.text)
    ]
    fresh = [number for number in kept if hashes[number] not in recurring]
    return [paragraphs[number] for number in fresh or kept]


def _captions(paragraphs: Sequence[Paragraph]) -> list[Paragraph]:
    """Of an article that is a picture and what it shows, the paragraphs that say it in a sentence.

    Beside a report they are captions, and go.
    """
    return [paragraph for paragraph in paragraphs if _SENTENCE_WITH_CREDIT.match(paragraph.text)]


def _join(paragraphs: Sequence[Paragraph]) -> tuple[str, tuple[Run, ...]]:
    runs: list[Run] = []
    start = 0
    for paragraph in paragraphs:
        runs += paragraph.runs(start)
        start += len(paragraph.text) + len(JOINT)
    return JOINT.join([paragraph.text for paragraph in paragraphs]), tuple(runs)
