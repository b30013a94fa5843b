"""Archives, Parquet and FER2013's table, read as if their files lay in a folder."""

import pickle
import resource
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from drawn_containers import (
    LABELS,
    as_fer2013,
    as_folder,
    as_parquet,
    as_tar,
    as_zip,
    drawn,
    faces,
    fer2013_rows,
    parquet_rows,
)

from components.images.codec import decode
from components.images.containers import members
from components.images.containers.open_data import ContainerSource, open_data
from components.images.folder_digest import folder_digest, quick_digest
from components.images.source import DamagedFile, Listing, LocalSource, SourceError

MIB = 1 << 20


def contents(path: Path | str) -> dict[str, bytes]:
    source = open_data(str(path))
    return {file_id: source.read(file_id) for file_id in source.list().files}


def listing(path: Path) -> Listing:
    return open_data(str(path)).list()


@pytest.mark.parametrize("wrapper", ["", "my faces/"])
@pytest.mark.parametrize(
    "make",
    [
        lambda files, path: as_zip(files, path),
        lambda files, path: as_zip(files, path, zipfile.ZIP_STORED),
        lambda files, path: as_zip(files, path, zipfile.ZIP_BZIP2),
        lambda files, path: as_tar(files, path),
        lambda files, path: as_tar(files, path, "w:gz"),
        lambda files, path: as_tar(files, path, "w:bz2"),
        lambda files, path: as_tar(files, path, "w:xz"),
    ],
    ids=["zip", "zip-stored", "zip-bzip2", "tar", "tar.gz", "tar.bz2", "tar.xz"],
)
def test_an_archive_holds_what_the_folder_holds_whatever_it_is_called(
    make: Callable[[Any, Path], Path], wrapper: str, tmp_path: Path
) -> None:
    assert contents(make(faces(wrapper), tmp_path / "download")) == faces()


def test_the_listing_of_an_archive_is_the_folders(tmp_path: Path) -> None:
    folder = listing(as_folder(faces(), tmp_path / "faces"))

    for archive in (as_zip(faces("x/"), tmp_path / "a.zip"), as_tar(faces("x/"), tmp_path / "a.tgz", "w:gz")):
        found = listing(archive)
        assert (found.files, found.folders, found.unusable) == (folder.files, folder.folders, [])


def test_a_source_is_read_by_other_processes_and_many_threads(tmp_path: Path) -> None:
    for path in (as_zip(faces(), tmp_path / "a.zip"), as_tar(faces(), tmp_path / "a.tgz", "w:gz")):
        source = open_data(str(path))
        files = source.list().files
        copy = pickle.loads(pickle.dumps(source))
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(copy.read, files * 8)) == [faces()[file_id] for file_id in files * 8]


def test_a_pickled_source_is_as_small_as_its_name(tmp_path: Path) -> None:
    source = open_data(str(as_zip(faces(), tmp_path / "a.zip")))
    source.list()

    assert len(pickle.dumps(source)) < 1000


def test_what_was_unpacked_is_gone_with_the_source(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    source = open_data(str(as_tar(faces(), tmp_path / "a.tgz", "w:gz")), tmp_path / "scratch")
    source.list()
    assert list((tmp_path / "scratch").iterdir())

    del source

    assert not list((tmp_path / "scratch").iterdir())


def test_a_file_that_became_shorter_since_it_was_listed_is_damaged(tmp_path: Path) -> None:
    path = as_tar({"happy/a": b"1" * 5000, "sad/b": b"2" * 5000}, tmp_path / "a.tar")
    source = open_data(str(path))
    source.list()
    cut(path, 0.3)

    with pytest.raises(DamagedFile, match="shorter than the archive says"):
        source.read("sad/b")


def test_a_scratch_folder_that_is_too_small_is_named_and_left_empty(tmp_path: Path) -> None:
    path = as_tar(faces(), tmp_path / "a.tgz", "w:gz")
    (tmp_path / "scratch").mkdir()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    source = open_data(str(path), tmp_path / "scratch")

    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))  # as a full disk, for files that grow beyond it
    try:
        with pytest.raises(SourceError, match=rf"can't read a\.tgz: no room for it in {tmp_path}/scratch \(.*give the"):
            source.list()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    del source

    assert not list((tmp_path / "scratch").iterdir())


def test_a_large_file_is_read_in_pieces(tmp_path: Path) -> None:
    large = np.random.default_rng(0).integers(0, 255, 5 * MIB, dtype=np.uint8).tobytes() + bytes(5 * MIB)
    for path in (
        as_zip({"happy/a": large}, tmp_path / "a.zip"),
        as_zip({"happy/a": large}, tmp_path / "b.zip", zipfile.ZIP_BZIP2),
        as_tar({"happy/a": large}, tmp_path / "a.tar"),
    ):
        source = open_data(str(path))
        assert isinstance(source, ContainerSource)
        pieces = list(source.pieces("happy/a"))
        assert b"".join(pieces) == large
        assert max(map(len, pieces)) <= MIB


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


