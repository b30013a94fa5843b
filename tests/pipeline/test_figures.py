from components.formats import nodes
from pipeline.figures import key_figure


def test_the_table_shows_the_intervals_of_accuracy_and_gain() -> None:
    evaluation = {"accuracy": 0.9, "macro_f1": 0.8, "blessed": 1}
    gain = {"gain": 0.02, "gain_low": -0.01, "gain_high": 0.05}
    analysis = {"suspects": 3, "accuracy_low": 0.871, "accuracy_high": 0.923}

    assert key_figure(nodes.EVALUATOR, {"evaluation": evaluation}) == "test accuracy 0.900, macro-F1 0.800: blessed"
    compared = key_figure(nodes.EVALUATOR, {"evaluation": evaluation | gain})
    assert compared == "test accuracy 0.900, macro-F1 0.800, gain +0.020 (-0.010 to +0.050): blessed"
    judged = key_figure(nodes.ANALYSIS, {"analysis": analysis})
    assert judged == "accuracy within 0.871 – 0.923 (95 %), 3 suspicious labels"
    assert key_figure(nodes.ANALYSIS, {"analysis": {"suspects": 3}}) == "3 suspicious labels"


def test_a_folds_trainer_shows_what_it_has_of_the_images_that_it_was_not_trained_on() -> None:
    run = {"architecture": "resnet18", "eval_accuracy": 0.91, "held_out_accuracy": 0.875}
    fitted = {"accuracy": 0.9, "accuracy_spread": 0.02, "macro_f1": 0.8, "macro_f1_spread": 0.03, "folds": 5}

    assert key_figure("Trainer.fold-2", {"model_run": run}) == "resnet18, held-out accuracy 0.875"
    shown = key_figure(nodes.CROSS_FIT, {"cross_fit": fitted})
    assert shown == "accuracy 0.900 ± 0.020, macro-F1 0.800 ± 0.030 over 5 folds"
