from components.validation.constant_images import constant_anomalies


def test_a_class_most_of_whose_images_are_constant_stops_the_run() -> None:
    [found] = constant_anomalies({"angry": 40, "happy": 40, "sad": 40}, {"happy": 20, "sad": 21})

    assert found.fatal
    assert str(found) == (
        "all splits: image/class/text: 21 of the 40 images of sad are of one colour: look at their files"
    )


def test_a_data_set_of_an_older_revision_has_no_counts_and_passes() -> None:
    assert constant_anomalies({}, {}) == []
