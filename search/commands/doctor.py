"""`nutgraf doctor`: is everything in order, and if not, what to do."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from index import default_model, store, store_folder
from index.errors import NutgrafError
from index.model import DEFAULT_MODEL, model_fingerprint
from search.wording import size_in_words

# Compiled code: it can be installed and still not load, on a processor or a libc that it was not
# built for.
_COMPILED = ("numpy", "faiss", "tantivy", "tokenizers", "onnxruntime", "torch")
_IMPORT_TIMEOUT_S = 120
_LEAST_PYTHON = (3, 11)
# A thousand press articles take about 10 MB with their vectors; compaction writes them twice.
_LEAST_FREE_BYTES = 1 << 30
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `advice` is empty when all is well."""

    name: str
    ok: bool
    found: str
    advice: str = ""


def examine(folder: Path) -> list[Finding]:
    """Look at Python, packages, model, cache, store, disk and threads; nothing is changed."""
    return [
        _python(),
        *_packages(),
        *_compiled(),
        _model_files(),
        _export(),
        *_store(folder),
        _disk(folder),
        _threads(),
    ]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    ok = sys.version_info >= _LEAST_PYTHON
    return Finding("Python", ok, version, "" if ok else "install Python 3.11 or newer")


def _packages() -> Iterator[Finding]:
    try:
        required = metadata.requires("nutgraf") or []
    except metadata.PackageNotFoundError:
        yield Finding("nutgraf", False, "not installed", "run scripts/demo.sh, or pip install .")
        return
    yield Finding("nutgraf", True, metadata.version("nutgraf"))
    missing = [name for name in map(_required_name, required) if name and not _is_installed(name)]
    if missing:
        yield Finding(
            "packages",
            False,
            f"missing: {', '.join(missing)}",
            f"pip install -c constraints.txt {' '.join(missing)}",
        )
    else:
        count = sum(1 for requirement in required if _required_name(requirement))
        yield Finding("packages", True, f"all {count} installed")


def _required_name(requirement: str) -> str:
    if "extra ==" in requirement:
        return ""
    match = _NAME.match(requirement)
    return match.group() if match else ""


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _compiled() -> Iterator[Finding]:
    for name in _COMPILED:
        reason = _import_failure(name)
        advice = f"install it again for this machine: pip install --force-reinstall {name}"
        yield Finding(name, not reason, reason or "loads", advice if reason else "")


def _import_failure(name: str) -> str:
    # In a process of its own: an illegal instruction would end this one.
    try:
        child = subprocess.run(
            [sys.executable, "-P", "-c", f"import {name}"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_IMPORT_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return f"does not load within {_IMPORT_TIMEOUT_S} s"
    if child.returncode == 0:
        return ""
    return child.stderr.strip().rpartition("\n")[2] or f"ends with status {child.returncode}"


def _model_files() -> Finding:
    name = f"model {DEFAULT_MODEL}"
    try:
        default_model.check_files()
    except NutgrafError as error:
        return Finding(name, False, *_split(error))
    return Finding(name, True, "the files are those its authors published")


def _export() -> Finding:
    folder = default_model.export_folder()
    found = f"in {folder}" if folder else "not made yet; the first use makes it, in half a minute"
    return Finding("exported model", True, found)


def _store(folder: Path) -> Iterator[Finding]:
    if not (folder / store_folder.DATABASE).exists():
        yield Finding("store", True, f"none in {folder} yet; `nutgraf add` makes one")
        return
    try:
        yield Finding("store", True, _store_in_words(folder))
    except NutgrafError as error:
        yield Finding("store", False, *_split(error))
        return
    yield _damage(folder)
    yield _stored_model(folder)


def _store_in_words(folder: Path) -> str:
    from index.snapshot import SnapshotReader

    reader = SnapshotReader(folder)
    try:
        snapshot = reader.latest()
        return (
            f"{folder}: {snapshot.articles:,} articles, {snapshot.passages:,} passages, "
            f"{snapshot.embedded:,} embedded"
        )
    finally:
        reader.close()


def _damage(folder: Path) -> Finding:
    """What a quick look finds; `nutgraf verify --full` reads every row."""
    from index.verify import verify

    findings = verify(folder).findings
    if not findings:
        return Finding("damage", True, "none in a quick look; `nutgraf verify --full` reads all")
    first = findings[0]
    found = f"{len(findings):,} findings; the first is {first.place}: {first.meaning}"
    return Finding("damage", False, found, "see all with: nutgraf verify")


def _stored_model(folder: Path) -> Finding:
    truth = store_folder.open_readonly(folder)
    try:
        model = str(store.meta(truth, "model") or DEFAULT_MODEL)
        fingerprint = store.meta(truth, "fingerprint")
    finally:
        truth.close()
    name = "the store's model"
    try:
        here = model_fingerprint(model)
    except NutgrafError as error:
        return Finding(name, False, *_split(error))
    if fingerprint not in (None, here):
        return Finding(
            name,
            False,
            f"{model} is not the one the vectors come from",
            f"put that one back, or run: nutgraf reembed --model {model}",
        )
    return Finding(name, True, model)


def _disk(folder: Path) -> Finding:
    existing = next(
        path for path in (folder.absolute(), *folder.absolute().parents) if path.exists()
    )
    free = shutil.disk_usage(existing).free
    ok = free >= _LEAST_FREE_BYTES
    return Finding(
        "disk",
        ok,
        f"{size_in_words(free)} free at {existing}",
        "" if ok else f"free {size_in_words(_LEAST_FREE_BYTES)} or more, or move the store",
    )


def _threads() -> Finding:
    cores = len(os.sched_getaffinity(0))
    setting = os.environ.get("OMP_NUM_THREADS")
    # FAISS reads it once; more than one thread makes short queries slower, not faster.
    ok = setting in (None, "1")
    return Finding(
        "threads",
        ok,
        f"{cores} cores, OMP_NUM_THREADS is {setting or 'not set; queries use one'}",
        "" if ok else "unset OMP_NUM_THREADS, so that a query uses one thread",
    )


def _split(error: NutgrafError) -> tuple[str, str]:
    found, _, advice = str(error).partition("; ")
    return found, advice or "see the message"
