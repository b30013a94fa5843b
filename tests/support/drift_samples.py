"""Made-up samples of images, a model's folder with a reference, and predictions, for tests of drift."""

from pathlib import Path
from typing import Any

import numpy as np

from components.formats.drift_reference import About, write_reference
from components.formats.drift_sample import Sample
from components.formats.examples import write_labels
from components.formats.saved_model import ASSETS, GRAPH
from components.formats.served_predictions import write_served

LABELS = ["cat", "dog", "owl"]
MODEL = "0123456789abcdef"


def sample(seed: int, images: int = 300, per_group: int = 1, **changed: float) -> Sample:
    """Return images of one population, in groups whose images are much alike.

    Args:
        seed: of all that is random.
        images: their number, a multiple of `per_group`.
        per_group: images in a group.
        changed: how far a figure is moved, in its standard deviations; of `classes` the share that is made class 0.
    """
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(images // per_group), per_group)

    def normal(name: str, count: int = 1) -> np.ndarray:
        own, shared = rng.normal(size=(images, count)), rng.normal(size=(images, count))[groups]
        mixed = own if per_group == 1 else 0.6 * own + 0.8 * shared
        return mixed + changed.get(name, 0.0)

    predicted = rng.integers(3, size=images)[groups]
    predicted = np.where(rng.random(images) < changed.get("classes", 0.0), 0, predicted)
    return Sample(
        ids=[f"g{group:05d}_{place}.jpg" for place, group in enumerate(groups)],
        groups=groups,
        predicted=predicted,
        score=(1 / (1 + np.exp(-1 - normal("confidence")[:, 0]))).astype(np.float32),
        accepted=normal("accepted")[:, 0] > -1,
        brightness=(120 + 20 * normal("brightness")[:, 0]).astype(np.float32),
        sharpness=(500 * np.exp(0.5 * normal("sharpness")[:, 0])).astype(np.float32),
        width=np.full(images, 96 + 32 * round(changed.get("size", 0.0)), np.int32),
        height=np.full(images, 96, np.int32),
        embeddings=normal("embeddings", 32).astype(np.float16),
    )


def about(**changed: Any) -> About:
    return About(LABELS, MODEL, 300, 96, 96, None, "name")._replace(**changed)


def model_with(reference: Sample | None, folder: Path, facts: About | None = None) -> Path:
    """Return what `affect drift` needs of a pushed model: nothing of the network."""
    assets = folder / ASSETS
    assets.mkdir(parents=True)
    (folder / GRAPH).write_bytes(b"")
    write_labels(LABELS, assets)
    if reference is not None:
        write_reference(reference, facts or about(), assets)
    return folder


def predictions(served: Sample, file: Path, model: str = MODEL, embeddings: bool = True) -> Path:
    """Write a sample as predictions."""
    assert served.accepted is not None
    assert served.embeddings is not None
    count = len(served.ids)
    columns = {name: getattr(served, name) for name in ("score", "brightness", "sharpness", "width", "height")}
    columns |= {
        "id": served.ids,
        "label": [LABELS[place] for place in served.predicted],
        "probabilities": [[0.0] * len(LABELS)] * count,
        "accepted": served.accepted,
        "embedding": served.embeddings.astype(np.float32).tolist() if embeddings else [None] * count,
    }
    write_served(columns, file, LABELS, model)
    return file
