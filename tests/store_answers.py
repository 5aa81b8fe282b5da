"""All that can be asked of a store, as a set of things said: to compare two states of one store.

A damaged store may say less than a sound one, never anything else; so answers are taken apart into
what each says of one article, passage or row. Articles of one report or story are told as pairs: an
article whose row is damaged stands alone.
"""

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from oracle import found_by_word, vector_of

from index import collections, rejections, saved_searches, store_folder
from index.article import embedding_text
from index.errors import NutgrafError
from index.snapshot import Snapshot, SnapshotReader

_WORDS = ("everywhere", "weir1", "bridge4", "dam", "fire", "storm", "wombat", "flood")
_OUTSIDE = ("Flood at the mill", "Report weir3 came in late to the bridge")


@dataclass(frozen=True, slots=True)
class Answers:
    """What a store says."""

    said: frozenset[tuple[object, ...]] = field(default_factory=frozenset)

    def without_vectors(self) -> frozenset[tuple[object, ...]]:
        """All but what needs a vector: a damaged one is made anew by the model."""
        return frozenset(item for item in self.said if item[0] not in ("vector", "embedded"))


def answers(folder: Path) -> Answers:
    """Ask everything; what raises a NutgrafError says nothing.

    Raises:
        Whatever else is raised.
    """
    said: set[tuple[object, ...]] = set()
    try:
        reader = SnapshotReader(folder)
        try:
            said |= _of_snapshot(reader.latest())
        finally:
            reader.close()
    except NutgrafError:
        pass
    try:
        with store_folder.reading(folder) as truth:
            said |= _of_desk(truth)
    except NutgrafError:
        pass
    return Answers(frozenset(said))


def dump(folder: Path) -> str:
    """A digest of all rows of all tables, as SQLite gives them."""
    digest = hashlib.sha256()
    with closing(sqlite3.connect(folder / store_folder.DATABASE)) as connection:
        connection.text_factory = bytes
        names = [
            row[0].decode()
            for row in connection.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
            )
        ]
        for name in names:
            # A counter ahead skips numbers, and the planner's counts make it slower; no more.
            if name.lower().startswith(("sqlite_sequence", "sqlite_stat")):
                continue
            for row in sorted(map(repr, connection.execute(f"SELECT * FROM {name}"))):
                digest.update(row.encode())
    return digest.hexdigest()


def _of_snapshot(snapshot: Snapshot) -> set[tuple[object, ...]]:
    # Each by itself: where one is damaged, the other is still said.
    told = {"model": snapshot.model, "fingerprint": snapshot.fingerprint}
    said: set[tuple[object, ...]] = {item for item in told.items() if item[1]}
    columns = snapshot.columns
    count = len(columns.number)
    rows = snapshot.passage_rows(range(count))
    numbers = {int(columns.number[position]): row for position, row in rows.items()}
    for position in range(count):
        at = int(columns.article[position])
        if not columns.article_id[at]:
            continue  # damaged: nothing is said of it
        facts = [columns.values[name][getattr(columns, name)[at]] for name in columns.values]
        day, instant = int(columns.day[at]), int(columns.instant_s[at])
        said.add(("columns", columns.article_id[at], *facts, day, instant))
    for row in rows.values():
        said.add(("passage", row.id, row.ordinal, row.start, row.end, row.text, str(row.article)))
        again = snapshot.passage(row.id)
        if again:
            said.add(("again", row.id, again.text))
    ids = {row.article.id: row.article for row in rows.values()}
    for key, article in ids.items():
        for found in (snapshot.article(key), article):
            if found:
                said.add(("article", str(found)))
        said.update(("version", key, str(each)) for each in snapshot.earlier_versions(article))
        said.update(("of", key, each.id, each.text) for each in snapshot.passages_of(article))
        told = snapshot.term_vectors([article.number]).get(article.number)
        if told:
            said.add(("terms", key, told.terms.tobytes(), told.weights.tobytes()))
    said |= _together(snapshot)
    said |= _found(snapshot, numbers)
    for key in ("wire-5", "wire-1", "nowhere"):
        if (seq := snapshot.removal_of(key)) is not None:
            said.add(("removed", key, seq))
            if (removed_s := snapshot.committed_s(seq)) is not None:  # else nothing is said of it
                said.add(("removed at", key, removed_s))
    return said


def _together(snapshot: Snapshot) -> set[tuple[object, ...]]:
    """Pairs of articles that are in one report, or in one story."""
    columns, said = snapshot.columns, set()
    present = [at for at in np.unique(columns.article) if columns.article_id[at]]
    for name in ("report", "story"):
        labels = getattr(columns, name)
        for a in present:
            for b in present:
                if labels[a] == labels[b]:
                    said.add((name, columns.article_id[a], columns.article_id[b]))
    return said


def _found(snapshot: Snapshot, rows: dict[int, object]) -> set[tuple[object, ...]]:
    said: set[tuple[object, ...]] = set()
    for word in _WORDS:
        for number in found_by_word(snapshot, word):
            if number in rows:
                said.add(("word", word, rows[number].id))  # type: ignore[attr-defined]
    for text in _OUTSIDE:
        vector = snapshot.term_vector_of(text, text)
        said.add(("outside", text, vector.terms.tobytes(), vector.weights.tobytes()))
    if snapshot.embedded:
        # The same ones always: of the sound store no other was asked instead of a damaged one.
        first = snapshot.columns.number[:4].tolist()
        some = [rows[number] for number in first if number in rows]
        texts = [embedding_text(row.article.headline, row.text) for row in some]  # type: ignore[attr-defined]
        for text in (*_OUTSIDE, *texts):
            positions, cosines = snapshot.vectors.search(vector_of(text), snapshot.passages, None)
            for position, cosine in zip(positions.tolist(), cosines.tolist(), strict=True):
                row = rows.get(int(snapshot.columns.number[position]))
                if row:
                    said.add(("vector", text, row.id, round(cosine, 4)))  # type: ignore[attr-defined]
    return said


def _of_desk(truth: sqlite3.Connection) -> set[tuple[object, ...]]:
    said: set[tuple[object, ...]] = set()
    for search in saved_searches.searches(truth):
        said.add(("search", search.id, search.name, search.request, search.seen.tobytes()))
        said.add(("delivered", search.id, search.delivered))
        said.update(("entry", str(entry)) for entry in saved_searches.entries(truth, search.id))
    for collection, _ in collections.listed(truth):
        said.add(("collection", str(collection)))
        marks, _ = collections.marks(truth, collection.id)
        said.update(("mark", str(mark)) for mark in marks)
    said.update(("rejection", str(each)) for each in rejections.newest(truth, 100))
    return said
