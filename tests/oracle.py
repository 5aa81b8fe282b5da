"""A model of a store, kept in plain Python: what every arm must show after each operation.

`Model` says what must be shown, `shown` reads what a snapshot does show, through its public
surface only, and holds its arms against each other on the way.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import tantivy
from numpy.typing import NDArray

from index.article import (
    Origin,
    PassageId,
    Published,
    SourceRecord,
    article_id,
    embedding_text,
    passage_id,
)
from index.columns import UNKNOWN_DAY
from index.former_passages import FormerText
from index.snapshot import Snapshot
from index.writer import Writer

DIM = 16

# In every paragraph, so that one query finds every passage.
_EVERYWHERE = "wombat"
# A paragraph of over 80 tokens is a passage by itself, and one of over 400 characters is too long
# to be taken for a line that recurs.
_FILL = " ".join(
    f"The wombats of the {place} were counted by rangers before the rain came."
    for place in ("river", "gorge", "northern ridge", "salt flats", "old quarry", "pine wood")
)


def paragraph(name: str) -> str:
    """A paragraph that is a passage by itself and has `name` as a word of its own."""
    return f"Report {name} came in late. {_FILL}"


_SIGN_OFF = "Follow the wombats on every day of the week with our morning letter"


def signed(n: int) -> SourceRecord:
    """An article that ends, as all of its outlet do, with a line that no rule knows."""
    body = f"{paragraph(f'tok{n}')}\n\n{_SIGN_OFF}"
    return SourceRecord(Origin("f", n), b"", body, outlet="Bush Telegraph", own_id=f"wire-{n}")


def record(
    own_id: str,
    *names: str,
    headline: str = "Wombats counted",
    outlet: str = "Bush Telegraph",
    published: str = "",
) -> SourceRecord:
    """A record whose article has one passage for each name, each with its name as a word."""
    return SourceRecord(
        Origin("test.jsonl", 1),
        b"{}",
        "\n\n".join(paragraph(name) for name in names),
        headline=headline,
        outlet=outlet,
        own_id=own_id,
        published=Published(published) if published else None,
    )


def vector_of(text: str) -> NDArray[np.float32]:
    """A stand-in for an embedding, shape (DIM,), norm 1; equal texts have equal ones."""
    seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
    vector = np.random.default_rng(seed).standard_normal(DIM).astype(np.float32)
    return vector / np.linalg.norm(vector)


def vectors_of(texts: Sequence[str]) -> NDArray[np.float32]:
    return np.array([vector_of(text) for text in texts], dtype=np.float32).reshape(-1, DIM)


def embed(
    writer: Writer, limit: int, begin: Callable[[list[str]], None] = lambda _: None
) -> list[str]:
    """Embed up to `limit` passages that wait, and return their texts.

    `begin` is told the texts before they are committed.
    """
    waiting = writer.waiting_texts(writer.waiting_order(limit))
    texts = [item.text for item in waiting]
    begin(texts)
    writer.store_embeddings(waiting, vectors_of(texts), writer.fingerprint)
    return texts


@dataclass(frozen=True, slots=True)
class ShownArticle:
    """An article as a reader sees it; the texts of its passages with whether each has a vector.

    `earlier`: version, headline and text of what it said before, oldest first.
    """

    version: int
    headline: str
    text: str
    published: str
    passages: tuple[tuple[str, bool], ...]
    earlier: tuple[tuple[int, str, str], ...]


Shown = dict[str, ShownArticle]


@dataclass(slots=True)
class Model:
    """What a store must show."""

    live: dict[str, tuple[int, SourceRecord]] = field(default_factory=dict)
    last_version: dict[str, int] = field(default_factory=dict)
    earlier: dict[str, tuple[tuple[int, SourceRecord], ...]] = field(default_factory=dict)
    # What passages said that are gone; None: they were removed with their article.
    former: dict[PassageId, FormerText | None] = field(default_factory=dict)
    keys: dict[str, list[tuple[str, str, int]]] = field(default_factory=dict)  # what was answered
    embedded: set[str] = field(default_factory=set)  # embedding texts that must have a vector
    perhaps: set[str] = field(default_factory=set)  # those that may still have one

    def copy(self) -> "Model":
        return Model(
            dict(self.live),
            dict(self.last_version),
            dict(self.earlier),
            dict(self.former),
            dict(self.keys),
            set(self.embedded),
            set(self.perhaps),
        )

    def add(
        self, records: Iterable[SourceRecord], key: str | None = None
    ) -> list[tuple[str, str, int]]:
        """Status, id and version of each record; with a key used before, what it gave then."""
        if key in self.keys:
            return self.keys[key]
        outcomes = [self._put(item) for item in records]
        if key is not None:
            self.keys[key] = outcomes
        return outcomes

    def _put(self, item: SourceRecord) -> tuple[str, str, int]:
        key = str(article_id(item))
        before = self.live.get(key)
        if before and before[1] == item:
            return ("unchanged", key, before[0])
        version = self.last_version.get(key, 0) + 1
        self.last_version[key] = version
        self.live[key] = (version, item)
        if before:
            self.earlier[key] = (*self.earlier.get(key, ()), before)
            self.former.update(_said(*before))
        for id_ in _said(version, item):
            self.former.pop(id_, None)
        return ("replaced" if before else "added", key, version)

    def clean(self, records: Iterable[SourceRecord]) -> None:
        """Articles are as these records have them; their versions stay as they are."""
        for item in records:
            version, before = self.live[str(article_id(item))]
            self.live[str(article_id(item))] = (version, item)
            self.former.update(_said(version, before))
            for id_ in _said(version, item):
                self.former.pop(id_, None)

    def remove(self, ids: Iterable[str]) -> list[bool]:
        return [self._remove(key) for key in ids]

    def _remove(self, key: str) -> bool:
        gone = self.live.pop(key, None)
        if gone is None:
            return False
        for version in (*self.earlier.pop(key, ()), gone):
            self.former.update(dict.fromkeys(_said(*version)))
        return True

    def embed(self, texts: Iterable[str]) -> None:
        self.embedded.update(texts)
        self.perhaps.difference_update(self.embedded)

    def embed_all(self) -> None:
        """Every live passage has a vector; those that only dead ones had may be there or not."""
        before = self.embedded | self.perhaps
        self.embedded = {text for _, item in self.live.values() for text in _texts(item)}
        self.perhaps = before - self.embedded

    def forget_which_are_embedded(self) -> None:
        """Any passage may have a vector or not, where embedding goes on in the background."""
        self.embedded = set()
        self.perhaps = {text for _, item in self.live.values() for text in _texts(item)}

    def compact(self, *, certainly: bool = True) -> None:
        """Vectors that no passage needs any more are dropped, or perhaps are."""
        needed = {text for _, item in self.live.values() for text in _texts(item)}
        unneeded = (self.embedded | self.perhaps) - needed
        self.embedded -= unneeded
        self.perhaps = self.perhaps - unneeded if certainly else self.perhaps | unneeded

    def differs_from(self, shown: Shown) -> str:
        """What is wrong with what is shown; empty if nothing."""
        if shown.keys() != self.live.keys():
            missing, extra = self.live.keys() - shown.keys(), shown.keys() - self.live.keys()
            return f"lost {sorted(missing)}, resurrected {sorted(extra)}"
        wrong = (self._article_differs(key, shown[key]) for key in sorted(shown))
        return "; ".join(difference for difference in wrong if difference)

    def former_differs_from(self, snapshot: Snapshot) -> str:
        """What is wrong with what a snapshot says of passages that are gone; empty if nothing."""
        for id_, said in self.former.items():
            shown = snapshot.former_passage(id_)
            if shown is None or shown.said != said:
                return f"{id_} is gone: what it said {'is lost' if said else 'is still told'}"
        return ""

    def _article_differs(self, key: str, article: ShownArticle) -> str:
        version, item = self.live[key]
        if (article.version, article.headline, article.text) != (version, item.headline, item.body):
            return f"{key} is version {article.version} or another text, expected {version}"
        if article.published != (item.published.iso if item.published else ""):
            return f"{key} is of {article.published!r}"
        if [text for text, _ in article.passages] != item.body.split("\n\n"):
            return f"{key} has passages {[text[:20] for text, _ in article.passages]}"
        earlier = tuple((n, then.headline, then.body) for n, then in self.earlier.get(key, ()))
        if article.earlier != earlier:
            return f"{key} said before {[n for n, *_ in article.earlier]}, expected {len(earlier)}"
        for text, has_vector in article.passages:
            embedded = embedding_text(item.headline, text)
            if embedded not in self.perhaps and has_vector != (embedded in self.embedded):
                return f"{key}: {text[:20]!r} {'has a' if has_vector else 'lost its'} vector"
        return ""


def _texts(item: SourceRecord) -> list[str]:
    return [embedding_text(item.headline, text) for text in item.body.split("\n\n")]


def _said(version: int, item: SourceRecord) -> dict[PassageId, FormerText]:
    """The ids of a record's passages, and what each says."""
    said: dict[PassageId, FormerText] = {}
    texts = item.body.split("\n\n")
    start = 0
    for ordinal, text in enumerate(texts):
        id_ = passage_id(article_id(item), text, texts[:ordinal].count(text))
        said[id_] = FormerText(version, ordinal, start, text)
        start += len(text) + len("\n\n")
    return said


