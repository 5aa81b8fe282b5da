"""CSL-JSON: an array of items."""

import json
from typing import Any

from exports import BASE_URL, export_of, hit, hits, provenance_of
from hypothesis import given

from search.exports.csl_json_export import csl_json_items
from search.result_set import Damaged, Export, Hit


def written(export: Export) -> str:
    return "".join(csl_json_items(export, provenance_of(export), BASE_URL))


def read(export: Export) -> list[dict[str, Any]]:
    return list(json.loads(written(export)))


@given(hits())
def test_there_is_an_item_for_each_place_with_its_very_quote(
    given_hits: list[Hit | Damaged],
) -> None:
    items = read(export_of(given_hits, len(given_hits)))
    assert [item["custom"]["rank"] for item in items] == [each.rank for each in given_hits]
    for each, item in zip(given_hits, items, strict=True):
        if isinstance(each, Hit):
            assert item["id"] == each.passage_id
            quoted = tuple(item["custom"][name] for name in ("quote", "start", "end"))
            assert quoted == (each.text, each.start, each.end)
        else:
            assert item["id"] == f"omitted-{each.rank}"
            assert item["title"] == "[Left out: the stored row is damaged]"


def test_each_item_says_what_was_asked() -> None:
    export = export_of([hit(1), hit(2)], 2)
    for rank, item in enumerate(read(export), 1):
        assert item["custom"]["export"] == provenance_of(export).fields()
        assert item["note"] == provenance_of(export).note(rank)


def test_an_item_is_a_line() -> None:
    assert len(written(export_of([hit(1, "a\nb"), hit(2)], 2)).splitlines()) == 4
    assert written(export_of([], 0)) == "[]\n"
