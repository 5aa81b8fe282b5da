"""Finds near vectors among many by short codes of them, shared out to lists.

k-means shares the vectors out to lists. What a vector has beside the mean of its list is turned so
that its parts vary alike in every four numbers, and kept as 96 codes of 4 bits for 384 numbers, 48
bytes, whose inner products with a question are added up 32 vectors at a time. What is found so is
an estimate; whoever asks takes more than are wanted, and puts them in order by the vectors
themselves. Which lists are worth reading for a question, `index/lists_to_read.py` says.

Sources: Jégou, Douze, Schmid, Product Quantization for Nearest Neighbor Search, PAMI 2011; Ge, He,
Ke, Sun, Optimized Product Quantization, PAMI 2014 (the turn: its parametric solution); André,
Kermarrec, Le Scouarnec, Cache locality is not enough, VLDB 2015.
"""

from dataclasses import dataclass
from typing import Final

import faiss
import numpy as np
from numpy.typing import NDArray

# Four numbers of a vector to a code of four bits: half as many (48 bytes to 32) needs four times
# the candidates for the same recall (scripts/bench/vectors.py).
NUMBERS_A_CODE: Final = 4
_CODE_BITS: Final = 4
# With 1,000 about a quarter more is read for the same recall; but a million take 18 s to build, not
# 31 (scripts/bench/vectors.py).
_ROWS_A_LIST: Final = 500
_TRAINING_ROWS_A_LIST: Final = 40
_ROUNDS: Final = 6
_SEED: Final = 1
_AROUND: Final = 4  # two may be as near but for rounding
_ROWS_AT_A_TIME: Final = 50_000  # widened to float32 while building: 77 MB of 384 dimensions


