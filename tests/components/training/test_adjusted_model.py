"""Logit adjustment on a problem whose best answers are known: what it learns, and how it is judged."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.training.adjusted_model import AdjustedModel
from components.training.augmentation import draw
from components.training.batch import Drawn, finish
from components.training.imbalance import Correction, correction_of
from components.training.options import OnlineAugmentOptions, TrainOptions

PLAIN = OnlineAugmentOptions(flip=False, rotation=0.0, zoom=0.0, shift=0.0, contrast=0.0)
# Images of four kinds (rows) by class. Class 0 is in the majority in each of them.
SEEN = np.array([[700, 2, 1], [200, 20, 1], [200, 4, 10], [400, 4, 2]])
BALANCED = (SEEN / SEEN.sum(axis=0)).argmax(axis=1)  # the least error if classes were equally frequent
KINDS, LABELS = (np.repeat(index.ravel(), SEEN.ravel()) for index in np.indices(SEEN.shape))


def options(**changes: float) -> TrainOptions:
    return TrainOptions(imbalance="logit_adjustment", epochs=1, warmup_epochs=0, augment=PLAIN, **changes)


def table() -> keras.Model:
    """A network with a free logit for each kind and class: images filled with the number of their kind."""
    return keras.Sequential(
        [
            keras.Input((1, 1, 1)),
            keras.layers.Flatten(),
            keras.layers.CategoryEncoding(num_tokens=4, output_mode="one_hot"),
            keras.layers.Dense(3, kernel_initializer="zeros"),
        ]
    )


def batch(chosen: TrainOptions, correction: Correction) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """All images as one batch."""
    images = tf.constant(KINDS[:, np.newaxis, np.newaxis, np.newaxis], tf.uint8)
    draws = draw(tf.range(len(KINDS), dtype=tf.int64), chosen, 0, tf.constant(0, tf.int64), tf.constant(0, tf.int64))
    return finish(Drawn(images, tf.constant(LABELS), draws), chosen, correction)


def learnt(chosen: TrainOptions, wrap: Callable[[keras.Model, Correction], keras.Model]) -> list[int]:
    correction = correction_of(LABELS, None, 3, chosen)
    network = table()
    model = wrap(network, correction)
    model.compile(keras.optimizers.Adam(0.1), keras.losses.CategoricalCrossentropy(from_logits=True))
    data = tf.data.Dataset.from_tensors(batch(chosen, correction)).repeat()
    model.fit(data, steps_per_epoch=400, epochs=1, verbose=0)
    kinds = np.arange(4, dtype=np.float32)[:, np.newaxis, np.newaxis, np.newaxis]
    return np.asarray(network(kinds, training=False)).argmax(axis=1).tolist()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_it_learns_the_answers_with_the_least_error_over_equally_frequent_classes(smoothing: float) -> None:
    assert (SEEN.argmax(axis=1) == 0).all()
    assert BALANCED.tolist() == [0, 1, 2, 0]

    assert learnt(options(label_smoothing=smoothing), AdjustedModel) == [0, 1, 2, 0]
    assert learnt(options(label_smoothing=smoothing), lambda network, _: network) == [0, 0, 0, 0]


def test_it_is_judged_by_its_own_answers() -> None:
    chosen = options(label_smoothing=0.0)
    correction = correction_of(LABELS, None, 3, chosen)
    images, targets, _ = batch(chosen, correction)
    losses = []
    for model in (table(), AdjustedModel(table(), correction)):
        model.compile(loss=keras.losses.CategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
        losses.append(model.evaluate(images, targets, batch_size=len(LABELS), verbose=0))

    assert losses[0] == losses[1] == [pytest.approx(np.log(3)), pytest.approx(np.mean(LABELS == 0))]
