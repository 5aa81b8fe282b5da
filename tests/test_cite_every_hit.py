"""Whatever is found can be cited: the article's text has the quote where the citation says.

Press articles are copyrighted and not part of the project: NUTGRAF_DATA names the folder with them.
"""

from collections.abc import Sequence
from contextlib import closing
from datetime import date
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from press_copies import PRESS

from index.article import SourceRecord
from index.reading import read
from index.writer import Writer
from search.grouping import Group
from search.references import csl_json
from search.references.citation import Citation
from search.references.cite import Status
from search.references.selectors import selectors
from search.searcher import Searcher

ROOT = Path(__file__).resolve().parent.parent
ACCESSED = date(2025, 4, 1)
HITS = 1_000
WORDS = 4  # of a question, drawn from one passage


def _searcher(records: Sequence[SourceRecord], folder: Path) -> Searcher:
    with Writer(folder) as writer:
        writer.add(records)
        writer.finish()
    return Searcher(folder)


def _hits_are_cited(searcher: Searcher, questions: Sequence[str], k: int) -> int:
    """How many hits of these questions were cited, each whole and a stretch of it."""
    count = 0
    for question in questions:
        for hit in searcher.search(question, k=k, group=Group.NONE).hits:
            article = searcher.article(hit.article_id)
            cited = searcher.cited_passage(hit.passage_id)
            assert cited.status is Status.UNCHANGED
            citation = cited.standing().citation(ACCESSED)
            assert citation == Citation.of_hit(hit, ACCESSED)
            assert article.text[citation.start : citation.end] == citation.quote == hit.text
            middle = (hit.start + len(hit.text) // 4, hit.end - len(hit.text) // 4)
            stretch = searcher.cited_article(hit.article_id, middle).standing()
            assert stretch.passage is not None
            assert stretch.passage.id == hit.passage_id
            _is_told_alike(stretch.citation(ACCESSED), article.text)
            count += 1
    return count


def _is_told_alike(citation: Citation, text: str) -> None:
    quote, position = selectors(text, citation.start, citation.end)
    assert text[position["start"] : position["end"]] == quote["exact"] == citation.quote  # type: ignore[misc]
    whole = f"{quote['prefix']}{quote['exact']}{quote['suffix']}"
    assert text.count(whole) == 1
    custom = csl_json.item(citation)["custom"]
    assert isinstance(custom, dict)
    assert text[custom["start"] : custom["end"]] == custom["quote"]


def test_every_hit_in_the_sample_is_cited_as_it_stands(tmp_path: Path) -> None:
    records = [item for item in read([ROOT / "sample"]) if isinstance(item, SourceRecord)]
    questions = ["harbour OR strike OR storm", "ville OR mer", "“said", "a*"]
    with closing(_searcher(records, tmp_path / "store")) as searcher:
        assert _hits_are_cited(searcher, questions, k=1_000) >= len(records)


def test_a_thousand_hits_in_press_are_cited_as_they_stand(tmp_path: Path) -> None:
    if not PRESS.exists():
        pytest.skip(f"the press articles are not here: {PRESS} (set NUTGRAF_DATA)")
    chance = Random(1)
    readable = (item for item in read([PRESS]) if isinstance(item, SourceRecord))
    records = [item for item in islice(readable, 0, 6_000, 15) if len(item.body) < 5_000]
    questions = [" ".join(_some_words(item, chance)) for item in chance.sample(records, 100)]
    with closing(_searcher(records, tmp_path / "store")) as searcher:
        assert _hits_are_cited(searcher, questions, k=HITS // 90) >= HITS


def _some_words(item: SourceRecord, chance: Random) -> list[str]:
    words = [word for word in item.body.split() if word.isalpha() and len(word) > 3]
    return chance.sample(words, min(WORDS, len(words))) or ["news"]
