from pathlib import Path

import keras
import pytest
import tensorflow as tf
from on_gpu import needs_gpu, needs_no_gpu

from components.training.precision import (
    Device,
    choose_precision,
    cpu_flags,
    dtype_policy,
    find_devices,
    make_strategy,
    missing_gpu,
)

CPU = [Device("CPU", "CPU")]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"avx2", "amx_bf16"}, "bfloat16"),
        ({"avx512f", "avx512_bf16"}, "bfloat16"),
        ({"avx2", "avx512f"}, "float32"),
        (set(), "float32"),
    ],
)
def test_auto_on_a_processor_follows_its_flags(flags: set[str], expected: str) -> None:
    assert choose_precision("auto", CPU, frozenset(flags))[0] == expected


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ([(9, 0)], "bfloat16"),
        ([(8, 0)], "bfloat16"),
        ([(7, 5)], "float16"),
        ([(6, 1)], "float32"),
        ([(9, 0), (7, 0)], "float32"),
        ([(9, 0), (8, 0)], "bfloat16"),
    ],
)
def test_auto_on_gpus_follows_the_weakest(capabilities: list[tuple[int, int]], expected: str) -> None:
    devices = [Device("GPU", "GPU", capability) for capability in capabilities]

    assert choose_precision("auto", devices, frozenset({"amx_bf16"}))[0] == expected


def test_what_was_asked_for_is_used_whatever_the_machine() -> None:
    assert choose_precision("float32", CPU, frozenset({"amx_bf16"})) == ("float32", "train.precision")


def test_flags_are_read_from_cpuinfo(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nflags\t\t: fpu avx2 amx_bf16\nbugs\t\t: none\n")

    assert cpu_flags(tmp_path / "cpuinfo") == {"fpu", "avx2", "amx_bf16"}
    assert cpu_flags(tmp_path / "missing") == frozenset()


@needs_no_gpu
def test_without_gpus_the_processor_is_named() -> None:
    (device,) = find_devices()

    assert device.kind == "CPU"
    assert "cores" in device.name


@needs_gpu
def test_the_gpus_are_what_computes() -> None:
    assert {device.kind for device in find_devices()} == {"GPU"}


SEEN = len(tf.config.list_physical_devices("GPU"))


@pytest.mark.parametrize(
    ("variable", "value"),
    [("PIPELINE_GPUS", f"{SEEN + 1}"), ("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(SEEN + 2))))],
)
def test_a_gpu_asked_for_and_not_seen_is_an_error(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(RuntimeError, match=rf"asked for \({variable}={value}\), and TensorFlow sees {SEEN}"):
        find_devices()


@pytest.mark.parametrize("value", ["", "-1"])
def test_no_gpu_asked_for_is_fine(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)

    assert find_devices()


def test_gpus_are_listed_with_their_capability(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = type("Gpu", (), {"name": "/physical_device:GPU:0"})()
    details = {"device_name": "NVIDIA H100", "compute_capability": (9, 0)}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _: [gpu])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda _: details)

    assert find_devices() == [Device("NVIDIA H100", "GPU", (9, 0))]


def test_the_policy_ends_with_the_context() -> None:
    with dtype_policy("bfloat16"):
        assert keras.layers.Dense(1).compute_dtype == "bfloat16"
    assert keras.layers.Dense(1).compute_dtype == "float32"


def test_one_device_needs_no_strategy() -> None:
    assert not isinstance(make_strategy([Device("GPU", "GPU", (9, 0))]), tf.distribute.MirroredStrategy)


def test_several_trainings_share_the_strategy_of_several_gpus() -> None:
    gpus = [Device("one", "GPU"), Device("two", "GPU")]

    assert make_strategy(gpus) is make_strategy(list(gpus))
    assert isinstance(make_strategy(gpus), tf.distribute.MirroredStrategy)


def test_cudas_libraries_without_a_gpu_are_remarked_upon() -> None:
    hint = missing_gpu(CPU, cuda=True)

    assert hint is not None
    assert "nvidia-smi" in hint
    assert missing_gpu(CPU, cuda=False) is None
    assert missing_gpu([Device("one", "GPU")], cuda=True) is None
