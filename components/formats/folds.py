"""Folds of train and eval, for cross-fitting: Examples divided by them, and which image is in which.

Each fold is two halves, each half two splits of Examples: originals and, where there are any, augmented copies.

    Split-fold-1-a  Split-fold-1-a-copies  Split-fold-1-b  …

A fold's model is judged, while it is trained, by the first half of the next fold, is trained on all the rest, and
predicts the originals of its own fold, which it has seen nothing of. With five folds that is 70, 10 and 20 % of the
images.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from components.formats.dataset import read_table, write_table
from components.formats.documents import Document
from components.tools.files import StrPath

# Each is an input of those that gather what all folds made, and inputs have fixed names.
MOST_FOLDS = 10
CROSS_FIT = Document("cross_fit.json")  # what the folds' models say of images that they weren't trained on
ENSEMBLE = Document("ensemble.json")  # what an averaged model consists of
_FILE = "folds.parquet"
_HALVES = "ab"
_COPIES = "-copies"


@dataclass(frozen=True)
class TrainingSplits:
    """Which splits of Examples a training uses.

    Attributes:
        train: to train on.
        eval: to judge by while training, and to fit the temperature.
        held_out: to predict; none where that is `eval`.
    """

    train: tuple[str, ...] = ("train",)
    eval: tuple[str, ...] = ("eval",)
    held_out: tuple[str, ...] = ()


def split_name(fold: int, half: int, is_copy: bool) -> str:
    """Return the split of an image; fold and half are counted from 0."""
    return f"fold-{fold + 1}-{_HALVES[half]}{_COPIES if is_copy else ''}"


def splits_of_fold(fold: int, counts: Mapping[str, int]) -> TrainingSplits:
    """Return what the model of a fold is trained on, judged by and asked about.

    Args:
        fold: counted from 1.
        counts: examples of each split.
    """
    originals = sorted({name.removesuffix(_COPIES) for name in counts}, key=_place)
    folds = len(originals) // len(_HALVES)
    own = [split_name(fold - 1, half, False) for half in range(len(_HALVES))]
    judging = split_name(fold % folds, 0, False)
    others = [name for name in originals if name not in own and name != judging]
    copies = [name + _COPIES for name in others if name + _COPIES in counts]
    return TrainingSplits((*others, *copies), (judging,), tuple(own))


def _place(name: str) -> tuple[int, str]:
    _, fold, half = name.split("-")
    return int(fold), half


def write_folds(table: pa.Table, folder: StrPath) -> None:
    """Write which fold each original of train and eval is in: `id`, `split`, `label`, `fold` (from 1)."""
    write_table(table, Path(folder) / _FILE)


def read_folds(folder: StrPath) -> pa.Table:
    """Return that table.

    Raises:
        NewerFormatError: it is of a later format.
    """
    return read_table(Path(folder) / _FILE)


def fold_input(what: str, fold: int) -> str:
    """Return the input that takes what was made for a fold, as `model_run_01`; no name begins another's."""
    return f"{what}_{fold:02d}"
