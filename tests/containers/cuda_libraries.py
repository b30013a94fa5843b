"""Run in the image: load CUDA's libraries from where TensorFlow looks for them; print {name: "loaded" or the error}.

TensorFlow's shared library has the folders in its run path, relative to itself.
"""

import ctypes
import json
import mmap
import re
from importlib.util import find_spec
from pathlib import Path


def main() -> None:
    spec = find_spec("tensorflow")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    names: set[str] = set()
    for library in package.glob("libtensorflow_*.so.2"):
        with library.open("rb") as binary, mmap.mmap(binary.fileno(), 0, access=mmap.ACCESS_READ) as content:
            names |= {match[1].decode() for match in re.finditer(rb"\$ORIGIN/\.\./nvidia/([a-z0-9_]+)/lib", content)}
    waiting = [
        file for name in sorted(names) for file in sorted((package.parent / "nvidia" / name / "lib").glob("*.so*"))
    ]
    found: dict[str, str] = {}
    # One needs another: those that fail are tried again as long as any loads.
    while waiting:
        errors: dict[Path, str] = {}
        for file in waiting:
            try:
                ctypes.CDLL(str(file), mode=ctypes.RTLD_GLOBAL)
            except OSError as error:
                errors[file] = str(error)
        if len(errors) == len(waiting):
            found |= {_name(file): error for file, error in errors.items()}
            break
        found |= {_name(file): "loaded" for file in waiting if file not in errors}
        waiting = list(errors)
    print(json.dumps(found))


def _name(file: Path) -> str:
    return file.name.removeprefix("lib").partition(".so")[0]


if __name__ == "__main__":
    main()
