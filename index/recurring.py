"""Lines that recur across the articles of one outlet, learned from the archive.

A sign-off ("Our Standards: ..."), a promo or a box that no rule of ours knows gives itself away
by standing in many articles of one outlet. Sentences of the report recur too: a wire story's
background is repeated in each of its updates, and copies of a story share everything.
"""

from collections.abc import Iterable
from hashlib import blake2b

from index.paragraphs import split

# No sign-off is longer; what is longer is a paragraph of a report.
LONGEST_LINE = 400


def line_hash(line: str) -> bytes | None:
    """The 8-byte hash of a paragraph's words; None when it is no candidate."""
    if len(line) > LONGEST_LINE:
        return None
    return blake2b(line.casefold().encode("utf-8", "replace"), digest_size=8).digest()


def line_hashes(body: str) -> frozenset[bytes]:
    hashes: Iterable[bytes | None] = (line_hash(paragraph.text) for paragraph in split(body))
    return frozenset(hashed for hashed in hashes if hashed is not None)


def is_recurring(articles_with_line: int, articles_of_outlet: int) -> bool:
    return False
