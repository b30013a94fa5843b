import contextlib
import csv
import errno
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from components.images import codec
from components.images.codec import decode
from components.images.hashing import pixels_digest
from components.images.names import is_copy
from components.split_balance_augment import folder_sink

sys.path.insert(0, str(Path(__file__).parent / "split_balance_augment"))
from datasplit_command import COUNTS, datasplit, done, per_class, tree, tree_hash
from drawn_images import draw, draw_folder


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
        patch.setattr(folder_sink, "encode", encode)
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


# Loads everything once, then gives each trial a process of its own.
SPLITS_OF_A_FOLDER = """
import os, sys, random, shutil, signal, time
from pathlib import Path
import components.split_balance_augment.beam
from components.split_balance_augment.split_folder import Request, Watcher, split_folder

def start(path):
    child = os.fork()
    if not child:
        quiet = Watcher(lambda *_: None, lambda *_: None)
        request = Request(path, None, "0.8", "4", ("train", "test"), 3, "label", "filename", None, False, None)
        split_folder(request, quiet, workers=1)
        os._exit(0)
    return child

data, moments = Path(sys.argv[1]), int(sys.argv[2])
def fresh():
    path = data.parent / "trial"
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(data, path)
    return str(path)

seconds = []
for _ in range(2):
    path = fresh()
    began = time.monotonic()
    assert os.waitpid(start(path), 0)[1] == 0
    seconds.append(time.monotonic() - began)
(data.parent / "trial").rename(data.parent / "expected")
chance = random.Random(0)
killed = 0
while killed < moments:
    path = fresh()
    child = start(path)
    time.sleep(chance.uniform(0, min(seconds)))
    os.kill(child, signal.SIGKILL)
    died = os.waitpid(child, 0)[1] != 0
    if not died or (not (Path(path) / ".datasplit").exists() and (Path(path) / "test").exists()):
        continue  # it had finished already
    print("begun" if (Path(path) / ".datasplit").exists() else "untouched", flush=True)
    assert os.waitpid(start(path), 0)[1] == 0
    shutil.move(path, data.parent / f"finished{killed}")
    killed += 1
"""


def test_killed_at_20_random_moments_in_place_a_rerun_finishes(data: Path, tmp_path: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", SPLITS_OF_A_FOLDER, str(data), "20"], check=True, capture_output=True, text=True
    ).stdout.split()
    expected = tree_hash(tmp_path / "expected")
    assert per_class(tmp_path / "expected", "train") == dict.fromkeys(COUNTS, 96)
    assert [tree_hash(tmp_path / f"finished{trial}") for trial in range(20)] == [expected] * 20
    assert len(shown) == 20
    assert shown.count("begun") >= 10


def killed(folder: Path, *arguments: str) -> None:
    """Give the command in a folder and let it die when it has recorded its options."""
    code = (
        "import components.split_balance_augment.split_folder as s, os; s._Run._try_pipeline = lambda *_: os._exit(9)\n"
    )
    code += "from components.datasplit import main; main()"
    command = [sys.executable, "-c", code, *arguments, "--balance", "--seed", "3", "--workers", "1"]
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    assert subprocess.run(command, check=False, capture_output=True, cwd=folder, env=environment).returncode == 9


def test_a_rerun_goes_on_with_its_own_seed_and_options(data: Path, tmp_path: Path) -> None:
    done(data, "--balance", "--seed", 3, "--output", tmp_path / "expected")
    killed(tmp_path, str(data))
    assert (data / ".datasplit").is_dir()
    again = done(data, "--seed", 99)
    assert "going on with its options (seed 3)" in again.output
    assert tree(data) == tree(tmp_path / "expected")


def test_a_rerun_finds_its_folder_however_the_path_is_typed(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(tmp_path, "data", "--output", "out")
    killed(tmp_path, "data")
    other = draw_folder(tmp_path / "other", {"a": 2})
    assert "holds an interrupted split of" in datasplit(other, "--output", tmp_path / "out").output
    assert "holds an interrupted split of" in datasplit(other, "--output", data).output
    monkeypatch.chdir(data)
    assert "going on with its options (seed 3)" in done(".", "--output", "../out").output
    data.rename(tmp_path / "moved")
    assert "going on with its options (seed 3)" in done(".").output
    assert tree(tmp_path / "moved") == tree(tmp_path / "out")


def test_killed_workers_and_all_leave_no_process_behind(tmp_path: Path) -> None:
    data = draw_folder(tmp_path / "data", {"a": 20, "b": 60})
    command = [sys.executable, "-m", "components.datasplit", str(data), "--balance", "--global-multiplier", "200"]
    process = subprocess.Popen([*command, "--workers", "2", "--seed", "1"], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(data.glob(".datasplit/stage-*/train/*/*_aug1*")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 2
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []


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
            pixels.setdefault(pixels_digest(decode(path.read_bytes()).pixels), set()).add(split)
        if regex:
            keys.setdefault(path.name.partition("__")[0], set()).add(split)
    assert len(paths) > len(originals)
    for sides in (pixels, keys, sources):
        assert all(len(splits) == 1 for splits in sides.values())


def test_the_hostile_set_is_split_and_what_cannot_be_used_is_reported(
    data_set: Callable[[str], Path], tmp_path: Path
) -> None:
    data = data_set("dirty_hostile")
    for output in (tmp_path / "out", None):
        target = output or tmp_path / "copy"
        if output is None:
            subprocess.run(["cp", "-a", str(data), str(target)], check=True)
        where = ["--output", output] if output else []
        shown = done(target if output is None else data, "--balance", "--seed", 1, *where).output
        assert "files can't be used" in shown
        for split in ("train", "test"):
            with (target / f"{split}.csv").open(newline="", encoding="utf-8", errors="surrogateescape") as file:
                listed = [f"{split}/{label}/{name}" for label, name in list(csv.reader(file))[1:]]
            assert listed
            for path in listed:
                decode(Path(target, path).read_bytes())
