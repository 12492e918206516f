#!/bin/sh
# Finds Python and cargo, then hands over to tools/environment.py. Says in one line what is missing
# and ends with status 3. PYTHON and CARGO name other programs to use.
set -eu
cd "$(dirname "$0")/.."

missing() {
    echo "$1" >&2
    exit 3
}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

python=
for name in .venv/bin/python ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11 \
    python3.14 python; do
    if command -v "$name" >/dev/null 2>&1 && new_enough "$name"; then
        python=$name
        break
    fi
done
[ -n "$python" ] || missing \
    "python 3.11 or later is missing: apt install python3 python3-venv (or set PYTHON=/path/to/it)"

if [ -z "${CARGO:-}" ]; then
    if command -v cargo >/dev/null 2>&1; then
        CARGO=cargo
    else
        CARGO=${CARGO_HOME:-$HOME/.cargo}/bin/cargo
        PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
    fi
fi
command -v "$CARGO" >/dev/null 2>&1 || missing \
    "cargo is missing: apt install cargo-web rustc-web (Debian), elsewhere install rustup"

export CARGO PATH
exec "$python" tools/environment.py "$@"
