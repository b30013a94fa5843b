"""What is recorded of a run besides its artifacts: configuration, code, data, versions; the names are documented."""

import json
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pipeline.config import Config
from pipeline.run_context import RunContext, recipe

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
    """Custom properties of a run's context in ML Metadata."""
    revision, dirty = _git()
    return {
        "config": json.dumps(config.as_dict(), sort_keys=True),
        "config_digest": config.digest(),
        "recipe": recipe(config),
        "data": context.uri,
        "folder_digest": context.folder_digest,
        "destination": context.destination,
        "seed": config.seed,
        "split_seed": config.split.seed,
        "git_revision": revision,
        "git_dirty": dirty,
        "python": platform.python_version(),
        "versions": json.dumps({name: _version(name) for name in _PACKAGES}, sort_keys=True),
        "platform": platform.platform(),
        "command": " ".join(sys.argv),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _git() -> tuple[str, int]:
    """The revision of the checkout that this code is in, and 1 if it was changed; ("", 0) outside one."""
    folder = Path(__file__).parent

    def ask(*arguments: str) -> str:
        done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        return ask("rev-parse", "HEAD"), int(bool(ask("status", "--porcelain", "--untracked-files=no")))
    except (OSError, subprocess.CalledProcessError):
        return "", 0
