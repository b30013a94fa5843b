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


def test_the_table_shows_near_duplicates_across_splits() -> None:
    def shown(pairs: int) -> str:
        return key_figure(nodes.EXPLANATION, {"explanation": {"embedded": 2527, "near_duplicates": pairs}})

    assert shown(0) == "2,527 images looked at, no near-duplicates across splits"
    assert shown(1) == "2,527 images looked at, 1 pair of near-duplicates across splits"
    assert shown(35) == "2,527 images looked at, 35 pairs of near-duplicates across splits"
