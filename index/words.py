"""The word index: a tantivy index that follows the store.

It holds one document a passage, keyed by passage number, and one more document, number 0, that
says up to which `seq` of the store it is complete: its horizon. The horizon is committed together
with what it speaks of, so whoever opens the index knows exactly which articles it shows.

Words are indexed twice: stemmed and without stop words for ranking, where only how often they
stand counts, and as they are written, but for case and accents, for conditions that must hold
exactly, with their places. Everything here can be rebuilt from the store.
"""

import contextlib
import json
import mmap
import os
import struct
import unicodedata
import zlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
import tantivy
from numpy.typing import NDArray

from index import deadline
from index.errors import StoreCorruptError
from index.synced_folders import make_folder, sync_folder
from index.word_memo import WordMemo

_HORIZON_NUMBER = 0
_NO_NUMBER = -1
_RAW_FIELDS = ("outlet", "byline", "section", "language")
# One indexing thread keeps memory flat and leaves the other core to cleaning; 128 MB holds about
# 40,000 passages before tantivy spills a segment by itself.
_HEAP_BYTES = 128_000_000
# Of the threads that build the index: a server's questions go before them.
_NICENESS = 10
_MAX_TERM_CHARS = 60
# The field with the words of another as they are written.
EXACT: Final = {"body": "body_exact", "headline": "headline_exact"}
_FOOTER_MAGIC = 1337  # tantivy 0.27, src/directory/footer.rs
# For each file it ever read, an open tantivy index keeps the path and a pointer to nothing (0.27,
# src/directory/mmap_directory.rs): 1 KB a commit where it is read and 1 KB where it is written, in
# small pieces, each of which holds a page. To open it anew takes 1 ms; for writing 8 ms, and the
# wait for merges in progress.
_VIEWS_OF_ONE_OPENING: Final = 200
COMMITS_OF_ONE_OPENING: Final = 200
# Of news most words come again and again. In 10 MB; a question of all of reuters-1987 meets 310
# that are not among the younger half of these, 195 with 60,000 and 490 with 20,000.
_REMEMBERED = 40_000
# Terms whose passages are counted, of each view: in half a MB at most.
_COUNTED: Final = 4_000


@dataclass(frozen=True, slots=True)
class WordsRow:
    """What the word index keeps of a passage: its words, and its article's filter fields."""

    number: int
    body: str
    headline: str
    outlet: str
    byline: str
    section: str
    language: str
    day: int | None  # proleptic ordinal of the day of publication; None: unknown


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    # Signed: tantivy-py 0.27 takes the term of a delete for an i64 and matches no unsigned field.
    builder.add_integer_field("number", indexed=True, fast=True)
    builder.add_integer_field("horizon", fast=True)
    for field in ("body", "headline"):
        builder.add_text_field(field, tokenizer_name="news", index_option="freq")
        builder.add_text_field(EXACT[field], tokenizer_name="exact", index_option="position")
    builder.add_integer_field("day", indexed=True, fast=True)
    for field in _RAW_FIELDS:
        builder.add_text_field(field, tokenizer_name="raw", index_option="basic")
    return builder.build()


def _analyzer() -> tantivy.TextAnalyzer:
    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.remove_long(_MAX_TERM_CHARS))
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
        .filter(tantivy.Filter.stopword("english"))
        .filter(tantivy.Filter.stemmer("english"))
        .build()
    )


def _exact_analyzer() -> tantivy.TextAnalyzer:
    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
        .build()
    )


def exact_words(text: str) -> list[str]:
    """The words of a text as the exact fields have them: every one, without case and accents."""
    return list(_EXACT_ANALYZER.analyze(_composed(text)))


_EXACT_ANALYZER: Final = _exact_analyzer()


def _composed(text: str) -> str:
    """In Unicode's form NFC: an accent that stands alone would end a word."""
    return unicodedata.normalize("NFC", text)


def _open(folder: Path, *, check: bool = True) -> tantivy.Index:
    try:
        if check:
            check_files(folder)
        index = tantivy.Index(_schema(), path=str(folder))
        index.register_tokenizer("news", _analyzer())
        index.register_tokenizer("exact", _exact_analyzer())
        index.config_reader(reload_policy="manual")
        index.reload()
    except (ValueError, KeyError, TypeError, OSError, struct.error) as error:
        raise StoreCorruptError(
            f"{folder}: the word index cannot be opened ({error}); "
            "the next `nutgraf add` sets it aside and rebuilds it from the store"
        ) from error
    return index


