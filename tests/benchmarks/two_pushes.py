"""Two models pushed at once under one version number, again and again: to a folder, and to an S3 server (moto's).

    python tests/benchmarks/two_pushes.py [--times 200]

A push is counted as mixed where a version holds files of both models, as torn where files are missing or cut short, as
lost where its model stands nowhere. Of 200 times two to each place none was. With a temporary folder of the version's
name and without claims, of 40 times two 42 pushes to a folder failed and 5 versions were mixed; in the object store 25
were, and 65 of 80 models lost.
"""

import argparse
import multiprocessing
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from object_store import KEYS, s3_server

from components.formats.pushed_models import Origin, file_system, list_versions
from components.pusher.push import push

_FILES = [
    "saved_model.pb", "fingerprint.pb", "assets/labels", "assets.extra/made_from.txt", "variables/variables.index",
    "variables/variables.data-00000-of-00002", "variables/variables.data-00001-of-00002",
]  # fmt: skip
_SIZE = 200_000
_NUMBER = 1_700_000_000
_MODELS = (b"A", b"B")

_meeting: Any = None


def main(times: int) -> None:
    """Print what became of the pushes, for each kind of destination."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        write_models(root)
        _report("folder", times, root, str(root / "served"))
        with bucket() as place_in_store:
            _report("object store", times, root, place_in_store)


def _report(what: str, times: int, models: Path, destination: str) -> None:
    counts = pushed_at_once(times, models, destination)
    found = ", ".join(f"{n} {name}" for name, n in counts.items() if n or name in ("lost",))
    print(f"{what}: {times} times two pushes; {found}")


def pushed_at_once(times: int, models: Path, destination: str) -> Counter[str]:
    """Push two models at once, so many times; return what went wrong, with how often.

    Args:
        times: each to a place of its own.
        models: the folder with the two, from `write_models`.
        destination: below which these places are.
    """
    context = multiprocessing.get_context("spawn")
    counts = Counter[str]()
    with ProcessPoolExecutor(2, context, initializer=_meet, initargs=(context.Barrier(2),)) as pool:
        for index in range(times):
            place = f"{destination}/{index}"
            done = [pool.submit(_push, str(models / kind.decode()), place, kind.decode()) for kind in _MODELS]
            for error in (one.result() for one in done):
                counts[f"failed: {error}"] += bool(error)
            standing = []
            for version in list_versions(place):
                files = _read(version.uri)
                kinds = {bytes([byte]) for content in files.values() for byte in content[:1]}
                recipe = version.origin.recipe.encode() if version.origin else b""
                if kinds != {recipe}:
                    counts["mixed"] += 1
                elif any(len(files.get(name, b"")) != _SIZE for name in _FILES):
                    counts["torn"] += 1
                else:
                    standing.append(recipe)
            counts["lost"] += len(set(_MODELS) - set(standing))
    return counts


def _meet(barrier: Any) -> None:
    global _meeting
    _meeting = barrier


def _push(model: str, destination: str, kind: str) -> str:
    _meeting.wait()
    try:
        push(Path(model), destination, _NUMBER, Origin(kind, kind), {}, {})
    except Exception as error:
        return type(error).__name__
    return ""


def write_models(root: Path) -> None:
    """Write the two models."""
    for kind in _MODELS:
        for file in (root / kind.decode() / name for name in _FILES):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(kind * _SIZE)


def _read(uri: str) -> dict[str, bytes]:
    """Return the model's own files of a version."""
    store, root = file_system(uri)
    store.invalidate_cache()
    root = root.rstrip("/")
    paths = {path.removeprefix(f"{root}/"): path for path in store.find(root)}
    return {name: store.cat_file(path) for name, path in paths.items() if name in _FILES}


@contextmanager
def bucket() -> Iterator[str]:
    """An S3 server; yields a place in it to push to."""
    with s3_server() as port:
        os.environ |= KEYS | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
        file_system("s3://models")[0].mkdir("models")
        yield "s3://models/served"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=200, help="how often (default: 200)")
    main(parser.parse_args().times)
