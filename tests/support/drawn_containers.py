"""A small data set, drawn, and the same in the containers in which data sets are published."""

import csv
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from components.images.codec import encode
from components.images.containers.open_data import open_data
from components.images.source import Listing

LABELS = ("happy", "sad")


def drawn(seed: int, side: int = 24) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (side, side, 3), dtype=np.uint8)
    return encode(pixels, "png")


def faces(wrapper: str = "") -> dict[str, bytes]:
    """Six images of each class in train and two in test."""
    return {
        f"{wrapper}{split}/{label}/{index}.png": drawn(1000 * (split == "test") + 100 * number + index)
        for split, count in (("train", 6), ("test", 2))
        for number, label in enumerate(LABELS)
        for index in range(count)
    }


def as_folder(files: Mapping[str, bytes], folder: Path) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def as_zip(files: Mapping[str, bytes], path: Path, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def as_tar(files: Mapping[str, bytes], path: Path, mode: str = "w", more: Sequence[tarfile.TarInfo] = ()) -> Path:
    """With further entries that have no content."""
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in more:
            archive.addfile(info)
    return path


def as_parquet(rows: Sequence[tuple[Any, Any]], path: Path, names: Sequence[str] | None = LABELS) -> Path:
    """Write images and labels as Hugging Face's `datasets` does, which isn't installed here: a stand-in for it.

    Its `ArrowWriter` keeps the features in the schema's metadata under `huggingface`, as `Features.to_dict` gives them.

    Args:
        rows: image (`{"bytes": …, "path": …}`) and label.
        path: of the file.
        names: of the classes, by number; None for labels that are text, without metadata.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema([("image", image), ("label", pa.string() if names is None else pa.int64())])
    if names is not None:
        features = {"image": {"_type": "Image"}, "label": {"names": list(names), "_type": "ClassLabel"}}
        schema = schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    columns = [[image for image, _ in rows], [label for _, label in rows]]
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), path, row_group_size=5)
    return path


def parquet_rows(files: Mapping[str, bytes], split: str) -> list[tuple[Any, Any]]:
    return [
        ({"bytes": data, "path": name.rsplit("/", 1)[1]}, LABELS.index(name.split("/")[1]))
        for name, data in files.items()
        if name.startswith(f"{split}/")
    ]


def fer2013_rows(count: int = 14) -> list[dict[str, str]]:
    rows = []
    for index in range(count):
        pixels = np.random.default_rng(index).integers(0, 256, 48 * 48)
        usage = "Training" if index < count - 4 else "PublicTest" if index < count - 2 else "PrivateTest"
        rows.append({"emotion": str(3 + index % 2), "pixels": " ".join(map(str, pixels)), "Usage": usage})
    return rows


def as_fer2013(rows: Sequence[Mapping[str, str]], path: Path, header: Mapping[str, str] | None = None) -> Path:
    """Write rows as FER2013 is published, or with its columns in another order and under other headers."""
    header = header or {name: name for name in ("emotion", "pixels", "Usage")}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header.values())
        writer.writerows([row[name] for name in header] for row in rows)
    return path


def contents(path: Path | str) -> dict[str, bytes]:
    source = open_data(str(path))
    return {file_id: source.read(file_id) for file_id in source.list().files}


def listing(path: Path) -> Listing:
    return open_data(str(path)).list()


def cut(path: Path, keep: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    return path
