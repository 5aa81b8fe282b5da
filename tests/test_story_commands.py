"""The commands that tell stories."""

import json
from pathlib import Path

import httpx
import pytest
from conftest import Run, serving
from two_stories import ARTICLES


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, nutgraf: Run) -> Path:
    folder = tmp_path_factory.mktemp("commands") / "store"
    lines = "".join(f"{json.dumps(article)}\n" for article in ARTICLES)
    assert nutgraf("add", "-", "--no-wait", "--store", folder, stdin=lines).returncode == 0
    return folder


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def test_stories_are_listed_with_figures_and_ids(store: Path, nutgraf: Run) -> None:
    told = nutgraf("stories", "--store", store)
    assert (told.returncode, told.stderr) == (0, "")
    lines = _lines(told.stdout)
    assert lines[0] == "1. Ferry Petrel catches fire off Tern Island, passengers rescued"
    assert lines[1] == "3 reports, 4 articles · 10 March 2025 to 12 March 2025"
    assert lines[2] == "Northport Courier, Coast Wire and The Islander"
    assert lines[3].startswith("First to report: Coast Wire, 10 March 2025, 06:10 UTC, first by 2 ")
    assert "First to report: not known, 2 outlets reported it on the same day · s" in told.stdout


def test_stories_of_a_time_name_it_and_say_what_is_left(store: Path, nutgraf: Run) -> None:
    days = ("--from", "2025-03-10", "--to", "2025-03-16")
    told = nutgraf("stories", *days, "--k", 1, "--store", store)
    lines = _lines(told.stdout)
    assert lines[0] == "2 stories, 10 March 2025 to 16 March 2025"
    assert lines[-1] == "1 of 2; -k shows more."
    none = nutgraf("stories", "--to", "2025-03-01", "--store", store)
    assert none.stdout.startswith("No story found.")


def test_a_story_is_told_with_dates_quotes_and_sources(store: Path, nutgraf: Run) -> None:
    (id, _) = _ids(store, nutgraf)
    lines = _lines(nutgraf("story", id, "--store", store, COLUMNS="200").stdout)
    first = lines.index("10 March 2025, 06:10 UTC")
    assert lines[first + 1].startswith("The ferry Petrel caught fire off Tern Island early on")
    assert lines[first + 2].startswith("Coast Wire · wire-1-")
    then = lines.index("12 March 2025")
    assert "ignored two written warnings" in lines[then + 1]
    reports = lines[lines.index("All reports") + 1 :]
    assert len(reports) == 3
    assert reports[0].endswith("passengers rescued  1 copy  wire-1")


def test_json_is_what_http_gives(store: Path, nutgraf: Run) -> None:
    (id, _) = _ids(store, nutgraf)
    listed = json.loads(nutgraf("stories", "--store", store, "--json").stdout)
    story = json.loads(nutgraf("story", id, "--store", store, "--json").stdout)
    with serving(store, "--read-only") as server:
        assert httpx.get(f"{server.url}/v1/stories").json() == listed
        assert httpx.get(f"{server.url}/v1/stories/{id}").json() == story


def test_an_unknown_story_is_exit_1_and_one_line(store: Path, nutgraf: Run) -> None:
    told = nutgraf("story", "s999", "--store", store)
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr == "nutgraf: no story has the id 's999'\n"


def _ids(store: Path, nutgraf: Run) -> list[str]:
    listed = json.loads(nutgraf("stories", "--store", store, "--json").stdout)
    return [story["story"] for story in listed["stories"]]
