from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from components.images.options import ImageOptions
from components.training import preparation
from components.training.execution import MEMORY_SHARE, STEPS, STEPS_WITHOUT_XLA, Execution, choose_execution
from components.training.input import ImageData
from components.training.options import ModelOptions, TrainOptions
from components.training.precision import Device
from components.training.preparation import Prepared
from components.training.settings import Settings

CPU = [Device("CPU", "CPU")]
GPU = Device("NVIDIA H100", "GPU", (9, 0))
GB = 10**9


def test_a_processor_changes_pixels_in_the_input_line_and_compiles_nothing() -> None:
    assert choose_execution(CPU, GB, GB, []) == Execution(False, False, 1, "host", "host")


def test_a_gpu_holds_the_images_and_runs_compiled_steps_many_at_once() -> None:
    assert choose_execution([GPU], GB, GB, [70 * GB]) == Execution(True, True, STEPS, "device", "device")


def test_several_gpus_do_without_xla_and_the_one_with_the_least_memory_decides() -> None:
    chosen = choose_execution([GPU, GPU], 2 * GB, GB, [70 * GB, 6 * GB])

    assert chosen == Execution(True, False, STEPS_WITHOUT_XLA, "device", "host")


@pytest.mark.parametrize(
    ("train", "evaluation", "places"),
    [
        (40, 10, ("device", "host")),
        (30, 10, ("device", "device")),
        (41, 40, ("host", "device")),
        (None, 40, ("host", "device")),
        (None, None, ("host", "host")),
    ],
)
def test_the_images_may_take_a_share_of_the_memory(
    train: int | None, evaluation: int | None, places: tuple[str, str]
) -> None:
    chosen = choose_execution([GPU], train, evaluation, [round(40 / MEMORY_SHARE) + 1])

    assert (chosen.train, chosen.evaluation) == places
    assert chosen.on_device


@pytest.mark.parametrize(("steps", "expected"), [(453, 16), (17, 9), (16, 16), (5, 5), (1, 1), (33, 11)])
def test_the_executions_of_an_epoch_are_as_equal_as_can_be(steps: int, expected: int) -> None:
    assert Execution(steps=16).steps_per_execution(steps) == expected
    assert Execution().steps_per_execution(steps) == 1


def test_what_is_prepared_trains_as_its_devices_do_best(monkeypatch: pytest.MonkeyPatch) -> None:
    data = ImageData((), np.zeros(4, np.int64), ImageOptions(), tf.zeros((4, 10, 10, 3), tf.uint8))
    settings = Settings(ModelOptions(), TrainOptions(), ImageOptions())
    prepared = Prepared(settings, ["a", "b"], data, data, CPU, "float32", "")
    assert prepared.execution() == Execution()

    monkeypatch.setattr(preparation, "free_memory", lambda: [round(1800 / MEMORY_SHARE)])
    assert replace(prepared, devices=[GPU]).execution() == Execution(True, True, STEPS, "device", "host")
