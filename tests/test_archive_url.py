"""Where this archive shows what is cited."""

from search.references.archive_url import archive_url


def test_it_leads_to_the_passage_in_the_page_of_its_article() -> None:
    url = archive_url("https://archive.example/", "harbour-041", "harbour-041-0f6b2c9d1e5a")
    assert url == "https://archive.example/articles/harbour-041#harbour-041-0f6b2c9d1e5a"
    assert archive_url("https://archive.example/", "a-1") == "https://archive.example/articles/a-1"


def test_whatever_the_id_it_is_one_part_of_the_path() -> None:
    url = archive_url("http://127.0.0.1/", "tag:islander.example,2024:9/x?y#z", "é")
    assert url == "http://127.0.0.1/articles/tag%3Aislander.example%2C2024%3A9%2Fx%3Fy%23z#%C3%A9"


def test_an_archive_that_is_not_served_has_none() -> None:
    assert archive_url("", "harbour-041") == ""
