"""What the command line says of itself, and that libraries say nothing on the screen."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from components.datasplit.__main__ import main as datasplit
from pipeline.cli import main
from pipeline.version import own_version

ROOT = Path(__file__).parents[3]


def pages(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[tuple[str, str]]:
    """The help of a command and of all commands in it, as they stand in a terminal of 80 columns."""
    context = click.Context(command, parent, name, terminal_width=80, help_option_names=["-h", "--help"])
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            assert found is not None
            yield from pages(found, inner, context)


PAGES = dict(pages(main, "affect"))


def test_every_command_has_a_page() -> None:
    assert {"affect run", "affect datasplit", "affect inspect runs", "affect inspect diff"} <= set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_into_80_columns_and_shows_no_control_character(name: str) -> None:
    page = PAGES[name]

    assert page.startswith(f"Usage: {name} ")
    assert [line for line in page.splitlines() if len(line) > 80] == []
    assert "\b" not in page
    assert "\\b" not in page


@pytest.mark.parametrize("name", [name for name in PAGES if PAGES[name].count("\nCommands:\n")])
def test_no_line_of_a_list_of_commands_is_cut(name: str) -> None:
    assert "..." not in PAGES[name].partition("\nCommands:\n")[2]


def test_datasplit_is_the_command_of_its_own_module() -> None:
    assert main.get_command(click.Context(main), "datasplit") is datasplit


def test_the_version_is_said_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert CliRunner().invoke(main, ["--version"], prog_name="affect").output.startswith("affect ")

    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("pipeline.version.version", missing)
    monkeypatch.setenv("AFFECT_VERSION", "1.2.3")  # the image's
    assert own_version() == "1.2.3"
    monkeypatch.delenv("AFFECT_VERSION")
    assert own_version() == "unknown (not installed as a package)"


def started(folder: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """A process of its own, with the environment of somebody who has set nothing."""
    quiet = ("TF_CPP_MIN_LOG_LEVEL", "PYTHONWARNINGS", "NO_ALBUMENTATIONS_UPDATE")
    environment = {name: value for name, value in os.environ.items() if name not in quiet}
    environment["PYTHONPATH"] = str(ROOT)
    line = [sys.executable, "-m", "pipeline", *map(str, arguments)]
    return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.e2e
def test_libraries_print_nothing_beside_a_compiled_pipeline(tmp_path: Path) -> None:
    image = "registry.example/affect@sha256:" + "0" * 64
    target = ("--image", image, "--pipeline-root", "minio://mlpipeline/v2/artifacts", "--data", "s3://faces")

    done = started(tmp_path, "compile", "--output", "affect.yaml", *target)

    assert (done.returncode, done.stdout) == (0, "affect.yaml\n")
    assert [line for line in done.stderr.splitlines() if not line.startswith("Warning: ")] == []
