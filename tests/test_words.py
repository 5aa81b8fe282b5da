"""The word index: what it finds, what it says of itself, and what a damaged file does."""

import contextlib
import ctypes
import json
import shutil
import unicodedata
import zlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import tantivy
from damage import flip, overwrite
from hypothesis import given
from hypothesis import strategies as st
from oracle import record

from index import words, words_follower
from index.errors import StoreCorruptError, StoreFullError
from index.snapshot import SnapshotReader
from index.words import EXACT, WordsIndex, WordsReader, WordsRow, WordsView, exact_words
from index.writer import Writer


def row(number: int, body: str, headline: str = "", **fields: str) -> WordsRow:
    day = int(fields.pop("day", "0")) or None
    values = {"outlet": "", "byline": "", "section": "", "language": "", **fields}
    return WordsRow(number=number, body=body, headline=headline, day=day, **values)


def found(view: WordsView, term: str, field: str = "body") -> list[int]:
    numbers, _ = view.search(tantivy.Query.term_query(view.schema, field, term), 100)
    return sorted(numbers.tolist())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An index at seq 7: two passages about wombats, the second in a few more words."""
    index = WordsIndex(tmp_path / "words")
    index.apply(
        7,
        [],
        [
            row(11, "Wombats dig.", "Burrows", outlet="The Courier", day="738000"),
            row(12, "A wombat digs very long and very deep burrows.", language="en"),
        ],
    )
    index.close()
    return tmp_path / "words"


def test_a_passage_is_found_by_the_stem_of_its_words_best_first(folder: Path) -> None:
    view = WordsReader(folder).view()
    query = tantivy.Query.term_query(view.schema, "body", view.analyze("wombats")[0])
    numbers, scores = view.search(query, 10)
    assert numbers.tolist() == [11, 12]
    assert numbers.dtype == np.int64
    assert scores.dtype == np.float32
    assert scores[0] > scores[1] > 0
    assert view.search(query, 1)[0].tolist() == [11]


def test_nothing_found_gives_empty_arrays(folder: Path) -> None:
    view = WordsReader(folder).view()
    numbers, scores = view.search(tantivy.Query.term_query(view.schema, "body", "koala"), 10)
    assert (numbers.shape, scores.shape) == ((0,), (0,))
    assert numbers.dtype == np.int64


def test_terms_are_folded_and_stemmed_without_stop_words(folder: Path) -> None:
    view = WordsReader(folder).view()
    assert view.analyze("The Élysée said WOMBATS were running!") == [
        "elyse",
        "said",
        "wombat",
        "were",
        "run",
    ]
    assert view.analyze("x" * 61 + " wombat") == ["wombat"]


@given(text=st.text() | st.text("aeé\u0301ǅß²-’. \u00a0\x85ing"))
def test_a_text_has_the_terms_that_tantivy_gives_the_whole_of_it(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    terms = words._terms()
    for _ in range(2):  # anew, and remembered
        found = [term for word in text.split() for term in terms[word]]
        assert found == list(words._analyzer().analyze(composed))


def test_exact_fields_hold_every_word_as_it_is_written_but_for_case_and_accents(
    folder: Path,
) -> None:
    view = WordsReader(folder).view()
    assert found(view, "wombats", EXACT["body"]) == [11]
    assert found(view, "wombat", EXACT["body"]) == [12]
    assert found(view, "a", EXACT["body"]) == [12]
    assert found(view, "burrow", EXACT["headline"]) == []
    assert exact_words("The Élysée's WOMBATS, e-mail; " + "x" * 61) == [
        *("the", "elysee", "s", "wombats", "e", "mail"),
        "x" * 61,
    ]


def test_an_accent_that_stands_alone_does_not_end_a_word(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "résumé")
    index = WordsIndex(tmp_path / "words")
    index.apply(1, [], [row(1, f"Her {decomposed}.", decomposed)])
    view = WordsReader(tmp_path / "words").view()
    for field in EXACT.values():
        assert found(view, "resume", field) == [1]
    assert exact_words(decomposed) == ["resume"]
    assert view.analyze(decomposed) == view.analyze("résumé")
    index.close()


def test_phrases_are_found_in_exact_fields(folder: Path) -> None:
    view = WordsReader(folder).view()

    def phrase(*words: str) -> list[int]:
        query = tantivy.Query.phrase_query(view.schema, EXACT["body"], list(words))
        return view.all_with(query).tolist()

    assert phrase("long", "and", "very") == [12]
    assert phrase("very", "and", "long") == []


def test_all_that_match_are_found_by_number_and_counted(tmp_path: Path) -> None:
    index = WordsIndex(tmp_path / "words")
    numbers = list(range(300, 0, -1))
    index.apply(1, [], [row(number, "A wombat. " * (number % 7 + 1)) for number in numbers])
    index.apply(2, [7, 8], [row(301, "Another wombat.")])
    view = WordsReader(tmp_path / "words").view()
    query = tantivy.Query.term_query(view.schema, "body", "wombat")
    every = [number for number in range(1, 302) if number not in (7, 8)]
    assert view.all_with(query).tolist() == every
    assert view.all_with(query).dtype == np.int64
    assert view.count(query) == len(every)
    assert view.all_with(tantivy.Query.empty_query()).tolist() == []
    index.close()


def test_a_word_finds_passages_by_text_or_headline_and_those_of_the_view_alone(
    folder: Path,
) -> None:
    reader = WordsReader(folder)
    before = reader.view()
    (burrow,) = before.analyze("burrows")
    assert before.passages_found_by(burrow) == 2
    assert before.passages_found_by("nothing") == 0
    index = WordsIndex(folder)
    index.apply(8, [11], [row(13, "Burrows, more burrows.", "Burrows"), row(14, "A burrow.")])
    index.close()
    assert reader.view().passages_found_by(burrow) == 3
    assert before.passages_found_by(burrow) == 2


def test_words_that_begin_alike_come_with_their_passages_most_first(tmp_path: Path) -> None:
    index = WordsIndex(tmp_path / "words")
    index.apply(1, [], [row(1, "economy economic"), row(2, "economy"), row(3, "ecology")])
    view = WordsReader(tmp_path / "words").view()
    assert view.beginning(EXACT["body"], "econ") == [("economy", 2), ("economic", 1)]
    assert view.beginning(EXACT["body"], "eco", 1) == [("economy", 2)]
    assert view.beginning(EXACT["body"], "zz") == []
    index.close()


def test_an_index_of_another_schema_is_refused_and_the_next_writer_rebuilds_it(
    tmp_path: Path,
) -> None:
    with Writer(tmp_path) as writer:
        writer.add([record("wire-1", "alpha")])
    words = tmp_path / "words"
    shutil.rmtree(words)
    words.mkdir()
    older = tantivy.SchemaBuilder()
    older.add_integer_field("number", indexed=True, fast=True)
    older.add_text_field("body")
    tantivy.Index(older.build(), path=str(words))
    with pytest.raises(StoreCorruptError, match="nutgraf add"):
        WordsReader(words)
    with Writer(tmp_path):
        pass
    assert found(WordsReader(words).view(), "alpha", EXACT["body"]) == [1]


def test_filter_fields_hold_whole_values_and_days(folder: Path) -> None:
    view = WordsReader(folder).view()
    assert found(view, "The Courier", "outlet") == [11]
    assert found(view, "courier", "outlet") == []
    assert found(view, "en", "language") == [12]
    assert view.passages_with("headline", view.analyze("burrow")[0]) == 1
    days = tantivy.Query.range_query(view.schema, "day", tantivy.FieldType.Integer, 1, 738000)
    assert view.search(days, 10)[0].tolist() == [11]


def test_a_commit_moves_the_horizon_with_what_it_speaks_of(folder: Path) -> None:
    reader = WordsReader(folder)
    before = reader.view()
    index = WordsIndex(folder)
    assert index.horizon == 7
    index.apply(9, [11], [row(13, "More wombats.")])
    after = reader.view()
    assert (before.horizon, found(before, "wombat")) == (7, [11, 12])
    assert (after.horizon, found(after, "wombat")) == (9, [12, 13])
    index.close()


def test_a_view_is_made_anew_only_when_something_was_committed(folder: Path) -> None:
    reader = WordsReader(folder)
    before = reader.view()
    assert reader.view() is before
    index = WordsIndex(folder)
    index.apply(9, [11], [])
    index.close()
    assert reader.view() is not before
    assert reader.view() is reader.view()


def test_an_index_that_is_opened_anew_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "_VIEWS_OF_ONE_OPENING", 3)
    monkeypatch.setattr(words_follower, "COMMITS_OF_ONE_OPENING", 3)
    opened: list[Path] = []
    monkeypatch.setattr(words, "_open", _counted(words._open, opened))
    views = []
    with Writer(tmp_path) as writer:
        reader = WordsReader(tmp_path / "words")
        for turn in range(8):
            writer.add([record(f"wire-{turn}", "wombat")])
            views.append(reader.view())
    assert len(opened) == 2 + 2 + 2  # of each side: at first, and twice more
    assert [len(found(view, "wombat")) for view in views] == list(range(1, 9))


def test_a_failure_to_open_an_index_anew_is_said_and_over_with_the_next_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words_follower, "COMMITS_OF_ONE_OPENING", 1)

    def full(folder: Path, **_: object) -> tantivy.Index:
        raise ValueError("IO error: No space left on device (os error 28)")

    with Writer(tmp_path) as writer:
        writer.add([record("first", "wombat")])
        with monkeypatch.context() as patch:
            patch.setattr(words, "_open", full)
            with pytest.raises(StoreFullError):
                writer.add([record("second", "wombat")])
        writer.add([record("third", "wombat")])
    assert len(found(WordsReader(tmp_path / "words").view(), "wombat")) == 2


def _counted(
    open_it: Callable[..., tantivy.Index], opened: list[Path]
) -> Callable[..., tantivy.Index]:
    def counting(folder: Path, **options: bool) -> tantivy.Index:
        opened.append(folder)
        return open_it(folder, **options)

    return counting


@pytest.mark.slow
def test_an_index_that_is_often_committed_and_read_takes_no_more_memory(tmp_path: Path) -> None:
    """1 KB a commit on either side was never let go of."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        before, after = process.submit(_bytes_in_use_twice, tmp_path, 800).result()
    assert after - before < 800 * 700


