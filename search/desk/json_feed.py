"""A page of a feed as JSON Feed, https://www.jsonfeed.org/version/1.1/."""

import json
from typing import Final

from search.desk.alerts import Item
from search.desk.feeds import FeedPage, entered_at, exact_time, source_line
from search.web_url import web_url

_VERSION: Final = "https://jsonfeed.org/version/1.1"


def json_feed(page: FeedPage) -> bytes:
    """The document, UTF-8. `_nutgraf` of an item holds what JSON Feed has no word for."""
    document = {
        "version": _VERSION,
        "title": page.title,
        "description": page.search.question.q,
        "home_page_url": page.home_url,
        "feed_url": page.url(None),
        "items": [_item(item, page) for item in page.items],
    }
    if page.next_until is not None:
        document["next_url"] = page.url(page.next_until)
    return json.dumps(document, ensure_ascii=False).encode()


def _item(item: Item, page: FeedPage) -> dict[str, object]:
    article, published = item.article, item.article.published
    author = article.byline or article.outlet
    known = {
        "external_url": web_url(article.url),
        "date_published": exact_time(published),
        "authors": [{"name": author}] if author else None,
        "tags": [article.section] if article.section else None,
        "language": article.language,
    }
    return {
        "id": page.entry_id(item),
        "url": page.entry_url(item),
        "title": article.headline or "(no headline)",
        "summary": source_line(item),
        "content_text": item.passage.text,
        "date_modified": entered_at(item).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **{name: value for name, value in known.items() if value},
        "_nutgraf": {
            "article_id": article.id,
            "passage_id": item.passage.id,
            "start": item.passage.start,
            "end": item.passage.end,
            "outlet": article.outlet,
            "published": published.iso if published else None,
        },
    }
