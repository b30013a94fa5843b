"""Trainings in processes that are killed, and what outlives them: a bucket of a real S3 server."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from object_store import KEYS, s3_server

PLACE = "minio://root/affect/checkpoints"
_SMALL_AND_SLOW = """
import pathlib, sys, time
sys.path[:0] = {folders!r}
from components.models import resnets
from components.training import epoch_log, kept_state

resnets.BLOCKS["resnet18"] = ("basic", (1, 1, 1))  # three of the eight blocks
resnets.BLOCKS["resnet34"] = ("basic", (1, 1))
kept_state.PAUSE = 0.0  # epochs are shorter than a minute here
end_of_epoch = epoch_log.EpochLog.on_epoch_end

def slowly(self, epoch, logs=None):
    end_of_epoch(self, epoch, logs)
    time.sleep({pause})

epoch_log.EpochLog.on_epoch_end = slowly
"""


def start(script: str, beside: str, pause: float) -> "subprocess.Popen[str]":
    """Start a training of a small ResNet.

    Args:
        script: trains; `pathlib` and what lies in these folders is there to import.
        beside: a file of the tests, whose folder is one of them.
        pause: seconds behind each epoch, in which the process can be killed.
    """
    folders = [str(Path(file).parent) for file in (beside, __file__)]
    begin = _SMALL_AND_SLOW.format(folders=folders, pause=pause)
    return subprocess.Popen(
        [sys.executable, "-c", begin + script], stdout=subprocess.PIPE, text=True, env={**os.environ}
    )


@contextmanager
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Serve an empty bucket `root`, to which the environment leads; yields a client."""
    with s3_server() as port:
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}.items():
            monkeypatch.setenv(name, value)
        client = boto3.client("s3")
        client.create_bucket(Bucket="root")
        yield client


def lines_until(process: "subprocess.Popen[str]", beginning: str) -> list[str]:
    """Read what a process prints, up to a line that begins so."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith(beginning):
            return lines
    raise AssertionError("".join(lines))


def wait_for_next_state(client: Any) -> None:
    """Wait until another state of a training lies in the bucket than lies there now."""
    before = _tags(client)
    for _ in range(600):
        if _tags(client) != before:
            return
        time.sleep(0.05)
    raise AssertionError("no new state in the store")


def keys(client: Any) -> list[str]:
    """Return the names of what lies in the bucket."""
    return [one["Key"] for one in client.list_objects_v2(Bucket="root").get("Contents", [])]


def _tags(client: Any) -> str:
    found = client.list_objects_v2(Bucket="root").get("Contents", [])
    return "".join(one["ETag"] for one in found if one["Key"].endswith("training.npz"))