class _Mallinfo2(ctypes.Structure):
    """mallinfo(3): all are counts of bytes or pieces."""

    _names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_: ClassVar = [(name, ctypes.c_size_t) for name in _names.split()]


def _bytes_in_use_twice(folder: Path, commits: int) -> tuple[int, int]:
    """What malloc(3) has given out after 200 commits, and after so many more."""
    glibc = ctypes.CDLL(None)
    if not hasattr(glibc, "mallinfo2"):
        pytest.skip("another C library than glibc")
    glibc.mallinfo2.restype = _Mallinfo2
    seen = []
    with Writer(folder) as writer, contextlib.closing(SnapshotReader(folder)) as reader:
        for turn in range(1, 200 + commits + 1):
            writer.add([record("wire", f"t{turn}")])
            reader.latest()
            if turn in (200, 200 + commits):
                seen.append(glibc.mallinfo2().uordblks)
    before, after = seen
    return before, after


def test_what_fails_in_the_middle_leaves_nothing_and_can_be_applied_again(folder: Path) -> None:
    index = WordsIndex(folder)

    def rows() -> object:
        yield row(13, "More wombats.")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.apply(9, [11], rows())  # type: ignore[arg-type]
    assert index.horizon == 7
    index.apply(9, [11], [row(13, "More wombats.")])
    index.close()
    view = WordsReader(folder).view()
    assert (view.horizon, found(view, "wombat")) == (9, [12, 13])


