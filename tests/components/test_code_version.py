"""What of the source a component's cache key depends on; on a copy of the project, so that it can be edited."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import components

# By component, its executor, and what that uses without importing it (FURTHER_CODE of the components).
MODULES = {
    "ingest": ["ingest.executor"],
    "split_balance_augment": ["split_balance_augment.executor"],
    "tfrecord": ["tfrecord.executor"],
    "schema": ["validation.schema_executor"],
    "comparison": ["validation.comparison_executor"],
    "gate": ["validation.gate_executor"],
    "simple_baselines": ["simple_baselines.executor"],
    "trainer": ["trainer.executor", "trainer.run_fn"],
    "tuner": ["tuner.executor", "tuner.tuner_fn"],
    "baseline": ["evaluator.baseline_executor"],
    "evaluator": ["evaluator.executor", "evaluator.argmax_metrics"],
    "analysis": ["analysis.executor"],
    "pusher": ["pusher.executor"],
    "report": ["report.executor"],
}
_PROJECT = Path(components.__file__).parents[1]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("components", "pipeline"):
        shutil.copytree(_PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def versions(project: Path) -> dict[str, str]:
    """Return the version of each component's code."""
    modules = {name: [f"components.{one}" for one in used] for name, used in MODULES.items()}
    program = "from components.code_version import code_version; import json\n"
    program += f"print(json.dumps({{name: code_version(*modules) for name, modules in {modules!r}.items()}}))"
    line = [sys.executable, "-c", program]
    shown = subprocess.run(line, cwd=project, check=True, capture_output=True, text=True).stdout
    return dict(json.loads(shown))


def version(project: Path, module: str) -> str:
    program = f"from components.code_version import code_version; print(code_version({module!r}))"
    line = [sys.executable, "-c", program]
    return subprocess.run(line, cwd=project, check=True, capture_output=True, text=True).stdout.strip()


def insert(path: Path, before: str, line: str) -> None:
    """Write a line before the first one that begins so."""
    text = path.read_text("utf-8")
    assert f"\n{before}" in text
    path.write_text(text.replace(f"\n{before}", f"\n{line}\n{before}", 1), "utf-8")


def changed(project: Path, path: str, before: str, line: str) -> list[str]:
    """Return the executors whose version a line changes."""
    earlier = versions(project)
    insert(project / "components" / path, before, line)
    return [name for name, version in versions(project).items() if version != earlier[name]]


def test_it_is_the_same_at_another_place(project: Path) -> None:
    assert version(project, "components.ingest.executor") == version(_PROJECT, "components.ingest.executor")


def test_it_follows_imports_to_any_depth_and_nothing_else(project: Path) -> None:
    before = version(project, "components.ingest.executor")

    for path in (project / "components" / "pusher" / "push.py", project / "pipeline" / "pipeline.py"):
        path.write_text(path.read_text("utf-8") + "NEW = 1\n", "utf-8")
    assert version(project, "components.ingest.executor") == before

    insert(
        project / "components" / "images" / "codec.py",
        "    if not data:",
        "    # Imported by what the executor imports.",
    )
    assert version(project, "components.ingest.executor") != before


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("path", "before", "line", "concerned"),
    [
        ("training/options.py", "    mixup: ", "    another: int = 1  # an option", ["trainer", "tuner"]),
        ("training/options.py", "class ModelOptions", "# A comment between two sections.", []),
        ("formats/nodes.py", "REPORT = ", 'HOURS = "HourCount"', []),
        ("formats/documents.py", "GATE = ", 'HOURS = Document("hours.json")', []),
        (
            "formats/documents.py",
            "    def write(",
            "    # What every document goes through.",
            [name for name in MODULES if name != "comparison"],
        ),
        ("tools/retries.py", "_ATTEMPTS = ", "_ATTEMPTS = 4", ["ingest", "trainer", "tuner", "baseline", "pusher"]),
        ("models/resnets.py", "def ResNet18", "print('what importing does')", ["trainer", "tuner"]),
        ("models/batch_norm.py", "@keras.saving", "@print", ["trainer", "tuner"]),
    ],
)
def test_a_line_concerns_those_who_use_what_it_is_in(
    project: Path, path: str, before: str, line: str, concerned: list[str]
) -> None:
    assert changed(project, path, before, line) == concerned


def test_a_template_is_code_too(project: Path) -> None:
    before = version(project, "components.report.executor")

    template = project / "components" / "report" / "page" / "evaluation.html.j2"
    template.write_text(template.read_text("utf-8") + "\n", "utf-8")

    assert version(project, "components.report.executor") != before


def test_a_module_that_is_not_there_is_an_error(project: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        version(project, "components.nothing")

    assert "no module components.nothing in the project" in caught.value.stderr
