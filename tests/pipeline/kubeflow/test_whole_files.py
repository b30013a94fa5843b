"""Files that were damaged between two tasks: found by the task that takes them, and named with the remedy."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.kubeflow import entrypoint
from pipeline.kubeflow.entrypoint import Task, run
from pipeline.kubeflow.whole_files import DamagedError
from pipeline.lineage.files import FILES

STORE = "s3://bucket/root"


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The launcher's folder of copies of `s3://`, below the test's own instead of `/s3/`."""
    monkeypatch.setattr(entrypoint, "_COPIES", {"s3://": f"{tmp_path}/s3/"})
    return tmp_path / "s3" / "bucket" / "root"


def artifact(uri: str, title: str, metadata: dict[str, Any]) -> dict[str, Any]:
    return {"artifacts": [{"uri": uri, "type": {"schemaTitle": title}, "metadata": metadata}]}


def written(copies: Path, text: str) -> dict[str, Any]:
    """What a task hands back that writes a text into its artifact."""
    made = copies / "writer"
    shutil.rmtree(made, ignore_errors=True)
    invocation = {
        "inputs": {"parameterValues": {"name": "groups.parquet", "text": text}},
        "outputs": {
            "artifacts": {"groups": artifact(f"{STORE}/writer", "components.Analysis", {})},
            "outputFile": str(copies / "handed.json"),
        },
    }
    run(Task("plain_recorder.Writer", invocation, {}, []))
    [found] = json.loads((copies / "handed.json").read_text())["artifacts"]["groups"]["artifacts"]
    metadata: dict[str, Any] = found["metadata"]
    return metadata


def take(copies: Path, metadata: dict[str, Any]) -> None:
    """Run the task that comes next, which takes it."""
    title = {"artifactType": {"schemaTitle": "components.Analysis"}}
    spec = {"artifacts": {"examples": title}, "makers": {"examples": "Trainer.fold-2"}}
    invocation = {
        "inputs": {
            "parameterValues": {"seed": 3},
            "artifacts": {"examples": artifact(f"{STORE}/writer", "components.Analysis", metadata)},
        },
        "outputs": {
            "artifacts": {"report": artifact(f"{STORE}/report", "components.Analysis", {})},
            "parameters": {key: {"outputFile": str(copies / key)} for key in ("text", "count")},
            "outputFile": str(copies / "taken.json"),
        },
    }
    run(Task("plain_recorder.Recorder", invocation, spec, []))


def test_whole_files_pass_from_one_task_to_the_next(copies: Path) -> None:
    metadata = written(copies, "a text")
    assert json.loads(metadata[FILES]).keys() == {"groups.parquet"}

    take(copies, metadata)

    assert (copies / "taken.json").exists()


def test_every_flipped_bit_is_found_before_the_task_begins(copies: Path) -> None:
    metadata = written(copies, "a text of some length" * 20)
    file = copies / "writer" / "groups.parquet"
    content = file.read_bytes()
    for bit in random.Random(5).sample(range(len(content) * 8), 50):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        file.write_bytes(flipped)
        with pytest.raises(DamagedError, match=r"groups\.parquet was changed since"):
            take(copies, metadata)
    assert not (copies / "taken.json").exists()
    assert not (copies / "report").exists()


def test_the_message_names_the_file_in_the_store_and_what_makes_it_again(copies: Path) -> None:
    metadata = written(copies, "a text")
    shutil.rmtree(copies / "writer")

    with pytest.raises(DamagedError) as caught:
        take(copies, metadata)

    assert str(caught.value) == (
        "s3://bucket/root/writer/groups.parquet is missing since Trainer.fold-2 made it. Put it back from a copy, or "
        "let it be made again, whatever the cache has: `affect submit --again Trainer.fold-2`, with the options of "
        "this run"
    )


def test_what_an_older_program_made_is_taken_as_it_is(copies: Path) -> None:
    written(copies, "a text")

    take(copies, {})

    assert (copies / "taken.json").exists()


def test_the_argument_for_the_cache_says_nothing_to_the_task() -> None:
    line = ["--executor_class_path", "x.Executor", "--json_serialized_invocation_args", "{}", "--again", "2", "--other"]

    assert entrypoint.parse(line).beam == ["--other"]
