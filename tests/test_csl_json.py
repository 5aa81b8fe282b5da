import json

import pytest
from citations import citations, harbour, texts
from hypothesis import given, settings

from index.article import Published
from search.references.citation import Citation
from search.references.csl_json import item


def test_an_item_of_a_passage() -> None:
    assert item(harbour(), ["Check with Ana.", "Second edition"]) == {
        "id": "harbour-041-0123456789ab",
        "type": "article-newspaper",
        "author": [{"family": "Lindqvist", "given": "Tomas"}],
        "title": "Harbour reopens after the storm",
        "container-title": "Northport Courier",
        "section": "Local",
        "language": "en",
        "issued": {"date-parts": [[2025, 3, 14]]},
        "accessed": {"date-parts": [[2025, 6, 1]]},
        "URL": "https://courier.example/2025/03/harbour?from=front&id=41",
        "archive": "Nutgraf",
        "archive_location": "harbour-041-0123456789ab",
        "abstract": harbour().quote,
        "note": "Check with Ana.\nSecond edition",
        "custom": {
            "quote": harbour().quote,
            "start": 0,
            "end": 78,
            "article_id": "harbour-041",
            "passage_id": "harbour-041-0123456789ab",
            "archive_url": harbour().archive_url,
        },
    }


@pytest.mark.parametrize(
    ("iso", "parts"), [("1963", [1963]), ("2024-12", [2024, 12]), ("2025-03-14", [2025, 3, 14])]
)
def test_the_date_is_as_precise_as_it_is_known(iso: str, parts: list[int]) -> None:
    assert item(harbour(published=Published(iso)))["issued"] == {"date-parts": [parts]}


def test_persons_are_divided_and_agencies_are_not() -> None:
    byline = "Ludwig van Beethoven, Martin Luther King Jr. and Associated Press"
    assert item(harbour(byline=byline))["author"] == [
        {"family": "van Beethoven", "given": "Ludwig"},
        {"family": "King", "given": "Martin Luther", "suffix": "Jr."},
        {"literal": "Associated Press"},
    ]


def test_what_is_not_known_is_left_out() -> None:
    bare = item(harbour(byline="", headline="", published=None, url="", section="", quote=""))
    assert not {"author", "title", "issued", "URL", "section", "abstract", "note"} & bare.keys()


@settings(deadline=None)
@given(citations(texts()))
def test_another_reader_gets_quote_id_and_span_as_they_were(citation: Citation) -> None:
    found = json.loads(json.dumps(item(citation)))
    assert found["id"] == citation.id
    assert found["custom"]["quote"] == citation.quote
    assert (found["custom"]["start"], found["custom"]["end"]) == (citation.start, citation.end)
