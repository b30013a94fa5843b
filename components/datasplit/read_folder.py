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
from components.images.copies import Copies, find_copies
from components.images.copy_mark import CopyMark, read_mark
from components.images.hashing import file_sha256, near_duplicates, perceptual_hash, pixels_sha256
from components.images.left_out import counted, hollow, kind_of
from components.images.pieces import file_pieces
from components.images.reading import image_bytes
from components.images.room import Room
from components.split.captures import Captures, captured_keys, count_captures
from components.split.groups import group_images

LINK = "a link: links aren't moved or followed"
LINKED_FOLDER = "a link to a folder: links aren't moved or followed"
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
        copies: which of them an earlier split made of others.
        unusable: path and reason of what can't be used.
        folders: paths of the folders.
        left_out: number of files and folders that are surely no data, by kind.
        captures: what `group_regex` captured in; None without one.
    """

    paths: list[str]
    digests: bytes
    formats: NDArray[np.uint8]
    format_names: list[str]
    pixel_counts: NDArray[np.int64]
    groups: NDArray[np.int32]
    copies: Copies
    unusable: list[tuple[str, str]]
    folders: list[str]
    left_out: dict[str, int]
    captures: Captures | None = None

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
    group_on: str = "name",
    near: bool,
    workers: int,
    report: Callable[[int, int], object] = max,
) -> Folder:
    """Find, decode and group all images below `train`.

    Args:
        train: the folder of class folders.
        group_regex: see `components.split.captures`.
        group_on: what it is searched in: "name", of the file, or "path", below `train`.
        near: whether near-duplicates belong together.
        workers: processes.
        report: called with the number of files read and of all files.

    Raises:
        ValueError: `group_regex` is none, or captures nothing.
        OSError: the folder can't be read.
    """
    paths, unusable, folders, left_out = _list_files(train)
    if group_regex is not None:
        _capture(paths, find_copies(paths), group_regex, group_on)  # before hours of decoding
    usable: list[str] = []
    digests, pixel_digests = bytearray(), []
    formats, format_names, pixel_counts, phashes = bytearray(), [], array("q"), []
    marks: dict[int, CopyMark] = {}
    for path, result in zip(paths, _inspect_all(train, paths, near, workers, report), strict=True):
        if isinstance(result, str):
            unusable.append((path, result))
            continue
        sha256, pixel_digest, phash, image_format, pixel_count, mark = result
        if mark:
            marks[len(usable)] = mark
        usable.append(path)
        digests += sha256
        pixel_digests.append(pixel_digest)
        if image_format not in format_names:
            format_names.append(image_format)
        formats.append(format_names.index(image_format))
        pixel_counts.append(pixel_count)
        if near:
            phashes.append(phash)
    file_digests = (digests[start : start + 32].hex() for start in range(0, len(digests), 32))
    copies = find_copies(usable, marks=marks, digests=file_digests)
    keys, captures = _capture(usable, copies, group_regex, group_on)
    groups = group_images(
        pixel_digests,
        near=near_duplicates(phashes) if near else [],
        keys=keys,
        ties=copies.ties(usable),
    )
    numbers: dict[str, int] = {}
    return Folder(
        paths=usable,
        digests=bytes(digests),
        formats=np.frombuffer(bytes(formats), np.uint8),
        format_names=format_names,
        pixel_counts=np.frombuffer(pixel_counts, np.int64),
        groups=np.fromiter((numbers.setdefault(group, len(numbers)) for group in groups), np.int32, len(groups)),
        copies=copies,
        unusable=sorted(unusable),
        folders=folders,
        left_out=counted(left_out.values()),
        captures=captures,
    )


def _capture(
    paths: list[str], copies: Copies, group_regex: str | None, group_on: str
) -> tuple[list[str | None] | None, Captures | None]:
    """Return what the expression captures in each name or path, and in how many of the originals'."""
    if group_regex is None:
        return None, None
    names = paths if group_on == "path" else [path.rpartition("/")[2] for path in paths]
    keys = captured_keys(names, group_regex)
    originals = [index for index in range(len(paths)) if index not in copies.roots]  # a copy follows its source
    found = [keys[index] for index in originals], [names[index] for index in originals]
    return keys, count_captures(*found, group_on, f"--group-regex {group_regex}", "give --group-on path")


def _list_files(train: Path) -> tuple[list[str], list[tuple[str, str]], list[str], dict[str, str]]:
    """Files with a label, what isn't one with the reason, folders, and what was left out with its kind."""
    files: list[str] = []
    folders: list[str] = []
    unusable: list[tuple[str, str]] = []
    left_out: dict[str, str] = {}

    def visit(folder: str, prefix: str) -> None:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
            beside = {entry.name for entry in entries}
            for entry in entries:
                path = prefix + entry.name
                if kind := kind_of(entry.name, beside):
                    left_out[path] = kind
                elif entry.is_symlink():
                    unusable.append((path, LINKED_FOLDER if entry.is_dir() else LINK))
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
    made_here = hollow(folders, [*files, *(path for path, _ in unusable)], left_out)
    return sorted(files), unusable, [folder for folder in folders if folder not in made_here], left_out


_Found = tuple[bytes, str, int | None, str, int, CopyMark | None]


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
    """Digest, pixels' digest, perceptual hash, format, number of pixels, a copy's mark; or why it can't be used."""
    with Room() as room:
        try:
            data = image_bytes(file_pieces(path), MAX_PIXELS)
            picture = decode(data, take=room.take)
        except BadImage as error:
            return str(error)
        except OSError as error:
            return f"can't be read: {error.strerror}"
        pixels = picture.pixels
        phash = perceptual_hash(pixels) if near else None
        sha256 = bytes.fromhex(file_sha256(data))
        return sha256, pixels_sha256(pixels), phash, picture.format, pixels.shape[0] * pixels.shape[1], read_mark(data)
