"""The feeds of saved searches, read by an independent reader of feeds."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import feedparser
import pytest
from lxml import etree
from watched_store import BASE_URL, COPY, FARES, TRAM, WIRE, Watching, record, watching

from index.article import Published
from search.desk import feeds
from search.desk.atom import atom
from search.desk.feeds import FeedFormat, exact_time, feed_page
from search.desk.json_feed import json_feed


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Watching]:
    with watching(tmp_path / "store") as store:
        store.add(TRAM)
        yield store


def _parsed(store: Watching, id: str, until: int | None = None) -> Any:
    parsed = feedparser.parse(atom(store.page(id, until)))
    assert not parsed.bozo
    assert parsed.version == "atom10"
    return parsed


def _json(store: Watching, id: str) -> Any:
    page = feed_page(store.watched(id), store.searcher, BASE_URL, FeedFormat.JSON)
    return json.loads(json_feed(page))


def test_an_entry_of_the_atom_feed_leads_to_its_passage_and_its_source(
    store: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = store.save("ferry")
    monkeypatch.setattr("index.writer.time.time", lambda: 1_741_600_000.0)
    store.add(replace(WIRE, url="https://wire.example/petrel?a=1&b=2", byline="Ines Okoro"))
    parsed = _parsed(store, id)
    assert parsed.feed.id == f"urn:nutgraf:search:{id}"
    assert parsed.feed.title == "ferry – Nutgraf"
    assert parsed.feed.updated == "2025-03-10T09:46:40Z"
    (entry,) = parsed.entries
    passage = store.page(id).items[0].passage
    assert entry.id == f"urn:nutgraf:entry:{id}:wire-1"
    assert entry.title == "Ferry Petrel catches fire"
    assert entry.link == f"{BASE_URL}articles/wire-1#{passage.id}"
    assert entry.content[0].value == passage.text
    assert entry.summary == "Coast Wire, Ines Okoro, 10 March 2025, 06:10 UTC"
    assert (entry.author, entry.updated) == ("Ines Okoro", "2025-03-10T09:46:40Z")
    assert entry.published == "2025-03-10T06:10:00Z"
    assert [link.href for link in entry.links if link.rel == "via"] == [
        "https://wire.example/petrel?a=1&b=2"
    ]


def test_a_json_feed_says_the_same(store: Watching) -> None:
    id = store.save("ferry")
    store.add(WIRE, FARES)
    feed, parsed = _json(store, id), _parsed(store, id)
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert [item["id"] for item in feed["items"]] == [entry.id for entry in parsed.entries]
    for item, entry in zip(feed["items"], parsed.entries, strict=True):
        assert item["content_text"] == entry.content[0].value
        assert (item["url"], item["title"]) == (entry.link, entry.title)
        assert item["date_modified"] == entry.updated
        own = item["_nutgraf"]
        article = store.searcher.article(own["article_id"])
        assert article.text[own["start"] : own["end"]] == item["content_text"]


def test_a_feed_without_entries_is_one_all_the_same(store: Watching) -> None:
    id = store.save("ferry")
    parsed = _parsed(store, id)
    assert (parsed.entries, bool(parsed.feed.updated)) == ([], True)
    assert _json(store, id)["items"] == []


HOSTILE = "]]></content></entry><entry><id>x</id> &amp; <script>alert(1)</script> \x00\x0b\ufffe"


def test_whatever_a_text_holds_it_stays_text(store: Watching) -> None:
    id = store.save("ferry")
    store.add(
        record(
            'a"<b>/?#\u2028',
            f"A ferry text. {HOSTILE}",
            headline=f"Ferry {HOSTILE}",
            outlet=HOSTILE,
            byline=HOSTILE,
            section=HOSTILE,
            language='en" x="y',
            url="javascript:alert(1)",
        )
    )
    document = atom(store.page(id))
    tree = etree.fromstring(document)
    namespace = "{http://www.w3.org/2005/Atom}"
    assert len(tree.findall(f"{namespace}entry")) == 1
    assert b"<script" not in document
    assert b"javascript:" not in document
    (item,) = store.page(id).items
    content = tree.findtext(f"{namespace}entry/{namespace}content")
    assert content == item.passage.text.replace("\x00", "\ufffd").replace("\x0b", "\ufffd").replace(
        "\ufffe", "\ufffd"
    )
    (read,) = _json(store, id)["items"]
    assert read["content_text"] == item.passage.text
    assert "external_url" not in read


def test_pages_are_linked_and_hold_every_entry_once(
    store: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "ENTRIES", 3)
    id = store.save("ferry")
    boats = [
        record(f"boat-{n}", f"The ferry number {n} got the name {name} on its own day.")
        for n, name in enumerate(["Petrel", "Gannet", "Heron", "Tern", "Curlew", "Eider", "Skua"])
    ]
    store.add(*boats[:5])
    store.record()
    store.add(*boats[5:])  # not recorded
    parsed = _parsed(store, id)
    ids = [entry.id for entry in parsed.entries]
    store.add(record("boat-99", "One more ferry came while the feed was read."))
    while following := [link.href for link in parsed.feed.links if link.rel == "next"]:
        until = int(following[0].rpartition("until=")[2])
        parsed = _parsed(store, id, until)
        ids += [entry.id for entry in parsed.entries]
    assert [id.rpartition(":")[2] for id in ids] == [f"boat-{n}" for n in range(6, -1, -1)]
    assert _json(store, id)["next_url"].endswith("&until=5")


def test_a_page_beyond_the_last_entry_is_the_first(store: Watching) -> None:
    id = store.save("ferry")
    store.add(WIRE, COPY)
    assert len(_parsed(store, id, 1_000).entries) == 1


@pytest.mark.parametrize(
    ("published", "exact"),
    [
        ("2025-03-10T06:10Z", "2025-03-10T06:10:00Z"),
        ("2025-03-10T06:10:07+02:00", "2025-03-10T06:10:07+02:00"),
        ("2025-03-10T06:10", None),
        ("2025-03-10", None),
        ("2025", None),
    ],
)
def test_a_time_is_given_only_where_the_source_says_it(published: str, exact: str | None) -> None:
    assert exact_time(Published(published)) == exact
    assert exact_time(None) is None
