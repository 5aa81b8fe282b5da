"""Which articles are one report: copies of each other, and updates of one outlet's piece.

Whether two articles belong together depends on these two alone, and a report is a connected
component of that relation: so the order in which articles come, change and go makes no difference.
The label of a report is the least article number in it.

The writer calls `regroup` at the end of each transaction that adds or removes articles. An added
article is compared with those that share enough fingerprints with it, until one of each report
belongs with it; a report that lost an article is taken apart and put together anew. `sketches` and
`fingerprints` say how live articles are grouped now, `fingerprints` once for a report however many
copies it has. `reports` keeps each article's label by the `seq` that gave it, so that a reader
sees the grouping of its own horizon.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from types import MappingProxyType

import numpy as np

from index import copies, store, updates
from index.checksums import columns_of, insert_into, sealed, sound
from index.precedence import give_way
from index.store import ArticleRow

# Some fingerprints stand in the boxes and sign-offs of thousands of pages. Two articles that share
# three share one at least beside any two: so two long lists of reports need not be read, and
# nothing is missed. In press-2012-2020 four lists are so long, the longest has 2,818 reports.
_LONG_LIST = 500


def regroup(
    truth: sqlite3.Connection, seq: int, sketches: Mapping[int, "Sketch"] = MappingProxyType({})
) -> None:
    """Bring the reports up to what the open transaction, `seq`, has added and removed.

    Sketches of articles, by number, that are made already are not made from the truth.
    """
    _Regrouping(truth, seq, sketches).run()


def rebuild(truth: sqlite3.Connection, seq: int) -> None:
    """Group all live articles anew from their texts, in the open transaction `seq`.

    What is found is what `regroup` comes to article by article; labels that were right stay.
    """
    _Regrouping(truth, seq, {}).run_anew()


def label(truth: sqlite3.Connection, article: int) -> int:
    """The report that a live article is in now; 0: there is no such article."""
    row = truth.execute("SELECT report FROM sketches WHERE article = ?", (article,)).fetchone()
    return int(row[0]) if row else 0


def articles(truth: sqlite3.Connection, report: int) -> list[int]:
    """The live articles that are in a report now, ascending."""
    rows = truth.execute(
        "SELECT article FROM sketches WHERE report = ? ORDER BY article", (report,)
    )
    return [row[0] for row in rows]


def changed(truth: sqlite3.Connection, since: int, horizon: int) -> dict[int, int]:
    """The labels that articles got after `since` and have at `horizon`; damaged rows are missing.

    An article that never got one is a report by itself, labelled by its own number.
    """
    rows = truth.execute(
        f"SELECT {columns_of('reports')} FROM reports WHERE seq > ? AND seq <= ? "
        "ORDER BY article, seq",
        (since, horizon),
    )
    return {article: report for article, _, report in sound("reports", rows)}


def purge(truth: sqlite3.Connection, since: int, horizon: int) -> None:
    """Delete labels that another one followed by `horizon`; those by `since` are gone already."""
    truth.execute(
        "DELETE FROM reports WHERE article IN "
        "(SELECT article FROM reports WHERE seq > :since AND seq <= :horizon) "
        "AND seq < (SELECT max(r.seq) FROM reports r "
        "WHERE r.article = reports.article AND r.seq <= :horizon)",
        {"since": since, "horizon": horizon},
    )


@dataclass(frozen=True, slots=True)
class Sketch:
    """What tells at little cost that two articles do not belong together."""

    piece: int  # stands for outlet and headline without marks
    marked: bool
    day: int | None
    words: int
    fingerprints: frozenset[int]


@dataclass(frozen=True, slots=True)
class Member:
    """What an article is compared by."""

    article: ArticleRow
    runs: copies.Runs
    sketch: Sketch


def member(article: ArticleRow) -> Member:
    runs = copies.runs_of(article.text)
    return Member(article, runs, _sketched(article, runs))


def sketch(article: updates.Piece) -> Sketch:
    return _sketched(article, copies.runs_of(article.text))


def _sketched(article: updates.Piece, runs: copies.Runs) -> Sketch:
    return Sketch(
        _piece(article),
        updates.mark_of(article.headline, article.text) is not None,
        updates.day_of(article.published),
        len(runs.words),
        frozenset(copies.fingerprints_of(runs).tolist()),
    )


def belong_together(a: Member, b: Member) -> bool:
    """Whether two articles are copies of each other, or one an update of the other."""
    if not may_belong_together(a.sketch, b.sketch):
        return False
    days = updates.days_apart(a.article.published, b.article.published)
    if copies.is_copy_of(a.runs, b.runs, days):
        return True
    return (a.sketch.marked or b.sketch.marked) and (
        updates.supersedes(a.article, b.article) or updates.supersedes(b.article, a.article)
    )


def may_belong_together(a: Sketch, b: Sketch) -> bool:
    """Whether two articles are worth a comparison; the same for (b, a)."""
    shared = len(a.fingerprints & b.fingerprints)
    if min(len(a.fingerprints), len(b.fingerprints)) < copies.LEAST_SHARED:
        alike = a.fingerprints == b.fingerprints
    elif a.marked or b.marked:
        alike = shared >= copies.LEAST_SHARED
    else:
        alike = shared >= copies.least_shared(a.words, b.words)
    return alike or (a.piece == b.piece and (a.marked or b.marked))


def _piece(article: updates.Piece) -> int:
    words = " ".join(copies.words_of(updates.plain_headline(article.headline)))
    name = f"{article.outlet.casefold()}\n{words}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(name, digest_size=8).digest(), "big", signed=True)


def _packed(hashes: frozenset[int]) -> bytes:
    return np.array(sorted(hashes), dtype="<i8").tobytes()


def _unpacked(hashes: bytes) -> list[int]:
    values: list[int] = np.frombuffer(hashes, dtype="<i8").tolist()
    return values


class _Regrouping:
    """One transaction's changes to the reports."""

    def __init__(self, truth: sqlite3.Connection, seq: int, sketches: Mapping[int, Sketch]) -> None:
        self._truth, self._seq, self._sketches = truth, seq, sketches
        self._members: dict[int, Member | None] = {}
        self._labels_before: dict[int, int] = {}

    def run(self) -> None:
        added = self._added()
        self._labels_before = {number: number for number in added}
        for number in [*self._loosened(), *added]:
            self._join(number)
        self._write_labels()

    def run_anew(self) -> None:
        rows = self._truth.execute(
            "SELECT number FROM articles WHERE removed_seq IS NULL ORDER BY number"
        )
        live = [row[0] for row in rows]
        known = changed(self._truth, -1, self._seq)
        self._labels_before = {number: known.get(number, number) for number in live}
        for table in ("sketches", "fingerprints"):
            self._truth.execute(f"DELETE FROM {table}")
        for number in live:
            self._join(number)
            self._members.clear()  # of a whole archive they would not fit into memory
        self._write_labels()

    def _added(self) -> list[int]:
        rows = self._truth.execute(
            "SELECT number FROM articles WHERE added_seq = ? AND removed_seq IS NULL "
            "ORDER BY number",
            (self._seq,),
        )
        return [row[0] for row in rows]

    def _loosened(self) -> list[int]:
        """Take reports that lost an article apart; returns the articles that are left of them."""
        reports = self._truth.execute(
            "SELECT DISTINCT s.report FROM articles a JOIN sketches s ON s.article = a.number "
            "WHERE a.removed_seq = ?",
            (self._seq,),
        ).fetchall()
        left = []
        for (report,) in reports:
            rows = self._truth.execute(
                "SELECT a.number FROM sketches s JOIN articles a ON a.number = s.article "
                "WHERE s.report = ? AND a.removed_seq IS NULL ORDER BY a.number",
                (report,),
            ).fetchall()
            left += [row[0] for row in rows]
            self._labels_before.update((row[0], report) for row in rows)
            self._delete_fingerprints(report)
            self._truth.execute("DELETE FROM sketches WHERE report = ?", (report,))
        return left

    def _join(self, number: int) -> None:
        """Put an article into the report of each article that it belongs with."""
        give_way()
        sketch = self._sketch(number)
        if sketch is None:
            self._truth.execute(
                "INSERT INTO sketches VALUES (?, ?, 0, 0, NULL, 0, ?)", (number, number, b"")
            )
            return
        joined = self._reports_of(number, sketch)
        report = min(number, *joined) if joined else number
        for other in sorted(joined - {report}):
            self._relabel(other, report)
        self._truth.execute(
            "INSERT INTO sketches VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                number,
                report,
                sketch.piece,
                sketch.marked,
                sketch.day,
                sketch.words,
                _packed(sketch.fingerprints),
            ),
        )
        self._insert_fingerprints(report, sketch.fingerprints)

    def _reports_of(self, number: int, sketch: Sketch) -> set[int]:
        joined: set[int] = set()
        for report in self._sharing_reports(sketch.fingerprints):
            if any(self._belong(number, other) for other in self._sharing(sketch, report)):
                joined.add(report)
        for other, report in self._versions(sketch):
            if report not in joined and self._belong(number, other):
                joined.add(report)
        return joined

    def _belong(self, number: int, other: int) -> bool:
        here, there = self._read(number), self._read(other)
        return here is not None and there is not None and belong_together(here, there)

    def _sharing_reports(self, fingerprints: frozenset[int]) -> list[int]:
        """Reports that have as many of these fingerprints as a copy shares at least."""
        least = min(copies.LEAST_SHARED, len(fingerprints))
        lengths = self._truth.execute(
            "SELECT value, (SELECT count(*) FROM (SELECT 1 FROM fingerprints WHERE hash = value "
            "LIMIT :limit)) FROM json_each(:values)",
            {"limit": _LONG_LIST, "values": json.dumps(sorted(fingerprints))},
        ).fetchall()
        long_lists = [value for value, length in lengths if length == _LONG_LIST]
        skipped = set(long_lists[: max(0, least - 1)])
        rows = self._truth.execute(
            "SELECT report FROM fingerprints WHERE hash IN (SELECT value FROM json_each(?)) "
            "GROUP BY report HAVING count(*) >= ?",
            (
                json.dumps([value for value, _ in lengths if value not in skipped]),
                least - len(skipped),
            ),
        )
        return [row[0] for row in rows]

    def _sharing(self, sketch: Sketch, report: int) -> Iterator[int]:
        """A report's articles worth a comparison, the latest first: it is likely one."""
        rows = self._truth.execute(
            "SELECT piece, marked, day, words, fingerprints, article FROM sketches "
            "WHERE report = ? ORDER BY article DESC",
            (report,),
        )
        for piece, marked, day, words, fingerprints, article in rows:
            there = Sketch(piece, bool(marked), day, words, frozenset(_unpacked(fingerprints)))
            if may_belong_together(sketch, there):
                yield article

    def _versions(self, sketch: Sketch) -> list[tuple[int, int]]:
        """Articles of the same outlet and headline, one of the two marked; with their reports."""
        return self._truth.execute(
            "SELECT article, report FROM sketches WHERE piece = :piece AND marked >= :marked "
            "AND (:day IS NULL OR day IS NULL OR abs(day - :day) <= :window) ORDER BY article DESC",
            {
                "piece": sketch.piece,
                "marked": not sketch.marked,
                "day": sketch.day,
                "window": updates.WINDOW_DAYS,
            },
        ).fetchall()

    def _relabel(self, report: int, label: int) -> None:
        for number in articles(self._truth, report):
            self._labels_before.setdefault(number, report)
        self._insert_fingerprints(label, self._delete_fingerprints(report))
        self._truth.execute("UPDATE sketches SET report = ? WHERE report = ?", (label, report))

    def _insert_fingerprints(self, report: int, hashes: frozenset[int]) -> None:
        self._truth.executemany(
            "INSERT OR IGNORE INTO fingerprints VALUES (?, ?)",
            [(value, report) for value in sorted(hashes)],
        )

    def _delete_fingerprints(self, report: int) -> frozenset[int]:
        rows = self._truth.execute("SELECT fingerprints FROM sketches WHERE report = ?", (report,))
        hashes = frozenset(value for row in rows for value in _unpacked(row[0]))
        self._truth.executemany(
            "DELETE FROM fingerprints WHERE hash = ? AND report = ?",
            [(value, report) for value in sorted(hashes)],
        )
        return hashes

    def _sketch(self, number: int) -> Sketch | None:
        """None: its row is damaged."""
        made = self._sketches.get(number)
        if made is not None:
            return made
        read = self._read(number)
        return read.sketch if read else None

    def _read(self, number: int) -> Member | None:
        """None: its row is damaged."""
        if number not in self._members:
            row = store.articles_numbered(self._truth, [number]).get(number)
            self._members[number] = member(row) if row else None
        return self._members[number]

    def _write_labels(self) -> None:
        for number, before in self._labels_before.items():
            now = label(self._truth, number)
            if now != before:
                columns = (number, self._seq, now)
                self._truth.execute(insert_into("reports"), sealed("reports", *columns))
