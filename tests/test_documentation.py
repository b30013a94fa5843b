"""The documentation is what the code says, and its commands run."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from documented_commands import commands
from whole_pipeline import run

from pipeline.config import PRESETS
from tools.config_reference import REFERENCE, default_yaml, reference

ROOT = Path(__file__).parent.parent
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "examples/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
# What needs a container engine, a cluster, a download or a server is run by tests of its own, or can't be run here.
_ELSEWHERE = ("docker", "podman", "kubectl", "curl", "source")
# What a command says that looks for a cluster on this machine.
_NO_CLUSTER = ("can't reach http://localhost:", "can't read ML Metadata at grpc://localhost:")


ALL = [(page.name, command) for page in PAGES for command in commands(page)]


def test_every_command_is_one_that_a_test_knows() -> None:
    known = ("make", "affect", "python", *_ELSEWHERE)

    assert len(ALL) > 20
    assert [command for _, command in ALL if shlex.split(command)[0] not in known] == []


@pytest.mark.parametrize("command", sorted({command for _, command in ALL if command.startswith("make")}))
def test_every_make_target_exists(command: str) -> None:
    subprocess.run(
        ["make", "-n", "-o", ".venv/.ready", *shlex.split(command)[1:]], cwd=ROOT, check=True, capture_output=True
    )


@pytest.fixture(scope="module")
def documented(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with the examples, images that commands may write over, and a last run that was complete."""
    result = run(project / "faces", project / "runs" / "local")
    assert result.status == 0, result.text
    folder = tmp_path_factory.mktemp("documented")
    shutil.copytree(project / "faces", folder / "faces")
    (folder / "runs").symlink_to(project / "runs")
    (folder / "examples").symlink_to(ROOT / "examples")
    return folder


def call(words: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a command of ours with this checkout's code."""
    program = ["-m", "pipeline"] if words[0] == "affect" else []
    line = [sys.executable, *program, *words[1:]]
    nowhere = "http://127.0.0.1:9"  # where the pages leave it to the reader's environment
    environment = os.environ | {"PYTHONPATH": str(ROOT), "KF_PIPELINES_ENDPOINT": nowhere}
    return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def served(words: list[str], folder: Path) -> None:
    """Run a command that answers until it is told to end."""
    line = [sys.executable, "-m", "pipeline", *words[1:], "--port", "0"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(line, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "answers for" in process.stdout.readline()
        process.terminate()
    assert process.returncode == 0


def decide(folder: Path, file: str) -> None:
    """Write what a person would have decided on one image, as a table or as Label Studio exports it."""
    faces = (folder / "runs").resolve().parent / "faces"  # of the run: a command may have drawn others over its copy
    image = min(faces.rglob("*.jpg")).relative_to(faces)
    label = image.parent.name
    result = {"type": "choices", "from_name": "label", "to_name": "image", "value": {"choices": [label]}}
    task = {"data": {"file": str(image)}, "annotations": [{"was_cancelled": False, "result": [result]}]}
    (folder / file).write_text(json.dumps([task]) if file.endswith(".json") else f"path,label\n{image},{label}\n")


def _runnable() -> list[str]:
    """The commands of our own; those that train for minutes have their options checked in another way."""
    ours = r"affect |python -m (pipeline|components)|python examples/"
    return sorted({command for _, command in ALL if re.match(ours, command)})


@pytest.mark.e2e
@pytest.mark.parametrize("command", _runnable())
def test_every_command_of_ours_runs(command: str, documented: Path) -> None:
    words = shlex.split(command)
    name = words[1] if words[0] == "affect" else ""
    if name == "run":
        # The options are checked for real; training for minutes is what `test_run.py` does in seconds.
        words += ["--set", "train.epochs=0"]
    if name == "sample-data":
        shutil.rmtree(documented / words[2])
    shutil.rmtree(documented / "split", ignore_errors=True)
    if name == "serve":
        served(words, documented)
        return
    if "--import" in words:
        decide(documented, words[words.index("--import") + 1])

    if name == "drift":
        shutil.copytree(documented / "faces", documented / "served", dirs_exist_ok=True)

    done = call(words, documented)

    if name == "run":
        assert done.stderr.strip().endswith("train.epochs: Input should be greater than or equal to 1. Received: 0")
    elif name in ("submit", "status"):
        assert "can't reach" in done.stderr or "no such file" in done.stderr.lower()
    elif "/1700000000/" in command:  # stands for the reader's version
        assert "No such file or directory. Take a file that push.formats put beside a pushed model" in done.stderr
    elif name == "drift":
        assert done.returncode in (0, 3), done.stderr
    elif "localhost" in command:
        assert any(said in done.stderr for said in _NO_CLUSTER)
    else:
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_configuration_reference_is_the_models() -> None:
    assert REFERENCE.read_text("utf-8") == reference(), "run `make docs`"
    assert (PRESETS / "default.yaml").read_text("utf-8") == default_yaml(), "run `make docs`"


@pytest.mark.heavy
def test_the_component_reference_is_the_components() -> None:
    from tools import component_reference

    assert component_reference.REFERENCE.read_text("utf-8") == component_reference.reference(), "run `make docs`"


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
