"""Running the whole pipeline by the command line: small faces and one epoch, since what is tested is the running."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.sample.dataset import GROUP_REGEX, write_sample_data

_CHECKOUT = Path(__file__).parent.parent.parent
_QUICK = (
    "train.epochs=1",
    "train.warmup_epochs=0",
    "image.height=32",
    "image.width=32",
    "evaluate.min_accuracy=0",
    "evaluate.beat_baselines=false",
    "evaluate.min_gain=-1",
    "evaluate.bootstrap=20",
    f"split.group_regex={json.dumps(GROUP_REGEX)}",
)


def command(data: Path, workdir: Path, overrides: Sequence[str] = (), config: str = "default") -> list[str]:
    settings = [part for override in (*_QUICK, *overrides) for part in ("--set", override)]
    return [
        sys.executable,
        "-m",
        "pipeline",
        "run",
        "--config",
        config,
        "--data",
        str(data),
        "--workdir",
        str(workdir),
        *settings,
    ]


class Result:
    def __init__(self, done: "subprocess.CompletedProcess[str]") -> None:
        self.status, self.text = done.returncode, done.stdout + done.stderr
        found = re.findall(r"^([\w.-]+) +(done|cached|failed) +[\d.]+ s", self.text, re.MULTILINE)
        self.states = dict(found)

    def having(self, state: str) -> set[str]:
        return {node for node, found in self.states.items() if found == state}


def run(data: Path, workdir: Path, *overrides: str, config: str = "default") -> Result:
    return Result(
        subprocess.run(
            command(data, workdir, overrides, config),
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"PYTHONPATH": str(_CHECKOUT)},
        )
    )


def finished_project(folder: Path) -> Path:
    """Draw images into `faces` and run the pipeline once, in the workdir `runs/local`."""
    write_sample_data(folder / "faces", 240)
    result = run(folder / "faces", folder / "runs" / "local")
    assert result.status == 0, result.text
    assert result.having("done") == set(result.states)
    return folder
