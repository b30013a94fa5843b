"""A model as one file for a runtime without TensorFlow: which formats there are, and what such a file says of itself.

Each file takes decoded images of the model's size as `pixels` (uint8, N×H×W×C, grey or RGB, N as you like) and returns
`probabilities` (float32, N×classes): temperature and mirror image are in the graph, all else is in its `Facts`. These
lie as one JSON text in ONNX's `metadata_props` under the key `affect`, and in a .tflite file as `affect.json` in the
ZIP archive behind the model, where TensorFlow Lite's own metadata keeps its files. Beside them lies the digest of the
whole file with zeros in its place, since a bit that has flipped in a weight shows in nothing but the answers.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from components.formats.documents import Document
from components.formats.version import KEY, NewerFormatError, check_version
from components.tools.files import StrPath

Format = Literal["saved_model", "onnx", "litert", "litert-int8"]

SAVED_MODEL: Format = "saved_model"
# Of those that are files of their own, their names beside a pushed model.
FILES: Mapping[Format, str] = {"onnx": "model.onnx", "litert": "model.tflite", "litert-int8": "model.int8.tflite"}
EXPORTS = Document("exports.json")  # how much each file agrees with the SavedModel
PIXELS, PROBABILITIES = "pixels", "probabilities"
FACTS = "affect"  # key in ONNX's metadata; with .json, the file's name in a .tflite's archive
DIGEST = "affect_sha256"  # key in ONNX's metadata; the beginning of the comment of a .tflite's archive
UNSEALED = "0" * 64
_SEAL = re.compile(DIGEST.encode() + rb"..([0-9a-f]{64})", re.DOTALL)  # the two bytes differ by the format
_VERSION = 1


def sealed(data: bytes) -> bytes:
    """Return an exported file, which has `UNSEALED` behind `DIGEST`, with its digest in that place."""
    seal = _seal(data)
    assert seal is not None
    start, end = seal.span(1)
    return data[:start] + hashlib.sha256(data).hexdigest().encode() + data[end:]


def is_sealed(data: bytes) -> bool:
    """Return whether an exported file has its digest in it.

    Raises:
        ValueError: it has that of another file, so that it isn't as it was written.
    """
    seal = _seal(data)
    if seal is None:
        return False
    start, end = seal.span(1)
    digest = hashlib.sha256(data[:start])
    digest.update(UNSEALED.encode() + data[end:])
    if digest.hexdigest().encode() != seal[1]:
        raise ValueError("it has changed since it was exported, so it is damaged: copy it again")
    return True


def _seal(data: bytes) -> re.Match[bytes] | None:
    begin = data.rfind(DIGEST.encode())  # what it is searched in may have 200 MB
    return _SEAL.match(data, begin) if begin >= 0 else None


def agreeing_files(folder: StrPath) -> list[str]:
    """Return the names of the files in ModelExport's artifact that agree with the SavedModel as much as they must."""
    return [row["file"] for row in EXPORTS.read(folder)["files"] if row["agrees"]]


def why_not(found: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each file that agrees too little to be pushed.

    Args:
        found: content of `exports.json`.
    """
    return [
        f"{row['file']} ({row['format']}) isn't pushed: it gives {row['agreement']:.4f} of {found['images']:,} test "
        f"images the SavedModel's label, and push.min_agreement={found['min_agreement']:g} is required. Lower that if "
        f"its own accuracy of {row['accuracy']['value']:.3f} is enough, or take {row['format']} out of push.formats."
        for row in found["files"]
        if not row["agrees"]
    ]


@dataclass(frozen=True)
class Facts:
    """What an exported file says of itself.

    Attributes:
        format: which of the formats.
        labels: class names in the order of the probabilities.
        height: of the images, pixels.
        width: likewise.
        channels: 1 (grey) or 3 (RGB).
        temperatures: which the logits of each averaged model are divided by, in the graph.
        mirrored: whether the graph averages an image and its mirror image.
        thresholds: the least score of each class that is answered, None for one that never is; None: all are.
        sealed: whether the file has its digest in it; those of earlier revisions have none.
    """

    format: str
    labels: Annotated[tuple[str, ...], Field(min_length=1)]
    height: Annotated[int, Field(gt=0)]
    width: Annotated[int, Field(gt=0)]
    channels: Literal[1, 3]
    temperatures: tuple[float, ...]
    mirrored: bool
    thresholds: tuple[float | None, ...] | None
    sealed: bool = True

    def text(self) -> str:
        """Return the JSON text."""
        return json.dumps({**asdict(self), KEY: _VERSION}, ensure_ascii=False, sort_keys=True)

    @staticmethod
    def parse(text: str | bytes, where: str) -> "Facts":
        """Read that text.

        Raises:
            NewerFormatError: it is of a later format.
            ValueError: it is none of this pipeline's.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            check_version(values.pop(KEY, None), _VERSION, where)
            facts = TypeAdapter(Facts).validate_python({"sealed": False, **values})
        except ValidationError as error:
            first = error.errors()[0]
            problem = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        except NewerFormatError:
            raise
        except (TypeError, AttributeError, ValueError, RecursionError):
            problem = "it is no JSON object"
        else:
            if facts.thresholds is None or len(facts.thresholds) == len(facts.labels):
                return facts
            problem = f"{len(facts.thresholds)} thresholds for {len(facts.labels)} labels"
        raise ValueError(f"what {where} says of itself can't be read: {problem}")
