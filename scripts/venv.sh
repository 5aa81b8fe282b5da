# Sourced by demo.sh and test.sh: makes .venv once and installs Nutgraf into it from
# constraints.txt; does nothing when pyproject.toml and constraints.txt have not changed since.
# Usage: nutgraf_venv [EXTRA]   (EXTRA: "dev" for what the tests need)

nutgraf_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
        if [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    echo "Nutgraf needs Python 3.11 or newer; install it (Debian: apt-get install python3 python3-venv)" >&2
    return 1
}

nutgraf_venv() {
    local extra=${1:-} target=. stamp wanted python
    [ -z "$extra" ] || target=".[$extra]"
    stamp=.venv/nutgraf-installed${extra:+-$extra}
    python=$(nutgraf_python) || return 1
    wanted=$(cat pyproject.toml constraints.txt | sha256sum)
    if [ -x .venv/bin/nutgraf ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        return
    fi
    echo "Installing Nutgraf into .venv (a few minutes the first time) ..." >&2
    if ! "$python" -m venv .venv; then
        echo "No virtual environment could be made; install Python's venv (Debian: apt-get install python3-venv)" >&2
        return 1
    fi
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        --constraint constraints.txt --editable "$target" || return 1
    echo "$wanted" >"$stamp"
}
