"""What every benchmark here says first: the machine, and the commit that was measured."""

import os
import platform
import subprocess
import sys
from pathlib import Path


def header() -> str:
    """Two lines: processor, cores and Python; the commit."""
    cores = len(os.sched_getaffinity(0))
    return (
        f"machine    {_processor()}, {cores} cores, Python {sys.version.split()[0]}\n"
        f"commit     {_commit()}"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _commit() -> str:
    result = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout.strip() or "unknown"
