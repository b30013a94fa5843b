"""How many workers some work is given on this machine."""

import os
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import DirectOptions

from components.work.engine import run_units
from components.work.options import BeamOptions
from components.work.unit import WorkError


@dataclass
class Number:
    index: int


class Asked(beam.PTransform):  # type: ignore[misc]
    """Ends the run before anything is started, and says which workers it was to have."""

    def expand(self, pcoll: Any) -> Any:
        asked = pcoll.pipeline.options.view_as(DirectOptions)
        raise ValueError(f"{asked.direct_num_workers} {asked.direct_running_mode}")


@pytest.mark.parametrize(
    ("cores", "units", "seconds", "workers", "given"),
    [
        (2, 16, 8.5, None, "1 in_memory"),  # two would save 4.25 s
        (2, 16, 9.5, None, "2 multi_processing"),
        (8, 16, 6.0, None, "8 multi_processing"),
        (8, 2, 6.0, None, "1 in_memory"),  # no more than two would have something to do
        (8, 1, 900.0, None, "1 in_memory"),
        (1, 16, 900.0, None, "1 in_memory"),
        (1, 16, 0.0, 3, "3 multi_processing"),
    ],
)
def test_workers_are_started_where_they_are_asked_for_or_save_more_than_they_take(
    monkeypatch: pytest.MonkeyPatch, cores: int, units: int, seconds: float, workers: int | None, given: str
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(cores)))

    with pytest.raises(WorkError, match=given):
        run_units([Number(index) for index in range(units)], Asked(), BeamOptions(workers=workers), seconds=seconds)
