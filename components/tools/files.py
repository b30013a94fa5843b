"""Files that are whole or not there: written beside their place, then renamed."""

import glob
import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

StrPath = str | os.PathLike[str]

_DIGITS = 8
_ABANDONED = 3600.0  # seconds without a change
_NUMBERS = re.compile(r"\[\n\s+(-?\d[^][{}\"tfn]*)\n\s+\]")


@contextmanager
def replacing(path: StrPath) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it when the block ends, remove it when the block fails.

    The path is nobody else's, so of two who write one file at once each writes it whole. What somebody left who was
    killed while writing this file goes an hour later.
    """
    target = Path(path)
    for left in target.parent.glob(f".{glob.escape(target.name)}.{'[0-9a-f]' * _DIGITS}.tmp"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _ABANDONED:
                left.unlink()
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(_DIGITS // 2)}.tmp")
    try:
        yield temporary
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(text: str, path: StrPath) -> None:
    """Write text as UTF-8."""
    with replacing(path) as temporary:
        temporary.write_text(text, "utf-8")


def as_json(value: Any) -> str:
    """Return JSON with sorted keys, text as it is, and a line's end; NaN is an error, since JSON has none.

    Lists of numbers are a line each: the confusion matrix of 1,000 classes would be a million.
    """
    text = json.dumps(value, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"
    return _NUMBERS.sub(lambda found: "[" + " ".join(found[1].split()) + "]", text)


def write_json(value: Any, path: StrPath) -> None:
    """Write JSON (see `as_json`)."""
    write_text(as_json(value), path)


def read_json(path: StrPath) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text("utf-8"))


def content_digest(path: StrPath | None) -> str:
    """Return twelve hex digits of a file, or of a folder's files; "" where there is nothing here."""
    if path is None or not Path(path).exists():
        return ""
    root = Path(path)
    digest = hashlib.sha256()
    for file in [root] if root.is_file() else sorted(file for file in root.rglob("*") if file.is_file()):
        digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]
