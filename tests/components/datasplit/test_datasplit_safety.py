import contextlib
import csv
import errno
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from datasplit_command import COUNTS, datasplit, done, per_class, tree
from drawn_images import draw, draw_folder

from components.datasplit import folder_work
from components.images import codec
from components.images.codec import decode
from components.images.hashing import pixels_sha256
from components.images.names import is_copy

# `datasplit` imports Beam when the work begins.
pytestmark = pytest.mark.heavy


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return draw_folder(tmp_path / "data", COUNTS)


HOSTILE = [
    b"new\nline.jpg", b"carriage\rreturn.jpg", b'quote".jpg', b"comma,.jpg", b"-rf.jpg", b"$(touch x).jpg", b" .jpg",
    b"caf\xe9.jpg", b"\xff\xfe.png", "名前 é.jpg".encode(), b"a\\nb.jpg", b"x" * 251 + b".jpg", b"x" * 250 + b"y.jpg",
    b"UPPER.JPG", b"no_extension", b"a_aug1.jpg", b"a.jpg", b"really_png.jpg", b"[markup].jpg", b"dot.dot.jpg",
]  # fmt: skip


def hostile_folder(root: Path) -> Path:
    for number, name in enumerate(HOSTILE):
        plain = root / f"{number}.png" if name in (b"\xff\xfe.png", b"really_png.jpg") else root / f"{number}.jpg"
        draw(plain, seed=number)
        for label in ("a", "class é 名前"):
            folder = root / "train" / label
            folder.mkdir(parents=True, exist_ok=True)
            with open(os.path.join(os.fsencode(folder), name), "wb") as file:  # noqa: PTH118, PTH123 (bytes)
                file.write(plain.read_bytes() if label == "a" else b"\xff" + plain.read_bytes())
        draw(root / "train" / "class é 名前" / f"{number}.jpg", seed=100 + number)
        plain.unlink()
    return root


def test_hostile_names_are_split_listed_and_copied(tmp_path: Path) -> None:
    data = hostile_folder(tmp_path / "data")
    before = Counter(tree(data).values())
    done(data, "--balance", "--global-multiplier", "3", "--seed", 1)
    after = tree(data)
    assert not before - Counter(after.values())
    assert per_class(data, "train") == {"a": 48, "class é 名前": 48 + 20}
    assert per_class(data, "test")["a"] == 12
    for name, content in after.items():
        if "/a/" in name:
            decode(content)
    for split in ("train", "test"):
        with (data / f"{split}.csv").open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            listed = [f"{split}/{label}/{name}" for label, name in list(csv.reader(file))[1:]]
        assert len(set(listed)) == len(listed) == 120 * (0.8 if split == "train" else 0.2)
        assert set(listed) <= set(after)


def test_what_cannot_be_used_stays_and_is_reported_one_by_one(data: Path, tmp_path: Path) -> None:
    (data / "train" / "happy" / "broken.jpg").write_bytes(b"\xff\xd8 not an image")
    (data / "train" / "happy" / "empty.png").write_bytes(b"")
    (data / "train" / "stray.jpg").write_bytes(b"stray")
    (data / "train" / "happy" / ".hidden").write_bytes(b"hidden")
    (data / "train" / "happy" / "linked.jpg").symlink_to(data / "train" / "sad" / "img0.jpg")
    (data / "train" / "happy" / "loop").symlink_to(data / "train")
    (data / "train" / "happy" / "deep" / "er").mkdir(parents=True)
    draw(data / "train" / "happy" / "deep" / "er" / "img.jpg", seed=999)
    for index in range(COUNTS["anger"]):
        (data / "train" / "anger" / f"img{index}_aug1.jpg").mkdir()  # a folder where a copy would go
    output = done(data, "--balance", "--seed", 3).output
    for name in ("happy/broken.jpg", "happy/empty.png", "stray.jpg", "happy/linked.jpg", "happy/loop"):
        assert f"Not used: {name}: " in output
        assert os.path.lexists(data / "train" / name)
    assert "5 files can't be used" in output
    nested = [name for name in tree(data) if "/deep/er/" in name]
    assert any(Path(name).name == "img.jpg" for name in nested)


def test_leftovers_of_a_nas_and_of_a_run_are_neither_moved_nor_copied(data: Path) -> None:
    plain = done(data, "--seed", 3, "--output", data.parent / "plain").output
    for name in (
        "happy/@eaDir/img0.jpg/SYNOPHOTO_THUMB_M.jpg",
        "runs/local/artifacts/1/img.jpg",
        "sad/SYNOFILE_THUMB_M.jpg",
    ):
        draw(data / "train" / name, seed=1)
    (data / "train" / "runs" / "local" / "metadata.db").write_bytes(b"")

    output = done(data, "--seed", 3, "--output", data.parent / "out").output

    assert tree(data.parent / "out") == tree(data.parent / "plain")
    assert not (data.parent / "out" / "train" / "runs").exists()
    assert "Left alone, since it is no data: 2 nas, 2 workdir" in output
    assert "Left alone" not in plain


