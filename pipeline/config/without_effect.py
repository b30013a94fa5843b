"""Options that were set and change nothing: somebody expects something of them that won't come. Pure.

A table: option, when it has no effect, and what to set so that it has one. Only a value other than the default counts,
since a default is nobody's wish. What can't be meant at all is an error instead, in the options' own models.
"""

from collections.abc import Callable
from typing import Any

from pipeline.config.config import Config

_Check = tuple[str, Callable[[Config], bool], str]

_EQUAL = "balance.splits fills train up until all classes are equal"
_AVERAGE = "push.ensemble averages several models, which can't be explained"


def _equal_classes(config: Config) -> bool:
    balance = config.balance
    return "train" in balance.splits and balance.target == "largest" and balance.max_copies_per_image is None


def _corrects(config: Config, method: str) -> bool:
    tried = {"train.imbalance", "train.class_weights"} & config.tuner.search.keys()
    return bool(tried) or config.training.imbalance_method == method


_CHECKS: tuple[_Check, ...] = (
    ("split.group_on", lambda c: c.split.group_regex is None, "split.group_regex is null"),
    ("balance.global_multiplier", lambda c: not c.balance.splits, "balance.splits is []"),
    ("balance.target", lambda c: not c.balance.splits, "balance.splits is []"),
    ("balance.max_copies_per_image", lambda c: not c.balance.splits, "balance.splits is []"),
    ("augment.pipeline_yaml", lambda c: not c.balance.splits, "balance.splits is [], so no copies are made"),
    ("augment.encoding", lambda c: not c.balance.splits, "balance.splits is [], so no copies are made"),
    ("augment.jpeg_quality", lambda c: not c.balance.splits, "balance.splits is [], so no copies are made"),
    ("augment.jpeg_quality", lambda c: c.augment.encoding != "jpeg", "augment.encoding is png"),
    ("model.architecture", lambda c: c.tuner.enabled, "the Tuner chooses among tuner.architectures"),
    ("model.zero_init_residual", lambda c: c.model.weights is not None, "model.weights bring their own values"),
    ("train.momentum", lambda c: c.train.optimizer != "sgd", "it is of train.optimizer=sgd"),
    ("train.nesterov", lambda c: c.train.optimizer != "sgd", "it is of train.optimizer=sgd"),
    ("train.beta_2", lambda c: c.train.optimizer == "sgd", "it is of train.optimizer=adam and adamw"),
    ("train.weight_decay", lambda c: c.train.optimizer == "adam", "it is of train.optimizer=sgd and adamw"),
    (
        "train.warmup_epochs",
        lambda c: c.train.schedule != "cosine" and c.train.warmup_epochs > 0,
        "it is of train.schedule=cosine",
    ),
    ("train.patience", lambda c: (c.train.patience or 0) >= c.train.epochs, "train.epochs is no more than that"),
    ("train.class_weights", _equal_classes, _EQUAL),
    ("train.imbalance", lambda c: _equal_classes(c) and c.train.imbalance != "none", _EQUAL),
    ("train.effective_beta", lambda c: not _corrects(c, "effective"), "it is of train.imbalance=effective"),
    ("train.logit_tau", lambda c: not _corrects(c, "logit_adjustment"), "it is of train.imbalance=logit_adjustment"),
    (
        "evaluate.target_per_class",
        lambda c: c.evaluate.target_precision is None,
        "evaluate.target_precision is null",
    ),
    (
        "evaluate.target_confidence",
        lambda c: c.evaluate.target_precision is None,
        "evaluate.target_precision is null",
    ),
    ("evaluate.folds", lambda c: not c.evaluate.each_fold(), "cross-fitting begins with two folds"),
    ("evaluate.min_slice_accuracy", lambda c: c.data.metadata_csv is None, "data.metadata_csv is null"),
    ("evaluate.min_slice_accuracy", lambda c: c.evaluate.slice_on == (), "evaluate.slice_on is []"),
    ("evaluate.min_slice_images", lambda c: c.data.metadata_csv is None, "data.metadata_csv is null"),
    ("evaluate.slice_on", lambda c: c.data.metadata_csv is None, "data.metadata_csv is null"),
    ("evaluate.max_slice_values", lambda c: c.data.metadata_csv is None, "data.metadata_csv is null"),
    ("explain.map", lambda c: c.push.ensemble, _AVERAGE),
    ("explain.map", lambda c: not c.explain.enabled, "explain.enabled is false"),
    ("explain.map_points", lambda c: c.push.ensemble, _AVERAGE),
    ("explain.map_points", lambda c: not c.explain.enabled, "explain.enabled is false"),
    ("tuner.architectures", lambda c: not c.tuner.enabled, "tuner.enabled is false"),
    ("tuner.budget", lambda c: not c.tuner.enabled, "tuner.enabled is false"),
    ("tuner.epochs", lambda c: not c.tuner.enabled, "tuner.enabled is false"),
    ("tuner.search", lambda c: not c.tuner.enabled, "tuner.enabled is false"),
    ("tracking.wandb.project", lambda c: not c.tracking.wandb.enabled, "tracking.wandb.enabled is false"),
    ("tracking.wandb.entity", lambda c: not c.tracking.wandb.enabled, "tracking.wandb.enabled is false"),
    ("tracking.wandb.name", lambda c: not c.tracking.wandb.enabled, "tracking.wandb.enabled is false"),
    ("tracking.mlflow.uri", lambda c: not c.tracking.mlflow.enabled, "tracking.mlflow.enabled is false"),
    ("tracking.mlflow.experiment", lambda c: not c.tracking.mlflow.enabled, "tracking.mlflow.enabled is false"),
    ("tracking.mlflow.name", lambda c: not c.tracking.mlflow.enabled, "tracking.mlflow.enabled is false"),
    ("tracking.mlflow.upload_model", lambda c: not c.tracking.mlflow.enabled, "tracking.mlflow.enabled is false"),
    ("notify.host", lambda c: not c.notify.wanted, "notify.webhook and notify.webhook_env are null"),
    ("push.registry_model", lambda c: c.push.registry is None, "push.registry is null"),
)


def without_effect(config: Config) -> list[str]:
    """Return a line for each option that was set and changes nothing."""
    defaults = Config()
    found = {
        key: f"{key}={_shown(_value(config, key))} has no effect: {why}"
        for key, is_idle, why in _CHECKS
        if _value(config, key) != _value(defaults, key) and is_idle(config)
    }
    return list(found.values())


def _value(config: Config, key: str) -> Any:
    value: Any = config
    for part in key.split("."):
        value = getattr(value, part)
    return value


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(list(value)) if isinstance(value, tuple) else str(value)
