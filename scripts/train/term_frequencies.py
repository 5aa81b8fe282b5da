"""Count in which share of English news articles each word stands: `index/term_shares.npy`.

    python scripts/train/term_frequencies.py PRESS.jsonl

PRESS is anything `nutgraf add` reads. The file holds the words of at least LEAST_ARTICLES articles
as CRC-32 and share, and no text; the number of articles goes into `index/term_counts.py`.
"""

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

import index
from index.article import SourceRecord
from index.reading import read
from index.term_vectors import terms_of

SHARES = Path(index.__file__).parent / "term_shares.npy"
# 34,875 words in 210 kB; rarer ones weigh little less than unknown ones.
LEAST_ARTICLES = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("press", type=Path, nargs="+")
    arguments = parser.parse_args()
    counts: Counter[int] = Counter()
    articles = 0
    for record in read(arguments.press):
        if isinstance(record, SourceRecord):
            counts.update(terms_of(record.headline, record.body).terms.tolist())
            articles += 1
    rows = sorted((t, count / articles) for t, count in counts.items() if count >= LEAST_ARTICLES)
    np.save(SHARES, np.array(rows, dtype=[("term", "<u4"), ("share", "<f2")]))
    print(f"{articles} articles, {len(counts)} words, {len(rows)} kept")


if __name__ == "__main__":
    main()
