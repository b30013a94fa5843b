import pytest

from pipeline.config import ConfigError, load, presets
from pipeline.config.old_names import old_names


def test_what_copies_leave_is_made_up_for_where_train_is_balanced() -> None:
    assert load().training.imbalance == "logit_adjustment"
    assert load(None, ["balance.splits=[test]"]).training.imbalance_method == "none"
    assert load("photos").training.imbalance_method == "none"


@pytest.mark.parametrize("method", ["none", "effective", "sqrt", "logit_adjustment"])
@pytest.mark.parametrize("splits", ["[]", "[train]"])
def test_what_is_asked_for_is_done_whatever_is_balanced(method: str, splits: str) -> None:
    config = load(None, [f"train.imbalance={method}", f"balance.splits={splits}"])

    assert config.training.imbalance_method == method
    assert list(old_names(config)) == []


@pytest.mark.parametrize("splits", ["[]", "[train]"])
def test_a_configuration_with_the_old_name_works_and_is_told_what_it_means(splits: str) -> None:
    config = load(None, ["train.class_weights=true", f"balance.splits={splits}"])

    [line] = old_names(config)

    assert config.training.imbalance_method == "effective"
    assert line.startswith("train.class_weights is the old name of train.imbalance=effective: classes weigh by ")


def test_both_names_at_once_are_an_error_that_says_which_to_leave_out() -> None:
    with pytest.raises(ConfigError, match=r"train\.class_weights is the old name .*: leave it out\. Received: .*=sqrt"):
        load(None, ["train.class_weights=true", "train.imbalance=sqrt"])


def test_a_search_over_both_names_is_refused() -> None:
    with pytest.raises(ConfigError, match="train.class_weights is the old name of train.imbalance=effective: leave it"):
        load(None, ["tuner={enabled: true, search: {train.class_weights: [true, false], train.imbalance: [sqrt]}}"])


def test_a_search_over_the_old_name_tries_what_it_tried() -> None:
    config = load(None, ["tuner={enabled: true, search: {train.class_weights: [true, false]}}"])

    tried = [config.training.model_copy(update={"class_weights": value}).imbalance_method for value in (True, False)]

    assert tried == ["effective", "none"]


@pytest.mark.parametrize("value", ["true", "0", "-3", "1.5", "smallest", "null", "[3]"])
def test_a_target_that_is_none_is_refused_in_one_line(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(None, [f"balance.target={value}"])

    assert str(caught.value).startswith(
        "configuration: balance.target: Input should be largest, median or a number of "
    )
    assert "\n" not in str(caught.value)


def test_the_published_counts_have_no_bound() -> None:
    bounds = {preset: load(preset).balance.max_copies_per_image for preset in presets()}

    assert bounds["facial-affect"] is None
    assert bounds["default"] == 5
