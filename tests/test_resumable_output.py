"""A file that goes on where it was, whatever stopped it."""

import json
from pathlib import Path

import pytest

from index.errors import OutputError
from search.desk import resumable_output
from search.desk.resumable_output import ResumableOutput

RUN = {"questions": "9f2c", "k": "10"}
HEAD = b"head\n"
ITEMS = [b"one\n", b"two, longer\n", b"", b"four\n"]
WHOLE = HEAD + b"".join(ITEMS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out.csv"


@pytest.fixture
def _synced_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumable_output, "_SYNC_INTERVAL_S", 0.0)


def go_on(path: Path, *, until: int = len(ITEMS), run: dict[str, str] = RUN) -> int:
    """Writes the items that are missing; how many were there."""
    with ResumableOutput(path, run, HEAD) as output:
        before = output.done
        for item in ITEMS[before:until]:
            output.append(item, bad=item == b"")
        if until == len(ITEMS):
            output.finish()
            assert output.bad == 1
    return before


def names(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir())


def test_the_file_appears_when_all_is_there_and_nothing_else_stays(path: Path) -> None:
    path.write_bytes(b"of last week")
    go_on(path, until=3)
    assert path.read_bytes() == b"of last week"
    assert names(path) == ["out.csv", "out.csv.part", "out.csv.part.journal"]
    assert go_on(path) == 3
    assert path.read_bytes() == WHOLE
    assert names(path) == ["out.csv"]


@pytest.mark.usefixtures("_synced_at_once")
def test_a_crash_at_any_byte_of_either_file_leaves_what_goes_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.fsync", lambda descriptor: None)  # a thousand of them take seconds
    go_on(path, until=3)
    part, journal = path.with_name("out.csv.part"), path.with_name("out.csv.part.journal")
    rows, notes = part.read_bytes(), journal.read_bytes()
    sizes = [json.loads(line).get("size_bytes", 0) for line in notes.splitlines()]
    for cut in range(len(notes) + 1):
        sure = sizes[notes[:cut].count(b"\n") - 1] if cut else 0
        # Rows are on the disk before the journal speaks of them; more of them may be there.
        for size in {sure, (sure + len(rows)) // 2, len(rows)}:
            path.unlink(missing_ok=True)
            journal.write_bytes(notes[:cut])
            part.write_bytes(rows[:size])
            go_on(path)
            assert path.read_bytes() == WHOLE
            assert names(path) == ["out.csv"]


@pytest.mark.usefixtures("_synced_at_once")
def test_rows_or_notes_that_a_power_cut_took_are_done_again(path: Path) -> None:
    go_on(path, until=2)
    part, journal = path.with_name("out.csv.part"), path.with_name("out.csv.part.journal")
    part.write_bytes(part.read_bytes()[:-1])
    journal.write_bytes(journal.read_bytes() + b"\0\0\0\n")
    assert go_on(path) == 1
    assert path.read_bytes() == WHOLE


def write_one_and_fail(path: Path) -> None:
    with ResumableOutput(path, RUN, HEAD) as output:
        output.append(ITEMS[0], bad=False)
        raise ZeroDivisionError


def test_an_error_inside_keeps_what_was_written(path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        write_one_and_fail(path)
    assert go_on(path) == 1
    assert path.read_bytes() == WHOLE


def test_what_another_run_has_written_is_not_touched(path: Path) -> None:
    go_on(path, until=2)
    rows = path.with_name("out.csv.part").read_bytes()
    with pytest.raises(OutputError, match=r"out\.csv\.part is what .* with other k, model; finish"):
        go_on(path, run={"questions": "9f2c", "k": "5", "model": "other"})
    assert path.with_name("out.csv.part").read_bytes() == rows
    assert go_on(path) == 2


def test_two_runs_do_not_write_the_same_file(path: Path) -> None:
    with (
        ResumableOutput(path, RUN, HEAD),
        pytest.raises(OutputError, match="another run is writing it"),
    ):
        go_on(path)


@pytest.mark.parametrize("place", [".", "absent/out.csv"])
def test_a_place_that_takes_no_file_is_named(tmp_path: Path, place: str) -> None:
    with pytest.raises(OutputError, match=r"this is no file|No such file"):
        ResumableOutput(tmp_path / place, RUN, HEAD)


def test_a_full_disk_is_said(path: Path) -> None:
    path.with_name("out.csv.part").symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"out\.csv\.part: No space left on device; what is wri"):
        ResumableOutput(path, RUN, HEAD)
