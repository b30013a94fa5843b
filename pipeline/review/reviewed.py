"""The run whose labels are looked at again: what its analysis found, and what its labels came from."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.formats.dataset import SPLITS, read_columns, shard_paths
from components.formats.documents import ANALYSIS
from components.images.joined_source import below
from components.images.places import found_places
from components.images.source import printable
from components.ingest.label_table import read_names
from components.ingest.match_labels import Finder
from components.ingest.named_table import roots_of
from components.ingest.options import LabelColumns
from pipeline.lineage.mlmd_store import open_store
from pipeline.lineage.store import Artifact, StoreError
from pipeline.local.workdir import Workdir


@dataclass(frozen=True)
class Reviewed:
    """A run.

    Attributes:
        name: of the run.
        findings: of its PredictionAnalysis.
        data: its data folder, or several (`components.images.places`).
        dataset: folder of its split data set; None where that is gone.
        options: the section `data` of its configuration.
    """

    name: str
    findings: Mapping[str, Any]
    data: str
    dataset: Path | None
    options: Mapping[str, Any]

    @property
    def labels_csv(self) -> str | None:
        """The table that its labels came from."""
        return self.options.get("labels_csv")

    @property
    def columns(self) -> LabelColumns:
        """How the columns of its table are called."""
        return LabelColumns.model_validate(self.options.get("labels_columns", {}))

    def numbers(self) -> dict[str, str] | None:
        """Return the class names by what its table has in their place.

        Raises:
            OSError: the file that has them can't be read.
        """
        names = self.options.get("label_names")
        return read_names(Path(names).read_bytes(), f"data.label_names {names}") if isinstance(names, str) else names

    def labels(self) -> dict[str, str]:
        """Return the labels of its images by id; copies have their source's.

        Raises:
            StoreError: its data set is gone.
        """
        if self.dataset is None:
            raise StoreError(f"the data set of run {self.name} is gone, so nobody knows its images: run it again")
        found = {}
        for split in SPLITS:
            for row in read_columns(self.dataset, split, ("id", "label", "copy")).to_pylist():
                if row["copy"] == 0:
                    found[row["id"]] = row["label"]
        return found

    def finder(self, images: Mapping[str, str], table: Path | None = None) -> Finder:
        """Return what finds images by the paths in a table, as ingest does.

        Args:
            images: by id.
            table: the file, which may lie among the images.
        """
        beside = ""
        for name, place in found_places(self.data).items():
            if table is not None and "://" not in place:
                path = printable(os.fsencode(os.path.relpath(os.path.realpath(table.parent), os.path.realpath(place))))
                if path != ".." and not path.startswith("../"):
                    beside = below(name, path) if name or path != "." else ""
        return Finder(images, roots_of(self.data), beside)


def latest(workdir: str) -> Reviewed:
    """Return the newest run in a folder that has been analysed.

    Raises:
        StoreError: there is none.
    """
    store = open_store(str(Workdir(workdir).metadata))
    for run in store.runs():
        artifacts = [one for one in store.artifacts_of(run) if one.state == "LIVE"]
        for artifact in artifacts:
            if artifact.type == "components.Analysis" and ANALYSIS.exists(artifact.uri):
                return Reviewed(
                    name=run.name,
                    findings=ANALYSIS.read(artifact.uri),
                    data=str(run.properties.get("data", "")),
                    dataset=next(filter(None, map(_split_dataset, artifacts)), None),
                    options=json.loads(run.properties.get("config", "{}")).get("data", {}),
                )
    raise StoreError(f"no finished analysis in {workdir}: run the pipeline first")


def _split_dataset(artifact: Artifact) -> Path | None:
    """Return the folder of a data set that was split; ingest's has no splits."""
    if artifact.type != "components.ImageDataset" or not shard_paths(artifact.uri, SPLITS[0]):
        return None
    return Path(artifact.uri)
