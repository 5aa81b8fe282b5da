"""The id of a story, as answers and addresses have it."""

import re
from collections.abc import Collection
from typing import Final

import numpy as np

from index.columns import Columns, live_with
from index.vectors import positions_in

_ID: Final = re.compile(r"s[1-9]\d{0,17}", re.ASCII)


def id_of(number: int) -> str:
    """The id of a story, by its number."""
    return f"s{number}"


def number_of(story_id: str) -> int:
    """0: this is no id of a story."""
    return int(story_id[1:]) if _ID.fullmatch(story_id) else 0


def ids_of(articles: Collection[int], columns: Columns) -> dict[int, str]:
    """Of these articles, by number, those that have a story of several reports: its id."""
    numbers = np.array(list(articles), dtype=np.int64)
    held = positions_in(columns.article_number, np.sort(numbers))
    held = held[held >= 0]
    stories = columns.story[held]
    among = live_with(columns.story, stories, columns)
    pairs = np.unique(np.stack([columns.story[among], columns.report[among]]), axis=1)
    told, reports = np.unique(pairs[0], return_counts=True)
    several = set(told[reports > 1].tolist())
    return {
        article: id_of(story)
        for article, story in zip(
            columns.article_number[held].tolist(), stories.tolist(), strict=True
        )
        if story in several
    }