def shown(snapshot: Snapshot, embedding: Callable[[str], NDArray[np.float32]] = vector_of) -> Shown:
    """All that a snapshot shows. AssertionError if its arms do not agree with each other.

    `embedding` gives the vector that a text must have, shape (dim,), norm 1.
    """
    columns = snapshot.columns
    count = len(columns.number)
    assert np.all(np.diff(columns.number) > 0)
    assert np.all(np.diff(columns.article) >= 0), "the passages of an article do not stand together"
    assert np.all(np.diff(columns.article_number) > 0)
    assert snapshot.passages == count
    bad = snapshot.bad_rows
    rows = snapshot.passage_rows(range(count))
    assert sorted(rows) == list(range(count)), "a passage of the columns has no sound row"
    assert snapshot.bad_rows == bad
    found = found_by_word(snapshot, _EVERYWHERE)
    assert found == columns.number.tolist(), f"words find {found}, columns hold {columns.number}"
    embedded = _embedded(snapshot, embedding("anything"))
    articles: dict[str, ShownArticle] = {}
    for position in range(count):
        row, at = rows[position], columns.article[position]
        article = row.article
        assert columns.article_id[at] == article.id
        assert columns.values["outlet"][columns.outlet[at]] == article.outlet
        assert columns.ordinal[position] == row.ordinal
        published = article.published
        assert columns.day[at] == (published.on.toordinal() if published else UNKNOWN_DAY)
        assert (snapshot.passage(row.id) or row).number == row.number
        vector = embedding(embedding_text(article.headline, row.text))
        assert bool(embedded[position]) == (position in _dense_hits(snapshot, vector))
        if article.id not in articles:
            articles[article.id] = _article(snapshot, article.id, embedded)
    assert snapshot.articles == len(articles)
    assert snapshot.embedded == int(embedded.sum())
    return articles


