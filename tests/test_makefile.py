"""What `make` runs: the real Makefile, with programs that write down what they are called with."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
_RECORDING = """#!/bin/sh
[ "$1" = -c ] && exit 0
[ "$1" = -V ] && echo Python 3.10 && exit 0
for word in "$@"; do printf '%s\\0' "$word"; done >>"$(dirname "$0")/called"
env | grep -E '^(PYTHON|GPU|PUSH|CONTAINER_ENGINE|KFP_BIN)=' >>"$(dirname "$0")/environment"
exit 0
"""
_ODD = [
    "my faces",
    "it's",
    'a "b"',
    "$HOME",
    "$(HOME)",
    "`ls`",
    "a*?[1]",
    "#1",
    "50%",
    "a;b&c|d",
    "a\\b",
    "Zürich",
    " a ",
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a .venv that is ready."""
    folder = tmp_path / "project"
    for path in (".venv/bin", "requirements", "docker"):
        (folder / path).mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    for path in ("py310.txt", "py311.txt"):
        (folder / "requirements" / path).touch()
    for path in (".venv/bin/python", "docker/build.sh", "requirements/install.sh"):
        (folder / path).write_text(_RECORDING)
        (folder / path).chmod(0o755)
    (folder / ".venv/bin/activate").write_text(f"VIRTUAL_ENV='{folder}/.venv'\nexport VIRTUAL_ENV\n")
    (folder / ".venv/.ready").touch()
    return folder


def make(project: Path, *words: str) -> None:
    subprocess.run(
        ["make", *words], cwd=project, check=True, capture_output=True, env=os.environ | {"HOME": "/home/me"}
    )


def called(project: Path, program: str = ".venv/bin") -> list[str]:
    file = project / program / "called"
    return file.read_text().split("\0")[:-1] if file.exists() else []


def test_make_has_nothing_to_warn_of() -> None:
    """Such as a target that is there twice."""
    done = subprocess.run(["make", "-n", "help"], cwd=ROOT, check=True, capture_output=True, text=True)

    assert done.stderr == ""


@pytest.mark.parametrize("value", _ODD)
def test_a_variable_is_one_word_whatever_is_in_it(value: str, project: Path) -> None:
    make(
        project,
        "run-local",
        f"DATA={value}",
        f"CONFIG={value}.yaml",
        f"WORKDIR=w{value}",
        "ARGS=--set seed=3 --verbose",
    )

    expected = ["--workdir", f"w{value}", "--config", f"{value}.yaml", "--data", value, "--set", "seed=3", "--verbose"]
    # A blank at the beginning of a value is none to make.
    assert called(project) == ["-m", "pipeline", "run", *(word.lstrip() for word in expected)]


@pytest.mark.parametrize(
    ("target", "variables", "expected"),
    [
        ("inspect", {"WORKDIR": "a b"}, ["pipeline", "inspect", "--workdir", "a b"]),
        ("report", {"WORKDIR": "a b"}, ["pipeline", "report", "--workdir", "a b"]),
        (
            "serve",
            {"WORKDIR": "a b", "ARGS": "--port 80"},
            ["pipeline", "serve", "--model", "a b/serving_model", "--port", "80"],
        ),
        ("sample-data", {"OUTPUT": "a b"}, ["pipeline", "sample-data", "a b"]),
        ("sample-data", {}, ["pipeline", "sample-data", "runs/sample-data"]),
        (
            "compile",
            {"OUTPUT": "a b.yaml", "IMAGE": "i j", "DATA": "s3://b/c d", "CONFIG": "e f"},
            [
                "pipeline",
                "compile",
                "--output",
                "a b.yaml",
                "--image",
                "i j",
                "--config",
                "e f",
                "--data",
                "s3://b/c d",
            ],
        ),
        ("compile", {}, ["pipeline", "compile", "--output", "affect.yaml"]),
        ("submit", {"OUTPUT": "a b.yaml", "HOST": "h i"}, ["pipeline", "submit", "a b.yaml", "--host", "h i"]),
        ("submit", {}, ["pipeline", "submit", "affect.yaml", "--host", "http://localhost:8080"]),
    ],
)
def test_every_target_quotes_its_variables(
    target: str, variables: dict[str, str], expected: list[str], project: Path
) -> None:
    make(project, target, *(f"{name}={value}" for name, value in variables.items()))

    assert called(project) == ["-m", *expected]


def test_the_image_is_built_with_its_variables(project: Path) -> None:
    make(project, "image", "IMAGE=a b:1", "PUSH=1", "CONTAINER_ENGINE=my engine")

    assert called(project, "docker") == ["a b:1"]
    environment = (project / "docker" / "environment").read_text().splitlines()
    assert {"PUSH=1", "GPU=", "CONTAINER_ENGINE=my engine"} <= set(environment)


def test_a_tilde_is_the_home_folder(project: Path) -> None:
    make(project, "run-local", "DATA=~/my faces", "WORKDIR=a~/b")

    assert called(project) == ["-m", "pipeline", "run", "--workdir", "a~/b", "--data", "/home/me/my faces"]


def is_set_up(project: Path, *words: str) -> bool:
    """Return whether `make setup` makes .venv anew."""
    make(project, "setup", *words)
    return (project / "requirements" / "environment").exists()


def test_a_venv_that_works_is_kept(project: Path) -> None:
    assert not is_set_up(project)


def test_one_that_is_linked_to_is_kept(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(project, other, ignore=shutil.ignore_patterns(".venv"))
    (other / ".venv").symlink_to(project / ".venv")

    assert not is_set_up(other)


def test_a_project_that_was_moved_gets_a_new_venv(project: Path, tmp_path: Path) -> None:
    assert is_set_up(project.rename(tmp_path / "moved"))


def test_a_venv_whose_python_is_gone_is_made_anew(project: Path) -> None:
    (project / ".venv/bin/python").unlink()
    (project / ".venv/bin/python").symlink_to("/nowhere/python3.10")

    assert is_set_up(project)


def test_an_interpreter_with_blanks_in_its_path_can_be_named(project: Path) -> None:
    python = project / "my python"
    python.write_text("#!/bin/sh\necho Python 3.11\n")
    python.chmod(0o755)

    assert is_set_up(project, f"PYTHON={python}")
    assert f"PYTHON={python}" in (project / "requirements" / "environment").read_text().splitlines()