def test_ctrl_c_behind_a_commit_does_not_make_it_happen_twice(folder: Path) -> None:
    index = WordsIndex(folder)

    class Interrupted:
        """The tantivy writer, with a Ctrl-C that comes while it commits."""

        def __init__(self, writer: tantivy.IndexWriter) -> None:
            self._writer = writer

        def __getattr__(self, name: str) -> object:
            return getattr(self._writer, name)

        def commit(self) -> None:
            self._writer.commit()
            raise KeyboardInterrupt

    writer = index._writer
    index._writer = Interrupted(writer)  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        index.apply(9, [], [row(13, "More wombats.")])
    index._writer = writer
    assert index.horizon == 9
    index.close()
    assert found(WordsReader(folder).view(), "wombat") == [11, 12, 13]


def test_a_file_that_a_killed_commit_left_is_in_nobody_s_way(folder: Path) -> None:
    """tantivy would write the deletes of the next commit under the same name, and refuses."""
    killed = folder.with_name("killed")
    shutil.copytree(folder, killed)
    index = WordsIndex(killed)
    index.apply(9, [11], [])
    index.close()
    left = [path for path in killed.glob("*.del") if not (folder / path.name).exists()]
    assert left
    for path in (*left, killed / ".managed.json"):  # all that was written but the new meta.json
        shutil.copy(path, folder)
    index = WordsIndex(folder)
    index.apply(9, [11], [])
    index.close()
    view = WordsReader(folder).view()
    assert (view.horizon, found(view, "wombat")) == (9, [12])


