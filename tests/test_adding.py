"""A long run of adds."""

from contextlib import closing
from pathlib import Path

from oracle import found_by_word, signed

from index.snapshot import SnapshotReader
from index.writer import Writer
from search.commands.adding import Tally, add_to_store


def test_lines_that_recur_are_learned_long_before_its_end(tmp_path: Path) -> None:
    seen = []
    with (
        Writer(tmp_path / "store") as writer,
        closing(SnapshotReader(writer.folder)) as reader,
    ):

        def look(tally: Tally) -> None:
            with_line = len(found_by_word(reader.latest(), "letter"))
            seen.append((tally.added, with_line))

        records = map(signed, range(2_000))
        add_to_store(writer, records, Tally(), look, lambda error: None)
        assert found_by_word(reader.latest(), "letter") == []
    assert seen == [(500, 500), (1_000, 1_000), (1_500, 0), (2_000, 0)]
