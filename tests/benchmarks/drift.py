"""How often `affect drift` raises an alarm: where nothing has changed, and where something has.

`python tests/benchmarks/drift.py --model DIR [--emoji DIR] [--draws 200] [--alarms 60] [--folder DIR]`, with a model
that the pipeline trained on the sample faces. Other sample faces are drawn and shown to it, as they are and changed;
their numbers are kept in `--folder`. For each draw some persons' faces are the test split, and others are what is
served. Prints, as Markdown tables, the share of draws that are said to have drifted, by the number of served images:

1. Nothing has changed: each image of another person; whole persons of four images, which the names tell; the same
   where nobody looks at the names. At most 5 % may be alarms.
2. Something has: how often it is seen, and how often each figure is among the reasons.
"""

import argparse
import pickle
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from components.drift_reference.look import Measured, look, measure
from components.formats.drift_sample import Sample, numbered
from components.formats.examples import read_labels
from components.formats.saved_model import ASSETS
from components.images.codec import Pixels, decode, encode
from components.split.captures import captured_keys
from pipeline.drift.compare import DRIFTED, compare
from pipeline.drift.options import DriftOptions
from pipeline.drift.words import TITLES
from pipeline.sample.dataset import GROUP_REGEX, write_sample_data

SIDE = 96
FACES, CHANGED, SEED = 4800, 1200, 11
REFERENCE = 200  # persons, four images each
SERVED = (50, 200, 1000)
ALL = "all"
Draw = Callable[..., tuple[Sample, Sample]]
CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "brighter by 10 %": lambda pixels: cv2.convertScaleAbs(pixels, alpha=1.1),
    "brighter by 30 %": lambda pixels: cv2.convertScaleAbs(pixels, alpha=1.3),
    "blurred, sigma 0.7": lambda pixels: cv2.GaussianBlur(pixels, (0, 0), 0.7),
    "blurred, sigma 1.5": lambda pixels: cv2.GaussianBlur(pixels, (0, 0), 1.5),
}


def measured(files: list[Path], change: Callable[[Pixels], Pixels] | None) -> Iterator[Measured]:
    """Yield pictures as a model is asked about them, changed."""
    for file in files:
        pixels = decode(file.read_bytes()).pixels
        pixels = pixels if change is None else change(pixels)
        yield measure(f"{file.parent.name}/{file.name}", encode(pixels, "png"), pixels, SIDE, SIDE)


def pools(model: Path, emoji: Path | None, folder: Path) -> dict[str, Sample]:
    """Return what the model says of each kind of images; asked once, then read from the folder."""
    faces = folder / "faces"
    if not faces.exists():
        write_sample_data(faces, FACES, SEED)
    # By name, so that an identity's images lie behind each other, whatever they show.
    plain = sorted(faces.rglob("*.jpg"), key=lambda file: file.name)
    asked = {"plain": (plain, None)} | {name: (plain[-CHANGED:], change) for name, change in CHANGES.items()}
    if emoji is not None:
        kinds = (".png", ".jpg", ".webp")
        asked["emoji"] = ([file for file in sorted(emoji.rglob("*")) if file.suffix in kinds], None)
    found = {}
    for number, (name, (files, change)) in enumerate(asked.items()):
        kept = folder / f"{number}.pickle"
        if not kept.exists():
            kept.write_bytes(pickle.dumps(look(model, measured(files, change))[0]))
        found[name] = pickle.loads(kept.read_bytes())
    return found


def take(sample: Sample, rows: np.ndarray, grouped: bool = True) -> Sample:
    """Return some images of a pool, with the persons as groups or each image by itself."""
    part = {name: column[rows] for name, column in sample._asdict().items() if name != "ids"}
    ids = [sample.ids[row] for row in rows]
    keys = captured_keys([name.rpartition("/")[2] for name in ids], GROUP_REGEX) if grouped else [None] * len(ids)
    return Sample(**{**part, "ids": ids, "groups": numbered(keys)})


