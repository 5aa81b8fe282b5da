"""What the machine gives the matrix products of the default model, and nothing else."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

# all-MiniLM-L6-v2: in each layer query, key, value and output, then the two of the feed-forward.
WIDTH, LAYERS = 384, 6
WEIGHTS = ((384, 384),) * 4 + ((384, 1536), (1536, 384))
ROWS = 512  # tokens a product: the best of 64 to 2,048, within 5 % of each other
PRODUCTS_A_THREAD = 40


def flops(lengths: Sequence[int]) -> float:
    """Floating point operations of the model's matrix products for texts of so many tokens.

    A product of (m, k) and (k, n) is 2·m·k·n of them. Attention multiplies twice, each token with
    all of its text.
    """
    tokens = np.asarray(lengths, np.float64)
    weights = 2 * sum(rows * columns for rows, columns in WEIGHTS)
    return float(LAYERS * (tokens * weights + 4 * tokens**2 * WIDTH).sum())


class MatrixProducts:
    """The model's products with its weights, one after another, as onnxruntime runs the model:

    one thread to a batch, as many batches at a time as there are cores.
    """

    def __init__(self, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            _products().SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self._threads = threads
        self._rows = np.random.default_rng(0).standard_normal((ROWS, WIDTH), np.float32)

    def gflop_per_s(self) -> float:
        """Billions of operations a second of all threads together, measured now."""
        operations = 2 * ROWS * LAYERS * sum(rows * columns for rows, columns in WEIGHTS)
        runs = PRODUCTS_A_THREAD * self._threads
        with ThreadPoolExecutor(self._threads) as pool:
            began = time.perf_counter()
            list(pool.map(self._multiply, range(runs)))
            return operations * runs / (time.perf_counter() - began) / 1e9

    def _multiply(self, _: int) -> None:
        self._session.run(None, {"x0": self._rows})


def _products() -> onnx.ModelProto:
    random = np.random.default_rng(0)
    nodes, weights = [], []
    for number, shape in enumerate(WEIGHTS * LAYERS):
        # Of this scale, values keep theirs from product to product.
        values = random.standard_normal(shape, np.float32) / np.float32(np.sqrt(shape[0]))
        weights.append(numpy_helper.from_array(values, f"w{number}"))
        nodes.append(helper.make_node("MatMul", [f"x{number}", f"w{number}"], [f"x{number + 1}"]))
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, WIDTH])
        for name in ("x0", f"x{len(nodes)}")
    ]
    graph = helper.make_graph(nodes, "products", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 10  # of opset 17's time, which every onnxruntime we take reads
    return model