def found_by_word(snapshot: Snapshot, word: str) -> list[int]:
    """Numbers of the passages that have a word, ascending, as often as they are found."""
    term = snapshot.words.analyze(word)[0]
    query = tantivy.Query.term_query(snapshot.words.schema, "body", term)
    numbers, _ = snapshot.words.search(query, 10_000)
    return sorted(numbers.tolist())


def _embedded(snapshot: Snapshot, query: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which positions have a vector: the same by search and by cosine."""
    count = len(snapshot.columns.number)
    if not snapshot.embedded:
        return np.zeros(count, dtype=np.bool_)
    embedded = ~np.isnan(snapshot.vectors.cosines(query, np.arange(count)))
    positions, cosines = snapshot.vectors.search(query, count, None)
    assert sorted(positions.tolist()) == np.flatnonzero(embedded).tolist()
    assert np.all(np.diff(cosines) <= 0)
    assert np.allclose(cosines, snapshot.vectors.cosines(query, positions), atol=1e-5)
    return embedded


def _dense_hits(snapshot: Snapshot, vector: NDArray[np.float32]) -> list[int]:
    """Positions that have this vector."""
    if not snapshot.embedded:
        return []
    positions, cosines = snapshot.vectors.search(vector, snapshot.passages, None)
    return positions[cosines > 0.999].tolist()


def _article(snapshot: Snapshot, key: str, embedded: NDArray[np.bool_]) -> ShownArticle:
    article = snapshot.article(key)
    assert article is not None
    passages = snapshot.passages_of(article)
    positions = snapshot.position_of(np.array([p.number for p in passages], dtype=np.int64))
    assert np.all(positions >= 0)
    assert np.count_nonzero(snapshot.columns.article_number == article.number) == 1
    return ShownArticle(
        article.version,
        article.headline,
        article.text,
        article.published.iso if article.published else "",
        tuple(
            (p.text, bool(embedded[position]))
            for p, position in zip(passages, positions, strict=True)
        ),
        tuple((e.version, e.headline, e.text) for e in snapshot.earlier_versions(article)),
    )
