"""A text file is an article, kept whole for cleaning to look at."""

import os
from pathlib import Path

import pytest

from index.article import Origin
from index.errors import BadArticleError
from index.formats.plain_text import read_plain_text

ORIGIN = Origin("a.txt", 1)
DATA = Path(os.environ.get("NUTGRAF_DATA", Path(__file__).parents[1] / "../shared/data"))


def test_the_whole_text_is_the_body_and_nothing_is_guessed() -> None:
    data = "Ferry returns\r\n\r\n21 January 2022\n\nThe ferry is “back”.".encode("cp1252")
    record = read_plain_text(data, ORIGIN)
    assert record.body == "Ferry returns\r\n\r\n21 January 2022\n\nThe ferry is “back”."
    assert (record.raw, record.pasted) == (data, True)
    assert (record.headline, record.published) == ("", None)


@pytest.mark.parametrize("data", [b"", b" \r\n\t", b"\xef\xbb\xbf\n", "\u2003".encode("utf-16")])
def test_a_file_of_nothing_is_refused(data: bytes) -> None:
    with pytest.raises(BadArticleError, match=r"a\.txt:1: no text; "):
        read_plain_text(data, ORIGIN)


@pytest.mark.skipif(
    not (DATA / "seed-article.txt").exists(), reason="set NUTGRAF_DATA to the folder of test data"
)
def test_the_seed_article_is_kept_to_the_last_character() -> None:
    data = (DATA / "seed-article.txt").read_bytes()
    assert read_plain_text(data, ORIGIN).body == data.decode("utf-8")
