"""JSON Feeds are recognised, and are not ours to correct."""

import io
import json
from typing import Any

from index.article import Origin, Published, SourceRecord
from index.errors import BadArticleError
from index.reading import read_stream

FEED: dict[str, Any] = {
    "items": [
        {
            "id": "https://harbour.example/1",
            "url": "https://harbour.example/1",
            "title": "Ferry returns",
            "content_html": "<p>The ferry is <b>back</b>.</p><p>It sails at noon.</p>",
            "date_published": "2026-03-02T10:00:00-05:00",
            "authors": [{"name": "Ada Lind"}, {"name": "Bo Roe"}],
            "tags": ["Transport", "Harbour"],
        },
        {"id": 2, "content_text": "Rain.", "date_published": "soon", "url": "not a url"},
        {"id": "3", "title": "Nothing"},
    ],
    "language": "en-GB",
    "title": "The Harbour Post",
    "version": "https://jsonfeed.org/version/1.1",
}


def read(feed: dict[str, Any]) -> list[SourceRecord | BadArticleError]:
    return list(read_stream(io.BytesIO(json.dumps(feed, indent=1).encode())))


def test_an_item_is_a_record_with_the_feed_for_its_outlet() -> None:
    first = read(FEED)[0]
    assert isinstance(first, SourceRecord)
    assert first.body == "The ferry is back.\nIt sails at noon."
    assert (first.headline, first.outlet) == ("Ferry returns", "The Harbour Post")
    assert (first.byline, first.section) == ("Ada Lind, Bo Roe", "Transport")
    assert (first.guid, first.own_id, first.url) == (
        "https://harbour.example/1",
        "",
        "https://harbour.example/1",
    )
    assert (first.language, first.published) == ("en", Published("2026-03-02T10:00:00-05:00"))
    assert first.origin == Origin("<stdin>", 3)


def test_an_unreadable_date_or_address_is_unknown() -> None:
    second = read(FEED)[1]
    assert isinstance(second, SourceRecord)
    assert (second.guid, second.body, second.published, second.url) == ("2", "Rain.", None, "")


def test_an_item_without_text_is_reported() -> None:
    third = read(FEED)[2]
    assert isinstance(third, BadArticleError)
    assert third.reason == "no text: the item has neither content nor summary"


def test_an_item_without_authors_has_those_of_the_feed() -> None:
    [record] = read({**FEED, "author": {"name": "Desk"}, "items": [{"content_text": "Rain."}]})
    assert isinstance(record, SourceRecord)
    assert record.byline == "Desk"
