import pytest

from pipeline.config import load, presets
from pipeline.config.without_effect import without_effect


@pytest.mark.parametrize("preset", presets())
def test_no_preset_sets_an_option_in_vain(preset: str) -> None:
    assert without_effect(load(preset)) == []


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (["split.group_on=path"], "split.group_on=path has no effect: split.group_regex is null"),
        (
            ["balance={splits: [], global_multiplier: 3}"],
            "balance.global_multiplier=3.0 has no effect: balance.splits is []",
        ),
        (["augment={encoding: png, jpeg_quality: 80}"], "augment.jpeg_quality=80 has no effect: augment.encoding is "),
        (["balance.splits=[]", "augment.encoding=png"], "augment.encoding=png has no effect: balance.splits is []"),
        (
            ["tuner.enabled=true", "model.architecture=resnet50"],
            "model.architecture=resnet50 has no effect: the Tuner chooses",
        ),
        (["train.nesterov=true"], "train.nesterov=true has no effect: it is of train.optimizer=sgd"),
        (["train={optimizer: adam, weight_decay: 0.1}"], "train.weight_decay=0.1 has no effect"),
        (["train={schedule: constant, warmup_epochs: 2}"], "train.warmup_epochs=2 has no effect"),
        (["train.patience=20"], "train.patience=20 has no effect: train.epochs is no more than that"),
        (
            ["train.class_weights=true", "balance.max_copies_per_image=null"],
            "train.class_weights=true has no effect: balance.splits fills train up",
        ),
        (
            ["train.imbalance=sqrt", "balance.max_copies_per_image=null"],
            "train.imbalance=sqrt has no effect: balance.splits fills train up",
        ),
        (["train.effective_beta=0.9"], "train.effective_beta=0.9 has no effect: it is of train.imbalance=effective"),
        (
            ["train={imbalance: sqrt, logit_tau: 0.5}"],
            "train.logit_tau=0.5 has no effect: it is of train.imbalance=logit_adjustment",
        ),
        (["balance={splits: [], target: median}"], "balance.target=median has no effect: balance.splits is []"),
        (
            ["balance={splits: [], max_copies_per_image: 9}"],
            "balance.max_copies_per_image=9 has no effect: balance.splits is []",
        ),
        (
            ["evaluate.min_slice_accuracy=0.7"],
            "evaluate.min_slice_accuracy=0.7 has no effect: data.metadata_csv is null",
        ),
        (
            ["explain={enabled: false, map_points: 500}"],
            "explain.map_points=500 has no effect: explain.enabled is false",
        ),
        (
            ["evaluate.folds=2", "push.ensemble=true", "explain.map_points=500"],
            "explain.map_points=500 has no effect: push.ensemble averages several models",
        ),
        (["push.min_agreement=0.9"], "push.min_agreement=0.9 has no effect: push.formats is [saved_model]"),
        (["tuner.architectures=[resnet50]"], "tuner.architectures=['resnet50'] has no effect: tuner.enabled is false"),
        (
            ["evaluate.target_per_class=true"],
            "evaluate.target_per_class=true has no effect: evaluate.target_precision is null",
        ),
        (["evaluate.target_confidence=0.9"], "evaluate.target_confidence=0.9 has no effect: evaluate.target_prec"),
        (["tracking.wandb.project=faces"], "tracking.wandb.project=faces has no effect: tracking.wandb.enabled is "),
    ],
)
def test_an_option_that_changes_nothing_is_said(overrides: list[str], line: str) -> None:
    [found] = without_effect(load(None, overrides))

    assert found.startswith(line)


@pytest.mark.parametrize(
    "overrides",
    [
        ["split={group_on: path, group_regex: '/(a)/'}"],
        ["train={class_weights: true}", "balance.splits=[]"],
        ["train={imbalance: none}"],
        ["train={imbalance: sqrt}"],
        ["train={imbalance: sqrt}", "balance={target: median, max_copies_per_image: null}"],
        ["train={imbalance: effective, effective_beta: 0.9}"],
        ["train={class_weights: true, effective_beta: 0.9}"],
        ["train={logit_tau: 0.5}"],
        ["train={effective_beta: 0.9}", "tuner={enabled: true, search: {train.imbalance: [effective, sqrt]}}"],
        ["train={optimizer: sgd, nesterov: true, momentum: 0.8}"],
        ["train={schedule: plateau, patience: 5, warmup_epochs: 0}"],
        ["tuner={enabled: true, budget: 3.0}"],
        ["evaluate={target_precision: 0.9, target_per_class: true, target_confidence: 0.9}"],
    ],
)
def test_an_option_that_counts_is_not(overrides: list[str]) -> None:
    assert without_effect(load(None, overrides)) == []
