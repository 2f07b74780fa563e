#!/usr/bin/env bash
# Makes .venv from pyproject.toml and requirements.lock, and installs the system packages named
# as arguments, each called as its command is. Run by make; a second run finds the stamp and does
# nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

missing() { ! command -v "$1" >/dev/null 2>&1; }

apt_install() {  # apt_install PACKAGE: with root and apt, else one line that says what to run
    if missing apt-get; then
        echo "setup: please install '$1' with your system's package manager." >&2
        return 1
    fi
    if [ "$(id -u)" != 0 ]; then
        echo "setup: please run: sudo apt-get install -y $1" >&2
        return 1
    fi
    if ! dpkg-query -W "$1" >/dev/null 2>&1; then
        [ -n "${APT_UPDATED:-}" ] || { apt-get update -qq; APT_UPDATED=1; }
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$1" >/dev/null
    fi
}

find_python() {  # the newest interpreter that the tested set covers first, then any that we support
    local name
    for name in "${PYTHON:-python3.11}" python3 python3.12 python3.13; do
        if "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "setup: Python 3.11, 3.12 or 3.13 is needed and none was found: sudo apt-get install -y python3" >&2
    return 1
}

stamp=$(cat pyproject.toml requirements.lock tools/setup.sh | sha256sum | cut -d' ' -f1)
if [ "$(cat .venv/setup-stamp 2>/dev/null)" != "$stamp" ]; then
    python=$(find_python)
    "$python" -c 'import ensurepip' 2>/dev/null || apt_install python3-venv
    [ -x .venv/bin/python ] || "$python" -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        --constraint requirements.lock --editable '.[dev]'
    echo "$stamp" > .venv/setup-stamp
fi

for package in "$@"; do
    missing "$package" || continue
    apt_install "$package"
done
