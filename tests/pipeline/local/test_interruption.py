"""What a run that somebody stops is taken for."""

from typing import Any

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from pipeline.local.interruption import Terminated, interrupt_behind


def test_an_interruption_within_beam_is_no_failure() -> None:
    def stop(element: Any) -> Any:
        raise Terminated

    with pytest.raises(RuntimeError) as error, beam.Pipeline(runner=FnApiRunner()) as steps:
        steps | beam.Create([1]) | beam.Map(stop)

    assert isinstance(interrupt_behind(error.value), Terminated)


def test_a_failure_is_no_interruption() -> None:
    with pytest.raises(ValueError, match="one") as error:
        raise ValueError("one") from KeyError("two")

    assert interrupt_behind(error.value) is None
