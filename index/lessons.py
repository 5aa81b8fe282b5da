"""What a store has learned of the lines that recur in its outlets, and what it has yet to learn."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from index import store
from index.checksums import columns_of, insert_into, sealed, sound
from index.recurring import is_recurring

_HASH_BYTES = 8


@dataclass(frozen=True, slots=True)
class Lesson:
    """Lines of an outlet that turn out to recur, and its articles that hold some, by number."""

    lines: frozenset[bytes]
    holders: tuple[int, ...]


def learned(truth: sqlite3.Connection, outlets: Iterable[str]) -> dict[str, frozenset[bytes]]:
    """By outlet the hashes of the lines that are known to recur there."""
    return {
        outlet: frozenset(
            line
            for _, line in sound(
                "recurring",
                truth.execute(
                    f"SELECT {columns_of('recurring')} FROM recurring WHERE outlet = ?", (outlet,)
                ),
            )
        )
        for outlet in outlets
    }


def outlets_to_learn(truth: sqlite3.Connection) -> list[str]:
    """Outlets with articles that came after `end`."""
    last = int(store.meta(truth, "learned_number") or 0)
    rows = truth.execute("SELECT DISTINCT outlet FROM lines WHERE article > ?", (last,))
    return [row[0] for row in rows]


def lesson(truth: sqlite3.Connection, outlet: str, times: int) -> Lesson:
    """Of the lines that stand in so many times as many articles as it takes to recur."""
    rows = sound(
        "lines",
        truth.execute(
            f"SELECT {columns_of('lines', 'l')} FROM lines l "
            "JOIN articles a ON a.number = l.article "
            "WHERE l.outlet = ? AND a.removed_seq IS NULL",
            (outlet,),
        ),
    )
    counts: Counter[bytes] = Counter()
    for *_, lines in rows:
        counts.update(hashes_in(lines))
    known = learned(truth, [outlet])[outlet]
    fresh = frozenset(
        line
        for line, count in counts.items()
        if line not in known and is_recurring(count // times, len(rows))
    )
    if not fresh:
        return Lesson(fresh, ())
    return Lesson(
        fresh,
        tuple(article for article, _, lines in rows if not fresh.isdisjoint(hashes_in(lines))),
    )


def keep(truth: sqlite3.Connection, lines: Mapping[str, frozenset[bytes]]) -> None:
    """Keep lines by outlet as learned, in the open transaction."""
    truth.executemany(
        insert_into("recurring", instead=True),
        [sealed("recurring", outlet, line) for outlet, some in lines.items() for line in some],
    )


def end(truth: sqlite3.Connection) -> None:
    """Say that of all articles there are all was learned, in the open transaction."""
    last = truth.execute("SELECT max(article) FROM lines").fetchone()[0]
    store.set_meta(truth, learned_number=last or 0)


def hashes_in(lines: bytes) -> list[bytes]:
    """The hashes of an article's lines, see `Groundwork.lines`."""
    return [lines[at : at + _HASH_BYTES] for at in range(0, len(lines), _HASH_BYTES)]
