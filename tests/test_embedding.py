"""The embedding process: the encoder's vectors, whatever happens to either process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from index.embedding import EmbeddingProcess
from index.errors import ModelError
from index.model import load_encoder

ROOT = Path(__file__).resolve().parent.parent
TEXTS = ["The ferry sails on Friday.", "", "\ud800 港は再び開かれた。", "budget " * 700]
# Half a minute's work and more, so that whatever is tested happens in the midst of it.
MUCH = ["The ferry to the outer islands will sail again on Friday, it said. " * 16] * 3_000


@pytest.fixture
def process() -> Iterator[EmbeddingProcess]:
    with EmbeddingProcess() as process:
        assert process.dim == 384  # the model is loaded
        yield process


def child_of(process: EmbeddingProcess) -> int:
    return process._child.pid


def wait_until_gone(pid: int) -> None:
    for _ in range(300):
        if not Path(f"/proc/{pid}").exists() or "\nState:\tZ" in status_of(pid):
            return
        time.sleep(0.1)
    pytest.fail(f"process {pid} lives on")


def status_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return "\nState:\tZ"


def test_vectors_are_those_of_the_encoder(process: EmbeddingProcess) -> None:
    encoder = load_encoder()
    embeddings = process.embed(TEXTS)
    assert embeddings.dtype == np.float32
    assert embeddings.flags.writeable
    assert (embeddings * encoder.embed(TEXTS)).sum(axis=1).min() > 0.9999
    assert process.embed([]).shape == (0, process.dim)
    assert process.fingerprint == encoder.fingerprint


def test_the_child_gives_way_to_other_processes(process: EmbeddingProcess) -> None:
    assert os.getpriority(os.PRIO_PROCESS, child_of(process)) == 19


def test_a_child_that_is_stopped_ends_when_its_parent_is_killed() -> None:
    code = """
import os, signal, sys, time
from pathlib import Path
from index.embedding import EmbeddingProcess
process = EmbeddingProcess()
process.dim
os.kill(process._child.pid, signal.SIGSTOP)
threads = Path(f"/proc/{process._child.pid}/task")
while not all("State:\\tT" in (thread / "status").read_text() for thread in threads.iterdir()):
    time.sleep(0.01)  # on a busy machine some of them run on for a moment
print(process._child.pid, flush=True)
time.sleep(600)
"""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        parent.kill()
    wait_until_gone(pid)


def test_the_child_ignores_ctrl_c(process: EmbeddingProcess) -> None:
    os.kill(child_of(process), signal.SIGINT)
    time.sleep(0.2)
    assert process.embed(["ferry"]).shape == (1, 384)
    assert os.getpgid(child_of(process)) != os.getpgid(0), "the terminal would reach it"


def test_a_child_that_is_killed_is_an_error_at_once_and_ever_after(
    process: EmbeddingProcess,
) -> None:
    os.kill(child_of(process), signal.SIGKILL)
    with pytest.raises(ModelError, match="killed"):
        process.embed(TEXTS)
    with pytest.raises(ModelError, match="start another"):
        process.embed(TEXTS)


def test_a_child_killed_while_it_embeds_is_an_error_at_once(process: EmbeddingProcess) -> None:
    killer = subprocess.Popen(["sh", "-c", f"sleep 1; kill -9 {child_of(process)}"])
    begun = time.monotonic()
    with pytest.raises(ModelError, match="killed"):
        process.embed(MUCH)
    assert time.monotonic() - begun < 15
    assert killer.wait() == 0


def test_ctrl_c_while_it_embeds_ends_the_child(process: EmbeddingProcess) -> None:
    pid = child_of(process)
    interrupter = subprocess.Popen(["sh", "-c", f"sleep 1; kill -INT {os.getpid()}"])
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        process.embed(MUCH)
    assert time.monotonic() - begun < 15
    wait_until_gone(pid)
    assert interrupter.wait() == 0


def test_closing_twice_is_closing_once(process: EmbeddingProcess) -> None:
    pid = child_of(process)
    process.close()
    process.close()
    wait_until_gone(pid)
    with pytest.raises(ModelError, match="start another"):
        process.embed(["ferry"])


# Read from standard input: there is no main module that a child could import again.
PARENT = """
from index.embedding import EmbeddingProcess
process = EmbeddingProcess()
process.embed(["ferry"])
print(process._child.pid, flush=True)
process.embed(["The ferry to the outer islands will sail again on Friday. " * 16] * 3_000)
"""


def test_the_child_ends_when_its_parent_is_killed_even_while_it_embeds(tmp_path: Path) -> None:
    # These must not be taken for libraries of the same names.
    (tmp_path / "numpy.py").write_text("raise SystemExit('taken for numpy')")
    (tmp_path / "index.py").write_text("raise SystemExit('taken for index')")
    parent = subprocess.Popen(
        [sys.executable, "-P", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        text=True,
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    parent.stdin.write(PARENT)
    parent.stdin.close()
    pid = int(parent.stdout.readline())
    time.sleep(0.5)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until_gone(pid)


def test_a_model_that_cannot_be_loaded_is_an_error_with_its_reason() -> None:
    with (
        EmbeddingProcess("nobody/no-such-model") as process,
        pytest.raises(ModelError, match="give the folder"),
    ):
        process.embed(["ferry"])


def test_a_device_that_is_not_there_is_an_error_with_its_name() -> None:
    with (
        EmbeddingProcess(device="cuda:63") as process,
        pytest.raises(ModelError, match="cuda:63"),
    ):
        process.embed(["ferry"])


def test_a_child_that_cannot_start_is_an_error_with_what_it_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tokenizers.py").write_text("raise ImportError('the disk is gone')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with (
        EmbeddingProcess() as process,
        pytest.raises(ModelError, match=r"exit status 1.*the disk is gone"),
    ):
        process.embed(["ferry"])
