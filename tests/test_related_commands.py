"""The commands that tell of the coverage around an article."""

import json
from pathlib import Path

import httpx
import pytest
from conftest import Run, serving
from test_related_api import ARTICLES, BOATS, STORES


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, nutgraf: Run) -> Path:
    folder = tmp_path_factory.mktemp("commands") / "store"
    lines = "".join(f"{json.dumps(article)}\n" for article in ARTICLES)
    assert nutgraf("add", "-", "--no-wait", "--store", folder, stdin=lines).returncode == 0
    return folder


def test_copies_tells_who_ran_it_and_what_each_changed(store: Path, nutgraf: Run) -> None:
    told = nutgraf("copies", "https://courier.example/a?b=1&c=2", "--store", store)
    assert (told.returncode, told.stderr) == (0, "")
    lines = [line.strip() for line in told.stdout.splitlines()]
    assert lines[0] == (
        "1 copy. Run by Coast Wire, Northport Courier. Original: 1, the outlet the others credit."
    )
    assert "1. Northport harbour reopens" in lines
    assert "Coast Wire · 14 March 2025, 16:05 (time zone unknown)" in lines
    assert "2. Harbour <b>open</b>" in lines
    assert any(line.startswith("copy of 1: keeps 7") for line in lines)
    cut = next(line for line in lines if line.startswith("- "))
    assert cut.endswith(BOATS[:-1])
    added = next(line for line in lines if line.startswith("+ "))
    assert added.endswith(f"{STORES} Coast Wire contributed to this report")
    start, _, end = cut.split()[1].partition(":")
    text = f"{ARTICLES[0]['text']}"
    assert text[int(start) : int(end)] == BOATS[:-1]


def test_json_is_what_http_gives(store: Path, nutgraf: Run) -> None:
    here = json.loads(nutgraf("copies", "courier-1", "--store", store, "--json").stdout)
    with serving(store, "--read-only") as server:
        there = httpx.get(f"{server.url}/v1/articles/courier-1/copies").json()
    assert here == there


def test_an_article_without_copies_is_said_to_have_none(store: Path, nutgraf: Run) -> None:
    told = nutgraf("copies", "museum-3", "--store", store)
    assert told.returncode == 0
    assert told.stdout.startswith("No copies. Original: 1, no copy of it is here.")


def test_an_unknown_article_is_exit_1_and_one_line(store: Path, nutgraf: Run) -> None:
    told = nutgraf("copies", "nobody", "--store", store)
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr == "nutgraf: no article has the id, URL or guid 'nobody'\n"
