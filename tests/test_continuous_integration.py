"""What runs before a commit and on a server is what runs here."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
WORKFLOW: dict[Any, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0]["hooks"]


def of_make(*targets: str) -> list[str]:
    """The commands of a target, without what sets up."""
    line = ["make", "-n", "-o", ".venv/.ready", *targets]
    return subprocess.run(line, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()


def make_targets(text: str) -> list[str]:
    return re.findall(r"^make ([a-z -]+)$", text, re.MULTILINE)


def steps() -> list[str]:
    [job] = WORKFLOW["jobs"].values()
    return [step["run"] for step in job["steps"] if "run" in step]


def test_the_hooks_are_the_commands_of_make_lint() -> None:
    assert [hook["entry"] for hook in HOOKS] == of_make("lint")
    for hook in HOOKS:
        assert hook["language"] == "system"
        assert hook["pass_filenames"] is False
        assert shlex.split(hook["entry"])[0].startswith(".venv/bin/")


def test_the_workflow_makes_what_the_script_makes() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")

    targets = make_targets("\n".join(steps()))
    assert targets == ["setup", *make_targets(script)]
    assert of_make(*targets)
    assert any("chromium-driver" in step for step in steps())
    assert "chromium-driver" in script


def test_the_workflow_runs_on_the_systems_of_both_locks() -> None:
    [job] = WORKFLOW["jobs"].values()
    images = [entry["image"] for entry in job["strategy"]["matrix"]["include"]]

    assert images == ["python:3.10-bookworm", "python:3.13-trixie"]
    assert job["container"]["image"] == "${{ matrix.image }}"
    for lock, image in zip(("py310", "py311"), images, strict=True):
        version = image.partition(":")[2].partition("-")[0]
        script = (ROOT / "requirements" / "install.sh").read_text("utf-8")
        assert re.search(rf"^ +(3\.\d+ \| )*{re.escape(version)}\) ?(lock={lock}|$)", script, re.MULTILINE)