def test_links_are_left_alone_with_an_output_folder_too(data: Path, tmp_path: Path) -> None:
    draw(tmp_path / "secret.jpg", seed=1)
    (data / "train" / "happy" / "out.jpg").symlink_to(tmp_path / "secret.jpg")
    (data / "train" / "happy" / "inside.jpg").symlink_to("../sad/img0.jpg")
    output = done(data, "--balance", "--seed", 3, "--output", tmp_path / "out").output
    for name in ("out.jpg", "inside.jpg"):
        assert f"Not used: happy/{name}: a link" in output
        assert not list((tmp_path / "out").rglob(name))
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "train").symlink_to(data / "train")
    assert "is a link" in datasplit(tmp_path / "linked", "--output", tmp_path / "other").output.replace("\n", " ")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("options.json", "[]"),
        ("options.json", '{"seed": 1}'),
        ("commit.json", '{"stage": "../../victim", "note": {}}'),
        ("commit.json", '{"stage": "/tmp", "note": {}}'),
        ("commit.json", '{"stage": 3}'),
    ],
)
def test_a_record_that_came_with_the_data_is_refused_in_one_line(data: Path, name: str, text: str) -> None:
    draw_folder(data.parent / "victim", {"happy": 3})
    (data / ".datasplit").mkdir()
    (data / ".datasplit" / name).write_text(text)
    before = tree(data.parent)
    result = datasplit(data, "--balance", "--seed", 3)
    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    said = result.output.replace("\n", "")
    assert f"{name} is not what datasplit records" in said
    assert "Delete" in said
    assert {path: content for path, content in tree(data.parent).items() if not path.endswith("/lock")} == before


@contextlib.contextmanager
def full_disk_after(monkeypatch: pytest.MonkeyPatch, files: int) -> Iterator[None]:
    left = files
    real = codec.encode

    def encode(*arguments: object, **options: object) -> bytes:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(folder_work, "encode", encode)
        yield


def test_a_full_disk_is_said_and_the_input_stays_as_it_was(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(data)
    with full_disk_after(monkeypatch, 10):
        for arguments in ((), ("--output", tmp_path / "out")):
            result = datasplit(data, "--balance", "--seed", 3, "--workers", 1, *arguments)
            assert result.exit_code == 1
            assert "no space is left on the disk" in result.output
            assert tree(data) == before
            assert not (tmp_path / "out").exists()
    done(data, "--balance", "--seed", 3)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_disk_that_is_really_full_is_said_and_the_input_stays_as_it_was(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(disk)], check=False, capture_output=True
    )
    if mount.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        data = draw_folder(disk / "data", COUNTS)
        before = tree(data)
        result = datasplit(data, "--balance", "--global-multiplier", "9", "--seed", 3, "--workers", 2)
        assert result.exit_code == 1
        assert "no space is left on the disk" in result.output.replace("\n", " ")
        assert tree(data) == before
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.parametrize(("name", "regex"), [("trashnet96", None), ("emoji_affect8", r"^(.+?)__")])
def test_no_copy_and_no_duplicate_crosses_sides_in_real_data(
    data_set: Callable[[str], Path], tmp_path: Path, name: str, regex: str | None
) -> None:
    options = ["--group-regex", regex] if regex else []
    done(data_set(name), "--balance", "--seed", 27, "--output", tmp_path / "out", *options)
    pixels: dict[str, set[str]] = {}
    keys: dict[str, set[str]] = {}
    sources: dict[str, set[str]] = {}
    paths = [path for split in ("train", "test") for path in (tmp_path / "out" / split).rglob("*.jpg")]
    originals = {path.name for path in paths if not is_copy(path.name)}
    for path in paths:
        split = path.relative_to(tmp_path / "out").parts[0]
        source = re.sub(r"_aug\d+\.jpg$", ".jpg", path.name)
        assert source in originals
        sources.setdefault(f"{path.parent.name}/{source}", set()).add(split)
        if path.name in originals:
            pixels.setdefault(pixels_sha256(decode(path.read_bytes()).pixels), set()).add(split)
        if regex:
            keys.setdefault(path.name.partition("__")[0], set()).add(split)
    assert len(paths) > len(originals)
    for sides in (pixels, keys, sources):
        assert all(len(splits) == 1 for splits in sides.values())


def test_the_hostile_set_is_split_and_what_cannot_be_used_is_reported(
    data_set: Callable[[str], Path], tmp_path: Path
) -> None:
    data = tmp_path / "copy"
    subprocess.run(["cp", "-a", str(data_set("dirty_hostile")), str(data)], check=True)
    refused = datasplit(data, "--dry-run")
    assert "no usable image of the class all_corrupt: " in refused.output.replace("\n", " ")
    shutil.rmtree(data / "train" / "all_corrupt")
    for output in (tmp_path / "out", None):
        target = output or data
        where = ["--output", output] if output else []
        shown = done(data, "--balance", "--seed", 1, *where).output
        assert "files can't be used" in shown
        for split in ("train", "test"):
            with (target / f"{split}.csv").open(newline="", encoding="utf-8", errors="surrogateescape") as file:
                listed = [f"{split}/{label}/{name}" for label, name in list(csv.reader(file))[1:]]
            assert listed
            for path in listed:
                decode(Path(target, path).read_bytes())
