import contextlib
import csv
import errno
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import albumentations as A
import cv2
import pytest
from click.testing import CliRunner, Result

from components.datasplit import main
from components.images import codec
from components.images.codec import decode
from components.split_balance_augment import folder_sink

sys.path.insert(0, str(Path(__file__).parent / "split_balance_augment"))
from drawn_images import draw, draw_folder

COUNTS = {"anger": 14, "happy": 30, "sad": 21}


def datasplit(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def done(*arguments: object) -> Result:
    result = datasplit(*arguments, "--workers", 1)
    assert result.exit_code == 0, result.output
    return result


def tree(folder: Path) -> dict[str, bytes]:
    """Files by path, with their bytes; names with bytes that aren't UTF-8 too."""
    return {
        os.path.relpath(os.path.join(base, name), folder): Path(base, name).read_bytes()  # noqa: PTH118
        for base, _, names in os.walk(folder)
        for name in names
    }


def tree_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for name, data in sorted(tree(folder).items()):
        digest.update(os.fsencode(name) + b"\0" + hashlib.sha256(data).digest())
    return digest.hexdigest()


def per_class(folder: Path, split: str) -> dict[str, int]:
    return dict(Counter(name.split("/")[1] for name in tree(folder) if name.startswith(f"{split}/")))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return draw_folder(tmp_path / "data", COUNTS)


def test_help_answers_at_once_without_tfx_and_tensorflow() -> None:
    code = (
        "import sys\nfrom components.datasplit import main\n"
        "try:\n main(['--help'])\n"
        "finally:\n print([m for m in ('tfx', 'tensorflow', 'apache_beam') if m in sys.modules])"
    )
    started = time.monotonic()
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert time.monotonic() - started < 1.5
    assert "--global-multiplier" in shown
    assert "greater than 0.5" in shown
    assert shown.endswith("[]\n")


def test_without_balancing_images_only_move(data: Path) -> None:
    before = tree(data)
    done(data, "--seed", 3)
    assert per_class(data, "train") == {"anger": 11, "happy": 24, "sad": 17}
    assert per_class(data, "test") == {"anger": 3, "happy": 6, "sad": 4}
    after = {name.partition("/")[2]: content for name, content in tree(data).items() if not name.endswith(".csv")}
    assert after == {name.partition("/")[2]: content for name, content in before.items()}


def test_balancing_fills_every_class(data: Path) -> None:
    done(data, "--balance", "--global-multiplier", "1.5", "--seed", 3)
    assert per_class(data, "train") == dict.fromkeys(COUNTS, 36)
    assert per_class(data, "test") == dict.fromkeys(COUNTS, 9)


@pytest.mark.parametrize(
    ("flag", "balanced", "other"), [("--balance-train", "train", "test"), ("--balance-test", "test", "train")]
)
def test_one_side_can_be_balanced_alone(data: Path, flag: str, balanced: str, other: str) -> None:
    done(data, flag, "--seed", 3)
    assert len(set(per_class(data, balanced).values())) == 1
    assert len(set(per_class(data, other).values())) == 3


def test_the_tables_list_every_file_sorted(data: Path) -> None:
    done(data, "--balance", "--seed", 3, "--label-col", "emotion", "--filename-col", "file")
    for split in ("train", "test"):
        with (data / f"{split}.csv").open(newline="") as file:
            header, *lines = csv.reader(file)
        assert header == ["emotion", "file"]
        assert lines == sorted(lines)
        listed = {f"{split}/{label}/{name}" for label, name in lines}
        assert listed == {name for name in tree(data) if name.startswith(f"{split}/")}
        assert len(listed) == len(lines)


def test_an_output_folder_gets_the_same_tree_and_the_input_stays(data: Path, tmp_path: Path) -> None:
    before = tree(data)
    done(data, "--balance", "--seed", 3, "--output-path", tmp_path / "new" / "out")
    assert tree(data) == before
    (tmp_path / "empty" / "train").mkdir(parents=True)
    done(data, "--balance", "--seed", 3, "--output", tmp_path / "empty")
    done(data, "--balance", "--seed", 3)
    assert tree(tmp_path / "new" / "out") == tree(tmp_path / "empty") == tree(data)


def test_an_output_folder_that_holds_something_is_refused_untouched(data: Path, tmp_path: Path) -> None:
    out = draw_folder(tmp_path / "out", {"a": 1})
    before = tree(out)
    for target in (out, data, data / "train" / "new"):
        assert datasplit(data, "--output-path", target).exit_code == 1
    assert tree(out) == before
    assert {path.name for path in tmp_path.iterdir()} == {"data", "out"}


def test_a_folder_that_is_split_already_is_refused(data: Path) -> None:
    done(data, "--seed", 3)
    before = tree(data)
    again = datasplit(data, "--seed", 3)
    assert again.exit_code == 1
    assert "is split already" in again.output
    assert tree(data) == before


def test_workers_and_the_order_of_the_listing_do_not_show(data: Path, tmp_path: Path) -> None:
    done(data, "--balance", "--seed", 3, "--output", tmp_path / "one")
    shuffled = list(range(30))
    random.Random(0).shuffle(shuffled)
    other = draw_folder(tmp_path / "other", dict(reversed(COUNTS.items())), order=shuffled)
    for number, label in enumerate(COUNTS):
        for index in range(COUNTS[label]):
            draw(other / "train" / label / f"img{index}.jpg", seed=number * 1000 + index)
    for workers in (2, 4):
        out = tmp_path / f"out{workers}"
        assert datasplit(other, "--balance", "--seed", 3, "--output", out, "--workers", workers).exit_code == 0
        assert tree_hash(out) == tree_hash(tmp_path / "one")


def test_a_dry_run_shows_the_plan_and_writes_nothing(data: Path) -> None:
    before = tree(data)
    result = done(data, "--balance", "--dry-run", "--seed", 3)
    assert "nothing was written" in result.output
    assert "anger" in result.output
    assert tree(data) == before


def test_a_random_seed_is_printed_and_repeats_the_split(data: Path, tmp_path: Path) -> None:
    output = done(data, "--output", tmp_path / "first").output
    seed = output.split("Seed: ")[1].split()[0]
    done(data, "--output", tmp_path / "second", "--seed", seed)
    assert tree(tmp_path / "first") == tree(tmp_path / "second")


def test_a_multiplier_without_balancing_has_no_effect_and_says_so_once(data: Path, tmp_path: Path) -> None:
    result = done(data, "--global-multiplier", "3", "--seed", 3, "--output", tmp_path / "three")
    assert result.output.count("--global-multiplier has no effect") == 1
    done(data, "--seed", 3, "--output", tmp_path / "one")
    assert tree(tmp_path / "three") == tree(tmp_path / "one")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--train-split", "0.5"), ("--train-split", "1"), ("--train-split", "x"), ("--seed", "-1"), ("--workers", "0"),
        ("--global-multiplier", "0.99"), ("--global-multiplier", "nan"), ("--pipeline-yaml", "missing.yml"),
        ("--nonsense",),
    ],
)  # fmt: skip
def test_impossible_options_are_usage_errors(data: Path, arguments: tuple[str, ...]) -> None:
    before = tree(data)
    assert datasplit(data, *arguments).exit_code == 2
    assert tree(data) == before


