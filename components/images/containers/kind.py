"""What a file of images is, by its content. Imports little: a look at the data begins with it."""

from pathlib import Path
from typing import Literal

from components.images.containers.other_data import describe_compressed, describe_file
from components.images.containers.read_tar import compressed_head, is_compressed, starts_a_tar
from components.images.containers.stored_file import StoredFile
from components.images.source import SourceError

_HEAD = 4096
_SHOWN = 300  # of a path that is too long to be one
_BLOCK = 512
# Without its columns a table isn't FER2013's.
_FER2013 = {"emotion", "pixels"}


def container_at(uri: str) -> StoredFile | None:
    """Return the file at a path or URI; None if that is a folder or a prefix, or nothing.

    Raises:
        SourceError: a file of this machine holds no images in a form that can be read.
    """
    file = StoredFile(uri.removeprefix("file://"))
    if file.is_remote and "." not in file.name:
        return None
    try:
        if not file.is_there():
            return None
    except OSError as error:
        raise SourceError(f"data: can't read {uri[:_SHOWN]}: {error.strerror or error}") from None
    if not file.is_remote:
        kind_of(Path(file.uri), file.name)
    return file


def kind_of(path: Path, name: str) -> Literal["zip", "tar", "compressed tar", "parquet", "fer2013"]:
    """Return what a file of this machine is, by its content.

    Raises:
        SourceError: it is nothing that can be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise SourceError(f"data: can't read {path}: {error.strerror}") from None
    if head.startswith((b"PK\3\4", b"PK\5\6")):
        return "zip"
    if head.startswith(b"PAR1"):
        return "parquet"
    if starts_a_tar(head[:_BLOCK]):
        return "tar"
    if is_compressed(head):
        inside = compressed_head(path)
        if starts_a_tar(inside):
            return "compressed tar"
        raise SourceError(f"data: {describe_compressed(name, inside)}")
    if _is_fer2013(head):
        return "fer2013"
    raise SourceError(f"data: {describe_file(name, head)}")


def fer2013_columns(row: list[str]) -> list[str]:
    """Return the names of a header's columns; some releases have blanks around them."""
    return [column.strip().strip('"').lower() for column in row]


def _is_fer2013(head: bytes) -> bool:
    line = head.decode("utf-8-sig", "replace").partition("\n")[0]
    return set(fer2013_columns(line.split(","))) >= _FER2013
