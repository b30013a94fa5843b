"""The most confident mistakes: what speaks for either class in the picture, and the training images nearest to it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from components.explanation.embeddings import Embed, Embeddings, unit_rows
from components.explanation.heat_map import heat_maps
from components.explanation.near_duplicates import Rule
from components.explanation.neighbours import nearest
from components.explanation.pictures import beside, pixels_of
from components.explanation.same_picture import likeness, small
from components.explanation.served_model import Maps

SHOWN = 24
NEIGHBOURS = 3

Explain = Callable[[bytes], Maps]


class Neighbour(NamedTuple):
    """An image of train that is near to another one.

    Attributes:
        filename: its id.
        label: its class.
        cosine: between the features of both.
    """

    filename: str
    label: str
    cosine: float


def neighbours_of(images: Mapping[str, bytes], embeddings: Embeddings, embed: Embed) -> dict[str, list[Neighbour]]:
    """Return for each of a few images, copies maybe, the three nearest of train.

    Args:
        images: encoded, by id.
        embeddings: of the data.
        embed: from encoded images to features, batch by batch.
    """
    if not images:
        return {}
    train = embeddings.of("train")
    features = np.concatenate([unit_rows(batch) for batch in embed(images.values())])
    found = nearest(train.features, features, NEIGHBOURS)
    return {
        name: [
            Neighbour(str(train.names[place]), str(train.labels[place]), float(cosine))
            for place, cosine in zip(near, cosines, strict=True)
        ]
        for name, near, cosines in zip(images, found.places, found.similarities, strict=True)
    }


def explained_mistakes(
    mistakes: Sequence[Mapping[str, Any]],
    labels: Sequence[str],
    neighbours: Mapping[str, Sequence[Neighbour]],
    images: Mapping[str, bytes],
    explain: Explain,
    rule: Rule,
) -> list[dict[str, Any]]:
    """Return what the report shows of mistakes.

    Args:
        mistakes: `filename`, `true`, `predicted`, `score`, the most confident first.
        labels: class names in the order of their ids.
        neighbours: of `neighbours_of`.
        images: encoded, by id; those of mistakes and of their neighbours.
        explain: encoded image to activation maps.
        rule: when a neighbour counts as a version of the same picture.

    Returns:
        What is given, and `heat` (`predicted` and `true`, pictures), `neighbours` (`filename`, `label`, `cosine`,
        `same_picture`, `picture`), and `hint`, what to look at first, or "".
    """
    found = []
    for row in mistakes:
        image = images[row["filename"]]
        pixels = pixels_of(image)
        classes = [labels.index(row[key]) for key in ("predicted", "true")]
        heats = heat_maps(pixels, *explain(image), classes)
        near = []
        for one in neighbours[row["filename"]]:
            other = pixels_of(images[one.filename])
            same = one.cosine >= rule.cosine and likeness(small(pixels), small(other)) >= rule.pixels
            near.append(
                {
                    **one._asdict(),
                    "cosine": round(one.cosine, 4),
                    "same_picture": bool(same),
                    "picture": beside(other),
                }
            )
        predicted, true = (beside(heat) for heat in heats)
        found.append(
            {**row, "heat": {"predicted": predicted, "true": true}, "neighbours": near, "hint": hint(row, near)}
        )
    return found


def hint(mistake: Mapping[str, Any], neighbours: Sequence[Mapping[str, Any]]) -> str:
    """Return what a training image of the same picture makes one look at first; "" where there is none.

    That the nearest ones are of the class predicted is no hint: so it is with nearly all mistakes of which a model is
    sure.
    """
    if same := next((one for one in neighbours if one["same_picture"]), None):
        if same["label"] == mistake["true"]:
            return "the same picture seems to be in train"
        return f"the same picture seems to be in train, as {same['label']}: is one of the labels wrong?"
    return ""


def typical(embeddings: Embeddings, predicted: Mapping[str, str], count: int) -> dict[str, list[str]]:
    """Return for each class some of its test images: those nearest to the mean direction of those that are right.

    Args:
        embeddings: of the data.
        predicted: class by id, of the images of test.
        count: of images a class at most.
    """
    test = embeddings.of("test")
    right = np.array([predicted.get(str(name)) for name in test.names], object) == test.labels
    found = {}
    for label in sorted(set(test.labels[right].tolist())):
        rows = np.flatnonzero(right & (test.labels == label))
        features = test.features[rows]
        cosines = features @ features.mean(axis=0)
        order = np.argsort(-np.round(cosines, 6), kind="stable")
        found[label] = [str(name) for name in test.names[rows[order[:count]]]]
    return found
