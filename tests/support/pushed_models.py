"""The files of a SavedModel as pushing sees them."""

from pathlib import Path


def write_graph_and_weights(folder: Path) -> Path:
    """Write them, and return the folder."""
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "variables.index").write_bytes(b"weights")
    return folder
