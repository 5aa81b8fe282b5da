"""What adding a record takes that needs no store: all of it is told from the record alone.

It is most of the work, and Python; so it can be done in another process, see `preparing_process`.
"""

import hashlib
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from index import reports
from index.article import Article, Passage, Run, SourceRecord, embedding_text
from index.errors import BadArticleError
from index.idempotency import content_hash
from index.precedence import give_way
from index.preparing import prepare
from index.term_vectors import Terms, terms_of


@dataclass(frozen=True, slots=True)
class Groundwork:
    """An article ready to be stored, and what it is told from others by."""

    article: Article
    passages: tuple[Passage, ...]
    runs: tuple[Run, ...]
    content: bytes  # see `idempotency.content_hash`
    embeddings: tuple[bytes, ...]  # of each passage, the hash of what the model sees of it
    lines: bytes  # hashes of the body's paragraphs, ascending, see `recurring.line_hashes`
    sketch: reports.Sketch
    terms: Terms | None  # None: its story is told later


def groundwork(
    record: SourceRecord, recurring: Container[bytes], *, stories_wait: bool = False
) -> Groundwork:
    """Prepare a record, see `preparing.prepare`, and do what else needs no store.

    Args:
        stories_wait: leave out what only its story needs.

    Raises:
        BadArticleError: as `prepare`.
    """
    prepared = prepare(record, recurring=recurring)
    article = prepared.article
    return Groundwork(
        article=article,
        passages=prepared.passages,
        runs=prepared.runs,
        content=content_hash(record),
        embeddings=tuple(
            embedding_hash(embedding_text(article.headline, passage.text))
            for passage in prepared.passages
        ),
        lines=b"".join(sorted(prepared.lines)),
        sketch=reports.sketch(article),
        terms=None if stories_wait else terms_of(article.headline, article.text),
    )


def groundworks(
    records: Iterable[SourceRecord],
    recurring: Mapping[str, frozenset[bytes]],
    *,
    stories_wait: bool = False,
) -> list[Groundwork | BadArticleError]:
    """Of each record its groundwork, or what is wrong with it; in order.

    Args:
        recurring: hashes of the recurring lines of each of their outlets.
        stories_wait: as for `groundwork`.
    """
    works: list[Groundwork | BadArticleError] = []
    for record in records:
        give_way()
        try:
            works.append(groundwork(record, recurring[record.outlet], stories_wait=stories_wait))
        except BadArticleError as error:
            works.append(error)
    return works


def embedding_hash(text: str) -> bytes:
    """The hash that names the vector of a text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
