"""Find the files in a zip archive."""

import stat
import zipfile
import zlib
from pathlib import Path

from components.images.containers.archive_names import ArchiveEntry, arrange
from components.images.containers.contents import Contents
from components.images.containers.members import BZIP2, DEFLATED, STORED, Member, refuse_bomb
from components.images.source import SourceError, printable
from components.tools.retries import reason

_ENCRYPTED = 0x1
_UTF8 = 0x800
_DOS = 0  # the system on which names have `\` between their parts, as some of Windows' programs still write them
_LONGEST_LINK = 4096
_METHODS = {1: "shrink", 6: "implode", 9: "Deflate64", 14: "LZMA", 93: "Zstandard", 95: "XZ", 98: "PPMd"}


def read_zip(path: Path, name: str) -> Contents:
    """Return what is in a zip archive; its bytes stay where they are.

    Args:
        path: of the archive.
        name: of the archive, for messages.

    Raises:
        SourceError: it is damaged, encrypted or a bomb.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = archive.infolist()
            locked = [info for info in found if info.flag_bits & _ENCRYPTED]
            if locked:
                raise SourceError(
                    f"data: {name} is encrypted ({len(locked)} of {len(found)} entries): "
                    "unpack it with its password and give the folder"
                )
            entries = [_entry(archive, info) for info in found]
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError, zlib.error) as error:
        raise SourceError(
            f"data: {name} isn't a whole zip archive ({reason(error)}): it may be cut off or one of several parts. "
            "Get it again, or unpack it and give the folder"
        ) from None
    refuse_bomb(name, path.stat().st_size, sum(info.file_size for info in found))
    files = arrange(entries)
    members = {id_: _member(found[number]) for id_, number in files.members.items()}
    return Contents(path, members, files.listing())


def _entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> ArchiveEntry:
    name = _name(info)
    mode = info.external_attr >> 16
    if name.endswith("/"):
        return ArchiveEntry(name, "folder")
    if stat.S_ISLNK(mode):
        target = archive.read(info) if info.file_size <= _LONGEST_LINK else b""
        return ArchiveEntry(name, "link", printable(target))
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return ArchiveEntry(name, "other")
    known = info.compress_type in (STORED, DEFLATED, BZIP2)
    method = _METHODS.get(info.compress_type, f"method {info.compress_type}")
    return ArchiveEntry(name, "file", unusable="" if known else f"compressed in a way that can't be read: {method}")


def _name(info: zipfile.ZipInfo) -> str:
    """Return the name: UTF-8, also where a program didn't say so (macOS' doesn't), else code page 437."""
    name = info.filename
    if not info.flag_bits & _UTF8:
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = info.filename
    return name.replace("\\", "/") if info.create_system == _DOS else name


def _member(info: zipfile.ZipInfo) -> Member:
    return Member(info.header_offset, info.compress_size, info.file_size, info.compress_type, info.CRC)
