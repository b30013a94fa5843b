"""Data in forms that aren't read: each is named, with a way to convert it."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from drawn_containers import as_tar, as_zip, drawn, faces

from components.images.containers.open_data import open_data
from components.images.containers.other_data import describe_folder
from components.images.source import SourceError


def _arrow(path: Path) -> None:
    table = pa.table({"label": [1]})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)


def _lmdb(path: Path) -> None:
    path.write_bytes(bytes(16) + b"\xde\xc0\xef\xbe" + bytes(4076))  # the first page, by LMDB's own description


@pytest.mark.parametrize(
    ("name", "write", "what", "remedy"),
    [
        ("faces.tfrecord-00000-of-00002", b"\x10\0\0\0\0\0\0\0abcd", "TFRecord", "tfds.load"),
        ("faces.h5", b"\x89HDF\r\n\x1a\n" + bytes(99), "HDF5", "h5py"),
        ("faces.npy", lambda path: np.save(path, np.zeros((2, 4, 4))), "NumPy", "numpy.load"),
        ("faces.mat", b"MATLAB 5.0 MAT-file, Platform: GLNXA64", "MATLAB", "loadmat"),
        ("data.mdb", _lmdb, "LMDB", "lmdb"),
        ("faces.rar", b"Rar!\x1a\x07\x01\0" + bytes(20), "RAR", "unrar x"),
        ("faces.7z", b"7z\xbc\xaf\x27\x1c" + bytes(20), "7z", "7z x"),
        ("faces.tar.zst", b"\x28\xb5\x2f\xfd" + bytes(20), "Zstandard", "zstd -d"),
        ("data-00000-of-00001.arrow", _arrow, "datasets.save_to_disk", "to_parquet"),
        ("data_batch_1", b"\x80\x02}q\x01", "pickle", "if you trust it"),
        ("train-images-idx3-ubyte", b"\0\0\x08\x03" + bytes(20), "MNIST", "numpy.frombuffer"),
        ("instances_train2017.json", b'{"images": [], "annotations": []}', "COCO", "categories"),
        ("data.yaml", b"names: [happy, sad]", "YOLO", "first number"),
        ("labels.csv", b"path,label\na.jpg,happy\n", "a table without", "data.labels_csv"),
        ("face.jpg", b"\xff\xd8\xff\xe0" + bytes(20), "one image", "give the folder"),
        ("faces.zip", b"<!DOCTYPE html><html>", "a web page", "download it again"),
        ("faces.bin", b"what is this" * 9, "nothing that can be read", "train/<label>/"),
    ],
)
def test_a_file_that_is_not_read_is_named_with_a_remedy(
    name: str, write: bytes | Callable[[Path], None], what: str, remedy: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    write(path) if callable(write) else path.write_bytes(write)

    with pytest.raises(SourceError) as error:
        open_data(str(path))
    message = str(error.value)
    assert message.startswith(f"data: {name} looks like ")
    assert what in message
    assert remedy in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.zip", b"", "a.zip is empty: get it again"),
        ("fer2013.csv.gz", None, "fer2013.csv.gz is compressed and no archive: unpack it"),
        ("a.tfrecord.gz", None, "a.tfrecord.gz looks like TFRecord files"),
        ("a.tar.gz", b"\x1f\x8b\x08\0damaged", "a.tar.gz is compressed and damaged: get it again"),
    ],
)
def test_a_file_that_is_compressed_or_empty_is_named(
    name: str, content: bytes | None, message: str, tmp_path: Path
) -> None:
    import gzip

    (tmp_path / name).write_bytes(gzip.compress(b"emotion,pixels\n") if content is None else content)

    with pytest.raises(SourceError, match=message):
        open_data(str(tmp_path / name))


@pytest.mark.parametrize(
    ("files", "what"),
    [
        (["1.0.0/faces-train.tfrecord-00000-of-00001", "1.0.0/dataset_info.json"], "TensorFlow Datasets"),
        (["annotations/instances_train2017.json", "train2017/1.jpg"], "COCO"),
        (["train/_annotations.coco.json", "train/1.jpg"], "COCO"),
        (["images/train/1.jpg", "labels/train/1.txt", "data.yaml"], "YOLO"),
        (["train/images/1.jpg", "train/labels/1.txt", "data.yaml"], "YOLO"),
        (["JPEGImages/1.jpg", "Annotations/1.xml"], "Pascal VOC"),
        (["000000.jpg", "000000.cls"], "WebDataset"),
        (["train/data-00000-of-00001.arrow", "train/state.json", "dataset_dict.json"], "save_to_disk"),
        (["data.mdb", "lock.mdb"], "LMDB"),
        (["x_train.npy", "y_train.npy"], "NumPy"),
        (["cifar-10-batches-py/data_batch_1", "cifar-10-batches-py/readme.html"], "pickle"),
        (["00000.tar", "00001.tar"], "archives alone (00000.tar)"),
        (["fer2013/fer2013.csv", "fer2013/README.txt"], "unpack it and give that file"),
    ],
)
def test_a_folder_or_archive_in_another_form_is_named(files: list[str], what: str) -> None:
    assert what in describe_folder(files)


@pytest.mark.parametrize(
    "files",
    [
        [],
        list(faces()),
        [*faces(), "labels.csv", "annotations/notes.json", "model.h5", "README.md"],
        ["happy/1.jpg", "sad/1.jpg", "sad/1.txt", "data.yaml"],
        ["train/happy/note.txt"],
    ],
)
def test_a_folder_of_classes_is_none_of_them(files: list[str]) -> None:
    assert describe_folder(files) == ""


def test_an_archive_of_arrays_or_of_a_table_says_so(tmp_path: Path) -> None:
    np.savez(tmp_path / "faces.npz", x=np.zeros(3), y=np.zeros(3))
    inside = as_tar({"fer2013/fer2013.csv": b"emotion,pixels,Usage\n"}, tmp_path / "fer2013.tar.gz", "w:gz")

    assert "NumPy" in describe_folder(open_data(str(tmp_path / "faces.npz")).list().files)
    assert "(fer2013/fer2013.csv): unpack it and give that file" in describe_folder(open_data(str(inside)).list().files)


def test_an_archive_in_an_archive_is_not_followed(tmp_path: Path) -> None:
    inner = as_zip({"happy/a.png": drawn(1)}, tmp_path / "inner.zip", zipfile.ZIP_STORED).read_bytes()
    outer = as_zip(faces() | {"train/happy/inner.zip": inner}, tmp_path / "outer.zip")

    assert set(open_data(str(outer)).list().files) == {*faces(), "train/happy/inner.zip"}
