"""What passages said that their articles no longer have: a citation of one can still be judged.

A passage goes when a new version of its article says something else, or when the article is
cleaned again; its text is kept from then on. When the article itself is removed, nothing of what
it said is kept, only that it was there, which `tombstones` says. A passage that comes back is live
again, and is not looked for here.

Rows are written in the writer's transaction that makes them true, and are read as they stood at a
reader's horizon.
"""

import logging
import sqlite3
from collections.abc import Set
from dataclasses import dataclass

from index import store
from index.article import ArticleId, PassageId

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FormerText:
    """What a passage said when it was last there, and where."""

    version: int  # of the article, the last one that had it
    ordinal: int
    start: int  # in the text of that version, in code points
    text: str

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class FormerPassage:
    """A passage that was there and is not any more."""

    id: PassageId
    article_id: ArticleId
    gone_seq: int  # of the commit since which it is not there
    said: FormerText | None  # None: the article was removed with it, or the row is damaged


def keep(truth: sqlite3.Connection, article: ArticleId, staying: Set[PassageId], seq: int) -> None:
    """Keep what an article's live passages say, but for those staying; before they are removed."""
    row = truth.execute(
        "SELECT number FROM articles WHERE id = ? AND removed_seq IS NULL", (article,)
    ).fetchone()
    if row is None:
        return
    ids = truth.execute("SELECT id FROM passages WHERE article = ?", row)
    if all(id_ in staying for (id_,) in ids):
        return
    before = store.articles_numbered(truth, row).get(row[0])
    if before is None:
        logger.warning("article %s is damaged: what it said before is not kept", article)
        return
    for passage in store.passages_of(truth, before):
        if passage.id not in staying:
            columns = (
                passage.id,
                seq,
                article,
                before.version,
                passage.ordinal,
                passage.start,
                store.compressed(passage.text),
            )
            # In one commit an id may come several times, and a passage go more than once.
            truth.execute(
                "INSERT OR REPLACE INTO former_passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                (*columns, store.crc(*columns)),
            )


def forget(truth: sqlite3.Connection, article: ArticleId, seq: int) -> None:
    """Let go of what a removed article's passages said, for readers from `seq` on."""
    truth.execute(
        "UPDATE former_passages SET removed_seq = ? WHERE article_id = ? AND removed_seq IS NULL",
        (seq, article),
    )


def purge(truth: sqlite3.Connection, horizon: int) -> None:
    """Delete what no reader at `horizon` or later can be shown."""
    truth.execute("DELETE FROM former_passages WHERE removed_seq <= ?", (horizon,))


def find(truth: sqlite3.Connection, passage_id: str, horizon: int) -> FormerPassage | None:
    """A passage that is not live at `horizon` but was before; None: it never was."""
    row = truth.execute(
        "SELECT article_id, seq FROM tombstones WHERE id = ? AND seq <= ? "
        "ORDER BY seq DESC LIMIT 1",
        (passage_id, horizon),
    ).fetchone()
    if row is None:
        return None
    article_id, seq = row
    return FormerPassage(
        PassageId(passage_id), ArticleId(article_id), seq, _said(truth, passage_id, seq, horizon)
    )


def removal_of(truth: sqlite3.Connection, article_id: str, horizon: int) -> int | None:
    """The commit that removed an article; None: it is live at `horizon`, or never was."""
    row = truth.execute(
        "SELECT max(seq) FROM tombstones WHERE article_id = :id AND seq <= :horizon "
        "AND NOT EXISTS (SELECT 1 FROM articles WHERE id = :id AND added_seq <= :horizon "
        "AND (removed_seq IS NULL OR removed_seq > :horizon))",
        {"id": article_id, "horizon": horizon},
    ).fetchone()
    return None if row[0] is None else int(row[0])


def _said(truth: sqlite3.Connection, passage_id: str, seq: int, horizon: int) -> FormerText | None:
    row = truth.execute(
        "SELECT id, seq, article_id, version, ordinal, start, text, crc FROM former_passages "
        "WHERE id = ? AND seq = ? AND (removed_seq IS NULL OR removed_seq > ?)",
        (passage_id, seq, horizon),
    ).fetchone()
    if row is None:
        return None
    *columns, stored = row
    if store.crc(*columns) != stored:
        logger.warning("what passage %s said before is damaged, and left out", passage_id)
        return None
    version, ordinal, start, text = columns[3:]
    return FormerText(version, ordinal, start, store.decompressed(text))
