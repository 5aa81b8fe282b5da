import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, environment, serving

README = (ROOT / "README.md").read_text("utf-8")
PORT = "127.0.0.1:8000"


def _shell_blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def test_the_tables_in_the_readme_match_the_code() -> None:
    check = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", "README.md"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert check.returncode == 0, (
        f"run: python -m cogapp -r README.md\n{check.stdout}{check.stderr}"
    )


def test_the_readme_shows_set_up_first() -> None:
    first = re.search(r"^```\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    assert first
    assert [line.split()[0] for line in first[1].splitlines()] == [
        "scripts/demo.sh",
        "scripts/test.sh",
    ]


def test_every_link_in_the_readme_leads_somewhere() -> None:
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    """A folder with the command `nutgraf`, as an installation makes it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    command = folder / "nutgraf"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m search "$@"\n', "utf-8")
    command.chmod(0o755)
    return folder


def test_the_commands_in_the_readme_run(tmp_path: Path, bin_folder: Path) -> None:
    if not shutil.which("curl"):
        pytest.skip("curl is not there: apt-get install curl")
    work = tmp_path / "work"
    work.mkdir()
    (work / "sample").symlink_to(ROOT / "sample")
    blocks = _shell_blocks()
    assert blocks.index("nutgraf serve\n") == len(blocks) - 2
    for block in blocks[:-2]:
        _run(block, work, bin_folder)
    with serving(work / "nutgraf-store") as server:
        _run(blocks[-1].replace(PORT, f"127.0.0.1:{server.port}"), work, bin_folder)


def _run(block: str, folder: Path, bin_folder: Path) -> None:
    variables = environment()
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=folder,
        env={**variables, "PATH": f"{bin_folder}:{variables['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
