"""Looks at SQLite's write-ahead log without SQLite, which passes over what is damaged in silence.

When the log is read again after a crash, SQLite takes its frames up to the first one whose checksum
is wrong, and drops the rest: rightly after a power cut, which leaves a torn end that nothing was
acknowledged from. A flipped bit does the same to commits that were acknowledged. What tells them
apart is what follows. The sectors of the last commit reach the disk in any order, so whole frames
of it may stand behind a torn one; but the next commit is written only when this one is synced.

Source: "WAL-mode File Format", https://www.sqlite.org/walformat.html.

How much of a log is in use is read from the memory that SQLite's processes share.
"""

import struct
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

_HEADER: Final = struct.Struct(">8I")  # magic, version, page size, checkpoint, salts, checksum
_FRAME_HEADER_BYTES: Final = 24
# Page size, frames up to the last commit, those of them that are copied.
_SHARED: Final = struct.Struct("=14xHI76xI")
_MAGIC: Final = 0x377F0682  # with its last bit: the checksums take the words as big-endian


def held_bytes(path: Path) -> int:
    """Size of a log up to its last commit while a reader keeps it from being copied; otherwise 0.

    The file itself stays as long as it ever was when it is begun anew. Where it ends, and how much
    of it is copied into the database, is in the memory that those who have it open share.

    Args:
        path: of the log.
    """
    try:
        with path.with_name(f"{path.name.removesuffix('-wal')}-shm").open("rb") as shared:
            data = shared.read(_SHARED.size)
    except FileNotFoundError:
        return 0
    if len(data) < _SHARED.size:
        return 0
    page_bytes, frames, copied = _SHARED.unpack(data)
    return 0 if copied >= frames else frames * (_FRAME_HEADER_BYTES + page_bytes)


def damage_in(path: Path) -> str:
    """What is wrong with a log; empty: nothing, or there is no log.

    A file that a writer is adding to may be looked at.
    """
    found = ""
    for _ in range(3):  # one that is begun anew just now looks damaged for a moment
        try:
            found = _damage_in(path.read_bytes())
        except FileNotFoundError:
            return ""
        if not found:
            break
    return found


def _damage_in(data: bytes) -> str:
    if not data:
        return ""
    if len(data) < _HEADER.size:
        return f"it ends within its header, after {len(data)} bytes"
    magic, _, page_bytes, _, *salts, first, second = _HEADER.unpack_from(data)
    if magic & ~1 != _MAGIC or page_bytes < 512:
        return "its header is damaged"
    words = ">u4" if magic & 1 else "<u4"
    header = np.frombuffer(data, words, 6).astype(np.uint32).reshape(1, 3, 2)
    if _checksums(header, np.zeros((1, 2), np.uint32)).tolist() != [[first, second]]:
        return "its header is damaged"
    size = _FRAME_HEADER_BYTES + page_bytes
    count = (len(data) - _HEADER.size) // size
    if not count:
        return ""
    frames = np.frombuffer(data, np.uint8, count * size, _HEADER.size).reshape(count, size)
    heads = frames[:, :_FRAME_HEADER_BYTES].copy().view(">u4").astype(np.uint32)
    summed = np.concatenate([frames[:, :8], frames[:, _FRAME_HEADER_BYTES:]], axis=1)
    before = np.concatenate([np.array([[first, second]], np.uint32), heads[:-1, 4:6]])
    sums = _checksums(summed.view(words).astype(np.uint32).reshape(count, -1, 2), before)
    # A log that was begun anew has frames of the one before behind its own: other salts.
    ours = (heads[:, 2:4] == np.array(salts, np.uint32)).all(axis=1)
    whole = ours & (sums == heads[:, 4:6]).all(axis=1)
    if whole.all():
        return ""
    first_broken = int(np.argmin(whole))
    ends_of_commits = first_broken + np.flatnonzero((whole & (heads[:, 1] != 0))[first_broken:])
    if not len(ends_of_commits) or not whole[ends_of_commits[0] + 1 :].any():
        return ""  # the last commit, torn
    at = _HEADER.size + first_broken * size
    return f"the frame at byte {at:,} is damaged, and with it the commits from there on"


def _checksums(pairs: NDArray[np.uint32], before: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """SQLite's checksums of many frames at once, shape (frames, 2), uint32.

    Each pair of words (x, y) turns (a, b) into (a + x + b, b + y + the new a), modulo 2**32: a
    linear map, so the sum is the one before carried over all pairs, and each pair carried over
    those behind it.

    Args:
        pairs: shape (frames, n, 2).
        before: what each frame's sum goes on from, shape (frames, 2).
    """
    n = pairs.shape[1]
    step = np.array([[1, 1], [1, 2]], np.uint32)  # (a, b) -> (a + b, a + 2 b)
    powers = np.empty((n + 1, 2, 2), np.uint32)
    powers[0] = np.eye(2, dtype=np.uint32)
    for at in range(n):
        powers[at + 1] = step @ powers[at]
    # What a pair adds at once is (x, x + y).
    added = np.stack([pairs[..., 0], pairs[..., 0] + pairs[..., 1]], axis=-1)
    carried = np.einsum("nij,fnj->fi", powers[:n][::-1], added, dtype=np.uint32)
    result: NDArray[np.uint32] = carried + np.einsum(
        "ij,fj->fi", powers[n], before, dtype=np.uint32
    )
    return result
