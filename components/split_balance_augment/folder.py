"""Read a folder `train/<label>/…` for `datasplit`: which images there are, what they are, and which belong together.

Names are kept as the file system has them (bytes that aren't UTF-8 as surrogates). What can't be used stays where it is
and is reported with a reason.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from components.images.codec import BadImage, decode
from components.images.groups import group_images
from components.images.hashing import bytes_digest, near_duplicates, perceptual_hash, pixels_digest
from components.images.names import source_keys

_FILES_PER_TASK = 512
# Below this a pool of processes costs more than it brings.
_FILES_WORTH_A_POOL = 1500


@dataclass(frozen=True)
class Image:
    """One usable image.

    Attributes:
        path: `<label>/…/<file name>`, relative to `train`.
        sha256: of the file's bytes, hex.
        format: what the bytes are, e.g. "jpeg".
        pixel_count: height × width.
        group: images that share it stay together.
    """

    __slots__ = ("format", "group", "path", "pixel_count", "sha256")
    path: str
    sha256: str
    format: str
    pixel_count: int
    group: str

    @property
    def label(self) -> str:
        """Class name."""
        return self.path.partition("/")[0]


@dataclass(frozen=True)
class Folder:
    """What a folder holds.

    Attributes:
        images: usable images, sorted by path.
        unusable: path and reason of what can't be used.
        folders: paths of the folders in it.
    """

    images: list[Image]
    unusable: list[tuple[str, str]]
    folders: list[str]


def read_folder(
    train: Path,
    *,
    group_regex: str | None,
    near: bool,
    follow_links: bool,
    workers: int,
    report: Callable[[int, int], object] = max,
) -> Folder:
    """Find, decode and group all images below `train`.

    Args:
        train: the folder of class folders.
        group_regex: see `components.images.groups`.
        near: whether near-duplicates belong together.
        follow_links: whether links to files are read; links to folders never are.
        workers: processes.
        report: called with the number of files read and of all files.

    Raises:
        ValueError: `group_regex` is none.
        OSError: the folder can't be read.
    """
    paths, unusable, folders = _list_files(train, follow_links)
    found, phashes, digests = [], [], []
    for path, result in zip(paths, _inspect_all(train, paths, near, workers, report), strict=True):
        if isinstance(result, str):
            unusable.append((path, result))
            continue
        sha256, digest, phash, image_format, pixel_count = result
        found.append((path, sha256, image_format, pixel_count))
        digests.append(digest)
        phashes.append(phash)
    names = [path.rpartition("/")[2] for path, *_ in found]
    pairs = near_duplicates(phashes) if near else []
    sources = source_keys([path for path, *_ in found])
    groups = group_images(names, digests, near=pairs, group_regex=group_regex, sources=sources)
    images = [Image(*fields, group) for fields, group in zip(found, groups, strict=True)]
    return Folder(images, sorted(unusable), folders)


def _list_files(train: Path, follow_links: bool) -> tuple[list[str], list[tuple[str, str]], list[str]]:
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
                if entry.is_symlink() and not (follow_links and entry.is_file()):
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


_Found = tuple[str, str, int | None, str, int]


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
        data = Path(path).read_bytes()
        picture = decode(data)
    except BadImage as error:
        return str(error)
    except OSError as error:
        return f"can't be read: {error.strerror}"
    pixels = picture.pixels
    phash = perceptual_hash(pixels) if near else None
    return bytes_digest(data), pixels_digest(pixels), phash, picture.format, pixels.shape[0] * pixels.shape[1]
