"""Data in forms that can't be read: what a file or a folder looks like, and how to convert it. Pure."""

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

_FOLDERS = "write each image to train/<label>/ and give that folder"
_IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".avif", ".ppm", ".pgm")
_TABLE_ENDINGS = (".csv", ".tsv", ".parquet")
_ARCHIVE = re.compile(r"\.(zip|tar|tgz|tbz2|txz|tar\.(gz|bz2|xz)|rar|7z)$", re.IGNORECASE)
_TFRECORD = re.compile(r"\.(tfrecords?|tfrec|record)\b", re.IGNORECASE)

_TFDS = ("TFRecord files, as TensorFlow Datasets writes them", f"read them with tfds.load or tf.data, {_FOLDERS}")
_WEBDATASET = ("a WebDataset", f"read it with the webdataset package, {_FOLDERS}")
_COCO = ("COCO's annotations in JSON", f"cut or copy the images by `annotations` and `categories`, {_FOLDERS}")
_YOLO = (
    "a YOLO data set, labels in text files",
    f"cut or copy the images by the first number of each line, {_FOLDERS}",
)
_VOC = ("Pascal VOC's annotations in XML", f"cut or copy the images by `object/name`, {_FOLDERS}")
_LMDB = ("an LMDB", f"read it with the lmdb package, {_FOLDERS}")
_NUMPY = ("arrays of NumPy", f"read them with numpy.load, save them with PIL.Image.fromarray, {_FOLDERS}")
_HDF5 = ("HDF5", f"read it with h5py, save the images with PIL.Image.fromarray, {_FOLDERS}")
_MATLAB = ("a file of MATLAB's", f"read it with scipy.io.loadmat, {_FOLDERS}")
_PICKLE = ("a pickle, which can run code when it is loaded", f"if you trust it, load it with pickle, {_FOLDERS}")
_ARROW = (
    "Arrow, as datasets.save_to_disk writes it",
    "datasets.load_from_disk(…)['train'].to_parquet('train-00000-of-00001.parquet') makes a file that can be given",
)
_IDX = (
    "IDX, the format of MNIST",
    f"read it with numpy.frombuffer, save the images with PIL.Image.fromarray, {_FOLDERS}",
)
_TABLE = (
    "a table without FER2013's columns emotion and pixels",
    "give the folder of its images, and the table with --set data.labels_csv=…",
)

# Beginnings of files: offset, bytes.
_BEGINNINGS = (
    (0, b"\x89HDF\r\n", _HDF5),
    (0, b"\x93NUMPY", _NUMPY),
    (0, b"MATLAB 5.0", _MATLAB),
    (0, b"Rar!", ("a RAR archive", "unpack it with `unrar x` and give the folder")),
    (0, b"7z\xbc\xaf\x27\x1c", ("a 7z archive", "unpack it with `7z x` and give the folder")),
    (0, b"\x28\xb5\x2f\xfd", ("compressed by Zstandard", "unpack it with `zstd -d` and give what comes out")),
    (0, b"\x04\x22\x4d\x18", ("compressed by LZ4", "unpack it with `lz4 -d` and give what comes out")),
    (0, b"ARROW1", _ARROW),
    (0, b"\xff\xff\xff\xff", _ARROW),
    (16, b"\xde\xc0\xef\xbe", _LMDB),
    (0, b"SQLite format 3", ("a database of SQLite", f"export its images, {_FOLDERS}")),
    (0, b"version https://git-lfs", ("a Git LFS pointer, not the data", "run `git lfs pull`")),
    (0, b"<!DOCTYPE", ("a web page, not the data", "download it again, logged in where that is asked for")),
    (0, b"<html", ("a web page, not the data", "download it again, logged in where that is asked for")),
    (0, b"\x00\x00\x08\x03", _IDX),
    (0, b"\x00\x00\x08\x01", _IDX),
    (0, b"\xff\xd8\xff", ("one image", "give the folder with train/<label>/")),
    (0, b"\x89PNG", ("one image", "give the folder with train/<label>/")),
)
# Names of files, for what has no beginning of its own.
_ENDINGS = (
    (_TFRECORD, _TFDS),
    (re.compile(r"\.(pkl|pickle)$|(^|/)(data|test)_batch(_\d)?$", re.IGNORECASE), _PICKLE),
    (re.compile(r"\.npz$|\.npy$", re.IGNORECASE), _NUMPY),
    (re.compile(r"\.(h5|hdf5)$", re.IGNORECASE), _HDF5),
    (re.compile(r"\.mat$", re.IGNORECASE), _MATLAB),
    (re.compile(r"\.arrow$", re.IGNORECASE), _ARROW),
    (re.compile(r"\.(mdb|lmdb)$", re.IGNORECASE), _LMDB),
    (re.compile(r"-ubyte$", re.IGNORECASE), _IDX),
)
# Names that say something of a file that is given by itself, since such files lie beside images too.
_ENDINGS_ALONE = (
    (re.compile(r"\.json$", re.IGNORECASE), _COCO),
    (re.compile(r"\.ya?ml$", re.IGNORECASE), _YOLO),
    (re.compile(r"\.(csv|tsv|txt)$", re.IGNORECASE), _TABLE),
)


