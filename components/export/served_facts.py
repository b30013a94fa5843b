"""What a SavedModel's assets say of it, for the files that are made from it."""

from pathlib import Path

from components.formats.documents import TRAINING
from components.formats.examples import read_labels
from components.formats.exports import Facts, Format
from components.formats.folds import ENSEMBLE


def facts_of(assets: Path, kind: Format, shape: tuple[int, int, int]) -> Facts:
    """Return what a file of a format says of itself.

    Args:
        assets: `assets.extra` of the SavedModel.
        kind: the format.
        shape: height, width and channels of the images.
    """
    if ENSEMBLE.exists(assets):
        described = ENSEMBLE.read(assets)
        temperatures, answers = described["temperatures"], None
    else:
        described = TRAINING.read(assets)
        temperatures, answers = [described["temperature"]], described.get("answers")
    return Facts(
        format=kind,
        labels=tuple(read_labels(assets)),
        height=shape[0],
        width=shape[1],
        channels=1 if shape[2] == 1 else 3,
        temperatures=tuple(temperatures),
        mirrored=bool(described.get("flip_average")),
        thresholds=tuple(answers["thresholds"]) if answers else None,
    )
