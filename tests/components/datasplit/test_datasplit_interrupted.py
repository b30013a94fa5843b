"""`datasplit` killed at any moment, and given again."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from datasplit_command import COUNTS, datasplit, done, killed, per_class, tree, tree_hash
from drawn_images import draw_folder
from waiting import until

# `datasplit` imports Beam when the work begins.
pytestmark = pytest.mark.heavy


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return draw_folder(tmp_path / "data", COUNTS)


# Loads everything once, then gives each trial a process of its own.
SPLITS_OF_A_FOLDER = """
import os, sys, random, shutil, signal, time
from pathlib import Path
import components.work.engine
from components.datasplit.split_folder import Request, Watcher, split_folder

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
    if not died or ((Path(path) / "train.csv").exists() and not (Path(path) / ".datasplit" / "commit.json").exists()):
        continue  # it had finished already, but for the empty folder that it goes by
    print("begun" if (Path(path) / ".datasplit").exists() else "untouched", flush=True)
    assert os.waitpid(start(path), 0)[1] == 0
    shutil.move(path, data.parent / f"finished{killed}")
    killed += 1
"""


@pytest.mark.campaign
def test_killed_at_20_random_moments_in_place_a_rerun_finishes(data: Path, tmp_path: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", SPLITS_OF_A_FOLDER, str(data), "20"], check=True, capture_output=True, text=True
    ).stdout.split()
    expected = tree_hash(tmp_path / "expected")
    assert per_class(tmp_path / "expected", "train") == dict.fromkeys(COUNTS, 96)
    assert [tree_hash(tmp_path / f"finished{trial}") for trial in range(20)] == [expected] * 20
    assert len(shown) == 20
    assert shown.count("begun") >= 10


def test_a_rerun_goes_on_with_its_own_seed_and_options(data: Path, tmp_path: Path) -> None:
    done(data, "--balance", "--seed", 3, "--output", tmp_path / "expected")
    killed(tmp_path, str(data))
    assert (data / ".datasplit").is_dir()
    again = done(data, "--seed", 99, "--train-split", "0.80", "--max-copies-per-image", 2)
    assert "going on with its options (seed 3)" in again.output
    assert (
        "Of this command not used, since the interrupted run has: --balance train, test (not none); --seed 3 (not 99); "
        "--max-copies-per-image none (not 2)."
    ) in " ".join(again.output.split())
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


@pytest.mark.campaign
def test_killed_workers_and_all_leave_no_process_behind(tmp_path: Path) -> None:
    data = draw_folder(tmp_path / "data", {"a": 20, "b": 60})
    command = [sys.executable, "-m", "components.datasplit", str(data), "--balance", "--global-multiplier", "200"]
    process = subprocess.Popen([*command, "--workers", "2", "--seed", "1"], stderr=subprocess.DEVNULL)
    until(lambda: list(data.glob(".datasplit/stage-*/train/*/*_aug1*")), seconds=300)  # it imports Beam twice
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 2
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(children, timeout=120)
    # In a container the first process may be none that takes leave of the dead.
    assert [child for child in alive if child.status() != psutil.STATUS_ZOMBIE] == []
