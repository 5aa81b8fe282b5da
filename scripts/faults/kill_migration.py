"""Kills a real server with SIGKILL while it brings the golden store of format 1 to ours.

Each kill strikes when the backup is being made, or when it is there, or a moment after. Then a
server starts on what is left, and must find the store whole and answer as it did when it was made;
of the backup there is one.

The golden store's vectors are of no real model: the server embeds its passages by its own.

    python scripts/faults/kill_migration.py [--kills N]
"""

import argparse
import random
import sqlite3
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any, Final

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1]), str(HERE.parents[1] / "tests")]

import golden_store  # noqa: E402
from kill_points import folder_in_memory  # noqa: E402
from kill_server import Server, embedding  # noqa: E402

from index import store_folder  # noqa: E402
from index.verify import Depth, verify  # noqa: E402

_GOLDEN: Final = HERE.parents[1] / "tests" / "data" / "stores" / "format-1.tar.gz"
_BACKUP: Final = f"{golden_store.STORE}.format-1"
_SIGNS: Final = (f".{_BACKUP}.draft", _BACKUP)  # of a migration that has begun
_A_MOMENT_S: Final = 0.2
_WITHOUT_VECTORS: Final = (
    "UPDATE passages SET embedded_seq = NULL",
    "DELETE FROM vectors",
    "DELETE FROM segments",
    "DELETE FROM generation_segments",
)


def kill_many(kills: int, seed: int) -> Counter[int]:
    """Kill so many servers, each on a store of its own; how many left which format.

    Raises:
        AssertionError: a store is not whole, answers otherwise, or a server does not start.
    """
    chance = random.Random(seed)
    left: Counter[int] = Counter()
    for kill in range(kills):
        with folder_in_memory() as parent:
            folder, answers = _old_store(parent)
            with Server(folder, parent / "log") as server:
                _wait_for(parent / _SIGNS[kill % len(_SIGNS)], server)
                time.sleep(chance.random() * _A_MOMENT_S * (kill % (2 * len(_SIGNS)) > 1))
            left[_format(folder)] += 1
            with Server(folder, parent / "log") as server:
                server.ready_s()
                assert server.stop() == 0, (parent / "log").read_text()
            _judge(folder, answers)
    return left


def _old_store(parent: Path) -> tuple[Path, dict[str, Any]]:
    folder, answers = golden_store.unpack(_GOLDEN, parent)
    with closing(sqlite3.connect(folder / store_folder.DATABASE)) as truth:
        for statement in _WITHOUT_VECTORS:
            truth.execute(statement)
        truth.commit()
    return folder, answers


def _wait_for(sign: Path, server: Server) -> None:
    # The draft is there for a moment, which a busy machine may let pass: the backup comes after it.
    while not (sign.exists() or (sign.parent / _BACKUP).exists()):
        assert server.is_alive(), "the server ended before it was killed"
        time.sleep(0.0005)


def _format(folder: Path) -> int:
    with closing(store_folder.open_readonly(folder, any_format=True)) as truth:
        return int(truth.execute("PRAGMA user_version").fetchone()[0])


def _judge(folder: Path, answers: dict[str, Any]) -> None:
    findings = verify(folder, Depth.DEEP).findings
    assert not findings, findings[0]
    said = golden_store.answers_of_articles(folder, embedding)
    articles, expected = (_texts(each.pop("articles")) for each in (said, answers))
    same = articles == expected and said == {name: answers[name] for name in said}
    assert same, "other answers than when it was made"
    backups = [path.name for path in folder.parent.glob(f"*{_BACKUP}*")]
    assert backups == [_BACKUP], backups


def _texts(articles: dict[str, Any]) -> dict[str, Any]:
    """What the articles and their passages say, without which of these have a vector."""
    return {
        id: (facts, [text for text, _ in passages]) for id, (*facts, passages) in articles.items()
    }


# ------------------------------------------------------------------ by hand


def main() -> int:
    """Print which formats the kills left; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=30, help="of a server [30]")
    kills = parser.parse_args().kills
    began_s = time.monotonic()
    try:
        left = kill_many(kills, seed=1)
    except AssertionError as error:
        print(f"BROKEN {error}")
        return 1
    formats = ", ".join(f"{count} of format {number}" for number, count in sorted(left.items()))
    print(f"{kills} kills left {formats}; 0 promises broken; {time.monotonic() - began_s:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
