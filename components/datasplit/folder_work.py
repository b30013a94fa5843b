"""Work units of `datasplit`: some images of a folder in, their augmented copies (and copies of them) out, as files."""

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

from components.augment.augmenter import Augmenter
from components.images.codec import Encoding, decode, encode
from components.images.copy_mark import CopyMark, marked
from components.images.hashing import file_sha256
from components.images.names import EXTENSIONS, copy_extension, copy_name
from components.images.room import Room
from components.work.unit import Counts

JPEG_QUALITY = 95
_FICLONE = 0x40049409
_NOT_HERE = {errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.ENOSYS, errno.EBADF, errno.EPERM}


class Item(NamedTuple):
    """One source: path below `train`, digest, name of its split, copies to make, format, variant of their names."""

    path: str
    sha256: str
    split: str
    copies: int
    format: str
    variant: int


@dataclass(frozen=True)
class FolderUnit:
    """A part of the plan; its items are in a file, so that the runner holds no list of all images."""

    index: int
    items: str

    @classmethod
    def of(cls, index: int, items: Iterable[Item], folder: Path) -> "FolderUnit":
        """Write the items into the folder."""
        path = folder / f"items-{index:05d}"
        path.write_text(json.dumps(list(items)), "ascii")
        return cls(index, str(path))

    def read(self) -> list[Item]:
        """Read the items."""
        return [Item(*fields) for fields in json.loads(Path(self.items).read_text("ascii"))]


@dataclass(frozen=True)
class FolderWork:
    """How units are done.

    Attributes:
        train: the folder that is read.
        stage: the tree that is written; its folders exist.
        copy_originals: whether originals are copied too, or only augmented.
        seed: of the copies.
        pipeline_yaml: text of a custom pipeline, or None.
    """

    train: str
    stage: str
    copy_originals: bool
    seed: int
    pipeline_yaml: str | None

    def prepare(self) -> Callable[[FolderUnit], Counts]:
        """Build the augmenter, once a worker."""
        augmenter = Augmenter(self.seed, self.pipeline_yaml)
        copy_file = FileCopier()

        def do(unit: FolderUnit) -> Counts:
            counts = {"originals": 0, "copies": 0, "resized": 0}
            for item in unit.read():
                if self.copy_originals:
                    copy_file(f"{self.train}/{item.path}", f"{self.stage}/{item.split}/{item.path}")
                    counts["originals"] += 1
                if item.copies:
                    self._augment(item, augmenter, counts)
            return counts

        return do

    def _augment(self, item: Item, augmenter: Augmenter, counts: Counts) -> None:
        data = Path(f"{self.train}/{item.path}").read_bytes()
        if file_sha256(data) != item.sha256:
            raise OSError(errno.ESTALE, "changed while it was being split", item.path)
        encoding, extension = copy_format(item.path, item.format)
        with Room() as room:
            pixels = decode(data, take=room.take).pixels
            for number, image in enumerate(augmenter.copies(pixels, item.sha256, item.copies), start=1):
                name = copy_name(item.path, number, extension, item.variant)
                encoded = encode(image, encoding, JPEG_QUALITY, subsampled=True)
                copy = marked(encoded, encoding, CopyMark(item.sha256, number))
                Path(f"{self.stage}/{item.split}/{name}").write_bytes(copy)
                counts["copies"] += 1
                counts["resized"] += image.shape[:2] != pixels.shape[:2]


def copy_format(path: str, image_format: str) -> tuple[Encoding, str | None]:
    """Return the encoding of a source's copies, and their extension: None for the source's own."""
    encoding = image_format if image_format in EXTENSIONS else "png"  # what OpenCV writes
    return cast("Encoding", encoding), copy_extension(path, encoding)


class FileCopier:
    """Copies files with the cheapest call that the file system has: shared blocks, then the kernel's own copy.

    Never a hard link: a later change of the one file would change the other.
    """

    def __init__(self) -> None:
        self._clones = True

    def __call__(self, source: str, destination: str) -> None:
        """Copy one file's contents."""
        with open(source, "rb") as reader, open(destination, "wb") as writer:  # noqa: PTH123 (surrogates, speed)
            if self._clones:
                try:
                    fcntl.ioctl(writer.fileno(), _FICLONE, reader.fileno())
                except OSError as error:
                    if error.errno not in _NOT_HERE:
                        raise
                    self._clones = False
                else:
                    return
            left = os.fstat(reader.fileno()).st_size
            try:
                while left > 0 and (done := os.copy_file_range(reader.fileno(), writer.fileno(), left)):
                    left -= done
            except OSError as error:
                if error.errno not in _NOT_HERE:
                    raise
            if left:
                shutil.copyfileobj(reader, writer)
