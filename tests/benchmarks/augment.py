"""How near the augment stage is to what the machine can do: `python tests/benchmarks/augment.py` (about 4 minutes).

Prints, from one run over the same drawn images (29,042 of them by default, as many a class as AffectNet's subset has):

floor       one decode of each source that gets copies, transforms and encoding of each copy, with the bare library
            (Albumentations' own transforms) on one core, divided by the cores
stage       `SplitBalanceAugment`'s work as a process of its own: interpreter, imports, plan, Beam, writing Parquet
datasplit   the command, from the folder to the folder: reading and hashing every file comes on top
sequential  the loop that a user would write with pandas, OpenCV and Albumentations

with their peak memory: PSS of the whole process tree. Beside other work the times say little, hence the load and the
seconds of processor time; the floor is processor time throughout. `--scale 10000 30000 100000 300000` shows time and
memory over the number of images instead, `--hashes` the digest of the output for 1, 2 and 4 workers and a shuffled
input, and `--contact-sheet FILE` a picture of 8 sources beside 8 copies each.
"""

import argparse
import hashlib
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import albumentations as A
import cv2
import numpy as np
import pandas as pd
import psutil

from components.augment.augmenter import Augmenter
from components.ingest.ingest import ingest
from components.ingest.options import DataOptions
from pipeline.sample.dataset import class_counts
from pipeline.sample.face import Person, draw_face

_STAGE = """
import sys
from components.split_balance_augment.options import AugmentOptions, BalanceOptions, SplitOptions
from components.work.options import BeamOptions
from components.split_balance_augment.split_dataset import split_dataset
if __name__ == "__main__":
    source, target, multiplier, workers = sys.argv[1:]
    split_dataset(source, target, split=SplitOptions(train=0.7, eval=0.1, test=0.2),
              balance=BalanceOptions(splits=("train", "eval", "test"), global_multiplier=float(multiplier)),
              augment=AugmentOptions(), beam=BeamOptions(workers=int(workers) or None))
"""


@dataclass(frozen=True)
class Measured:
    """Seconds, processor seconds and peak memory of one process tree, and how many images it left."""

    seconds: float
    cpu: float
    peak_mib: float
    images: int

    @property
    def rate(self) -> float:
        return self.images / self.seconds


def measure(command: list[str], images: int) -> Measured:
    """Run a command and watch the PSS of it and all its children."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    process = subprocess.Popen(
        command, env=os.environ | {"PYTHONWARNINGS": "ignore"}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    peak = 0
    root = psutil.Process(process.pid)
    while process.poll() is None:
        peak = max(peak, sum(map(pss, tree(root))))
        time.sleep(0.25)
    seconds = time.monotonic() - started
    if process.returncode:
        assert process.stderr is not None
        raise SystemExit(process.stderr.read().decode())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    return Measured(seconds, cpu, peak / 2**20, images)


def tree(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def pss(process: psutil.Process) -> int:
    """Bytes; the kernel's own sum, since adding up every mapping would slow down what is measured."""
    try:
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def drawn_folder(work: Path, images: int) -> Path:
    """Sample faces, drawn on all cores once and kept; from 30,000 on, variants of fewer faces."""
    folder = work / f"faces-{images}"
    if folder.exists():
        return folder
    faces = min(images, 29_042)
    temporary = work / "drawing"
    shutil.rmtree(temporary, ignore_errors=True)
    labels = [label for label, count in class_counts(images).items() for _ in range(count)]
    random.Random(0).shuffle(labels)
    for label in set(labels):
        (temporary / "train" / label).mkdir(parents=True)
    jobs = [(temporary, start, labels[start::faces]) for start in range(faces)]
    with ProcessPoolExecutor() as pool:
        for _ in pool.map(_draw_variants, jobs, chunksize=100):
            pass
    temporary.rename(folder)
    return folder