@pytest.mark.parametrize(
    ("folder", "message"),
    [("no_train", "no folder train/"), ("empty", "no usable image"), ("data", "not a regular expression")],
)
def test_what_cannot_be_split_is_said(data: Path, tmp_path: Path, folder: str, message: str) -> None:
    (tmp_path / "no_train").mkdir()
    (tmp_path / "empty" / "train" / "a").mkdir(parents=True)
    result = datasplit(tmp_path / folder, "--group-regex", "(" if folder == "data" else "(a)")
    assert result.exit_code == 1
    assert message in result.output
    assert not (tmp_path / folder / ".datasplit").exists()


def test_a_group_and_its_copies_lie_on_one_side(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for label in range(2):
        for index in range(40):
            draw(data / "train" / f"class{label}" / f"S{index % 8:03d}_{index}.png", seed=label * 100 + index)
    done(data, "--balance", "--global-multiplier", "2", "--seed", 1, "--group-regex", r"^(S\d+)_")
    sides = {
        split: {Path(name).name[:4] for name in tree(data) if name.startswith(f"{split}/")}
        for split in ("train", "test")
    }
    assert sides["train"] | sides["test"] == {f"S{i:03d}" for i in range(8)}
    assert not sides["train"] & sides["test"]


def test_exact_duplicates_in_other_formats_lie_on_one_side(tmp_path: Path) -> None:
    data = draw_folder(tmp_path / "data", {"a": 20, "b": 20}, extension=".png")
    for index in range(10):
        pixels = cv2.imread(str(data / "train" / "a" / f"img{index}.png"))
        cv2.imwrite(str(data / "train" / "b" / f"same{index}.bmp"), pixels)
    done(data, "--seed", 1)
    for index in range(10):
        assert (data / "test" / "a" / f"img{index}.png").exists() == (data / "test" / "b" / f"same{index}.bmp").exists()


def test_near_duplicates_are_kept_together_on_request(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for index in range(60):
        draw(data / "train" / "ab"[index % 2] / f"img{index // 2}.png", seed=index, size=96)
    for index in range(20):
        pixels = cv2.imread(str(data / "train" / "a" / f"img{index}.png"))
        cv2.imwrite(str(data / "train" / "a" / f"near{index}.jpg"), pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])

    def divided(*arguments: str) -> int:
        out = tmp_path / f"out{len(arguments)}"
        done(data, "--seed", 1, "--output", out, *arguments)
        test = out / "test" / "a"
        return sum((test / f"img{i}.png").exists() != (test / f"near{i}.jpg").exists() for i in range(20))

    assert divided() > 2
    assert divided("--near-duplicates") == 0


def test_copies_keep_their_sources_format(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for extension in (".jpg", ".JPEG", ".png", ".bmp", ".webp", ".tif"):
        draw(data / "train" / "a" / f"x{extension}", seed=hash(extension) % 100)
    gif = cv2.imread(str(data / "train" / "a" / "x.png"))
    from PIL import Image

    Image.fromarray(gif).save(data / "train" / "a" / "y.gif")
    (data / "train" / "b").mkdir()
    draw_folder(data, {"b": 40})
    done(data, "--balance-train", "--train-split", "0.9", "--seed", 1)
    formats = {}
    for path in (data / "train" / "a").glob("*_aug1*"):
        formats[path.name] = decode(path.read_bytes()).format
    kept = {
        "x_aug1.jpg": "jpeg",
        "x_aug1.JPEG": "jpeg",
        "x_aug1.png": "png",
        "x_aug1.bmp": "bmp",
        "x_aug1.webp": "webp",
    }
    expected = kept | {"x_aug1.tif": "tiff", "y.gif_aug1.png": "png"}
    assert formats == {name: form for name, form in expected.items() if name in formats}
    assert len(formats) >= 6


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
    output = done(data, "--balance", "--seed", 3).output
    for name in ("happy/broken.jpg", "happy/empty.png", "stray.jpg", "happy/linked.jpg", "happy/loop"):
        assert f"Not used: {name}: " in output
        assert os.path.lexists(data / "train" / name)
    assert "5 files can't be used" in output
    nested = [name for name in tree(data) if "/deep/er/" in name]
    assert any(Path(name).name == "img.jpg" for name in nested)


def test_a_pipeline_of_1_x_is_carried_over_and_every_change_is_printed(data: Path) -> None:
    old = Path(__file__).parent / "split_balance_augment" / "default_pipeline_1.3.1.yml"
    output = done(data, "--balance", "--seed", 3, "--pipeline-yaml", old).output.replace("\n", " ")
    assert "Pipeline of Albumentations 1.x: Rotate: always_apply=True → p=1.0 (was 0.5)" in output


def test_a_pipeline_that_changes_sizes_says_so_once(data: Path, tmp_path: Path) -> None:
    A.save(A.Compose([A.Resize(10, 12, p=1.0)]), tmp_path / "p.yml", data_format="yaml")
    output = done(data, "--balance", "--seed", 3, "--pipeline-yaml", tmp_path / "p.yml").output
    assert output.count("changes sizes") == 1


@pytest.mark.parametrize(
    ("text", "message"), [("x: 1", "not a pipeline"), ("!!python/name:os.system", "more than plain data")]
)
def test_a_bad_pipeline_changes_nothing(data: Path, tmp_path: Path, text: str, message: str) -> None:
    before = tree(data)
    (tmp_path / "p.yml").write_text(text)
    result = datasplit(data, "--balance", "--pipeline-yaml", tmp_path / "p.yml")
    assert result.exit_code == 1
    assert message in result.output.replace("\n", " ")
    assert tree(data) == before


def test_a_pipeline_that_fails_on_the_images_changes_nothing(data: Path, tmp_path: Path) -> None:
    before = tree(data)
    A.save(A.Compose([A.RandomCrop(500, 500, p=1.0)]), tmp_path / "p.yml", data_format="yaml")
    result = datasplit(data, "--balance", "--pipeline-yaml", tmp_path / "p.yml")
    assert result.exit_code == 1
    assert "fails on a 24×24 image" in result.output.replace("\n", " ")
    assert tree(data) == before


@contextlib.contextmanager
def full_disk_after(monkeypatch: pytest.MonkeyPatch, files: int) -> Iterator[None]:
    left = files
    real = codec.encode

    def encode(*arguments: object) -> bytes:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*arguments)  # type: ignore[arg-type]

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

began = time.monotonic()
assert os.waitpid(start(fresh()), 0)[1] == 0
whole = time.monotonic() - began
(data.parent / "trial").rename(data.parent / "expected")
chance = random.Random(0)
for trial in range(moments):
    path = fresh()
    child = start(path)
    time.sleep(chance.uniform(0, 1.1 * whole))
    os.kill(child, signal.SIGKILL)
    killed = os.waitpid(child, 0)[1] != 0
    began = (Path(path) / ".datasplit").exists()
    state = "workspace" if began else "done" if (Path(path) / "test").exists() else "untouched"
    if state != "done":
        assert os.waitpid(start(path), 0)[1] == 0
    shutil.move(path, data.parent / f"finished{trial}")
    print(state, flush=True)
"""


def test_killed_at_20_random_moments_in_place_a_rerun_finishes(data: Path, tmp_path: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", SPLITS_OF_A_FOLDER, str(data), "20"], check=True, capture_output=True, text=True
    ).stdout.split()
    expected = tree_hash(tmp_path / "expected")
    assert per_class(tmp_path / "expected", "train") == dict.fromkeys(COUNTS, 96)
    assert [tree_hash(tmp_path / f"finished{trial}") for trial in range(20)] == [expected] * 20
    assert shown.count("workspace") >= 10


def test_a_rerun_goes_on_with_its_own_seed_and_options(data: Path, tmp_path: Path) -> None:
    done(data, "--balance", "--seed", 3, "--output", tmp_path / "expected")
    arguments = [str(data), "--balance", "--seed", "3", "--workers", "1"]
    code = (
        "import components.split_balance_augment.split_folder as s, os; s._Run._try_pipeline = lambda *_: os._exit(9)\n"
    )
    code += "from components.datasplit import main; main()"
    assert subprocess.run([sys.executable, "-c", code, *arguments], check=False, capture_output=True).returncode == 9
    assert (data / ".datasplit").is_dir()
    again = done(data, "--seed", 99)
    assert "going on with its options (seed 3)" in again.output
    assert tree(data) == tree(tmp_path / "expected")


def test_killed_workers_and_all_leave_no_process_behind(tmp_path: Path) -> None:
    data = draw_folder(tmp_path / "data", {"a": 20, "b": 60})
    command = [sys.executable, "-m", "components.datasplit", str(data), "--balance", "--global-multiplier", "200"]
    process = subprocess.Popen([*command, "--workers", "2", "--seed", "1"], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(data.glob(".datasplit/stage-*/train/*/*_aug1*")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    import psutil

    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 2
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