def check_files(folder: Path) -> None:
    """Hold the files against the checksums that tantivy wrote in them and never looks at itself.

    Raises:
        ValueError, KeyError, TypeError, OSError: a file is damaged.
    """
    meta = folder / "meta.json"
    if not meta.exists():
        return
    for segment in json.loads(meta.read_text())["segments"]:
        name, deletes = segment["segment_id"].replace("-", ""), segment["deletes"]
        for path in folder.glob(f"{name}.*"):
            # Other deletes than the commit's are another commit's, perhaps one that was killed.
            current = deletes and path.name == f"{name}.{deletes['opstamp']}.del"
            if (path.suffix != ".del" or current) and not _is_sound(path):
                raise ValueError(f"{path.name} is not what was written")


def _is_sound(path: Path) -> bool:
    """Whether the CRC-32 in a file's footer (JSON, its length, a magic number) is its own."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return True  # a writer is at work; what is missing indeed, tantivy misses itself
    with file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        length, magic = struct.unpack("<II", data[-8:])
        body_end = len(data) - 8 - length
        if magic != _FOOTER_MAGIC or body_end < 0:
            return False
        footer = json.loads(data[body_end:-8])
        with memoryview(data) as whole, whole[:body_end] as body:
            return bool(footer["crc"] == zlib.crc32(body))


class WordsView:
    """One frozen state of the word index; later commits do not change it."""

    def __init__(self, index: tantivy.Index, terms: WordMemo[tuple[str, ...]]) -> None:
        self._terms = terms
        self._searcher = index.searcher()
        self.schema = index.schema
        self.horizon = self._read_horizon()
        self._found_by = _counts(self._searcher, self.schema)

    def search(
        self, query: tantivy.Query, limit: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The best passages by BM25, best first.

        Returns:
            Passage numbers, shape (n,), int64, and scores, shape (n,), float32; n <= limit.

        Raises:
            DeadlineError: the question's time is over; so do the next two and `passages_found_by`.
        """
        deadline.check()
        hits = self._searcher.search(query, limit, count=False).hits
        numbers = self._searcher.fast_field_values("number", [address for _, address in hits])
        return (
            np.array(numbers, dtype=np.int64),
            np.array([score for score, _ in hits], dtype=np.float32),
        )

    def all_with(self, query: tantivy.Query) -> NDArray[np.int64]:
        """Numbers of all passages that match, shape (n,), int64, ascending; nothing is scored."""
        deadline.check()
        everything = max(self._searcher.num_docs, 1)
        hits = self._searcher.search(
            query, everything, count=False, order_by_field="number", order=tantivy.Order.Asc
        ).hits
        return np.fromiter((number for number, _ in hits), dtype=np.int64, count=len(hits))

    def count(self, query: tantivy.Query) -> int:
        """How many passages match."""
        return _count(self._searcher, query)

    def beginning(self, field: str, start: str, limit: int | None = None) -> list[tuple[str, int]]:
        """The terms of a field that begin so, with their passages; those of most passages first."""
        return list(self._searcher.terms_with_prefix(field, start, limit=limit))

    def analyze(self, text: str) -> list[str]:
        """The terms of a text as they are indexed: folded, stemmed, without stop words."""
        return list(chain.from_iterable(map(self._terms.__getitem__, text.split())))

    def passages_with(self, field: str, term: str) -> int:
        """In how many passages a term stands; among them some that were removed."""
        return int(self._searcher.doc_freq(field, term))

    def passages_found_by(self, term: str) -> int:
        """How many passages a term finds, by their text or their headline."""
        return self._found_by[term]

    def _read_horizon(self) -> int:
        query = tantivy.Query.term_query(self.schema, "number", _HORIZON_NUMBER)
        hits = self._searcher.search(query, 1, count=False).hits
        values = self._searcher.fast_field_values("horizon", [address for _, address in hits])
        return int(values[0] or 0) if values else 0


def _counts(searcher: tantivy.Searcher, schema: tantivy.Schema) -> WordMemo[int]:
    """Of terms, in how many passages or their headlines they stand.

    Of a common word that takes milliseconds in a large archive, and it is common in questions too.
    """

    def count(term: str) -> int:
        anywhere = [
            (tantivy.Occur.Should, tantivy.Query.term_query(schema, field, term)) for field in EXACT
        ]
        return _count(searcher, tantivy.Query.boolean_query(anywhere))

    return WordMemo(count, most=_COUNTED)


def _count(searcher: tantivy.Searcher, query: tantivy.Query) -> int:
    deadline.check()
    result = searcher.search(query, 1, count=True)
    return int(result.count)  # type: ignore[attr-defined]


def _terms() -> WordMemo[tuple[str, ...]]:
    """The terms of what stands between white space.

    No term has white space in it, and each is made from its own letters alone, so that a text's
    terms are those of its parts. To look one up takes 1 % of what tantivy takes for it.
    """
    analyzer = _analyzer()
    return WordMemo(lambda word: tuple(analyzer.analyze(_composed(word))), most=_REMEMBERED)


