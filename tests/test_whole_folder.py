"""A folder that appears whole or not at all."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from index.errors import OutputError, StoreFullError
from index.whole_folder import whole_folder

ROOT = Path(__file__).resolve().parent.parent


def test_it_has_its_name_only_when_all_is_written(tmp_path: Path) -> None:
    target = tmp_path / "new" / "backup"
    with whole_folder(target) as draft:
        (draft / "a").write_bytes(b"whole")
        assert not target.exists()
    assert (target / "a").read_bytes() == b"whole"
    assert [each.name for each in target.parent.iterdir()] == ["backup"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    with whole_folder(tmp_path / "backup") as draft:
        (draft / "a").write_bytes(b"whole")
    assert (tmp_path / "backup" / "a").exists()


def test_what_is_there_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.txt").write_text("Dear editor")
    (tmp_path / "file").write_text("Dear editor")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("letters", "file", "link"):
        with (
            pytest.raises(OutputError, match="choose a new or an empty"),
            whole_folder(tmp_path / name),
        ):
            pytest.fail("it was taken")
    assert (tmp_path / "letters" / "a.txt").read_text() == "Dear editor"


def test_what_came_meanwhile_is_left_as_it_is(tmp_path: Path) -> None:
    target = tmp_path / "backup"
    with pytest.raises(OutputError, match="not empty"), whole_folder(target) as draft:  # noqa: PT012
        (draft / "a").write_bytes(b"ours")
        target.mkdir()
        (target / "b").write_bytes(b"theirs")
    assert [each.name for each in target.iterdir()] == ["b"]
    assert [each.name for each in tmp_path.iterdir()] == ["backup"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_fails_leaves_nothing_behind(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), whole_folder(tmp_path / "backup") as draft:  # noqa: PT012
        (draft / "a").write_bytes(b"half")
        raise error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "expected"), [(errno.ENOSPC, StoreFullError), (errno.EIO, OutputError)]
)
def test_an_error_of_the_disk_names_the_folder(
    tmp_path: Path, number: int, expected: type[Exception]
) -> None:
    with pytest.raises(expected, match="backup: "), whole_folder(tmp_path / "backup"):
        raise OSError(number, os.strerror(number))


def test_what_a_killed_process_left_is_begun_anew(tmp_path: Path) -> None:
    killed = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os, pathlib, sys\n"
            "from index.whole_folder import whole_folder\n"
            "with whole_folder(pathlib.Path(sys.argv[1])) as draft:\n"
            "    (draft / 'half').mkdir()\n"
            "    (draft / 'half' / 'a').write_bytes(b'x')\n"
            "    os.kill(os.getpid(), 9)\n",
            str(tmp_path / "backup"),
        ],
        cwd=ROOT,
        check=False,
    )
    assert killed.returncode == -9
    assert not (tmp_path / "backup").exists()
    with whole_folder(tmp_path / "backup") as draft:
        assert list(draft.iterdir()) == []
    assert [each.name for each in tmp_path.iterdir()] == ["backup"]


def test_two_do_not_write_the_same_folder(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "backup") as draft:
        (draft / "a").write_bytes(b"ours")
        with pytest.raises(OutputError, match="another process"), whole_folder(tmp_path / "backup"):
            pytest.fail("both have it")
    assert (tmp_path / "backup" / "a").read_bytes() == b"ours"
