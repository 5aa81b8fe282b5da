from citations import harbour

from search.references.locator import locator


def test_it_names_article_span_and_passage() -> None:
    assert locator(harbour()) == ("article harbour-041#char=0,78, passage harbour-041-0123456789ab")


def test_a_stretch_over_several_passages_has_no_passage() -> None:
    assert locator(harbour(passage_id=None)) == "article harbour-041#char=0,78"


def test_a_whole_article_has_no_span() -> None:
    assert locator(harbour(passage_id=None, quote="", start=0, end=0)) == "article harbour-041"
