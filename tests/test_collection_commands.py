"""The commands of the collections, in a store and with `--server`."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from collected import BOATS, FERRY, LEAD, desk
from conftest import serving
from typer.testing import CliRunner, Result

from search.cli import app

Ask = Callable[..., Result]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with an article; each test has collections of its own."""
    folder = tmp_path_factory.mktemp("collected") / "store"
    with desk(folder) as opened:
        opened.add("harbour", LEAD, FERRY, BOATS, url="https://courier.example/harbour")
    return folder


def _asking(*options: object) -> Ask:
    def ask(command: str, *arguments: object) -> Result:
        given = [command, *map(str, options), *map(str, arguments)]
        return CliRunner().invoke(app, given, prog_name="nutgraf")

    return ask


@pytest.fixture
def ask(store: Path) -> Ask:
    return _asking("--store", store)


@pytest.fixture(scope="module")
def ask_server(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    with serving(store) as server:
        yield _asking("--server", server.url, "--store", tmp_path_factory.mktemp("none"))


def _id(ask: Ask, name: str) -> str:
    listed = json.loads(ask("collections", "--json").stdout)["collections"]
    return str(next(each["id"] for each in listed if each["name"] == name))


def _goes_through_its_life(ask: Ask, name: str, file: Path) -> None:
    """Mark, list, show, write, remove, take in again: alike in a store and at a server."""
    first = ask("collect", name, "https://courier.example/harbour", "--note", "whole")
    assert first.exit_code == 0
    id = _id(ask, name)
    [whole] = json.loads(ask("collection", id, "--json").stdout)["marks"]
    number = whole["number"]
    assert first.stdout == f"Mark {number} in {name}.\n"
    assert first.stderr == f"New collection {id}.\n"
    stretch = ("collect", id, "harbour", "--start", "10", "--end", "17")
    assert json.loads(ask(*stretch, "--json").stdout)["quote"] == LEAD[10:17] == "harbour"
    assert ask(*stretch).stdout == f"Mark {number + 1} in {name}, which was there already.\n"
    mark = json.loads(ask(*stretch, "--json").stdout)
    assert ask("collect", name, mark["passage_id"]).stdout == f"Mark {number + 2} in {name}.\n"

    assert ask("collections").stdout == f"{id}  {name}  3 marks\n"
    shown = ask("collection", name).stdout.splitlines()
    assert shown[:2] == [name, f"{id} · 3 marks"]
    assert f"{number + 1}. Harbour reopens" in shown
    assert "    harbour" in shown
    assert "    Note: whole" in shown

    written = ask("collection", id, "--format", "json").stdout
    file.write_text(written, "utf-8")
    assert ask("collection", name, "--format", "ris").stdout.count("TY  - NEWS") == 3
    assert ask("uncollect", name, number + 1).exit_code == 0
    missing = ask("uncollect", name, number + 1)
    assert missing.exit_code == 1
    assert f"collection {id} has no mark {number + 1}" in missing.stderr
    assert ask("collection-import", file).stdout == (
        f"1 mark added to {name} ({id}); 2 were there already.\n"
    )
    assert ask("uncollect", name, "--all").exit_code == 0
    taken = json.loads(ask("collection-import", file, "--json").stdout)
    assert (taken["name"], taken["added"], taken["known"]) == (name, 3, 0)
    assert ask("collection", name, "--format", "json").stdout == written
    ask("uncollect", name, "--all")
    assert ask("collections").stdout == "No collections. Begin one with: nutgraf collect NAME ID\n"


def test_in_a_store(ask: Ask, tmp_path: Path) -> None:
    _goes_through_its_life(ask, "Harbour closures", tmp_path / "harbour.json")


def test_what_cannot_be_marked_leaves_no_collection(ask: Ask) -> None:
    for arguments in (("nobody",), ("harbour", "--start", "5"), ("harbour", "--end", "0")):
        refused = ask("collect", "Never made", *arguments)
        assert refused.exit_code in (1, 2)
        assert refused.stderr.startswith("nutgraf: ")
        assert "New collection" not in refused.stderr
    assert "Never made" not in ask("collections").stdout


def test_what_looks_like_an_id_begins_no_collection(ask: Ask) -> None:
    refused = ask("collect", "c0f6b2c9d", "harbour")
    assert refused.exit_code == 1
    assert "no collection has the id or name 'c0f6b2c9d'" in refused.stderr


def test_a_bad_file_is_named_with_the_place_and_the_reason(ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "bad.json"
    mark = {"article_id": "harbour", "start": 0, "end": 3, "quote": "harbour"}
    file.write_text(json.dumps({"nutgraf": "collection", "name": "Bad", "marks": [mark]}), "utf-8")
    refused = ask("collection-import", file)
    assert refused.exit_code == 2
    assert f"{file}: marks[0]: the span 0 to 3 is not as long as the quote" in refused.stderr
    assert "Bad" not in ask("collections").stdout
    absent = ask("collection-import", tmp_path / "absent.json")
    assert (absent.exit_code, "No such file" in absent.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("collection", "nobody"), "`nutgraf collections` lists them"),
        (("uncollect", "nobody", "1"), "no collection has the id or name 'nobody'"),
        (("uncollect", "nobody"), "say --all"),
        (("uncollect", "nobody", "1", "--all"), "say --all"),
    ],
)
def test_what_is_not_there_is_said(ask: Ask, arguments: tuple[str, ...], said: str) -> None:
    refused = ask(*arguments)
    assert refused.exit_code in (1, 2)
    assert said in " ".join(refused.stderr.split())


def test_an_unknown_format_is_said_with_those_there_are(ask: Ask) -> None:
    ask("collect", "Formats", "harbour")
    refused = ask("collection", "Formats", "--format", "docx")
    ask("uncollect", "Formats", "--all")
    assert refused.exit_code == 2
    assert "bibtex" in refused.stderr


def test_without_a_store_there_is_none_to_mark_in(tmp_path: Path) -> None:
    refused = _asking("--store", tmp_path / "none")("collect", "Harbour", "harbour")
    assert refused.exit_code == 1
    assert "there is no store here" in refused.stderr
    assert not (tmp_path / "none").exists()


# Last: while the server runs, it alone may write to the store.
def test_at_a_server(ask_server: Ask, ask: Ask, tmp_path: Path) -> None:
    _goes_through_its_life(ask_server, "Harbour closures", tmp_path / "harbour.json")
    refused = ask_server("collect", "Never made", "nobody")
    assert refused.exit_code == 1
    assert "'nobody'" in refused.stderr
    locked = ask("collect", "Harbour", "harbour")
    assert locked.exit_code == 75
    file = tmp_path / "bad.json"
    file.write_text('{"nutgraf": "collection"}', "utf-8")
    bad = ask_server("collection-import", file)
    assert (bad.exit_code, f"{file}: name: Field required" in bad.stderr) == (2, True)
