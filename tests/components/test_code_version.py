"""What of the source a component's cache key depends on; on a copy of the project, so that it can be edited."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import components

EXECUTORS = (
    "ingest",
    "split_balance_augment",
    "tfrecord",
    "validation",
    "trainer",
    "tuner",
    "evaluator",
    "analysis",
    "pusher",
    "report",
)
_PROJECT = Path(components.__file__).parents[1]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("components", "pipeline"):
        shutil.copytree(_PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def version(project: Path, module: str) -> str:
    program = f"from components.code_version import code_version; print(code_version({module!r}))"
    line = [sys.executable, "-c", program]
    return subprocess.run(line, cwd=project, check=True, capture_output=True, text=True).stdout.strip()


def edit(path: Path) -> None:
    path.write_text(path.read_text("utf-8") + "\n", "utf-8")


def test_it_is_the_same_at_another_place(project: Path) -> None:
    assert version(project, "components.ingest.executor") == version(_PROJECT, "components.ingest.executor")


def test_it_follows_imports_to_any_depth_and_nothing_else(project: Path) -> None:
    before = version(project, "components.ingest.executor")

    edit(project / "components" / "pusher" / "push.py")
    edit(project / "pipeline" / "pipeline.py")
    assert version(project, "components.ingest.executor") == before

    edit(project / "components" / "images" / "codec.py")  # imported by what the executor imports
    assert version(project, "components.ingest.executor") != before


def test_an_option_of_training_concerns_nobody_before_the_trainer(project: Path) -> None:
    before = {name: version(project, f"components.{name}.executor") for name in EXECUTORS}
    options = project / "components" / "training" / "options.py"
    field = '    mixup: float = Field(0.0, ge=0.0, description="alpha of mixup; 0: none")\n'
    text = options.read_text("utf-8")
    assert field in text

    options.write_text(text.replace(field, f"{field}    another: int = 1  # an option\n"), "utf-8")

    after = {name: version(project, f"components.{name}.executor") for name in EXECUTORS}
    assert [name for name in EXECUTORS if before[name] != after[name]] == ["trainer", "tuner"]


def test_a_template_is_code_too(project: Path) -> None:
    before = version(project, "components.report.executor")

    edit(project / "components" / "report" / "report.html.j2")

    assert version(project, "components.report.executor") != before


def test_a_module_that_is_not_there_is_an_error(project: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        version(project, "components.nothing")

    assert "no module components.nothing in the project" in caught.value.stderr
