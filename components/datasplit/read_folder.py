"""Read a folder `train/<label>/…` for `datasplit`: which images there are, what they are, and which belong together.

Names are kept as the file system has them (bytes that aren't UTF-8 as surrogates). What can't be used stays where it is
and is reported with a reason.
"""

import multiprocessing
import os
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.images.codec import MAX_PIXELS, BadImage, decode
from components.images.hashing import file_sha256, near_duplicates, perceptual_hash, pixels_sha256
from components.images.names import source_keys
from components.images.reading import image_bytes
from components.images.source import file_pieces
from components.split.groups import group_images

_FILES_PER_TASK = 512
# Below this a pool of processes costs more than it brings.
_FILES_WORTH_A_POOL = 1500


@dataclass(frozen=True)
class Folder:
    """What a folder holds; the images in columns, sorted by path, since there may be a great many of them.

    Attributes:
        paths: `<label>/…/<file name>` of each image, relative to `train`.
        digests: SHA-256 of their files' bytes, 32 bytes each, one after the other.
        formats: what their bytes are, as indices into `format_names`.
        format_names: e.g. "jpeg".
        pixel_counts: height × width.
        groups: images with the same number stay together.
        unusable: path and reason of what can't be used.
        folders: paths of the folders.
    """

    paths: list[str]
    digests: bytes
    formats: NDArray[np.uint8]
    format_names: list[str]
    pixel_counts: NDArray[np.int64]
    groups: NDArray[np.int32]
    unusable: list[tuple[str, str]]
    folders: list[str]

    def sha256(self, index: int) -> str:
        """Return the digest of one image's file, in hex."""
        return self.digests[32 * index : 32 * index + 32].hex()

    def format(self, index: int) -> str:
        """Return the format of one image."""
        return self.format_names[self.formats[index]]


def read_folder(
    train: Path,
    *,
    group_regex: str | None,
    near: bool,
    workers: int,
    report: Callable[[int, int], object] = max,
) -> Folder:
    """Find, decode and group all images below `train`.

    Args:
        train: the folder of class folders.
        group_regex: see `components.split.groups`.
        near: whether near-duplicates belong together.
        workers: processes.
        report: called with the number of files read and of all files.

    Raises:
        ValueError: `group_regex` is none.
        OSError: the folder can't be read.
    """
    paths, unusable, folders = _list_files(train)
    usable: list[str] = []
    digests, pixel_digests = bytearray(), []
    formats, format_names, pixel_counts, phashes = bytearray(), [], array("q"), []
    for path, result in zip(paths, _inspect_all(train, paths, near, workers, report), strict=True):
        if isinstance(result, str):
            unusable.append((path, result))
            continue
        sha256, pixel_digest, phash, image_format, pixel_count = result
        usable.append(path)
        digests += sha256
        pixel_digests.append(pixel_digest)
        if image_format not in format_names:
            format_names.append(image_format)
        formats.append(format_names.index(image_format))
        pixel_counts.append(pixel_count)
        if near:
            phashes.append(phash)
    groups = group_images(
        [path.rpartition("/")[2] for path in usable] if group_regex else usable,
        pixel_digests,
        near=near_duplicates(phashes) if near else [],
        group_regex=group_regex,
        ties=source_keys(usable),
    )
    numbers: dict[str, int] = {}
    return Folder(
        paths=usable,
        digests=bytes(digests),
        formats=np.frombuffer(bytes(formats), np.uint8),
        format_names=format_names,
        pixel_counts=np.frombuffer(pixel_counts, np.int64),
        groups=np.fromiter((numbers.setdefault(group, len(numbers)) for group in groups), np.int32, len(groups)),
        unusable=sorted(unusable),
        folders=folders,
    )


def _list_files(train: Path) -> tuple[list[str], list[tuple[str, str]], list[str]]:
    """Files with a label, what isn't one with the reason, and folders."""
    files: list[str] = []
    folders: list[str] = []
    unusable: list[tuple[str, str]] = []

    def visit(folder: str, prefix: str) -> None:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                path = prefix + entry.name
                if entry.name.startswith("."):
                    continue
                if entry.is_symlink():
                    unusable.append((path, "a link: links aren't moved or followed"))
                elif entry.is_dir():
                    folders.append(path)
                    visit(entry.path, f"{path}/")
                elif not prefix:
                    unusable.append((path, "not in a class folder"))
                elif entry.is_file():
                    files.append(path)
                else:
                    unusable.append((path, "not a regular file"))

    visit(os.fspath(train), "")
    return sorted(files), unusable, folders


_Found = tuple[bytes, str, int | None, str, int]


def _inspect_all(
    train: Path, paths: list[str], near: bool, workers: int, report: Callable[[int, int], object]
) -> Iterator[_Found | str]:
    tasks = [paths[start : start + _FILES_PER_TASK] for start in range(0, len(paths), _FILES_PER_TASK)]
    inspect = partial(_inspect_files, os.fspath(train), near)
    done = 0
    pool = None
    results: Iterator[list[_Found | str]] = map(inspect, tasks)
    if len(paths) >= _FILES_WORTH_A_POOL and workers > 1:
        pool = ProcessPoolExecutor(min(workers, len(tasks)), mp_context=multiprocessing.get_context("spawn"))
        results = pool.map(inspect, tasks)
    try:
        for result in results:
            done += len(result)
            report(done, len(paths))
            yield from result
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)


def _inspect_files(train: str, near: bool, paths: list[str]) -> list[_Found | str]:
    return [_inspect_file(f"{train}/{path}", near) for path in paths]


def _inspect_file(path: str, near: bool) -> _Found | str:
    """Digest, pixels' digest, perceptual hash, format, number of pixels; or why it can't be used."""
    try:
        data = image_bytes(file_pieces(path), MAX_PIXELS)
        picture = decode(data)
    except BadImage as error:
        return str(error)
    except OSError as error:
        return f"can't be read: {error.strerror}"
    pixels = picture.pixels
    phash = perceptual_hash(pixels) if near else None
    sha256 = bytes.fromhex(file_sha256(data))
    return sha256, pixels_sha256(pixels), phash, picture.format, pixels.shape[0] * pixels.shape[1]