def _draw_variants(job: tuple[Path, int, list[str]]) -> None:
    folder, number, labels = job
    for variant, label in enumerate(labels):
        if variant == 0:
            face = draw_face(label, Person.draw(np.random.default_rng([1, number])), np.random.default_rng([2, number]))
        face = np.roll(face, 3 * variant, axis=1)
        done, data = cv2.imencode(".jpg", face[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
        assert done
        (folder / "train" / label / f"{number:06d}_{variant}.jpg").write_bytes(data.tobytes())


def ingested(work: Path, folder: Path) -> Path:
    target = work / f"{folder.name}-ingested"
    if not target.exists():
        temporary = work / "ingesting"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        ingest(str(folder), temporary, DataOptions(near_duplicates="off"))
        temporary.rename(target)
    return target


def bare_pipeline() -> A.Compose:
    """The default pipeline as nearly as Albumentations 2.x has it."""
    blur_or_noise = [
        A.MotionBlur(blur_limit=(3, 7), p=1.0),
        A.GaussNoise(std_range=(10**0.5 / 255, 50**0.5 / 255), p=1.0),
        A.GaussianBlur(blur_limit=(3, 7), sigma_limit=(0.8, 1.4), p=1.0),
    ]
    return A.Compose(
        [
            A.HorizontalFlip(p=0.5),
            A.RandomBrightnessContrast(p=1.0),
            A.OneOf(blur_or_noise, p=0.5),
            A.PixelDropout(dropout_prob=0.01, p=0.25),
            A.Rotate(limit=20, border_mode=cv2.BORDER_REPLICATE, p=1.0),
        ]
    )


def floor_of(folder: Path, summary: dict[str, Any], sample: int = 1500) -> float:
    """Seconds of one core for what the stage had to decode, transform and encode."""
    cv2.setNumThreads(0)
    files = sorted((folder / "train").glob("*/*.jpg"))
    data = [np.fromfile(path, np.uint8) for path in random.Random(0).sample(files, min(sample, len(files)))]
    pipeline = bare_pipeline()
    started = time.process_time()
    images = [cv2.cvtColor(cv2.imdecode(one, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB) for one in data]
    decoded = time.process_time()
    for image in images:
        copy = pipeline(image=image)["image"]
        cv2.imencode(".jpg", cv2.cvtColor(copy, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95])
    made = time.process_time()
    sources = sum(
        counts["originals"]
        for by_label in summary["counts"].values()
        for counts in by_label.values()
        if counts["copies"]
    )
    sources = min(sources, summary["made_copies"])
    return ((decoded - started) * sources + (made - decoded) * summary["made_copies"]) / len(images)


def sequential_loop(folder: Path, target: Path, multiplier: float) -> None:
    """Balance train and test by reading, transforming and writing one image after the other."""
    rows = [(path.parent.name, path) for path in sorted((folder / "train").glob("*/*.jpg"))]
    frame = pd.DataFrame(rows, columns=["label", "path"]).sample(frac=1.0, random_state=27)
    largest = frame["label"].value_counts().max()
    pipeline = bare_pipeline()
    for label, group in frame.groupby("label"):
        cut = round(0.8 * len(group))
        wanted = {"train": multiplier * round(0.8 * largest), "test": multiplier * (largest - round(0.8 * largest))}
        for split, part in (("train", group.iloc[:cut]), ("test", group.iloc[cut:])):
            (target / split / str(label)).mkdir(parents=True)
            for path in part["path"]:
                shutil.copy(path, target / split / str(label) / path.name)
            for number in range(int(wanted[split]) - len(part)):
                path = part["path"].iloc[number % len(part)]
                image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
                copy = cv2.cvtColor(pipeline(image=image)["image"], cv2.COLOR_RGB2BGR)
                name = target / split / str(label) / f"aug_{number}{path.name}"
                cv2.imwrite(str(name), copy, [cv2.IMWRITE_JPEG_QUALITY, 95])


def stage(source: Path, target: Path, multiplier: float, workers: int | None) -> tuple[Measured, dict[str, Any]]:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    measured = measure([sys.executable, "-c", _STAGE, str(source), str(target), str(multiplier), str(workers or 0)], 0)
    summary = json.loads((target / "summary.json").read_text())
    images = sum(n["originals"] + n["copies"] for by_label in summary["counts"].values() for n in by_label.values())
    return replace(measured, images=images), summary


def datasplit(folder: Path, target: Path, multiplier: float, workers: int | None, images: int) -> Measured:
    shutil.rmtree(target, ignore_errors=True)
    options = ["--balance", "--global-multiplier", str(multiplier), "--seed", "27"]
    options += ["--workers", str(workers)] if workers else []
    command = [sys.executable, "-m", "components.datasplit", str(folder), "--output-path", str(target), *options]
    return measure(command, images)


def line(name: str, measured: Measured, floor: float) -> str:
    return (
        f"{name:<22}{measured.seconds:8.1f} s{measured.rate:10,.0f} images/s{measured.peak_mib:8.0f} MiB"
        f"{measured.seconds / floor:8.2f} x floor{measured.cpu:8.1f} s of one core"
    )


def compare(arguments: argparse.Namespace) -> None:
    work, workers = arguments.work, arguments.workers
    cores = workers or len(os.sched_getaffinity(0))
    folder = drawn_folder(work, arguments.images)
    source = ingested(work, folder)
    for multiplier in arguments.multiplier:
        staged, summary = stage(source, work / "stage", multiplier, workers)
        floor = floor_of(folder, summary) / cores
        images = staged.images
        print(
            f"\n{arguments.images:,} images, M = {multiplier:g}: {images:,} images, {cores} cores, "
            f"load {os.getloadavg()[0]:.1f}"
        )
        print(f"{'floor':<22}{floor:8.1f} s{images / floor:10,.0f} images/s")
        print(line("stage", staged, floor))
        limit = 1.25 * floor + 6
        print(f"{'':<22}{limit:8.1f} s is 1.25 x floor + 6 s: {'reached' if staged.seconds <= limit else 'MISSED'}")
        print(line("datasplit", datasplit(folder, work / "split", multiplier, workers, images), floor))
        if not arguments.no_sequential:
            shutil.rmtree(work / "loop", ignore_errors=True)
            loop = [sys.executable, __file__, "--loop", str(folder), str(work / "loop"), str(multiplier)]
            sequential = measure(loop, images)
            print(line("sequential loop", sequential, floor))
            print(f"{'':<22}{sequential.seconds / staged.seconds:8.2f} x as long as the stage")
    for name in ("stage", "split", "loop"):
        shutil.rmtree(work / name, ignore_errors=True)


def scale(arguments: argparse.Namespace) -> None:
    for images in arguments.scale:
        folder = drawn_folder(arguments.work, images)
        source = ingested(arguments.work, folder)
        for multiplier in arguments.multiplier:
            staged, _ = stage(source, arguments.work / "stage", multiplier, arguments.workers)
            split = datasplit(folder, arguments.work / "split", multiplier, arguments.workers, staged.images)
            print(
                f"{images:>9,} images, M = {multiplier:g}, {staged.images:>9,} made:"
                f"  stage {staged.seconds:7.1f} s ({staged.cpu:7.1f} s of one core) {staged.peak_mib:5.0f} MiB"
                f"  datasplit {split.seconds:7.1f} s ({split.cpu:7.1f}) {split.peak_mib:5.0f} MiB",
                flush=True,
            )
        shutil.rmtree(arguments.work / "stage", ignore_errors=True)
        shutil.rmtree(arguments.work / "split", ignore_errors=True)


def hashes(arguments: argparse.Namespace) -> None:
    """Digests over the whole output, which must be equal."""
    folder = drawn_folder(arguments.work, arguments.images)
    source = ingested(arguments.work, folder)
    shuffled = arguments.work / "shuffled"
    shutil.rmtree(shuffled, ignore_errors=True)
    files = sorted(path.relative_to(folder) for path in folder.rglob("*.jpg"))
    random.Random(1).shuffle(files)
    for path in files:
        (shuffled / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / path, shuffled / path)
    for workers in (1, 2, 4):
        stage(source, arguments.work / "stage", 1.0, workers)
        print(f"stage, {workers} workers:               {tree_hash(arguments.work / 'stage')}", flush=True)
    for workers, of in ((1, folder), (2, folder), (4, folder), (2, shuffled)):
        datasplit(of, arguments.work / "split", 1.0, workers, 0)
        name = "shuffled" if of is shuffled else "in order"
        print(f"datasplit, {workers} workers, {name}: {tree_hash(arguments.work / 'split')}", flush=True)
    for name in ("stage", "split", "shuffled"):
        shutil.rmtree(arguments.work / name, ignore_errors=True)


def tree_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(folder)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def contact_sheet(arguments: argparse.Namespace) -> None:
    folder = drawn_folder(arguments.work, arguments.images)
    augmenter = Augmenter(27)
    rows = []
    for label in sorted(path.name for path in (folder / "train").iterdir())[:8]:
        data = min((folder / "train" / label).iterdir()).read_bytes()
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
        gap = np.full((image.shape[0], 6, 3), 255, np.uint8)
        rows.append(np.hstack([image, gap, *augmenter.copies(image, hashlib.sha256(data).hexdigest(), 8)]))
    cv2.imwrite(arguments.contact_sheet, cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))
    print(f"drew {arguments.contact_sheet}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=29_042)
    parser.add_argument("--multiplier", type=float, nargs="+", default=[1.0, 3.0])
    parser.add_argument("--workers", type=int, help="as the pipeline decides")
    parser.add_argument("--scale", type=int, nargs="+", help="numbers of images")
    parser.add_argument("--hashes", action="store_true")
    parser.add_argument("--contact-sheet", metavar="FILE")
    parser.add_argument("--no-sequential", action="store_true")
    parser.add_argument("--work", type=Path, default=Path("runs/bench"), help="folder for the images, which are kept")
    parser.add_argument("--loop", nargs=3, metavar=("FOLDER", "TARGET", "M"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.loop:
        folder, target, multiplier = arguments.loop
        sequential_loop(Path(folder), Path(target), float(multiplier))
        return
    arguments.work.mkdir(parents=True, exist_ok=True)
    if arguments.contact_sheet:
        contact_sheet(arguments)
    elif arguments.hashes:
        hashes(arguments)
    elif arguments.scale:
        scale(arguments)
    else:
        compare(arguments)


if __name__ == "__main__":
    main()