def describe_file(name: str, head: bytes) -> str:
    """Return what a file looks like that is no container, and what to do, in one line.

    Args:
        name: of the file.
        head: its first bytes; 512 are enough.
    """
    if not head:
        return f"{name} is empty: get it again"
    found = next((known for offset, start, known in _BEGINNINGS if head.startswith(start, offset)), None)
    endings = (*_ENDINGS, *_ENDINGS_ALONE)
    return _sentence(name, found or next((known for ending, known in endings if ending.search(name)), None))


def describe_compressed(name: str, head: bytes) -> str:
    """Return what a file looks like that is compressed and no archive.

    Args:
        name: of the file.
        head: the first bytes of what is compressed; b"" where it can't be read.
    """
    if not head:
        return f"{name} is compressed and damaged: get it again"
    inside = PurePosixPath(name).stem
    if _TFRECORD.search(inside):
        return _sentence(name, _TFDS)
    return f"{name} is compressed and no archive: unpack it (gzip -d, bzip2 -d or xz -d) and give what comes out"


def is_named_like_an_image(name: str) -> bool:
    """Return whether a file's name ends like an image's."""
    return name.lower().endswith(_IMAGE_ENDINGS)


def describe_folder(files: Sequence[str]) -> str:
    """Return what a folder or an archive looks like if it is a data set in another form, and what to do; "" if not.

    Args:
        files: ids of what is in it.
    """
    names = [PurePosixPath(file) for file in files]
    images = [name for name in names if is_named_like_an_image(name.name)]
    top = {name.parts[0].lower() for name in names if len(name.parts) > 1}
    if any(name.suffix == ".cls" for name in names):
        return _sentence("", _WEBDATASET)
    if images and any(name.suffix == ".json" and _is_coco(name) for name in names) and _is_flat(images):
        return _sentence("", _COCO)
    if {"images", "labels"} <= top and _twins(images, names, ".txt"):
        return _sentence("", _YOLO)
    if any({"images", "labels"} <= {part.lower() for part in _children(names, split)} for split in ("train", "valid")):
        return _sentence("", _YOLO)
    if "annotations" in top and _twins(images, names, ".xml"):
        return _sentence("", _VOC)
    if images or not files:
        return ""
    if all(_ARCHIVE.search(file) for file in files):
        return f"it holds archives alone ({files[0]}): unpack them, and give one of them or the folder"
    if all(file.lower().endswith((*_TABLE_ENDINGS, ".txt", ".md")) for file in files):
        table = next((file for file in files if file.lower().endswith(_TABLE_ENDINGS)), "")
        return f"it holds tables and no images ({table}): unpack it and give that file" if table else ""
    for ending, known in _ENDINGS:
        if any(ending.search(file) for file in files):
            return _sentence("", known)
    return ""


def _sentence(name: str, known: tuple[str, str] | None) -> str:
    what, remedy = known or ("nothing that can be read", f"if it holds images, {_FOLDERS}")
    return f"{name or 'it'} looks like {what}: {remedy}"


def _is_coco(name: PurePosixPath) -> bool:
    return "coco" in name.name.lower() or name.name.startswith("instances_") or name.parent.name == "annotations"


def _is_flat(images: Iterable[PurePosixPath]) -> bool:
    """Return whether images lie in no folders of classes: right in those of splits or in one called images."""
    usual = re.compile(r"^(images?|data|train|valid|val|test)?(\d{4})?$", re.IGNORECASE)
    return all(all(usual.match(part) for part in image.parts[:-1]) for image in images)


def _twins(images: Iterable[PurePosixPath], names: Iterable[PurePosixPath], ending: str) -> bool:
    stems = {name.stem for name in names if name.suffix.lower() == ending}
    return any(image.stem in stems for image in images)


def _children(names: Iterable[PurePosixPath], folder: str) -> set[str]:
    return {name.parts[1] for name in names if len(name.parts) > 2 and name.parts[0].lower() == folder}
