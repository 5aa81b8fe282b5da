"""Lines that many articles of one outlet share are learned; background of a story is not."""

import collections
import io
import itertools
import json
import os
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from index.paragraphs import split
from index.promo_lines import is_prose
from index.recurring import LONGEST_LINE, is_recurring, line_hash, line_hashes

DATA = Path(os.environ.get("NUTGRAF_DATA", Path(__file__).parents[1] / "../shared/data"))
PROMO = "Visit the Courier's homepage for more stories."


def test_a_promo_in_most_of_a_dozen_articles_recurs() -> None:
    assert is_recurring(8, 12)
    assert is_recurring(6, 12)


def test_background_in_a_third_of_a_dozen_articles_stays() -> None:
    assert not is_recurring(4, 12)


@pytest.mark.parametrize("articles", range(6))
def test_in_fewer_than_six_articles_nothing_recurs(articles: int) -> None:
    assert not is_recurring(articles, articles)


def test_a_large_outlet_needs_a_share_not_a_number() -> None:
    assert is_recurring(1543, 21578)  # a filler
    assert not is_recurring(582, 21578)  # "Year", the label of a table


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_more_articles_with_a_line_never_make_it_recur_less(some: int, outlet: int) -> None:
    assert is_recurring(some, outlet) <= is_recurring(some + 1, outlet)


def test_a_line_has_one_hash_whatever_its_case_and_spaces() -> None:
    assert line_hashes(f"  {PROMO.upper()}\n") == line_hashes(PROMO.replace(" ", " \t"))
    assert len(line_hashes(f"{PROMO}\n\n{PROMO}")) == 1


def test_lines_that_differ_in_digits_alone_are_different_lines() -> None:
    assert len(line_hashes("Shr 12 cts vs 10 cts\n\nShr 12 cts vs 11 cts")) == 2


def test_what_was_said_and_long_paragraphs_are_no_candidates() -> None:
    assert line_hash("The ferry is safe, the harbour master said.") is None
    assert line_hash("x" * (LONGEST_LINE + 1)) is None


@given(st.text())
def test_the_hashes_of_a_body_are_those_of_its_paragraphs(body: str) -> None:
    hashes = line_hashes(body)
    assert hashes == {line_hash(paragraph.text) for paragraph in split(body)} - {None}
    assert all(len(hashed) == 8 for hashed in hashes)


# The calibration, on what fits a test: the lines of the first 12,000 press articles that recur and
# look like sentences, by outlet and first two words. Each was read: none is of a report.
LEARNED = {
    *(("Chicago Sun-Times", "Columnists In-depth"), ("Democracy Now", "This is")),
    *(("Guest Writer - Right", "The opinions"), ("NBC News (Online)", "Get breaking")),
    *(("ProPublica", "Get Our"), ("ProPublica", "ProPublica is")),
    *(("The Daily Caller", "Content created"), ("The Economist", "Get our")),
    *(("The Nation", "Fight Back!"), ("The Nation", "Ready to"), ("The Nation", "Sign up")),
    *(("The Nation", "Support Progressive"), ("The Nation", "Travel With")),
    *(("The Week - Opinion", "Want more"), ("Washington Times", "Copyright ©")),
    ("Yahoo! The 360", "“The 360”"),
}


@pytest.mark.skipif(
    not (DATA / "press-2012-2020.jsonl.zst").exists(),
    reason="set NUTGRAF_DATA to the folder of test data",
)
def test_promos_of_the_press_are_learned_and_sentences_are_not() -> None:
    lines: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    articles: collections.Counter[str] = collections.Counter()
    with (DATA / "press-2012-2020.jsonl.zst").open("rb") as file:
        text = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file), encoding="utf-8")
        for row in map(json.loads, itertools.islice(text, 12_000)):
            outlet = row["metadata"]["source"] or ""
            articles[outlet] += 1
            found = {item.text for item in split(row["text"]) if line_hash(item.text)}
            lines[outlet].update(found)
    learned = {
        (outlet, " ".join(line.split()[:2]))
        for outlet, counts in lines.items()
        for line, count in counts.items()
        if is_recurring(count, articles[outlet]) and is_prose(line)
    }
    assert learned == LEARNED
