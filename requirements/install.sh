#!/usr/bin/env bash
# Make .venv with the newest Python and packages that this machine can install. PYTHON=python3.x chooses the interpreter.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

platform=$(uname -s)-$(uname -m)
[ "$platform" = Linux-x86_64 ] || fail \
  "TensorFlow Extended has wheels for Linux on x86-64 alone; this machine is $platform." \
  "Run it in the project's image instead: docker run --rm --platform linux/amd64 -v \"\$PWD/runs:/app/runs\" IMAGE python -m pipeline run"

glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d' ' -f2 || true)
[ -n "$glibc" ] || fail "TensorFlow's wheels need glibc, which this system lacks. Use Debian, Ubuntu, Fedora, … or the project's image."
glibc_2_39() { [ "$(printf '%s\n' 2.39 "$glibc" | sort -V | head -n 1)" = 2.39 ]; }

# A shim of pyenv can be on PATH for a version that isn't active here: only what runs counts.
runs() { "$@" >/dev/null 2>&1; }
uv=$(command -v uv || true)
[ -z "$uv" ] || runs "$uv" --version || uv=

find_python() { # VERSION: print the interpreter's path
  if runs "python$1" -c ''; then
    "python$1" -c 'import sys; print(sys.executable)'
  elif [ -n "$uv" ]; then
    "$uv" python find --no-project "$1" 2>/dev/null ||
      { "$uv" python install "$1" >/dev/null 2>&1 && "$uv" python find --no-project "$1"; }
  else
    return 1
  fi
}

python=
if [ -n "${PYTHON:-}" ]; then
  runs "$PYTHON" -c '' || fail "PYTHON=$PYTHON doesn't run. Name a Python 3.10, or 3.11-3.13 with glibc 2.39 or newer."
  python=$("$PYTHON" -c 'import sys; print(sys.executable)')
else
  versions=3.10
  if glibc_2_39; then versions="3.13 3.12 3.11 3.10"; fi
  for version in $versions; do
    if python=$(find_python "$version"); then break; fi
  done
fi
[ -n "$python" ] || fail "no suitable Python found (glibc $glibc)." \
  "Install Python 3.10 (any glibc) or Python 3.11-3.13 (glibc 2.39 or newer: Debian 13, Ubuntu 24.04), or uv, which brings it; or name one with PYTHON=…"

version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
case $version in
  3.10) lock=py310 ;;
  3.11 | 3.12 | 3.13)
    glibc_2_39 || fail "Python $version needs glibc 2.39 or newer (this is $glibc): use Python 3.10, or the project's image."
    lock=py311
    ;;
  *) fail "Python $version is not supported. Use Python 3.10, or 3.11-3.13 with glibc 2.39 or newer." ;;
esac

echo "setup: Python $version ($python) in .venv"
if [ -n "$uv" ]; then
  "$uv" venv --quiet --clear --python "$python" .venv
else
  "$python" -c 'import ensurepip' 2>/dev/null || fail "Python $version lacks venv: apt-get install python$version-venv (or install uv)."
  "$python" -m venv --clear .venv
  .venv/bin/python -m pip install --quiet "$(grep '^uv==' "requirements/$lock.txt")"
  uv=.venv/bin/uv
fi
# Compiled once here, or at the first import by whichever process comes first.
VIRTUAL_ENV=$PWD/.venv "$uv" pip install --quiet --compile-bytecode -r "requirements/$lock.txt"
VIRTUAL_ENV=$PWD/.venv "$uv" pip install --quiet --no-deps -e .
touch .venv/.ready