def cut(path: Path, keep: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    return path


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
    path = as_zip(faces(), tmp_path / "a.zip", compression)
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
            assert found in faces().values()


def test_a_method_of_compression_that_cannot_be_read_is_a_reason(tmp_path: Path) -> None:
    path = as_zip(faces(), tmp_path / "a.zip")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_LZMA) as archive:
        archive.writestr("train/sad/lzma.png", drawn(5))

    assert listing(path).unusable == [("train/sad/lzma.png", "compressed in a way that can't be read: LZMA")]


def test_a_parquet_of_hugging_face_is_a_folder_of_classes(tmp_path: Path) -> None:
    path = as_parquet(parquet_rows(faces(), "train"), tmp_path / "train-00000-of-00001.parquet")

    assert contents(path) == {
        name.removeprefix("train/"): data for name, data in faces().items() if name.startswith("train/")
    }


@pytest.mark.parametrize(
    ("first", "second", "test"),
    [
        ("data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet", "data/test-00000-of-00001.parquet"),
        ("train-00000-of-00002.parquet", "train-00001-of-00002.parquet", "test-00000-of-00001.parquet"),
        ("default/train/0000.parquet", "default/train/0001.parquet", "default/test/0000.parquet"),
        ("beans-train-00000-of-00002.parquet", "beans-train-00001-of-00002.parquet", "beans-test.parquet"),
        ("training.parquet", "train.parquet", "test.parquet"),
    ],
)
def test_shards_in_a_folder_are_splits_by_their_names(first: str, second: str, test: str, tmp_path: Path) -> None:
    train = parquet_rows(faces(), "train")
    as_parquet(train[:7], tmp_path / first)
    as_parquet(train[7:], tmp_path / second)
    as_parquet(parquet_rows(faces(), "test"), tmp_path / test)
    (tmp_path / "README.md").write_text("# Faces")

    assert contents(tmp_path) == faces()


def test_validation_is_eval_and_a_split_that_is_not_known_is_an_error(tmp_path: Path) -> None:
    rows = parquet_rows(faces(), "train")
    as_parquet(rows, tmp_path / "train-00000-of-00001.parquet")
    as_parquet(rows[:2], tmp_path / "validation-00000-of-00001.parquet")
    assert {file_id.split("/")[0] for file_id in contents(tmp_path)} == {"train", "val"}

    as_parquet(rows[:2], tmp_path / "extra-00000-of-00001.parquet")
    with pytest.raises(SourceError, match=r"extra-00000-of-00001\.parquet is of a split \(extra\) that isn't known"):
        listing(tmp_path)


def test_rows_of_a_parquet_are_all_accounted_for(tmp_path: Path) -> None:
    image = {"bytes": drawn(1), "path": None}
    twins = [({"bytes": drawn(seed), "path": "a.png"}, 0) for seed in (2, 3)]
    rows = [
        (image, 0),
        (image, -1),
        (image, None),
        (image, 7),
        ({"bytes": None, "path": "x.png"}, 1),
        (None, 1),
        *twins,
    ]
    found = listing(as_parquet(rows, tmp_path / "train-00000-of-00001.parquet"))

    assert found.files == [
        "happy/a.png",
        "happy/train-00000-of-00001-000000.png",
        "happy/train-00000-of-00001-000007-a.png",
    ]
    assert [reason for _, reason in found.unusable] == [
        "no label: -1",
        "no label: None",
        "no label: 7",
        "no bytes of an image, only its path",
        "no bytes of an image",
    ]


def test_labels_of_a_parquet_may_be_text_and_have_a_slash(tmp_path: Path) -> None:
    rows = [({"bytes": drawn(1), "path": "a.png"}, "and/or"), ({"bytes": drawn(2), "path": "b.png"}, " sad ")]

    assert listing(as_parquet(rows, tmp_path / "a.parquet", None)).files == ["and_or/a.png", "sad/b.png"]


def test_plain_bytes_and_numbers_without_names_are_taken(tmp_path: Path) -> None:
    table = pa.table({"img": [drawn(1), drawn(2)], "label": [3, 5], "note": ["x", "y"]})
    pq.write_table(table, tmp_path / "a.parquet")

    assert listing(tmp_path / "a.parquet").folders == ["3", "5"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"label": [1], "text": ["x"]}, r"a\.parquet has no column of images. Columns are label, text"),
        ({"image": [b"x"], "text": ["x"]}, r"a\.parquet has no column of labels. Columns are image, text"),
        ({"left": [b"x"], "right": [b"x"], "label": [1]}, r"a\.parquet has several columns of images"),
    ],
)
def test_a_parquet_without_images_or_labels_is_refused(table: Any, message: str, tmp_path: Path) -> None:
    pq.write_table(pa.table(table), tmp_path / "a.parquet")

    with pytest.raises(SourceError, match=message):
        listing(tmp_path / "a.parquet")


