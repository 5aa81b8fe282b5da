"""Prints three questions for the demo: ours for sample/, else the newest articles' headlines."""

import sys
from pathlib import Path

import numpy as np

from index.snapshot import SnapshotReader

SAMPLE = Path(__file__).resolve().parent.parent / "sample"
SAMPLE_QUESTIONS = [
    "What did Varnholt tell Tekeli in Dunmere?",
    "Why did the gates of the weir at Pell jam?",
    "How did the dockers' strike in Skarnmouth end?",
]


def newest_headlines(store: Path, count: int) -> list[str]:
    """Headlines of the newest articles that have one."""
    snapshot = SnapshotReader(store).latest()
    columns = snapshot.columns
    headlines: list[str] = []
    for article in np.argsort(-columns.instant_s.astype(np.float64), kind="stable"):
        row = snapshot.article(columns.article_id[article])
        if row and row.headline and row.headline not in headlines:
            headlines.append(row.headline)
        if len(headlines) == count:
            break
    return headlines


def main() -> None:
    folder, store = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    questions = SAMPLE_QUESTIONS if folder == SAMPLE else newest_headlines(store, 3)
    sys.stdout.writelines(f"{question}\n" for question in questions)


if __name__ == "__main__":
    main()
