"""The Trainer's `run_fn`: TFX's arguments in; a SavedModel and the figures of its training out."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from tfx.components.trainer.fn_args_utils import FnArgs

from components.formats.documents import TRAINING
from components.formats.folds import TrainingSplits
from components.formats.nodes import TRAINER, of_fold
from components.formats.predictions import write_predictions
from components.formats.saved_model import ASSETS, count_seen, read_made_from, write_made_from
from components.models.pretrained import IMAGENET, conventions_of_model
from components.training.answers import find_thresholds
from components.training.calibration import fit_temperature
from components.training.export import export
from components.training.imbalance import described
from components.training.input import ImageData
from components.training.kept_state import KeptState, keep_state
from components.training.network import copy_in_float32
from components.training.origin import first_words, weights_origin
from components.training.preparation import Prepared, prepare, read_held_out
from components.training.settings import Settings, read_settings
from components.training.trackers import TrackEpochs, Tracker, make_trackers, told_of_failure
from components.training.training import Trained


def run_fn(fn_args: FnArgs) -> None:
    """Train, calibrate and export the model that the options, or the Tuner, name.

    Raises:
        RuntimeError: a GPU or a tracker that was asked for isn't there.
        FloatingPointError: the loss is NaN or infinite.
        MemoryError: a batch doesn't fit into memory.
    """
    config = fn_args.custom_config
    settings = read_settings(config, config.get("hyperparameters"))
    splits = TrainingSplits(**config["splits"])
    prepared = prepare(settings, config["examples_uri"], fn_args.train_files, fn_args.eval_files, splits)
    names = ", ".join(device.name for device in prepared.devices)
    print(f"Training {settings.model.architecture} in {prepared.precision} ({prepared.reason}) on {names}")
    origin = weights_origin(settings.model.weights)
    print(first_words(origin, settings.model, settings.image.channels, len(prepared.labels)), flush=True)

    fingerprint = settings.fingerprint(prepared.files, config.get("code_version", ""), prepared.precision)
    fold: int | None = config["fold"]
    options, part = flatten(settings, prepared.precision, fold), None if fold is None else f"fold {fold}"
    with keep_state(config.get("checkpoint_dir", ""), fingerprint) as state:
        trackers = make_trackers(settings.tracking, fn_args.model_run_dir, options, part, state)
        with told_of_failure(trackers):
            train_and_export(fn_args, prepared, origin, state, fingerprint, trackers)
        if state is not None:
            state.remove()


def train_and_export(
    fn_args: FnArgs,
    prepared: Prepared,
    origin: dict[str, str] | str | None,
    state: KeptState | None,
    fingerprint: str,
    trackers: Sequence[Tracker],
) -> None:
    """Train, calibrate, and write the model and the figures where TFX wants them.

    Args:
        fn_args: TFX's arguments.
        prepared: data and options.
        origin: of the weights that training begins with.
        state: where an interrupted training is kept; None for none.
        fingerprint: of all that decides the result.
        trackers: where the training is logged.
    """
    settings, config = prepared.settings, fn_args.custom_config
    fold: int | None = config["fold"]
    training = prepared.training(TRAINER if fold is None else of_fold(TRAINER, fold))
    begun = (Path(config["begun"]), prepared.fingerprint) if "begun" in config else None
    callbacks = [TrackEpochs(trackers, training.history)]
    if state is None:
        trained = training.run(callbacks, begun=begun)
    else:
        trained = training.run(callbacks, (state.folder, fingerprint), begun=begun, keep=state.keep)

    model = copy_in_float32(trained.model, settings.model)
    logits = prepared.predict_logits(model)
    temperature = fit_temperature(logits, prepared.eval.labels) if settings.calibrate else 1.0
    probabilities = softmax(logits / temperature, axis=1)
    of_eval = prepared.eval
    groups = [group or name for group, name in zip(of_eval.groups, of_eval.ids, strict=True)]
    answers = find_thresholds(probabilities, of_eval.labels, groups, of_eval.copies, prepared.labels, settings.answer)
    figures = describe(prepared, trained, temperature) | {"weights": origin, "answers": answers}
    earlier = weights_made_from(settings.model.weights)
    asked = of_eval
    if fold is not None:
        asked = read_held_out(settings, config["examples_uri"], TrainingSplits(**config["splits"]).held_out)
        of_held_out = prepared.predict_logits(model, asked)
        probabilities = softmax(of_held_out / temperature, axis=1)
        figures |= {"fold": fold, **describe_held_out(asked, of_held_out, earlier)}
    export(
        model,
        fn_args.serving_model_dir,
        prepared.labels,
        settings.image,
        temperature,
        figures,
        flip_average=settings.flip_average,
        thresholds=answers["thresholds"] if answers else None,
    )
    Path(fn_args.model_run_dir).mkdir(parents=True, exist_ok=True)
    if earlier is not None:
        own = (*prepared.train.digests, *prepared.eval.digests)  # eval decides when to stop, and the temperature
        for folder in (Path(fn_args.serving_model_dir, ASSETS), Path(fn_args.model_run_dir)):
            write_made_from([*earlier, *filter(None, own)], folder)
    TRAINING.write(figures, fn_args.model_run_dir)
    write_predictions(asked.ids, probabilities, fn_args.model_run_dir)

    confusion = np.zeros((len(prepared.labels), len(prepared.labels)), int)
    np.add.at(confusion, (of_eval.labels, logits.argmax(axis=1)), 1)
    for tracker in trackers:
        tracker.confusion(prepared.labels, confusion)
        tracker.finish({key: figures[key] for key in ("best_epoch", "temperature")}, fn_args.serving_model_dir)


def weights_made_from(weights: str | None) -> frozenset[str] | None:
    """Read what the weights that training begins with were made from; None if they don't say."""
    if weights is None or weights == IMAGENET:
        return frozenset()
    return read_made_from(Path(weights) / ASSETS)