def alarms(draws: int, served: Draw, labels: list[str]) -> "Counter[str]":
    """Return how many draws have drifted (`ALL`), and how often each figure was a reason."""
    found: Counter[str] = Counter()
    for draw in range(draws):
        rng = np.random.default_rng([SEED, draw])
        comparison = compare(*served(rng), labels, DriftOptions(seed=draw))
        found[ALL] += comparison.verdict == DRIFTED
        found.update(figure.name for figure in comparison.figures if figure.drifted)
    return found


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--emoji", type=Path)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--alarms", type=int, default=60)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/drift-benchmark"))
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    labels = read_labels(given.model / ASSETS)
    kinds = pools(given.model, given.emoji, given.folder)
    plain, persons = kinds["plain"], FACES // 4

    def split(rng: np.random.Generator, among: int) -> tuple[Sample, np.ndarray]:
        """Return a test split, and the persons that are left, in a random order."""
        order = rng.permutation(among)
        rows = (order[:REFERENCE, np.newaxis] * 4 + np.arange(4)).ravel()
        return take(plain, rows), order[REFERENCE:]

    def alone(rng: np.random.Generator, count: int) -> tuple[Sample, Sample]:
        reference, left = split(rng, persons)
        return reference, take(plain, left[:count] * 4 + rng.integers(4, size=len(left[:count])))

    def in_groups(rng: np.random.Generator, count: int, grouped: bool) -> tuple[Sample, Sample]:
        reference, left = split(rng, persons)
        return reference, take(plain, (left[: count // 4, np.newaxis] * 4 + np.arange(4)).ravel(), grouped)

    def other_mix(rng: np.random.Generator, count: int) -> tuple[Sample, Sample]:
        reference, left = split(rng, persons)
        rows = left * 4 + rng.integers(4, size=len(left))
        happy = np.array([plain.ids[row].startswith("happy/") for row in rows])
        chance = np.where(happy, 3.0, 1.0)  # of 500 of them that is still seen: of more, few others are left
        return reference, take(plain, rng.choice(rows, min(count, 500), replace=False, p=chance / chance.sum()))

    def changed(rng: np.random.Generator, count: int, name: str) -> tuple[Sample, Sample]:
        reference, _ = split(rng, (FACES - CHANGED) // 4)
        pool = kinds[name]
        return reference, take(pool, rng.permutation(len(pool.ids))[:count], name != "emoji")

    rows: dict[str, Draw] = {
        "each image of another person": alone,
        "persons of four images, told by their names": partial(in_groups, grouped=True),
        "persons of four images, names not looked at": partial(in_groups, grouped=False),
    }
    head = " | ".join(map(str, SERVED))
    print(f"| nothing has changed ({given.draws} draws) | {head} |\n|---|---|---|---|")
    for name, draw in rows.items():
        found = [alarms(given.draws, partial(draw, count=n), labels) for n in SERVED]
        print(f"| {name} | {' | '.join(f'{one[ALL] / given.draws:.1%}' for one in found)} |", flush=True)
    print(f"\n| something has ({given.alarms} draws) | {head} | reasons at {SERVED[1]} |\n|---|---|---|---|---|")
    seen: dict[str, Draw] = {name: partial(changed, name=name) for name in kinds if name != "plain"}
    for name, draw in {**seen, "three times as many happy faces": other_mix}.items():
        found = [alarms(given.alarms, partial(draw, count=n), labels) for n in SERVED]
        reasons = {TITLES[key]: count for key, count in found[1].most_common() if key != ALL}
        words = ", ".join(f"{key.lower()} {count / given.alarms:.0%}" for key, count in reasons.items())
        shares = " | ".join(f"{one[ALL] / given.alarms:.0%}" for one in found)
        print(f"| {name} | {shares} | {words} |", flush=True)


if __name__ == "__main__":
    main()
