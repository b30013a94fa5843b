"""What is recorded of a run besides its artifacts: configuration, code, data, versions; the names are documented."""

import json
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from components.tools.passwords import masked
from pipeline.config import Config
from pipeline.config.secrets import masked_command, recorded
from pipeline.context import RunContext, recipe

_PACKAGES = (
    "tfx",
    "tensorflow",
    "keras",
    "tensorflow-data-validation",
    "tensorflow-model-analysis",
    "ml-metadata",
    "apache-beam",
    "albumentations",
    "opencv-python-headless",
    "numpy",
)


def run_record(config: Config, context: RunContext) -> dict[str, str | int]:
    """Return custom properties of a run's context in ML Metadata."""
    revision, dirty = _git()
    return {
        "config": json.dumps(recorded(config), sort_keys=True),
        "config_digest": config.digest(),
        "recipe": recipe(config),
        "data": masked(context.uri),
        "folder_digest": context.folder_digest,
        "destination": masked(context.destination),
        "seed": config.seed,
        "split_seed": config.split.seed,
        "git_revision": revision,
        "git_dirty": dirty,
        "python": platform.python_version(),
        "versions": json.dumps({name: _version(name) for name in _PACKAGES}, sort_keys=True),
        "platform": platform.platform(),
        "command": masked_command(sys.argv),
    }


def report_facts(config: Config, context: RunContext) -> dict[str, Any]:
    """Return what the report says of the run's origin. Nothing in it changes from one run to the same run again."""
    return {
        "command": reproduce(config, context.uri),
        "origin": {
            "data": masked(context.uri),
            "configuration": config.digest(),
            "recipe": recipe(config),
            "seed": config.seed,
            "split seed": config.split.seed,
        },
    }


def reproduce(config: Config, data: str) -> str:
    """Return the command that runs the same again here: each option that isn't its default, but for the cluster's."""
    words = ["python", "-m", "pipeline", "run", "--data", masked(data)]
    for option in changed_options(config):
        words += ["--set", option]
    return shlex.join(words)


def changed_options(config: Config) -> list[str]:
    """Return `key=value` of each option that isn't its default, but for the data's place and what is of here alone."""
    return [
        f"{key}={json.dumps(value)}"
        for key, value in _changed(recorded(config), recorded(Config()))
        if key != "data.path" and not key.startswith(("kubeflow.", "notify."))
    ]


def code_revision() -> str:
    """Return `, revision 4f0c2b1e9d2e`, and whether the checkout was changed since; "" outside one."""
    revision, dirty = _git()
    return f", revision {revision[:12]}{' (changed since)' if dirty else ''}" if revision else ""


def _changed(values: Mapping[str, Any], default: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Keys whose values aren't the default's. A mapping that is empty by default is one value: its keys are free."""
    for key, value in values.items():
        if isinstance(default[key], dict) and default[key]:
            yield from _changed(value, default[key], f"{prefix}{key}.")
        elif value != default[key]:
            yield f"{prefix}{key}", value


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _git() -> tuple[str, int]:
    """Return the revision of the checkout that this code is in, and 1 if it was changed; ("", 0) outside one."""
    folder = Path(__file__).parent

    def ask(*arguments: str) -> str:
        done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        return ask("rev-parse", "HEAD"), int(bool(ask("status", "--porcelain", "--untracked-files=no")))
    except (OSError, subprocess.CalledProcessError):
        return "", 0