def flatten(settings: Settings, precision: str, fold: int | None = None) -> dict[str, Any]:
    """Return the options as {"train.epochs": 30, …} for the trackers."""
    config: dict[str, Any] = {"seed": settings.seed, "precision": precision}
    config |= {} if fold is None else {"fold": fold}
    for section in ("model", "train", "image"):
        config |= {f"{section}.{key}": value for key, value in getattr(settings, section).model_dump().items()}
    return config


def describe(prepared: Prepared, trained: Trained, temperature: float) -> dict[str, Any]:
    """Return the content of `training.json`."""
    settings = prepared.settings
    return {
        "architecture": settings.model.architecture,
        "parameters": trained.model.count_params(),
        "precision": prepared.precision,
        "devices": [device.name for device in prepared.devices],
        "epochs_run": len(trained.history),
        "best_epoch": trained.best_epoch,
        "temperature": temperature,
        "flip_average": settings.flip_average,
        "images_per_second": trained.images_per_second,
        "seconds": round(trained.seconds, 3),
        "seed": settings.seed,
        "batch_size": settings.train.batch_size,
        "train_images": len(prepared.train),
        "eval_images": len(prepared.eval),
        "imbalance": described(prepared.correction, prepared.labels, settings.train),
        "deterministic": settings.train.deterministic,
        "conventions": asdict(conventions_of_model(trained.model)),
        "history": trained.history,
    }


def describe_held_out(data: ImageData, logits: NDArray[Any], earlier: Collection[str] | None) -> dict[str, Any]:
    """Return what `training.json` says of a fold's images.

    Args:
        data: the fold's originals.
        logits: [N, K], of the fold's model.
        earlier: what the weights that training began with were made from, as `read_made_from` returns it.
    """
    return {
        "held_out_images": len(data),
        "held_out_accuracy": float((logits.argmax(axis=1) == data.labels).mean()),
        "held_out_seen": None if earlier is None else count_seen(earlier, data.digests),
    }
