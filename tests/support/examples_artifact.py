"""Examples as TFX hands them to a component."""

from pathlib import Path

from tfx.types import artifact_utils, standard_artifacts


def examples_artifact(root: Path) -> standard_artifacts.Examples:
    """An artifact of the three splits that lie in a folder."""
    artifact = standard_artifacts.Examples()
    artifact.uri = str(root)
    artifact.split_names = artifact_utils.encode_split_names(["train", "eval", "test"])
    return artifact
