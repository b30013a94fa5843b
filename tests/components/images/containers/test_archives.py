"""Zip and tar archives as they come: with odd names, links, bombs, damaged or cut off."""

import stat
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from drawn_containers import (
    as_parquet,
    as_tar,
    as_zip,
    contents,
    cut,
    drawn,
    faces,
    listing,
)

from components.images.containers import members
from components.images.containers.open_data import open_data
from components.images.source import DamagedFile, SourceError

MIB = 1 << 20


def entry(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_links_devices_and_odd_names_of_a_tar_never_lead_out(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(drawn(99))
    odd = [
        entry("train/happy/link.png", tarfile.SYMTYPE, "0.png"),
        entry("train/happy/hard.png", tarfile.LNKTYPE, "train/happy/1.png"),
        entry("train/happy/out.png", tarfile.SYMTYPE, str(tmp_path / "secret.png")),
        entry("train/happy/null", tarfile.CHRTYPE),
        entry("train/happy/pipe", tarfile.FIFOTYPE),
        entry("train/empty", tarfile.DIRTYPE),
    ]
    files = faces() | {"../../escaped.png": drawn(1), "/tmp/absolute.png": drawn(2), "train/happy/.hidden.png": b""}
    source = open_data(str(as_tar(files, tmp_path / "a.tar", more=odd)))
    found = source.list()

    assert set(found.files) == {*faces(), "train/happy/link.png", "train/happy/hard.png"}
    assert source.read("train/happy/link.png") == faces()["train/happy/0.png"]
    assert source.read("train/happy/hard.png") == faces()["train/happy/1.png"]
    assert dict(found.unusable) == {
        "train/happy/out.png": "link that leads out of the archive",
        "train/happy/null": "not a regular file",
        "train/happy/pipe": "not a regular file",
        "../../escaped.png": "a name that leads out of the archive",
        "tmp/absolute.png": "an absolute name, which leads out of the archive",
    }
    assert (found.hidden, found.linked) == (1, frozenset({"train/happy/link.png"}))
    assert "train/empty" in found.folders


def test_links_and_names_of_a_zip_never_lead_out(tmp_path: Path) -> None:
    path = as_zip(faces() | {"../escaped.png": drawn(1)}, tmp_path / "a.zip")
    with zipfile.ZipFile(path, "a") as archive:
        for name, target in (("train/happy/link.png", "0.png"), ("train/happy/out.png", "/etc/passwd")):
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, target)
    source = open_data(str(path))
    found = source.list()

    assert source.read("train/happy/link.png") == faces()["train/happy/0.png"]
    assert dict(found.unusable) == {
        "train/happy/out.png": "link that leads out of the archive",
        "../escaped.png": "a name that leads out of the archive",
    }


class Unmarked(zipfile.ZipInfo):
    """An entry whose name is bytes of which nothing is said, as many programs write them."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802
        return self.filename.encode("latin-1"), 0


def test_names_of_a_zip_are_utf8_or_code_page_437_and_may_be_divided_as_on_windows(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("happy/gr\u00fc\u00df.png", b"1")  # zipfile says that it is UTF-8
        archive.writestr(Unmarked("happy/\xc3\xa9.png"), b"2")  # macOS doesn't
        archive.writestr(Unmarked("happy/\x84.png"), b"2")  # an old DOS name
        info = zipfile.ZipInfo("x")
        info.filename, info.create_system = "sad\\b.png", 0
        archive.writestr(info, b"3")

    assert listing(path).files == ["happy/grüß.png", "happy/ä.png", "happy/é.png", "sad/b.png"]


def test_a_name_in_a_tar_that_is_no_utf8_is_printable(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT, encoding="latin-1") as archive:
        for name in ("happy/\xe9.png", "sad/b.png"):
            archive.addfile(tarfile.TarInfo(name))

    assert listing(path).files == ["happy/\\xe9.png", "sad/b.png"]


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = as_zip(faces(), tmp_path / "a.zip")
    data = bytearray(path.read_bytes())
    at = data.find(b"PK\1\2")
    while at >= 0:
        data[at + 8] |= 1  # the flag of an encrypted entry, which zipfile can't write
        at = data.find(b"PK\1\2", at + 1)
    path.write_bytes(data)

    with pytest.raises(SourceError, match=r"a\.zip is encrypted \(16 of 16 entries\): unpack it with its password"):
        listing(path)


def test_a_bomb_is_refused_before_it_has_filled_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "_LARGE", 4 * MIB)
    monkeypatch.setattr(members, "_MOST_TIMES", 5)
    zeros = {f"happy/{index}.bmp": bytes(MIB) for index in range(64)}
    row = ({"bytes": bytes(MIB), "path": None}, 0)

    (tmp_path / "scratch").mkdir()
    for path in (
        as_zip(zeros, tmp_path / "a.zip"),
        as_tar(zeros, tmp_path / "a.tgz", "w:gz"),
        as_parquet([row] * 64, tmp_path / "a.parquet"),
    ):
        source = open_data(str(path), tmp_path / "scratch")
        with pytest.raises(SourceError, match=f"{path.name} has .* unpacks to more than .*: refused, it may be a bomb"):
            source.list()
        assert sum(file.stat().st_size for file in (tmp_path / "scratch").rglob("*") if file.is_file()) < 9 * MIB
        del source


def test_a_large_archive_of_images_is_no_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "_LARGE", 1)

    assert len(contents(as_tar(faces(), tmp_path / "a.tgz", "w:gz"))) == 16


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
@pytest.mark.parametrize("keep", [0.5, 0.93])
def test_a_tar_that_is_cut_off_is_refused(mode: str, keep: float, tmp_path: Path) -> None:
    if mode == "w" and keep > 0.9:
        pytest.skip("only the zeros at the end of the archive are missing")

    with pytest.raises(SourceError, match=r"a is(n't a whole tar archive| compressed and damaged).*[Gg]et it again"):
        listing(cut(as_tar(faces(), tmp_path / "a", mode), keep))


def test_a_tar_that_is_damaged_in_its_middle_is_refused(tmp_path: Path) -> None:
    path = as_tar(faces(), tmp_path / "a.tar")
    with tarfile.open(path) as archive:
        offset = archive.getmembers()[5].offset
    data = bytearray(path.read_bytes())
    data[offset : offset + 20] = b"?" * 20
    path.write_bytes(data)

    with pytest.raises(SourceError, match=f"neither an entry nor the end at byte {offset}"):
        listing(path)


def test_a_zip_whose_names_are_not_what_it_says_is_refused(tmp_path: Path) -> None:
    path = as_zip({"happy/é.png": b"1", "sad/b.png": b"2"}, tmp_path / "a.zip")
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xe9\xe9"))  # marked as UTF-8

    with pytest.raises(SourceError, match=r"a\.zip isn't a whole zip archive"):
        listing(path)


def test_a_zip_that_is_cut_off_is_refused_and_a_damaged_file_in_one_has_a_reason(tmp_path: Path) -> None:
    path = as_zip(faces(), tmp_path / "a.zip", zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[data.find(faces()["train/sad/2.png"]) + 100] ^= 255
    path.write_bytes(data)
    source = open_data(str(path))
    source.list()

    with pytest.raises(DamagedFile, match="damaged: its checksum is wrong"):
        source.read("train/sad/2.png")
    with pytest.raises(SourceError, match=r"a\.zip isn't a whole zip archive .* cut off"):
        listing(cut(path, 0.9))


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_damage_in_a_zip_is_never_an_image_and_never_a_crash(compression: int, tmp_path: Path) -> None:
    files_in = faces()
    path = as_zip(files_in, tmp_path / "a.zip", compression)
    good, random = path.read_bytes(), np.random.default_rng(7)
    for _ in range(60):
        data = bytearray(good)
        for at in random.integers(0, len(data), 3):
            data[at] ^= int(random.integers(1, 256))
        path.write_bytes(data)
        try:
            source = open_data(str(path))
            files = source.list().files
        except SourceError:
            continue
        for file_id in files:
            try:
                found = source.read(file_id)
            except DamagedFile:
                continue
            assert found in files_in.values()


def test_a_method_of_compression_that_cannot_be_read_is_a_reason(tmp_path: Path) -> None:
    path = as_zip(faces(), tmp_path / "a.zip")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_LZMA) as archive:
        archive.writestr("train/sad/lzma.png", drawn(5))

    assert listing(path).unusable == [("train/sad/lzma.png", "compressed in a way that can't be read: LZMA")]


def test_zlib_is_not_trusted_with_the_length(tmp_path: Path) -> None:
    """An entry that says it is short and goes on is damaged, and isn't read to its end."""
    path = as_zip({"happy/a": bytes(64 * MIB), "sad/b": b"x"}, tmp_path / "a.zip")
    data = bytearray(path.read_bytes())
    at = data.find(b"PK\1\2") + 24
    data[at : at + 4] = (1000).to_bytes(4, "little")
    path.write_bytes(data)
    source = open_data(str(path))
    source.list()

    with pytest.raises(DamagedFile, match="longer than the archive says"):
        source.read("happy/a")
    assert zlib.crc32(source.read("sad/b")) == zlib.crc32(b"x")
