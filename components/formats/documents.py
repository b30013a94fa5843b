"""The JSON documents in artifacts: their file names, versions, reading and writing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.formats.version import KEY, check_version
from components.tools.files import StrPath, as_json, read_json, write_json, write_text


@dataclass(frozen=True)
class Document:
    """A file that holds one JSON object.

    Attributes:
        name: of the file.
        version: of the format; raised when a reader of the last one would go wrong.
    """

    name: str
    version: int = 1

    def text(self, values: Mapping[str, Any]) -> str:
        """Return the file's content."""
        return as_json({**values, KEY: self.version})

    def write(self, values: Mapping[str, Any], folder: StrPath) -> None:
        """Write the file into a folder."""
        write_text(self.text(values), Path(folder) / self.name)

    def parse(self, text: str | bytes, where: str) -> dict[str, Any]:
        """Return the object in a file's content, without its version.

        Raises:
            NewerFormatError: the content is of a later format.
        """
        values: dict[str, Any] = json.loads(text)
        check_version(values.pop(KEY, None), self.version, where)
        return values

    def exists(self, folder: StrPath) -> bool:
        """Return whether the file is in a folder."""
        return (Path(folder) / self.name).exists()

    def read(self, folder: StrPath) -> dict[str, Any]:
        """Read the file in a folder.

        Raises:
            FileNotFoundError: it isn't there.
            NewerFormatError: it is of a later format.
        """
        path = Path(folder) / self.name
        return self.parse(path.read_text("utf-8"), str(path))


SUMMARY = Document("summary.json")  # of an ImageDataset; also by itself, for those who need no image
TRAINING = Document("training.json")  # what the Trainer did, epoch by epoch
MLFLOW = Document("mlflow.json")  # beside `training.json`: `run_id` on the server, and the options it was given
RESULTS = Document("results.json")  # what the Evaluator measured and decided
ANALYSIS = Document("analysis.json")  # how far a model can be trusted
CARD = Document("model_card.json")
PICTURES = Document("pictures.json")  # what the report shows pictures of, and these
BASELINES = Document("baselines.json")  # what a model must beat to be worth its training
EXPLANATION = Document("explanation.json")  # what a model sees, with the pictures that show it
REGISTERED = Document("registered.json")  # which versions were new to a model registry
GATE = Document("gate.json")  # whether the data is fit to train on

CARD_MARKDOWN = "model_card.md"
PREDICTIONS = "predictions.parquet"
REPORT = "index.html"
_LEADERBOARD = "leaderboard.json"  # a list, as it has always been: a trial a row


def write_leaderboard(rows: list[Any], folder: StrPath) -> None:
    """Write the Tuner's trials, the best first."""
    write_json(rows, Path(folder) / _LEADERBOARD)


def read_leaderboard(folder: StrPath) -> list[Any]:
    """Read the Tuner's trials, the best first."""
    return list(read_json(Path(folder) / _LEADERBOARD))