def test_shards_must_agree_on_the_classes_and_be_whole(tmp_path: Path) -> None:
    rows = parquet_rows(faces(), "train")
    as_parquet(rows, tmp_path / "train-0.parquet")
    last = as_parquet(rows, tmp_path / "train-1.parquet", LABELS[::-1])
    with pytest.raises(SourceError, match=r"train-1\.parquet names its classes differently"):
        listing(tmp_path)

    damaged = bytearray(as_parquet(rows, last).read_bytes())
    damaged[4:60] = bytes(56)
    last.write_bytes(damaged)
    with pytest.raises(SourceError, match=r"train-1\.parquet can't be read as Parquet"):
        listing(tmp_path)


def test_parquet_beside_images_is_ambiguous_and_one_without_images_changes_nothing(tmp_path: Path) -> None:
    folder = as_folder(faces(), tmp_path / "faces")
    pq.write_table(pa.table({"file": ["x"]}), folder / "meta.parquet")
    assert isinstance(open_data(str(folder)), LocalSource)

    as_parquet(parquet_rows(faces(), "train"), folder / "train.parquet")
    with pytest.raises(SourceError, match=r"holds images both in Parquet \(train\.parquet\) and in files"):
        open_data(str(folder))


@pytest.mark.parametrize(
    "header",
    [
        {"emotion": "emotion", "pixels": "pixels", "Usage": "Usage"},
        {"emotion": "emotion", "Usage": " Usage", "pixels": " pixels"},  # icml_face_data.csv
        {"pixels": "\ufeffpixels", "emotion": "Emotion", "Usage": "usage"},
    ],
)
def test_fer2013_has_its_emotions_splits_and_the_names_of_ferplus(header: dict[str, str], tmp_path: Path) -> None:
    rows = fer2013_rows()
    found = contents(as_fer2013(rows, tmp_path / "fer2013.csv", header))

    assert len(found) == 14
    assert {"train/happy/fer0000000.png", "train/sad/fer0000009.png", "val/happy/fer0000010.png"} < set(found)
    assert "test/sad/fer0000013.png" in found
    pixels = np.array(rows[13]["pixels"].split(), np.uint8).reshape(48, 48)
    assert np.array_equal(decode(found["test/sad/fer0000013.png"]).pixels, pixels)


def test_the_emotions_of_fer2013_are_the_published_ones(tmp_path: Path) -> None:
    rows = [{**row, "emotion": str(number), "Usage": "Training"} for number, row in enumerate(fer2013_rows(7))]
    found = contents(as_fer2013(rows, tmp_path / "a.csv"))

    published = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    assert set(found) == {f"{label}/fer000000{number}.png" for number, label in enumerate(published)}
    assert contents(as_fer2013(rows, tmp_path / "b.csv")) == found


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"emotion": "7"}, "emotion is none of 0–6: '7' in line 3"),
        ({"emotion": ""}, "emotion is none of 0–6: '' in line 3"),
        ({"Usage": "Other"}, "Usage is no split of FER2013: 'Other' in line 3"),
        ({"pixels": "1 2 3"}, "3 pixels, not 48×48: line 3"),
        ({"pixels": ""}, "0 pixels, not 48×48: line 3"),
        ({"pixels": "1 two 3"}, "pixels that aren't whole numbers: line 3"),
        ({"pixels": " ".join(["256"] * 2304)}, "pixels from 256 to 256, not from 0 to 255: line 3"),
        ({"pixels": " ".join(["-1"] * 2304)}, "pixels from -1 to -1, not from 0 to 255: line 3"),
    ],
)
def test_a_row_of_fer2013_that_cannot_be_used_is_named(change: dict[str, str], reason: str, tmp_path: Path) -> None:
    rows = fer2013_rows()
    rows[1] |= change
    found = listing(as_fer2013(rows, tmp_path / "fer2013.csv"))

    assert (len(found.files), found.unusable) == (13, [("fer0000001.png", reason)])


def test_the_digest_of_a_container_is_its_contents(tmp_path: Path) -> None:
    path = as_zip(faces(), tmp_path / "a.zip")
    before = folder_digest(str(path))
    assert before == quick_digest(str(path)) == folder_digest(f"file://{path}")
    assert quick_digest(str(path), read_up_to=0) == quick_digest(str(path), read_up_to=0) != before

    data = bytearray(path.read_bytes())
    data[-1 - len(data) // 2] ^= 1
    path.write_bytes(data)

    assert folder_digest(str(path)) != before


def test_a_folder_of_shards_has_a_digest(tmp_path: Path) -> None:
    as_parquet(parquet_rows(faces(), "train"), tmp_path / "train.parquet")
    before = folder_digest(str(tmp_path))
    as_parquet(parquet_rows(faces(), "test"), tmp_path / "train.parquet")

    assert folder_digest(str(tmp_path)) != before


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