@dataclass(frozen=True, slots=True)
class CodedLists:
    """The lists of n vectors; row numbers are those of the vectors they were built from.

    `index` and `means` are of turned vectors: `turn`, shape (dim, dim), float32, orthogonal, times
    a vector. `means` has shape (lists, dim), float32: the mean vector of each list; `deviations`
    (lists,), float32: the root of its vectors' mean squared distance from it. `spread` (dim,),
    float32: of those squares of all vectors, the share along each axis. `list_of_row` (n,), int32,
    -1 for none; `sizes` (lists,), int64.
    """

    index: faiss.IndexIVFPQFastScan
    turn: NDArray[np.float32]
    means: NDArray[np.float32]
    deviations: NDArray[np.float32]
    spread: NDArray[np.float32]
    list_of_row: NDArray[np.int32]
    sizes: NDArray[np.int64]

    def cosines(
        self, query: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """How near each list's vectors are to a question: their cosines' mean and deviation.

        `query` has shape (dim,), float32; both results (lists,), float32.
        """
        turned = self.turn @ query
        along = np.sqrt(self.spread @ turned**2)
        return self.means @ turned, self.deviations * along

    def candidates(
        self,
        query: NDArray[np.float32],
        wanted: int,
        lists: NDArray[np.int64],
        allowed: NDArray[np.uint8] | None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Rows of some lists that are probably the nearest, nearest first by their estimate.

        Args:
            query: shape (dim,), float32.
            lists: shape (k,), int64; those that are probably nearest first are the quickest.
            allowed: a bit for each row, the least significant of a byte first, shape
                (ceil(n / 8),), uint8; None: every row.

        Returns:
            Row numbers, shape (m,), int64, and estimates of their inner products, shape (m,),
            float32; m <= wanted.
        """
        turned = self.turn @ query
        near = self.means[lists] @ turned
        estimates = np.empty(wanted, dtype=np.float32)
        rows = np.empty(wanted, dtype=np.int64)
        parameters = faiss.SearchParametersIVF(nprobe=len(lists))  # type: ignore[call-arg]
        if allowed is not None:
            selector = faiss.IDSelectorBitmap(allowed)  # type: ignore[call-arg, arg-type]
            parameters.sel = selector
        self.index.search_preassigned_c(  # type: ignore[attr-defined]
            1,
            faiss.swig_ptr(turned),
            wanted,
            faiss.swig_ptr(lists),
            faiss.swig_ptr(near),
            faiss.swig_ptr(estimates),
            faiss.swig_ptr(rows),
            False,
            parameters,
        )
        found = rows >= 0
        return rows[found], estimates[found]

    def around(self, vector: NDArray[np.float32]) -> NDArray[np.int64]:
        """The lists whose means are nearest: in one of them a vector is that was built in."""
        nearest = min(_AROUND, len(self.sizes))
        lists: NDArray[np.int64] = self.index.quantizer.search(
            (self.turn @ vector)[None, :], nearest
        )[1][0]
        return lists

    @property
    def missing(self) -> int:
        """How many rows are in no list."""
        return int(np.count_nonzero(self.list_of_row < 0))


def build(vectors: NDArray[np.float16]) -> NDArray[np.uint8]:
    """The lists of these vectors as bytes; equal vectors give equal bytes.

    Args:
        vectors: shape (n, dim), float16, L2 norm 1; n at least 16, dim a multiple of 4.
    """
    count, dim = vectors.shape
    lists = max(count // _ROWS_A_LIST, 1)
    random = np.random.default_rng(_SEED)
    sample = min(count, max(lists * _TRAINING_ROWS_A_LIST, 1 << 14))
    rows = np.sort(random.choice(count, sample, replace=False))
    training = vectors[rows].astype(np.float32)
    means = _means(training, lists)
    turn, spread = _turn(training - _nearest_mean(training, means), dim // NUMBERS_A_CODE)
    quantizer = faiss.IndexFlatL2(dim)
    quantizer.add(means @ turn.T)
    index = faiss.IndexIVFPQFastScan(
        quantizer, dim, lists, dim // NUMBERS_A_CODE, _CODE_BITS, faiss.METRIC_INNER_PRODUCT
    )
    index.pq.cp.min_points_per_centroid = 1
    index.train(training @ turn.T)
    for first in range(0, count, _ROWS_AT_A_TIME):
        index.add(vectors[first : first + _ROWS_AT_A_TIME].astype(np.float32) @ turn.T)
    beside = np.concatenate([turn.ravel(), spread]).astype("<f4").view(np.uint8)
    return np.concatenate([faiss.serialize_index(index), beside])


def load(data: NDArray[np.uint8]) -> CodedLists:
    """The lists that `build` gave, from bytes whose digest was checked."""
    index: faiss.IndexIVFPQFastScan = faiss.deserialize_index(data)  # type: ignore[assignment]
    dim = index.d
    beside = data[-4 * dim * (dim + 1) :].copy().view(np.float32)
    means = index.quantizer.reconstruct_n(0, index.nlist)
    held = index.invlists
    assert held is not None
    sizes = np.array([held.list_size(at) for at in range(index.nlist)], dtype=np.int64)
    list_of_row = np.full(index.ntotal, -1, dtype=np.int32)
    for at, size in enumerate(sizes.tolist()):
        if size:
            list_of_row[faiss.rev_swig_ptr(held.get_ids(at), size)] = at
    turn, spread = beside[: dim * dim].reshape(dim, dim), beside[dim * dim :]
    # Vectors have length one: what is not in their mean's square is in their distances from it.
    deviations = np.sqrt(np.maximum(1 - np.einsum("ij,ij->i", means, means), 0))
    return CodedLists(index, turn, means, deviations, spread, list_of_row, sizes)


def _means(training: NDArray[np.float32], lists: int) -> NDArray[np.float32]:
    """Those of k-means, shape (lists, dim)."""
    k_means = faiss.Kmeans(
        training.shape[1],
        lists,
        niter=_ROUNDS,
        seed=_SEED,
        min_points_per_centroid=1,
        max_points_per_centroid=len(training),
    )
    k_means.train(training)
    assert k_means.centroids is not None
    return k_means.centroids


def _nearest_mean(vectors: NDArray[np.float32], means: NDArray[np.float32]) -> NDArray[np.float32]:
    index = faiss.IndexFlatL2(means.shape[1])
    index.add(means)
    return means[index.search(vectors, 1)[1][:, 0]]


def _turn(
    beside_mean: NDArray[np.float32], codes: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """To the axes along which these vary most, dealt out to codes; and the shares of variance.

    The next axis goes to the code whose variances have the least product and which has room, so
    that in the end the products are alike (Ge et al., section 4.2).
    """
    dim = beside_mean.shape[1]
    variances, axes = np.linalg.eigh(beside_mean.T @ beside_mean / len(beside_mean))
    variances = np.maximum(variances, np.finfo(np.float32).tiny)
    dealt: list[list[int]] = [[] for _ in range(codes)]
    products = np.zeros(codes)  # their logarithms
    for axis in np.argsort(-variances, kind="stable").tolist():
        code = int(np.argmin(products))
        dealt[code].append(axis)
        products[code] += np.log(variances[axis] / variances.min())
        if len(dealt[code]) == dim // codes:
            products[code] = np.inf
    order = [axis for of_code in dealt for axis in of_code]
    turn = np.ascontiguousarray(axes[:, order].T, dtype=np.float32)
    return turn, (variances[order] / variances.sum()).astype(np.float32)
