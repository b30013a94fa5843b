"""What lies in a SavedModel's folder beside the model itself, in `assets.extra`.

`made_from.txt` names the images that a model was made from, one digest a line. Another run looks there for its own test
images: on them such a model, and what is trained from its weights, is too good. It also lies beside `training.json`,
for those who need nothing else of the model.
"""

import hashlib
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from components.formats.examples import LABEL_MAP
from components.tools.files import StrPath, write_text
from components.tools.patterns import has_pattern

SERVING = "Format-Serving"  # TFX's folder of the SavedModel within a Model artifact
GRAPH = "saved_model.pb"
ASSETS = "assets.extra"
METRICS = "metrics.json"
SERVE_PIXELS = "serve_pixels"  # the signature that takes decoded images
_MADE_FROM = "made_from.txt"
_DIGITS = 16  # hex, of SHA-256


def serving_folder(model: StrPath) -> Path:
    """Return the SavedModel's folder in a Model artifact."""
    return Path(model) / SERVING


def is_saved_model(folder: StrPath) -> bool:
    """Return whether a SavedModel lies in a folder."""
    return (Path(folder) / GRAPH).exists()


def model_digest(folder: StrPath) -> str:
    """Return 16 hex digits of what decides a SavedModel's answers: graph, variables, assets of the graph, label map.

    What else lies in `assets.extra` may come and go.
    """
    root = Path(folder)
    label_map = root / ASSETS / LABEL_MAP.name
    files = [file for file in root.rglob("*") if file.is_file() and root / ASSETS not in file.parents]
    digest = hashlib.sha256()
    for file in sorted([*files, *([label_map] if label_map.exists() else [])]):
        name = file.relative_to(root).as_posix().encode()
        digest.update(name + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:_DIGITS]


@contextmanager
def loadable(folder: StrPath) -> Iterator[str]:
    """Yield a path by which TensorFlow loads a SavedModel: it takes a checkpoint's path for a pattern of names.

    Args:
        folder: the SavedModel's; where its name can be taken for a pattern, the path is that of a link.
    """
    if not has_pattern(str(Path(folder).absolute())):
        yield str(folder)
        return
    with tempfile.TemporaryDirectory() as place:
        link = Path(place) / "model"
        link.symlink_to(Path(folder).absolute())
        yield str(link)


def write_made_from(digests: Iterable[str], folder: StrPath) -> None:
    """Write the SHA-256 digests (hex) of source files into a model's assets; order and repetitions don't matter."""
    lines = sorted({digest[:_DIGITS] for digest in digests})
    write_text("".join(f"{line}\n" for line in lines), Path(folder) / _MADE_FROM)


def read_made_from(folder: StrPath) -> frozenset[str] | None:
    """Return the beginnings of the digests, for `seen_groups`; None where a model's assets don't say."""
    try:
        return frozenset((Path(folder) / _MADE_FROM).read_text("ascii").split())
    except (FileNotFoundError, NotADirectoryError):  # a file of weights has no assets
        return None


def seen_groups(known: Collection[str], images: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return the groups of which a model has seen an image, and so, as good as, all.

    Args:
        known: what the model was made from, as `read_made_from` returns it.
        images: digest and group of each image.
    """
    return frozenset(group for digest, group in images if digest[:_DIGITS] in known)


def count_seen(known: Collection[str], digests: Iterable[str]) -> int:
    """Return how many of these images a model was made from."""
    return sum(digest[:_DIGITS] in known for digest in digests)


def without(known: Iterable[str], digests: Iterable[str]) -> frozenset[str]:
    """Return what a model was made from beside these images."""
    return frozenset(known) - {digest[:_DIGITS] for digest in digests}
