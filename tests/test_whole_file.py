"""A file that appears whole or not at all."""

from pathlib import Path

import pytest

from index.errors import OutputError
from search.exports.whole_file import whole_file


def test_it_has_its_name_only_when_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "hits.csv"
    path.write_bytes(b"before")
    with whole_file(path) as file:
        file.write(b"after")
        assert path.read_bytes() == b"before"
    assert path.read_bytes() == b"after"
    assert [each.name for each in tmp_path.iterdir()] == ["hits.csv"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_fails_leaves_nothing_behind(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), whole_file(tmp_path / "hits.csv") as file:  # noqa: PT012
        file.write(b"half")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to("real.csv")
    with whole_file(tmp_path / "link.csv") as file:
        file.write(b"whole")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_bytes() == b"whole"


def test_an_error_of_the_disk_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "hits.csv"
    with pytest.raises(OutputError, match=r"hits\.csv: No space left"), whole_file(path):
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("name", "said"),
    [("absent/hits.csv", "No such file"), ("taken/x", "Not a dir"), (".", "no file")],
)
def test_where_no_file_can_be_is_refused(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(OutputError, match=said), whole_file(tmp_path / name):
        pass
