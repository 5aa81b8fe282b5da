"""Folders are read whole, in order, once, and without what is no article."""

import os
from pathlib import Path, PurePosixPath

import pytest

from index.formats.folder import files_under, is_hidden, is_judgment


def plant(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")


def listed(folder: Path) -> list[str]:
    return [
        str(file.relative_to(folder)) if isinstance(file, Path) else type(file).__name__
        for file in files_under(folder)
    ]


def test_files_come_sorted_and_recursively_without_hidden_ones(tmp_path: Path) -> None:
    plant(tmp_path, "b.txt", "a/z.txt", "a/a/y.txt", "c/x.txt", ".git/no", ".no", "A.txt")
    assert listed(tmp_path) == ["A.txt", "b.txt", "a/z.txt", "a/a/y.txt", "c/x.txt"]


def test_link_loops_end_and_each_folder_is_read_once(tmp_path: Path) -> None:
    plant(tmp_path, "a/x.txt", "b/y.txt")
    (tmp_path / "a/up").symlink_to(tmp_path)
    (tmp_path / "a/self").symlink_to(tmp_path / "a/self")
    (tmp_path / "b/a").symlink_to(tmp_path / "a")
    (tmp_path / "b/gone.txt").symlink_to(tmp_path / "nowhere")
    assert listed(tmp_path) == ["a/self", "a/x.txt", "b/gone.txt", "b/y.txt"]


def test_a_folder_that_cannot_be_listed_comes_as_its_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(tmp_path, "a/x.txt", "b/y.txt")
    listdir = os.listdir  # a mode would not stop root

    def guarded(path: Path) -> list[str]:
        if path == tmp_path / "a":
            raise PermissionError(13, "Permission denied", str(path))
        return listdir(path)

    monkeypatch.setattr("os.listdir", guarded)
    assert listed(tmp_path) == ["PermissionError", "b/y.txt"]


def test_questions_and_judgments_beside_a_corpus_are_passed_over(tmp_path: Path) -> None:
    plant(
        tmp_path, "beir/corpus.jsonl", "beir/queries.jsonl", "beir/qrels.tsv", "beir/qrels/test.tsv"
    )
    plant(
        tmp_path, "other/queries.jsonl", "other/qrels/x.tsv", "z/corpus.jsonl.gz", "z/queries.jsonl"
    )
    assert listed(tmp_path) == [
        *("beir/corpus.jsonl", "other/queries.jsonl", "other/qrels/x.tsv", "z/corpus.jsonl.gz"),
    ]


def test_the_same_holds_for_the_members_of_an_archive() -> None:
    names = {"set/corpus.jsonl", "set/queries.jsonl", "set/qrels/test.tsv", "queries.jsonl"}
    assert [n for n in sorted(names) if is_judgment(PurePosixPath(n), names)] == [
        *("set/qrels/test.tsv", "set/queries.jsonl"),
    ]
    assert is_judgment(PurePosixPath("qrels.tsv"), {"corpus.jsonl"})


def test_hidden_are_dot_names_and_what_macos_adds() -> None:
    hidden = [PurePosixPath(p) for p in (".a", "b/.c/d", "__MACOSX/a", "a/._b")]
    assert all(map(is_hidden, hidden))
    assert not any(
        map(is_hidden, [PurePosixPath("a.b/c"), PurePosixPath("../a"), PurePosixPath("./a")])
    )
