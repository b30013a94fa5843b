#!/usr/bin/env bash
# Resolve requirements.txt and dev.txt into a lock for Python 3.10 and one for 3.11 to 3.13: lock.sh UV [UV's options, e.g. --upgrade]
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$1
shift
lock() { # NAME UV'S OPTIONS
  local name=$1
  shift
  "$uv" pip compile --quiet --no-annotate --no-python-downloads --custom-compile-command "make lock" "$@" \
    requirements.txt requirements/dev.txt -o "requirements/$name.txt"
}
lock py310 --python-version 3.10 --python-platform x86_64-manylinux_2_17 "$@"
lock py311 --python-version 3.11 --universal "$@"
# Every line of a universal lock repeats the one platform that TFX has wheels for: leave what tells Pythons apart.
sed -i -E "s/ ; python_full_version < '3.14' and platform_machine == 'x86_64' and sys_platform == 'linux'//; s/ and platform_machine == 'x86_64' and sys_platform == 'linux'//" requirements/py311.txt
