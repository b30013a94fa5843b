"""The project's own command line: it compiles what Kubeflow runs, and runs the same here, for comparison."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend import CHECKOUT

_LONGEST = 900


@dataclass(frozen=True)
class LocalRun:
    """What one local run left.

    Attributes:
        outputs: folders by component and output; earlier runs' where the cache had them.
        pushed: what the model that it pushed was made from.
    """

    outputs: Mapping[tuple[str, str], Path]
    pushed: dict[str, Any]


def command(arguments: Sequence[str], overrides: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    """Run `python -m pipeline` with overrides of the configuration; it must succeed."""
    settings = [part for override in overrides for part in ("--set", override)]
    line = [sys.executable, "-m", "pipeline", *arguments, *settings]
    done = subprocess.run(line, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=_LONGEST)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done


def run_locally(data: Path, workdir: Path, overrides: Sequence[str], config: str = "default") -> LocalRun:
    """Run the pipeline here.

    Args:
        data: the images.
        workdir: may hold earlier runs.
        overrides: of the configuration.
        config: the configuration.
    """
    command(["run", "--config", config, "--data", str(data), "--workdir", str(workdir)], overrides)
    outputs = {
        (folder.parent.name, folder.name): max(folder.iterdir(), key=lambda path: int(path.name))
        for folder in (workdir / "artifacts").glob("*/[!.]*")
    }
    version = max((workdir / "serving_model").iterdir(), key=lambda path: int(path.name))
    return LocalRun(outputs, json.loads((version / "assets.extra" / "run.json").read_text("utf-8")))
