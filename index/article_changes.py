"""What a transaction changes of articles: those that come, change and go, and what follows them.

The rows of the truth only, inside the transaction that is open; `index.writer` opens it, and brings
the word index up after it.
"""

import sqlite3
from dataclasses import dataclass, field

from index import former_passages, generations, reports, store, stories
from index.article import ArticleId, SourceRecord
from index.checksums import columns_of, crc_after, insert_into, is_sound, sealed
from index.groundwork import Groundwork
from index.idempotency import Outcome
from index.precedence import give_way
from index.term_vectors import Terms


@dataclass(frozen=True, slots=True)
class ArticleChange:
    """The change of one transaction: articles are put and removed, then `group` ends it."""

    truth: sqlite3.Connection
    seq: int
    fingerprint: str  # of the model whose vectors answer
    # Of the articles that were stored, by number.
    _sketches: dict[int, reports.Sketch] = field(init=False, default_factory=dict)
    _terms: dict[int, Terms] = field(init=False, default_factory=dict)

    def put(self, source: SourceRecord, work: Groundwork) -> Outcome:
        """Add an article, or replace the one of its id; what is there already stays as it is."""
        give_way()
        article = work.article
        number = store.live_number(self.truth, article.id)
        if number is not None:
            version, content = self.truth.execute(
                "SELECT version, content FROM articles WHERE number = ?", (number,)
            ).fetchone()
            # What is damaged comes anew, though it is the same.
            if content == work.content and store.is_whole(self.truth, number):
                return Outcome("unchanged", article.id, version)
        version = self._last_version(article.id) + 1
        if number is None:
            self._insert(source, work, version)
            return Outcome("added", article.id, version)
        store.keep_version(self.truth, article.id)
        self.put_anew(source, work, version)
        return Outcome("replaced", article.id, version)

    def put_anew(self, source: SourceRecord, work: Groundwork, version: int) -> None:
        """Put an article in the place of what stands under its id."""
        staying = {passage.id for passage in work.passages}
        former_passages.keep(self.truth, work.article.id, staying, self.seq)
        self._clear_place(work.article.id)
        self._insert(source, work, version)

    def clean(self, source: SourceRecord, work: Groundwork) -> None:
        """Put an article that was cleaned anew in its own place; its version stays."""
        give_way()
        number = store.live_number(self.truth, work.article.id)
        row = self.truth.execute("SELECT version FROM articles WHERE number = ?", (number,))
        for (version,) in row.fetchall():  # none: it was removed
            self.put_anew(source, work, version)

    def remove(self, article_id: ArticleId) -> bool:
        """Remove an article with all its versions; False: it was not there."""
        was_there = self._clear_place(article_id)
        store.forget_versions(self.truth, article_id, self.seq)
        former_passages.forget(self.truth, article_id, self.seq)
        return was_there

    def group(self, *, stories_wait: bool = False) -> None:
        """Regroup the reports and retell the stories of what has changed.

        `stories_wait`: those of new articles are left to `Writer.tell_stories`.
        """
        reports.regroup(self.truth, self.seq, self._sketches)
        stories.retell(self.truth, self.seq, self._terms, new_wait=stories_wait)

    def _insert(self, source: SourceRecord, work: Groundwork, version: int) -> None:
        number = store.insert_article(
            self.truth,
            work.article,
            source,
            work.runs,
            version=version,
            seq=self.seq,
            content=work.content,
        )
        known = generations.known_embeddings(self.truth, work.embeddings, self.fingerprint)
        store.insert_passages(
            self.truth,
            number,
            work.passages,
            work.embeddings,
            [self.seq if name in known else None for name in work.embeddings],
        )
        self.truth.execute(insert_into("lines"), sealed("lines", number, source.outlet, work.lines))
        self._sketches[number] = work.sketch
        if work.terms:
            self._terms[number] = work.terms

    def _clear_place(self, article_id: ArticleId) -> bool:
        """Remove what stands under an id; False: nothing does."""
        number = store.live_number(self.truth, article_id)
        if number is None:
            return False
        self.truth.execute(
            f"UPDATE articles SET removed_seq = :seq, crc = {crc_after('removed_seq', ':seq')} "
            "WHERE number = :number",
            {"seq": self.seq, "number": number},
        )
        passages = self.truth.execute(
            f"SELECT {columns_of('passages')} FROM passages WHERE article = ?", (number,)
        ).fetchall()
        self.truth.executemany(
            insert_into("tombstones"),
            [
                # A damaged passage is gone as well, but what its id was is not known.
                sealed(
                    "tombstones",
                    passage[0],
                    passage[1] if is_sound("passages", passage) else "",
                    article_id,
                    self.seq,
                )
                for passage in passages
            ],
        )
        return True

    def _last_version(self, article_id: ArticleId) -> int:
        """The last version of an id, also of one that was removed: versions go on counting."""
        row = self.truth.execute(
            "SELECT max(version) FROM articles WHERE id = ? AND typeof(version) = 'integer'",
            (article_id,),
        ).fetchone()
        return int(row[0] or store.meta(self.truth, f"version:{article_id}") or 0)


def has_purgeable(truth: sqlite3.Connection, horizon: int) -> bool:
    """Whether there is something for `purge`."""
    row = truth.execute(
        "SELECT 1 FROM articles WHERE removed_seq <= ? LIMIT 1", (horizon,)
    ).fetchone()
    return row is not None


def purge(truth: sqlite3.Connection, horizon: int) -> None:
    """Delete rows that no reader can show any more: of what was removed up to a horizon."""
    numbers = [
        row[0]
        for row in truth.execute("SELECT number FROM articles WHERE removed_seq <= ?", (horizon,))
    ]
    if not numbers:
        return
    versions = truth.execute(
        "SELECT 'version:' || id, max(version) FROM articles "
        "WHERE removed_seq <= ? GROUP BY +id",  # by the index of removed_seq
        (horizon,),
    ).fetchall()
    store.set_meta(truth, **dict(versions))
    for table, column in (
        ("passages", "article"),
        ("sources", "article"),
        ("lines", "article"),
        ("reports", "article"),
        ("stories", "article"),
        ("term_vectors", "article"),
        ("articles", "number"),
    ):
        truth.executemany(
            f"DELETE FROM {table} WHERE {column} = ?", [(number,) for number in numbers]
        )
    store.purge_versions(truth, horizon)
    former_passages.purge(truth, horizon)
    purged_seq = int(store.meta(truth, "purged_seq") or 0)
    reports.purge(truth, purged_seq, horizon)
    stories.purge(truth, purged_seq, horizon)
    store.set_meta(truth, purged_seq=horizon)
