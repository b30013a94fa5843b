"""What a model has to beat on given data, and what it costs to know: on the splits that the pipeline makes, untrained.

`python tests/benchmarks/simple_baselines.py [--data DIR …] [--set KEY=VALUE …]`; without data, the sample faces,
scikit-learn's digits, and drawn faces in AffectNet's numbers.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from seeds import write_digits

from components.formats.dataset import SPLITS, read_columns
from components.ingest.ingest import ingest
from components.simple_baselines.baselines import measure_baselines
from components.split_balance_augment.split_dataset import split_dataset
from pipeline.config import load
from pipeline.sample.dataset import AFFECTNET_COUNTS, GROUP_REGEX, write_sample_data


def split(data: Path, folder: Path, overrides: list[str]) -> tuple[Path, list[str]]:
    """Ingest and split a folder as a run does, without copies, which no simple baseline learns from."""
    config = load(None, [*overrides, "balance.splits=[]"])
    images, dataset = folder / "images", folder / "dataset"
    for target in (images, dataset):
        target.mkdir(parents=True)
    ingest(str(data), images, config.data.for_ingest())
    near = config.data.near_duplicates == "group"
    split_dataset(
        str(images),
        str(dataset),
        split=config.split,
        balance=config.balance,
        augment=config.augment,
        beam=config.beam,
        group_near=near,
    )
    labels = {label for name in SPLITS for label in read_columns(dataset, name, ["label"])["label"].to_pylist()}
    return dataset, sorted(labels)


def main() -> None:
    """Print a row a data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", default=[], help="folder with train/<label>/")
    parser.add_argument("--set", action="append", default=[], help="options, such as split.group_regex")
    options = parser.parse_args()
    table = Table("data", "train", "test", "largest class", "linear model", "its macro-F1", "time", "peak", box=None)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        given = [(data, options.set) for data in options.data]
        if not given:
            by_identity = f"split.group_regex='{GROUP_REGEX}'"
            write_sample_data(work / "sample")
            write_sample_data(work / "affectnet", sum(AFFECTNET_COUNTS.values()))
            digits = write_digits(work / "digits")
            given = [(work / "sample", [by_identity]), (digits, []), (work / "affectnet", [by_identity])]
        for number, (data, overrides) in enumerate(given):
            dataset, labels = split(data, work / f"split-{number}", overrides)
            (work / f"found-{number}").mkdir()
            started = time.process_time()
            found = measure_baselines(dataset, labels, work / f"found-{number}")
            seconds = time.process_time() - started
            linear = found["linear_model"]["metrics"]
            scores = (found["largest_class"]["metrics"]["accuracy"], linear["accuracy"], linear["macro_f1"])
            table.add_row(
                data.name,
                f"{found['linear_model']['train_images']:,}",
                f"{found['images']:,}",
                *("{value:.3f} ({low:.3f}–{high:.3f})".format(**score) for score in scores),
                f"{seconds:.1f} CPU s",
                f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB",
            )
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
