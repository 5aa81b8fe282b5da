#!/usr/bin/env bash
# Installs what the tests need into .venv and runs them; arguments go to pytest.
# Usage: scripts/test.sh [PYTEST ARGUMENTS]     e.g. scripts/test.sh -m slow
set -euo pipefail
cd -- "$(dirname -- "$0")/.."
. scripts/venv.sh
nutgraf_venv dev

.venv/bin/ruff check .
.venv/bin/ruff format --check .
.venv/bin/mypy
.venv/bin/lint-imports --no-cache
# A file's tests share what they set up: one process takes all of a file. By default those of most
# tests go first, and the longest, which have few, last, alone. Of two -m the last counts.
exec .venv/bin/python -m pytest -m "not slow" -n auto --dist loadfile --no-loadscope-reorder "$@"
