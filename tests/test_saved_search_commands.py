"""The commands that keep searches and tell what came in for them."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import ROOT, Run, environment, serving
from two_stories import ARTICLES

from search.http.saved_search_responses import AlertsResponse, SavedSearchesResponse


def _add(nutgraf: Run, articles: Sequence[dict[str, str]], *where: object) -> None:
    lines = "".join(f"{json.dumps(article)}\n" for article in articles)
    wait = () if "--server" in where else ("--no-wait",)
    assert nutgraf("add", "-", *wait, *where, stdin=lines).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("with_server", [False, True])
def test_alerts_tell_what_is_new_once_and_nothing_when_nothing_is(
    tmp_path: Path, nutgraf: Run, with_server: bool
) -> None:
    store = tmp_path / "store"
    _add(nutgraf, ARTICLES[4:], "--store", store)
    if with_server:
        with serving(store) as server:
            _tell(nutgraf, "--server", server.url)
    else:
        _tell(nutgraf, "--store", store)


def _tell(nutgraf: Run, *where: object) -> None:
    saved = nutgraf("save", "Ferry watch", "petrel AND island", "--sort", "newest", *where)
    assert (saved.returncode, saved.stderr) == (0, "")
    id = saved.stdout.split()[0]
    assert saved.stdout == f"{id} saved; its feed is /v1/searches/{id}/feed\n"
    _add(nutgraf, ARTICLES[:3], *where)
    listed = nutgraf("searches", "--json", *where)
    (search,) = SavedSearchesResponse.model_validate_json(listed.stdout).searches
    assert (search.id, search.entries, search.new) == (id, 2, 2)
    told = nutgraf("alerts", *where)
    lines = [line.strip() for line in told.stdout.splitlines() if line.strip()]
    assert lines[0] == "Ferry watch: 2 new reports"
    assert sum(line.startswith("Coast Wire · 10 March 2025, 06:10 UTC · wire-1-") for line in lines)
    again = nutgraf("alerts", *where)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    lines = [line.strip() for line in nutgraf("searches", *where).stdout.splitlines()]
    assert lines[0] == f"Ferry watch  {id}"
    assert lines[1] == "petrel AND island"
    assert lines[2].startswith("2 reports came in, 0 new · saved 20")
    assert nutgraf("forget", id, *where).stdout == f"{id} forgotten\n"


@pytest.mark.slow
def test_what_could_not_be_printed_is_told_again(tmp_path: Path, nutgraf: Run) -> None:
    store = tmp_path / "store"
    _add(nutgraf, ARTICLES[4:], "--store", store)
    assert nutgraf("save", "Ferry", "petrel", "--store", store).returncode == 0
    _add(nutgraf, ARTICLES[:3], "--store", store)
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "search", "alerts", "--store", str(store)]
        lost = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, cwd=ROOT, env=environment(), check=False
        )
    assert lost.returncode != 0
    told = AlertsResponse.model_validate_json(nutgraf("alerts", "--json", "--store", store).stdout)
    assert [len(alert.entries) for alert in told.alerts] == [2]


@pytest.mark.slow
def test_what_is_wrong_is_said_in_one_line(harbour_copy: Path, nutgraf: Run) -> None:
    bad = nutgraf("save", "Ferry", "(ferry AND", "--store", harbour_copy)
    assert (bad.returncode, len(bad.stderr.splitlines())) == (2, 1)
    long = nutgraf("save", "Ferry", "ferry " * 1000, "--store", harbour_copy)
    assert (long.returncode, len(long.stderr.splitlines())) == (2, 1)
    gone = nutgraf("forget", "q0", "--store", harbour_copy)
    assert (gone.returncode, gone.stderr) == (1, "nutgraf: no saved search has the id 'q0'\n")
    none = nutgraf("alerts", "--store", harbour_copy / "nowhere")
    assert (none.returncode, len(none.stderr.splitlines())) == (1, 1)
    with serving(harbour_copy):
        busy = nutgraf("alerts", "--store", harbour_copy)
    assert busy.returncode == 75
    assert "--server URL" in busy.stderr
