"""How training runs on the devices that are there; read off what they are, never off a clock.

On a GPU a step costs launches, not arithmetic. ResNet-18, 96×96, batch 64, bfloat16 on an H100, images/s: 2,170 as on
a processor, 7,362 with a step that XLA compiles, 10,859 with sixteen such steps an execution; by then the input line,
with 16,157 on 16 cores, holds the others up, and the GPU augments several times as many. On a processor XLA halves the
speed.
"""

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import tensorflow as tf
from tensorflow.python.client import device_lib

from components.training.precision import Device

STEPS = 16
STEPS_WITHOUT_XLA = 4  # TensorFlow plans each step of an execution by itself, which takes seconds
MEMORY_SHARE = 0.4  # of a GPU's free memory, for the images of both splits; the rest is for the network's maps

# "device": a copy of the split in each device's memory. "host": they come batch by batch from memory or from files.
Place = Literal["device", "host"]


@dataclass(frozen=True)
class Execution:
    """What runs where; the default is a processor's.

    Attributes:
        on_device: change pixels in the training step, on the device; else in the input line, on processors.
        jit_compile: let XLA compile the steps.
        steps: steps of one execution, at most.
        train: where the images to train on lie.
        evaluation: where those to judge by lie.
    """

    on_device: bool = False
    jit_compile: bool = False
    steps: int = 1
    train: Place = "host"
    evaluation: Place = "host"

    def steps_per_execution(self, steps_per_epoch: int) -> int:
        """Return how many steps to run at once, so that the executions of an epoch are as equal as can be."""
        executions = -(-steps_per_epoch // self.steps)
        return -(-steps_per_epoch // executions)


def choose_execution(
    devices: Sequence[Device], train: int | None, evaluation: int | None, free: Sequence[int]
) -> Execution:
    """Choose how to run on these devices.

    Args:
        devices: GPUs, or the processor.
        train: bytes of the decoded images to train on; None where the host's memory doesn't hold them.
        evaluation: likewise of those to judge by.
        free: bytes of memory that are free on each GPU.
    """
    gpus = sum(device.kind == "GPU" for device in devices)
    if not gpus:
        return Execution()
    room = int(min(free) * MEMORY_SHARE)
    places: list[Place] = []
    for size in (train, evaluation):
        fits = size is not None and size <= room
        places.append("device" if fits else "host")
        room -= size if fits and size is not None else 0
    # Devices add up their gradients in the middle of a step, and XLA's programs are of one device.
    alone = gpus == 1
    return Execution(True, alone, STEPS if alone else STEPS_WITHOUT_XLA, places[0], places[1])


def free_memory() -> list[int]:
    """Return the bytes that TensorFlow can still take of each GPU."""
    gc.collect()  # the graphs of earlier trainings hold their images in reference cycles
    names = [gpu.name for gpu in tf.config.list_logical_devices("GPU")]
    limits = [device.memory_limit for device in device_lib.list_local_devices() if device.device_type == "GPU"]
    used = [tf.config.experimental.get_memory_info(name.removeprefix("/device:"))["current"] for name in names]
    return [limit - taken for limit, taken in zip(limits, used, strict=True)]
