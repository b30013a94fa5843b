"""What the model said of a split's images, as PredictionAnalysis keeps it."""

from pathlib import Path

from components.formats.dataset import open_shard
from components.formats.documents import PREDICTIONS


def read_predicted(analysis: Path, split: str) -> dict[str, str]:
    """Return the predicted class of each image of a split by id, copies too.

    Raises:
        NewerFormatError: the table is of a later format.
    """
    path = analysis / PREDICTIONS
    with open_shard(path, str(path), 1) as file:
        columns = file.read(columns=["split", "filename", "predicted"]).to_pydict()
    rows = zip(columns["split"], columns["filename"], columns["predicted"], strict=True)
    return {name: predicted for found, name, predicted in rows if found == split}
