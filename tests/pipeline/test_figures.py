from components.formats import nodes
from pipeline.figures import key_figure


def test_the_table_shows_the_intervals_of_accuracy_baselines_and_gain() -> None:
    evaluation = {"accuracy": 0.9, "macro_f1": 0.8, "blessed": 1}
    gain = {"gain": 0.02, "gain_low": -0.01, "gain_high": 0.05}
    analysis = {"suspects": 3, "accuracy_low": 0.871, "accuracy_high": 0.923}

    assert key_figure(nodes.EVALUATOR, {"evaluation": evaluation}) == "test accuracy 0.900, macro-F1 0.800: blessed"
    compared = key_figure(nodes.EVALUATOR, {"evaluation": evaluation | gain})
    assert compared == "test accuracy 0.900, macro-F1 0.800, gain +0.020 (-0.010 to +0.050): blessed"
    baselines: dict[str, object] = {"largest_class": "happy"}
    for name, accuracy in (("largest_class", 0.25), ("linear_model", 0.5)):
        baselines |= {f"{name}_accuracy": accuracy, f"{name}_low": accuracy - 0.05, f"{name}_high": accuracy + 0.05}
    assert key_figure(nodes.SIMPLE_BASELINES, {"baselines": baselines}) == (
        "test accuracy of always 'happy' 0.250 (0.200 – 0.300), of a linear model 0.500 (0.450 – 0.550)"
    )
    weak = {"worst_slice": "camera = a", "worst_slice_accuracy": 0.5, "judged_slices": 3}
    sliced = key_figure(nodes.EVALUATOR, {"evaluation": evaluation | weak})
    assert sliced == "test accuracy 0.900, macro-F1 0.800, worst slice camera = a 0.500: blessed"
    small = key_figure(nodes.EVALUATOR, {"evaluation": evaluation | {"judged_slices": 0}})
    assert small == "test accuracy 0.900, macro-F1 0.800, no slice large enough to judge: blessed"
    judged = key_figure(nodes.ANALYSIS, {"analysis": analysis})
    assert judged == "accuracy within 0.871 – 0.923 (95 %), 3 suspicious labels"
    assert key_figure(nodes.ANALYSIS, {"analysis": {"suspects": 3}}) == "3 suspicious labels"
    expected = key_figure(nodes.ANALYSIS, {"analysis": {"suspects": 90, "suspects_expected": 61}})
    assert expected == "90 suspicious labels, up to 61 expected to be wrong"


def test_the_table_shows_the_most_copies_of_an_original() -> None:
    dataset = {"train_images": 900, "eval_images": 30, "test_images": 60}

    assert key_figure(nodes.SPLIT, {"dataset": dataset}) == "900 train + 30 eval + 60 test"
    assert key_figure(nodes.SPLIT, {"dataset": dataset | {"most_copies_per_image": 0.0}}).endswith("60 test")
    copied = key_figure(nodes.SPLIT, {"dataset": dataset | {"most_copies_per_image": 12.34}})
    assert copied == "900 train + 30 eval + 60 test, up to 12.3 copies per original"


def test_the_table_shows_how_much_is_answered_where_that_is_limited() -> None:
    run = {"architecture": "resnet18", "eval_accuracy": 0.9}

    assert key_figure(nodes.TRAINER, {"model_run": run}) == "resnet18, eval accuracy 0.900"
    limited = key_figure(nodes.TRAINER, {"model_run": run | {"answered": 0.613}})
    assert limited == "resnet18, eval accuracy 0.900, answers 61% of eval"
    judged = key_figure(nodes.ANALYSIS, {"analysis": {"suspects": 3, "answered": 0.6, "precision": 0.97}})
    assert judged == "3 suspicious labels, answers 60%, 0.970 of these right"
    assert key_figure(nodes.ANALYSIS, {"analysis": {"suspects": 3, "answered": 0.0}}).endswith("labels, answers 0%")


def test_a_folds_trainer_shows_what_it_has_of_the_images_that_it_was_not_trained_on() -> None:
    run = {"architecture": "resnet18", "eval_accuracy": 0.91, "held_out_accuracy": 0.875}
    fitted = {"accuracy": 0.9, "accuracy_spread": 0.02, "macro_f1": 0.8, "macro_f1_spread": 0.03, "folds": 5}

    assert key_figure("Trainer.fold-2", {"model_run": run}) == "resnet18, held-out accuracy 0.875"
    shown = key_figure(nodes.CROSS_FIT, {"cross_fit": fitted})
    assert shown == "accuracy 0.900 ± 0.020, macro-F1 0.800 ± 0.030 over 5 folds"


def test_the_table_shows_how_large_the_reference_is_that_is_pushed() -> None:
    shown = key_figure(nodes.DRIFT_REFERENCE, {"reference": {"images": 2000, "megabytes": 2.17}})

    assert shown == "2,000 test images to hold what is served against, 2.2 MB"


def test_the_table_shows_near_duplicates_across_splits() -> None:
    def shown(pairs: int) -> str:
        return key_figure(nodes.EXPLANATION, {"explanation": {"embedded": 2527, "near_duplicates": pairs}})

    assert shown(0) == "2,527 images looked at, no near-duplicates across splits"
    assert shown(1) == "2,527 images looked at, 1 pair of near-duplicates across splits"
    assert shown(35) == "2,527 images looked at, 35 pairs of near-duplicates across splits"
