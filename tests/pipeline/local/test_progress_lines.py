"""What a run says where its output is a pipe or a file."""

import io
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from components.tools.progress import Progress
from pipeline.local.display import RunDisplay
from pipeline.local.progress_lines import ProgressLines
from pipeline.local.reports import Reports
from pipeline.local.runner import NodeRun


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where components report to."""
    monkeypatch.setenv("PIPELINE_PROGRESS", str(tmp_path / "progress"))
    return tmp_path / "progress"


@pytest.fixture
def display(file: Path) -> Iterator[tuple[RunDisplay, io.StringIO]]:
    output = io.StringIO()
    with RunDisplay(Console(file=output, width=80), ["Trainer", "Pusher"], file) as shown:
        yield shown, output


def test_a_training_says_a_line_an_epoch(display: tuple[RunDisplay, io.StringIO]) -> None:
    shown, output = display
    shown.changed(NodeRun("Trainer", "running"))
    for epoch in (1, 2, 3):
        Progress("Trainer", 3, worth_a_line=True)(epoch, f"loss {4 - epoch}.000 acc 0.500 val_acc 0.400 912 img/s")
    shown.changed(NodeRun("Trainer", "done", 12.0))

    *epochs, end = output.getvalue().splitlines()

    assert [line.split("s  ", 1)[1] for line in epochs] == [
        f"{epoch}/3  loss {4 - epoch}.000 acc 0.500 val_acc 0.400 912 img/s" for epoch in (1, 2, 3)
    ]
    assert all(line.startswith("Trainer  running ") for line in epochs)
    assert end.startswith("Trainer  done")


def test_what_is_no_news_by_itself_and_a_component_that_ended_say_nothing(
    display: tuple[RunDisplay, io.StringIO],
) -> None:
    shown, output = display
    shown.changed(NodeRun("Pusher", "running"))
    Progress("Pusher", 3)(3, "files")
    shown.changed(NodeRun("Pusher", "cached", 0.1))
    Progress("Trainer", 3, worth_a_line=True)(1, "late")

    shown.__exit__(None, None, None)

    assert [line.split()[:2] for line in output.getvalue().splitlines()] == [["Pusher", "cached"]]


def test_whoever_is_quiet_for_long_is_said_to_be_running(file: Path) -> None:
    said: list[tuple[str, str]] = []
    reports = Reports(file)
    lines = ProgressLines(reports, lambda node, seconds, text: said.append((node, text)), quiet=0.7)
    lines.begun("ImageIngest")
    Progress("ImageIngest", 900)(400, "images")
    lines.start()
    deadline = time.monotonic() + 20
    while len(said) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    lines.stop()
    reports.close()

    assert said[:2] == [("ImageIngest", "400/900  images")] * 2


def test_a_report_that_is_half_written_comes_with_its_other_half(file: Path) -> None:
    reports = Reports(file)
    Progress("Trainer", 2)(2, "whole")
    line = file.read_bytes()
    file.write_bytes(line + line[:20])
    first = reports.read()
    with file.open("ab") as end:
        end.write(line[20:])

    assert [report.as_text() for report in (*first, *reports.read())] == ["2/2  whole"] * 2
    reports.close()