def test_what_is_removed_first_after_a_kill_in_a_merge_is_gone(tmp_path: Path) -> None:
    """With eight segments a merge is due: it begins again when the next commit is prepared.

    tantivy would take the first delete of that commit for one of the commit before, and never
    apply it to the segment that has deletes of that one: the smaller one, with the last horizon.
    """
    folder, other = tmp_path / "words", tmp_path / "other"
    index = WordsIndex(folder)
    for seq in range(1, 8):
        passages = 2 if seq == 6 else 3
        index.apply(seq, [], [row(10 * seq + each, "A wombat.") for each in range(passages)])
    index.close()
    index = WordsIndex(other)
    index.apply(7, [], [row(80 + each, "A wombat.") for each in range(3)])
    index.close()
    _take_segments(folder, other)

    index = WordsIndex(folder)
    index.apply(8, [60], [row(90, "A wombat.")])
    index.close()
    view = WordsReader(folder).view()
    kept = [10 * seq + each for seq in (1, 2, 3, 4, 5, 7, 8) for each in range(3)]
    assert (view.horizon, found(view, "wombat")) == (8, sorted([*kept, 61, 90]))
    assert view.count(tantivy.Query.term_query(view.schema, "number", 0)) == 1


def _take_segments(folder: Path, other: Path) -> None:
    """Give an index those of another one too, as if it had been killed before it merged them."""
    for path in other.iterdir():
        if not (folder / path.name).exists():
            shutil.copy(path, folder)
    meta, of_other = (json.loads((each / "meta.json").read_text()) for each in (folder, other))
    meta["segments"] += of_other["segments"]
    (folder / "meta.json").write_text(json.dumps(meta))
    files = [path.name for path in folder.iterdir() if path.name[0] != "."]
    (folder / ".managed.json").write_text(json.dumps(files))


def test_an_index_that_is_missing_says_how_to_get_it_back(tmp_path: Path) -> None:
    with pytest.raises(StoreCorruptError, match="nutgraf add"):
        WordsReader(tmp_path / "words")


@pytest.mark.parametrize("suffix", ["idx", "term", "store", "fast", "fieldnorm", "pos"])
def test_a_flipped_bit_in_any_file_is_seen_before_the_file_is_used(
    folder: Path, suffix: str
) -> None:
    path = next(folder.glob(f"*.{suffix}"))
    flip(path, path.stat().st_size // 8)
    for open_it in (WordsReader, WordsIndex):
        with pytest.raises(StoreCorruptError, match=path.name):
            open_it(folder)


def test_half_a_file_of_a_commit_that_was_killed_is_no_damage(folder: Path) -> None:
    index = WordsIndex(folder)
    index.apply(9, [11], [])
    index.close()
    (current,) = folder.glob("*.del")
    segment, opstamp, _ = current.name.split(".")
    (folder / f"{segment}.{int(opstamp) + 3}.del").write_bytes(current.read_bytes()[:9])
    assert WordsReader(folder).view().horizon == 9
    overwrite(current, current.read_bytes()[:9])
    with pytest.raises(StoreCorruptError, match=current.name):
        WordsReader(folder)


@pytest.mark.parametrize("damage", [b"", b"{", b'{"segments": 3}', b"\xff\xfe"])
def test_a_damaged_meta_file_is_a_store_error(folder: Path, damage: bytes) -> None:
    (folder / "meta.json").write_bytes(damage)
    for open_it in (WordsReader, WordsIndex):
        with pytest.raises(StoreCorruptError, match="cannot be opened"):
            open_it(folder)


def test_a_truncated_or_missing_file_is_a_store_error(folder: Path) -> None:
    path = next(folder.glob("*.term"))
    overwrite(path, path.read_bytes()[:5])
    with pytest.raises(StoreCorruptError):
        WordsReader(folder)
    path.unlink()
    with pytest.raises(StoreCorruptError):
        WordsReader(folder)


def test_tantivy_s_checksum_is_the_crc_32_we_take_it_for(folder: Path) -> None:
    data = next(folder.glob("*.idx")).read_bytes()
    body, footer = data.split(b'{"version"')
    assert f'"crc":{zlib.crc32(body)}}}'.encode() in footer
