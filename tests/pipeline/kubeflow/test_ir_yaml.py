"""Texts stay texts in both versions of YAML: PyYAML reads 1.1, ruamel.yaml 1.2, to which Go's reader is near."""

import io
import random
from typing import Any

import pytest
import yaml
from compiled import CLUSTER, compiled
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from pipeline.config import presets
from pipeline.kubeflow.ir_yaml import dump
from pipeline.kubeflow.submit import without_cache


def in_both_versions(text: str) -> list[Any]:
    """The documents as each version reads them."""
    strict = YAML(typ="safe", pure=True)
    strict.version = (1, 2)
    return [list(yaml.safe_load_all(text)), list(strict.load_all(io.StringIO(text)))]


def test_a_thousand_digests_are_texts() -> None:
    rng = random.Random(0)
    digests = [f"{rng.getrandbits(48):012x}" for _ in range(1000)]
    digests += [f"{rng.randrange(10**9)}e{rng.randrange(100)}" for _ in range(1000)]

    for read in in_both_versions(dump([{"constants": digests}])):
        assert read == [{"constants": digests}]


NUMBERS = [
    "123456789e12",
    "1234567890e1",
    "0o17",
    "0x1f",
    "0b11",
    "017",
    "1_000",
    ".5",
    "5.",
    "1e5",
    "-.inf",
    ".nan",
    "-0",
]
OTHERS = ["1:30", "null", "~", "yes", "off", "y", "", "2026-11-27", "<<", "=", "é", "- x", "a: b", "#", "'", "1.2.3"]


@pytest.mark.parametrize("text", NUMBERS + OTHERS)
def test_what_looks_like_something_else_is_a_text(text: str) -> None:
    for read in in_both_versions(dump([{"value": text, text: 1}])):
        assert read == [{"value": text, text: 1}]


@given(st.text(alphabet="0123456789abcdefxoEe+-._:", max_size=14))
def test_no_row_of_digits_and_signs_becomes_a_number(text: str) -> None:
    for read in in_both_versions(dump([[text]])):
        assert read == [[text]]


@pytest.mark.parametrize("config", presets())
def test_the_compiled_pipeline_reads_alike(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, documents = compiled(monkeypatch, CLUSTER, config=config)

    assert in_both_versions(text) == [documents, documents]
    first, second = in_both_versions(without_cache(text))
    assert first == second
