"""Copies of images that a table excludes, where only the marks in their bytes tell of which."""

import hashlib
from collections.abc import Mapping, Sequence

from components.formats.dataset import ImageRow
from components.images.copy_mark import CopyMark
from components.images.source import DamagedFile, Source


def excluded_copies(
    source: Source, excluded: Mapping[str, str], rows: Sequence[ImageRow], marks: Mapping[str, CopyMark]
) -> dict[str, str]:
    """Return the images that are left out with their sources, and why, by id; copies of copies too.

    The bytes of excluded files are read only if a copy's source isn't among the images.

    Args:
        source: where the files are.
        excluded: why a file is left out, by id.
        rows: the images that stay.
        marks: of the copies among them, by id.
    """
    there = {row.sha256 for row in rows}
    lost = {file_id: mark.source_sha256 for file_id, mark in marks.items() if mark.source_sha256 not in there}
    if not lost or not excluded:
        return {}
    reasons = {digest: why for file_id, why in sorted(excluded.items()) if (digest := _sha256(source, file_id))}
    sha256 = {row.id: row.sha256 for row in rows}
    found: dict[str, str] = {}
    while new := {file_id for file_id, digest in lost.items() if digest in reasons} - found.keys():
        found |= {file_id: reasons[lost[file_id]] for file_id in new}
        reasons |= {sha256[file_id]: found[file_id] for file_id in new}
        there = {digest for file_id, digest in sha256.items() if file_id not in found}
        lost = {file_id: mark.source_sha256 for file_id, mark in marks.items() if mark.source_sha256 not in there}
    return found


def _sha256(source: Source, file_id: str) -> str | None:
    digest = hashlib.sha256()
    try:
        for piece in source.pieces(file_id):
            digest.update(piece)
    except (OSError, DamagedFile):  # it is left out anyway
        return None
    return digest.hexdigest()
