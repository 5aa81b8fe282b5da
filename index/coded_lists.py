"""Finds near vectors among many by short codes of them, shared out to lists.

A vector of 384 numbers of 16 bits is kept a second time as 96 codes of 4 bits, 48 bytes, whose
inner products with a question are added up 32 vectors at a time. k-means shares the vectors out
to lists, and only the lists nearest to the question are read. What is found so is an estimate;
whoever asks takes more than are wanted, and puts them in order by the vectors themselves.

Sources: Jégou, Douze, Schmid, Product Quantization for Nearest Neighbor Search, PAMI 2011; André,
Kermarrec, Le Scouarnec, Cache locality is not enough, VLDB 2015.
"""

from dataclasses import dataclass
from typing import Final

import faiss
import numpy as np
from numpy.typing import NDArray

# Four numbers of a vector to a code of four bits: half as many (48 bytes to 32) needs twice the
# candidates for the same recall (scripts/bench/vectors.py).
NUMBERS_A_CODE: Final = 4
_CODE_BITS: Final = 4
_ROWS_A_LIST: Final = 1_000
_TRAINING_ROWS_A_LIST: Final = 40
_ROUNDS: Final = 8
_SEED: Final = 1
_ROWS_AT_A_TIME: Final = 50_000  # widened to float32 while building: 77 MB of 384 dimensions
# How many of a filter's rows each list holds is told from every so many rows.
_SAMPLED: Final = 16


@dataclass(frozen=True, slots=True)
class CodedLists:
    """The lists of n vectors; row numbers are those of the vectors they were built from.

    `centres` has shape (lists, dim), float32; `list_of_row` (n,), int32; `sizes`
    (lists,), int64, the rows that each holds.
    """

    index: faiss.IndexIVFPQFastScan
    centres: NDArray[np.float32]
    list_of_row: NDArray[np.int32]
    sizes: NDArray[np.int64]

    def candidates(
        self,
        query: NDArray[np.float32],
        wanted: int,
        share: float,
        allowed: NDArray[np.bool_] | None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Rows that are probably the nearest, nearest first by their estimate.

        Args:
            query: shape (dim,), float32.
            share: how much of the allowed rows to read, above 0; the lists nearest to the query
                are read until they hold so much. 1: all.
            allowed: shape (n,), bool; None: every row.

        Returns:
            Row numbers, shape (m,), int64, and estimates of their inner products, shape (m,),
            float32; m <= wanted.
        """
        parameters = faiss.SearchParametersIVF(  # type: ignore[call-arg]
            nprobe=self._lists_to_read(query, share, allowed)
        )
        if allowed is not None:
            bitmap = np.packbits(allowed, bitorder="little")
            selector = faiss.IDSelectorBitmap(bitmap)  # type: ignore[call-arg, arg-type]
            parameters.sel = selector
        estimates, rows = self.index.search(query[None, :], wanted, params=parameters)
        found = rows[0] >= 0
        return rows[0][found], estimates[0][found]

    @property
    def missing(self) -> int:
        """How many rows are in no list."""
        return int(np.count_nonzero(self.list_of_row < 0))

    def _lists_to_read(
        self, query: NDArray[np.float32], share: float, allowed: NDArray[np.bool_] | None
    ) -> int:
        """How many of the nearest lists hold `share` of the allowed rows."""
        held = self.sizes
        if allowed is not None:
            sample = self.list_of_row[::_SAMPLED][allowed[::_SAMPLED]]
            held = np.bincount(sample, minlength=len(self.sizes))
        nearest_first = np.argsort(-(self.centres @ query), kind="stable")
        cumulated = np.cumsum(held[nearest_first])
        if not cumulated[-1]:  # too few are allowed for the sample to show where they are
            return len(held)
        return min(int(np.searchsorted(cumulated, share * cumulated[-1])) + 1, len(held))


def build(vectors: NDArray[np.float16]) -> NDArray[np.uint8]:
    """The lists of these vectors as FAISS writes them; equal vectors give equal bytes.

    Args:
        vectors: shape (n, dim), float16, L2 norm 1; n at least 16, dim a multiple of 4.
    """
    count, dim = vectors.shape
    lists = max(count // _ROWS_A_LIST, 1)
    quantizer = faiss.IndexFlatIP(dim)
    index = faiss.IndexIVFPQFastScan(
        quantizer, dim, lists, dim // NUMBERS_A_CODE, _CODE_BITS, faiss.METRIC_INNER_PRODUCT
    )
    index.cp.seed, index.cp.niter, index.cp.spherical = _SEED, _ROUNDS, True
    index.cp.max_points_per_centroid = _TRAINING_ROWS_A_LIST
    index.cp.min_points_per_centroid = 1
    index.pq.cp.min_points_per_centroid = 1
    random = np.random.default_rng(_SEED)
    sample = min(count, max(lists * _TRAINING_ROWS_A_LIST, 1 << 14))
    rows = np.sort(random.choice(count, sample, replace=False))
    index.train(vectors[rows].astype(np.float32))
    for at in range(0, count, _ROWS_AT_A_TIME):
        index.add(vectors[at : at + _ROWS_AT_A_TIME].astype(np.float32))
    return faiss.serialize_index(index)


def load(data: NDArray[np.uint8]) -> CodedLists:
    """The lists that `build` gave, from bytes whose digest was checked."""
    index: faiss.IndexIVFPQFastScan = faiss.deserialize_index(data)  # type: ignore[assignment]
    centres = index.quantizer.reconstruct_n(0, index.nlist)
    held = index.invlists
    assert held is not None
    sizes = np.array([held.list_size(at) for at in range(index.nlist)], dtype=np.int64)
    list_of_row = np.full(index.ntotal, -1, dtype=np.int32)
    for at, size in enumerate(sizes.tolist()):
        if size:
            list_of_row[faiss.rev_swig_ptr(held.get_ids(at), size)] = at
    return CodedLists(index, centres, list_of_row, sizes)
