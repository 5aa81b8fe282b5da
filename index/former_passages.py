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
from index.checksums import columns_of, crc_after, insert_into, sealed, sound

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
                insert_into("former_passages", instead=True),
                sealed("former_passages", *columns, None),
            )


def forget(truth: sqlite3.Connection, article: ArticleId, seq: int) -> None:
    """Let go of what a removed article's passages said, for readers from `seq` on."""
    truth.execute(
        f"UPDATE former_passages SET removed_seq = :seq, crc = {crc_after('removed_seq', ':seq')} "
        "WHERE article_id = :id AND removed_seq IS NULL",
        {"seq": seq, "id": article},
    )


def purge(truth: sqlite3.Connection, horizon: int) -> None:
    """Delete what no reader at `horizon` or later can be shown."""
    truth.execute("DELETE FROM former_passages WHERE removed_seq <= ?", (horizon,))


def find(truth: sqlite3.Connection, passage_id: str, horizon: int) -> FormerPassage | None:
    """A passage that is not live at `horizon` but was before; None: it never was."""
    rows = truth.execute(
        f"SELECT {columns_of('tombstones')} FROM tombstones WHERE id = ? AND seq <= ? "
        "ORDER BY seq DESC",
        (passage_id, horizon),
    )
    row = next(iter(sound("tombstones", rows)), None)
    if row is None:
        return None
    _, _, article_id, seq = row
    return FormerPassage(
        PassageId(passage_id), ArticleId(article_id), seq, _said(truth, passage_id, seq, horizon)
    )


def removal_of(truth: sqlite3.Connection, article_id: str, horizon: int) -> int | None:
    """The commit that removed an article; None: it is live at `horizon`, or never was.

    Of a live one that was edited there are tombstones too. It is looked for in both indexes: where
    one is damaged, it is not said to be removed.
    """
    rows = truth.execute(
        f"SELECT {columns_of('tombstones')} FROM tombstones WHERE article_id = :id "
        "AND seq <= :horizon "
        "AND NOT EXISTS (SELECT 1 FROM articles INDEXED BY live_articles "
        "WHERE id = :id AND removed_seq IS NULL AND added_seq <= :horizon) "
        "AND NOT EXISTS (SELECT 1 FROM articles INDEXED BY articles_by_id "
        "WHERE id = :id AND added_seq <= :horizon "
        "AND (removed_seq IS NULL OR removed_seq > :horizon))",
        {"id": article_id, "horizon": horizon},
    )
    return max((seq for *_, seq in sound("tombstones", rows)), default=None)


def _said(truth: sqlite3.Connection, passage_id: str, seq: int, horizon: int) -> FormerText | None:
    rows = truth.execute(
        f"SELECT {columns_of('former_passages')} FROM former_passages "
        "WHERE id = ? AND seq = ? AND (removed_seq IS NULL OR removed_seq > ?)",
        (passage_id, seq, horizon),
    )
    row = next(iter(sound("former_passages", rows)), None)
    if row is None:
        return None
    version, ordinal, start, text, _ = row[3:]
    return FormerText(version, ordinal, start, store.decompressed(text))
