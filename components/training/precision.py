"""Which precision a model computes in, and on which devices; read off the machine's features, never off a clock.

A run can so be repeated: the same machine always chooses the same. Weights stay float32 in any case.
"""

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import keras
import tensorflow as tf

from components.tools.environment import GPUS

# Either set of instructions suffices. ResNet-18, 96×96, batch 64, images/s in float32 → bfloat16: 134 → 245 on two
# cores with AMX, 184 → 267 on two cores (Zen 5) with AVX512-BF16 alone.
BFLOAT16_FLAGS = frozenset({"amx_bf16", "avx512_bf16"})
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


@dataclass(frozen=True)
class Device:
    """A processor or GPU that training may use; `capability` is a GPU's CUDA compute capability."""

    name: str
    kind: str
    capability: tuple[int, int] | None = None


def cpu_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """Return the features of the first processor; none where the kernel doesn't list them."""
    try:
        with cpuinfo.open() as lines:
            flags = next((line.partition(":")[2] for line in lines if line.startswith("flags")), "")
    except OSError:
        flags = ""
    return frozenset(flags.split())


def find_devices() -> list[Device]:
    """List the GPUs that TensorFlow sees, or else the processor.

    Raises:
        RuntimeError: a GPU was asked for and TensorFlow sees none, or fewer than asked for.
    """
    gpus = []
    for gpu in tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(gpu)
        gpus.append(Device(details.get("device_name", gpu.name), "GPU", details.get("compute_capability")))
    wanted, source = _wanted_gpus()
    if len(gpus) < wanted:
        raise RuntimeError(
            f"{wanted} GPU(s) were asked for ({source}), and TensorFlow sees {len(gpus)}. Check the driver, that the "
            "image was built with GPU=1, and that the machine has one; unset the variable to train on the processor."
        )
    if gpus:
        return gpus
    model = next((line for line in _read_cpuinfo() if line.startswith("model name")), ": CPU").partition(":")[2].strip()
    return [Device(f"{model} ({os.cpu_count()} cores)", "CPU")]


def missing_gpu(devices: Sequence[Device], cuda: bool | None = None) -> str | None:
    """Return a hint where CUDA's libraries are installed with TensorFlow and no GPU is seen; else None.

    Args:
        devices: as `find_devices` lists them.
        cuda: whether they are installed; None: look.
    """
    installed = find_spec("nvidia") is not None if cuda is None else cuda
    if not installed or any(device.kind == "GPU" for device in devices):
        return None
    return (
        "CUDA's libraries are here and no GPU is: training on the processor. If the machine has one, check its driver "
        "(nvidia-smi), and give it to the container (docker run --gpus all; on Kubeflow, gpu in kubeflow.components)"
    )


def _read_cpuinfo() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []


def _wanted_gpus() -> tuple[int, str]:
    """Count the GPUs that PIPELINE_GPUS (set for a Kubeflow task that asks for some) or CUDA_VISIBLE_DEVICES name."""
    if (asked := os.environ.get(GPUS, "")).isdecimal():
        return int(asked), f"{GPUS}={asked}"
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").strip()
    named = [] if visible in ("", "-1", "none", "void") else visible.split(",")
    return len(named), f"CUDA_VISIBLE_DEVICES={visible}"


def choose_precision(asked: str, devices: Sequence[Device], flags: frozenset[str]) -> tuple[str, str]:
    """Return the precision to compute in and why: what was asked for, or for "auto" what the devices are fast in.

    Raises:
        ValueError: float16 was asked for on several GPUs.
    """
    gpus = sum(device.kind == "GPU" for device in devices)
    if asked == "float16" and gpus > 1:
        raise ValueError(f"train.precision=float16 needs a single GPU. Received: {gpus} GPUs; try float32 or auto")
    if asked != "auto":
        return asked, "train.precision"
    capabilities = [device.capability or (0, 0) for device in devices if device.kind == "GPU"]
    if capabilities:
        lowest = min(capabilities)
        reason = f"compute capability {lowest[0]}.{lowest[1]}"
        if (7, 0) <= lowest < (8, 0) and len(capabilities) > 1:
            # Keras looks for overflows before the devices' gradients are added up, on the first device alone.
            return "float32", f"{reason}, and float16 needs a single GPU"
        return ("bfloat16" if lowest >= (8, 0) else "float16" if lowest >= (7, 0) else "float32"), reason
    if found := sorted(BFLOAT16_FLAGS & flags):
        return "bfloat16", f"the processor has {', '.join(found)}"
    return "float32", f"the processor has none of {', '.join(sorted(BFLOAT16_FLAGS))}"


class dtype_policy:  # noqa: N801 (a context manager reads as a verb)
    """Build the layers made within this context in the given precision."""

    def __init__(self, precision: str) -> None:
        self.policy = POLICIES[precision]

    def __enter__(self) -> None:
        self.before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self.policy)

    def __exit__(self, *_: object) -> None:
        keras.config.set_dtype_policy(self.before)


def make_strategy(devices: Sequence[Device]) -> tf.distribute.Strategy:
    """Return the strategy for these devices: MirroredStrategy on several GPUs, else one device."""
    return _mirrored() if sum(device.kind == "GPU" for device in devices) > 1 else tf.distribute.get_strategy()


@functools.cache
def _mirrored() -> tf.distribute.Strategy:
    """Return the process's one such strategy: two take each other's sums for their own (shapes don't match)."""
    return tf.distribute.MirroredStrategy()
