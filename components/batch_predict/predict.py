"""Predict a folder, a table or records with a pushed model, shard by shard; what is finished is kept.

Beside the shards lies `predictions.json`: what they are made from, and in the end what is in them. A second call with
the same model, images and options does what is missing.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from components.batch_predict.find import Found, find
from components.batch_predict.on_beam import PredictParts
from components.batch_predict.options import PredictOptions
from components.batch_predict.place import Place
from components.batch_predict.predict_part import Asked
from components.batch_predict.served_model import About, describe
from components.formats.dataset import shard_name
from components.formats.served_predictions import PREDICTIONS, QUARANTINE, SERVED, is_shard, read_shard
from components.formats.version import NewerFormatError
from components.work.engine import run_units
from components.work.options import BeamOptions
from components.work.unit import WorkError

# What makes other shards, in the words of the message.
_WORDS = {
    "model": "the model",
    "images": "the images",
    "columns": "the columns",
    "embeddings": "whether there are embeddings",
    "batch_size": "the batch size",
    "images_per_shard": "the images in a shard",
    "max_pixels": "the most pixels of an image",
}
Report = Callable[[int, int], object]


class OutputError(ValueError):
    """The folder for the predictions holds something else; the message says what to do."""


def predict(
    uri: str,
    model: str,
    output: str,
    options: PredictOptions,
    beam: BeamOptions,
    *,
    max_pixels: int,
    anew: bool = False,
    report: Report = max,
) -> dict[str, Any]:
    """Write predictions of all images, as far as they aren't there, and return what is in them.

    Args:
        uri: what to predict; see `find`.
        model: path or URI of a SavedModel's folder, as workers reach it.
        output: path or URI of the folder for the predictions, as workers reach it.
        options: names of columns, sizes, embeddings; its own `path` and `output` aren't read.
        beam: what runs it.
        max_pixels: images with more are not decoded.
        anew: delete shards of another model, other images or options, rather than raise.
        report: called now and then with the numbers of shards that are done and of all.

    Returns:
        `images`, `quarantined`, `accepted` (None where the model can't say), `labels` (images by class), `shards`,
        `kept` (how many of them were there), `replaced` (what differed, where there was something else).

    Raises:
        ModelError: the model can't be loaded.
        OutputError: the folder holds something else.
        SourceError: there is nothing to predict.
        WorkError: a part failed.
    """
    about, found, place = describe(model), find(uri, options), Place(output)
    asked = Asked(options.batch_size, max_pixels, options.embeddings)
    made_from = _made_from(about, found, options, asked)
    plan = {"made_from": made_from, "labels": about.labels}
    replaced = _make_room(place, made_from, anew)
    place.write(SERVED.name, SERVED.text(plan).encode())

    names = [shard_name(PREDICTIONS, part.index, len(found.parts)) for part in found.parts]
    there = place.names()
    missing = [part for part, name in zip(found.parts, names, strict=True) if name not in there]
    if missing:

        def look() -> None:
            report(len(place.names().intersection(names)), len(names))

        # TensorFlow works on all cores by itself: more processes are worth it only where somebody asks for them.
        run_units(missing, PredictParts(model, about, asked, place, len(names)), beam, seconds=0.0, look=look)
        if left := set(names) - place.names():
            raise WorkError(f"the runner ended without an error, and without {len(left)} of {len(names)} shards")
    summary = _summary(place, len(names))
    place.write(SERVED.name, SERVED.text(plan | {"summary": summary}).encode())
    return summary | {"kept": len(names) - len(missing), "replaced": replaced}


def _made_from(about: About, found: Found, options: PredictOptions, asked: Asked) -> dict[str, Any]:
    return {
        "model": about.digest,
        "images": found.digest,
        "images_per_shard": options.images_per_shard,
        "columns": [options.image_column, options.id_column],
        **asdict(asked),
    }


def _make_room(place: Place, made_from: Mapping[str, Any], anew: bool) -> list[str]:
    """Keep the shards that are made from the same; return what differed where they had to be deleted.

    Raises:
        OutputError: they aren't, and nobody asked for others in their place.
    """
    there = place.names()
    if SERVED.name not in there:
        if foreign := sorted(name for name in there if not name.startswith(".")):
            raise OutputError(
                f"{place.uri} holds something else ({foreign[0]}), and no predictions: name an empty folder"
            )
        return []
    where = f"{place.uri}/{SERVED.name}"
    try:
        earlier = dict(SERVED.parse(place.read(SERVED.name), where).get("made_from", {}))
    except NewerFormatError:
        raise
    except (ValueError, TypeError, AttributeError):
        raise OutputError(f"{where} is damaged: name another folder, or delete this one to begin again") from None
    differing = [word for key, word in _WORDS.items() if earlier.get(key) != made_from[key]]
    if not differing:
        return []
    if not anew:
        raise OutputError(
            f"{place.uri} holds predictions that differ in {' and '.join(differing)}: name another folder, or delete "
            "this one to begin again"
        )
    for name in there:
        if name == SERVED.name or is_shard(name):
            place.delete(name)
    return differing


def _summary(place: Place, shards: int) -> dict[str, Any]:
    """Count what is in all shards; of each a few columns are read."""
    labels: Counter[str] = Counter()
    accepted: list[bool | None] = []
    quarantined = 0
    for index in range(shards):
        table = _read(place, shard_name(PREDICTIONS, index, shards), ["label", "accepted"])
        labels.update(table["label"].to_pylist())
        accepted += table["accepted"].to_pylist()
        quarantined += _read(place, shard_name(QUARANTINE, index, shards), ["id"]).num_rows
    return {
        "images": len(accepted),
        "quarantined": quarantined,
        "accepted": None if None in accepted else sum(map(bool, accepted)),
        "labels": dict(sorted(labels.items())),
        "shards": shards,
    }


def _read(place: Place, name: str, columns: Sequence[str]) -> pa.Table:
    try:
        with place.opened(name) as file:
            return read_shard(file, f"{place.uri}/{name}", columns).table
    except NewerFormatError:
        raise
    except ValueError as error:
        raise OutputError(str(error)) from None
