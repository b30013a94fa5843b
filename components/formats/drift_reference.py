"""What a model said and saw of its test split, kept with it in `assets.extra`: what is served now is held against that.

At most 2,000 images, a row each in `reference.parquet`. Embeddings are in half precision: 2 bytes each, 2 MiB with
ResNet-18's 512 and 8 MiB with ResNet-50's 2048, less than a tenth of the model.
"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from components.formats.dataset import open_shard, write_table
from components.formats.drift_sample import Sample
from components.formats.version import KEY
from components.tools.files import StrPath

VERSION = 1
NAME = "reference.parquet"
MOST = 2000  # images
_HALF = np.dtype("<f2")
_ABOUT = b"reference"
_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("group", pa.int32(), nullable=False),
        pa.field("predicted", pa.int32(), nullable=False),
        pa.field("score", pa.float32(), nullable=False),
        pa.field("accepted", pa.bool_(), nullable=False),
        pa.field("brightness", pa.float32(), nullable=False),
        pa.field("sharpness", pa.float32(), nullable=False),
        pa.field("width", pa.int32(), nullable=False),
        pa.field("height", pa.int32(), nullable=False),
        pa.field("embedding", pa.binary(), nullable=False),  # half floats, little-endian
    ]
)


class About(NamedTuple):
    """What a reference is of.

    Attributes:
        labels: class names in the order of their ids.
        model: digest of the model.
        images: originals of the test split, of which those of the reference were drawn.
        height: pixels of the model's input, at which sharpness is measured.
        width: likewise.
        group_regex: by which names are grouped; None where each image stands for itself.
        group_on: "name" or "path": what it is searched in.
    """

    labels: list[str]
    model: str
    images: int
    height: int
    width: int
    group_regex: str | None
    group_on: str


def write_reference(sample: Sample, about: About, folder: StrPath) -> None:
    """Write the reference into a folder; the same sample is the same bytes.

    Raises:
        ValueError: the sample has no embeddings, or nobody knows what the model accepts.
    """
    if sample.embeddings is None or sample.accepted is None:
        raise ValueError("a reference needs embeddings, and whether the model answers")
    numbers = {name: pa.array(getattr(sample, name), _SCHEMA.field(name).type) for name in sample._fields[2:9]}
    columns = {
        "id": pa.array(sample.ids, pa.string()),
        "group": pa.array(sample.groups, pa.int32()),
        **numbers,
        "embedding": pa.array([row.astype(_HALF).tobytes() for row in sample.embeddings], pa.binary()),
    }
    about_it = {KEY: str(VERSION), _ABOUT: json.dumps(about._asdict(), ensure_ascii=False)}
    write_table(pa.table(columns, schema=_SCHEMA.with_metadata(about_it)), Path(folder) / NAME)


def read_reference(folder: StrPath) -> tuple[Sample, About]:
    """Read the reference in a model's assets.

    Raises:
        FileNotFoundError: there is none: an earlier version pushed the model.
        NewerFormatError: it is of a later format.
        ValueError: it is damaged.
    """
    path = Path(folder) / NAME
    try:
        with open_shard(path, str(path), VERSION) as file:
            table, about = file.read(), json.loads(file.schema_arrow.metadata[_ABOUT])
        columns = {name: table[name].to_numpy() for name in _SCHEMA.names[1:-1]}
        embeddings = np.frombuffer(b"".join(table["embedding"].to_pylist()), _HALF).reshape(len(table), -1)
    except (pa.ArrowException, OSError, KeyError, TypeError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # it isn't there, or nobody may read it
            raise
        raise ValueError(f"{path} is damaged ({error}): copy the model again") from None
    groups = columns.pop("group").astype(np.int64)
    columns["predicted"] = columns["predicted"].astype(np.int64)
    return Sample(table["id"].to_pylist(), groups, **columns, embeddings=embeddings.astype(np.float16)), About(**about)
