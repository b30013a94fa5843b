"""What ModelExplanation leaves for the report, made up: small, and with names that would like to be code."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from components.images.thumbnail import thumbnail

_PICTURE = thumbnail(np.full((24, 24, 3), 120, np.uint8))


def explanation(mistakes: Sequence[dict[str, Any]], labels: Sequence[str]) -> dict[str, Any]:
    """Return the document for these mistakes, with a map of all of them and as many right images."""
    names = [row["filename"] for row in mistakes]
    near = [
        {"filename": f"train/{name}", "label": label, "cosine": 0.98, "same_picture": index == 0, "picture": _PICTURE}
        for index, (name, label) in enumerate(zip(names[:3], labels, strict=False))
    ]
    shown = {"picture": _PICTURE, "heat": _PICTURE}
    true = [labels.index(row["true"]) for row in mistakes]
    places = np.linspace(-1.0, 1.0, 2 * len(names)).tolist()
    return {
        "mistakes": [
            {**row, "heat": {"predicted": _PICTURE, "true": _PICTURE}, "neighbours": near, "hint": f"as {labels[-1]}?"}
            for row in mistakes[:24]
        ],
        "typical": [{"label": label, "images": [{"filename": names[0], **shown}] * 3} for label in labels],
        "map": {
            "method": "pca",
            "explained": 0.61,
            "x": places,
            "y": places[::-1],
            "filename": names * 2,
            "true": true * 2,
            "predicted": [*(labels.index(row["predicted"]) for row in mistakes), *true],
            "images": 3000,
            "mistakes": len(names),
        },
        "near_duplicates": {
            "rule": {"cosine": 0.991, "pixels": 0.94, "found": 0.87, "versions": 200, "quality": 60},
            "pairs": 7,
            "test_images": 5,
            "shown": [
                {
                    "cosine": 0.995,
                    "pixels": 0.97,
                    "images": [
                        {"filename": names[0], "label": labels[0], "split": "test", "picture": _PICTURE},
                        {"filename": names[-1], "label": labels[-1], "split": "train", "picture": _PICTURE},
                    ],
                }
            ],
        },
    }