class WordsReader:
    """Opens the word index of a store for reading."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "meta.json").exists():
            raise StoreCorruptError(
                f"{folder}: the word index is missing; "
                "the next `nutgraf add` rebuilds it from the store"
            )
        self._folder = folder
        self._index = _open(folder)
        self._views = 0  # of this opening
        self._terms = _terms()
        self._view: WordsView | None = None  # the newest one
        self._commit: tuple[int, ...] = ()  # that it shows, or one before that

    def view(self) -> WordsView:
        """The newest committed state; the same view again while nothing is committed.

        A store commits vectors and segments as well, and those leave its words as they are.
        """
        commit = commit_of(self._folder)
        if self._view is None or commit != self._commit:
            if self._views == _VIEWS_OF_ONE_OPENING:
                self._index = _open(self._folder, check=False)
                self._views = 0
            self._index.reload()
            self._views += 1
            self._view, self._commit = WordsView(self._index, self._terms), commit
        return self._view


def commit_of(folder: Path) -> tuple[int, ...]:
    """What changes whenever a word index commits.

    Raises:
        OSError: there is none.
    """
    meta = os.stat(folder / "meta.json")
    return (meta.st_mtime_ns, meta.st_ino, meta.st_size)


class WordsIndex:
    """The writing side; only the store's one writer opens it.

    `commits` counts those of this opening; after `COMMITS_OF_ONE_OPENING` it is to be closed and
    opened anew, and need not be checked then.
    """

    def __init__(self, folder: Path, *, check: bool = True) -> None:
        make_folder(folder)
        self._folder = folder
        self.commits = 0
        self._index = _open(folder, check=check)
        # A thread is as nice as the one that starts it: tantivy starts those that merge here, and
        # one to index with each commit.
        self._behind = ThreadPoolExecutor(1, "words", os.nice, (_NICENESS,))
        self._writer = self._behind.submit(self._index.writer, _HEAP_BYTES, 1).result()
        # A commit that was killed may have left the deletes that the next one is to write: tantivy
        # names them by a counter that goes on from the last commit, and overwrites nothing.
        self._writer.garbage_collect_files()
        self.horizon = WordsView(self._index, _terms()).horizon

    def apply(self, seq: int, removed: Sequence[int], added: Iterable[WordsRow]) -> None:
        """Bring the index to `seq` of the store, in one commit.

        All or nothing: the horizon moves in the same commit, so what lies beyond it was never
        applied and can be applied again.
        """
        try:
            # A writer that was opened or rolled back gives its first operation the stamp of the
            # last commit, and a merge takes a segment that has deletes of that stamp for one that
            # the operation has reached (tantivy 0.27, `advance_deletes` of index_writer.rs): what
            # it deletes would stand there for ever.
            self._writer.delete_documents_by_term("number", _NO_NUMBER)
            for number in removed:
                self._writer.delete_documents_by_term("number", number)
            for row in added:
                self._writer.add_document(_document(row))
            self._writer.delete_documents_by_term("number", _HORIZON_NUMBER)
            horizon = tantivy.Document()
            horizon.add_integer("number", _HORIZON_NUMBER)
            horizon.add_integer("horizon", seq)
            self._writer.add_document(horizon)
            committing = self._behind.submit(self._writer.commit)
            try:
                committing.result()
            finally:
                wait((committing,))  # Ctrl-C does not end it
            # tantivy syncs its files, and not the name that makes them the newest: after a power
            # cut readers would show an earlier state until a writer came.
            sync_folder(self._folder)
        except BaseException:
            self._writer.rollback()
            # Ctrl-C may come when the commit is made and has not returned yet.
            self._index.reload()
            self.horizon = WordsView(self._index, _terms()).horizon
            raise
        self.horizon = seq
        self.commits += 1

    def close(self) -> None:
        """Wait for merges in progress and release the folder; closed before, nothing happens."""
        with contextlib.suppress(RuntimeError):  # tantivy-py says so of a writer that has ended
            self._writer.wait_merging_threads()
        self._behind.shutdown()


def _document(row: WordsRow) -> tantivy.Document:
    document = tantivy.Document()
    document.add_integer("number", row.number)
    for field, exact in EXACT.items():
        text = _composed(getattr(row, field))
        if text:
            document.add_text(field, text)
            document.add_text(exact, text)
    for field in _RAW_FIELDS:
        value = getattr(row, field)
        if value:
            document.add_text(field, value)
    if row.day is not None:
        document.add_integer("day", row.day)
    return document
