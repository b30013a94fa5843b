import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from ml_metadata_server import served
from store_builder import StoreBuilder

from pipeline.cli import main
from pipeline.local.workdir import Workdir


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def rows(*arguments: object) -> list[dict[str, Any]]:
    result = call("inspect", *arguments, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert isinstance(found, list)
    return found


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    """Four runs: a plain one, the same from the cache, a failed one with another option, and one that was killed."""
    folder = Workdir(tmp_path / "work")
    builder = StoreBuilder(folder.metadata)
    pushed = folder.serving_model / "17"
    pushed.mkdir(parents=True)
    first = builder.run("one", folder.artifacts, config={"train": {"epochs": 5}}, pushed=str(pushed))
    builder.run("two", folder.artifacts, config={"train": {"epochs": 5}}, cached=True, outputs=first)
    builder.run("three", folder.artifacts, state="failed", config={"train": {"epochs": 6}})
    builder.run("four", folder.artifacts, state="running", config={"train": {"epochs": 6}})
    return folder.root


def test_runs_tell_what_came_of_them(workdir: Path) -> None:
    found = rows("--workdir", workdir)

    assert [(row["name"], row["state"], row["executed"], row["cached"], row["failed"]) for row in found] == [
        ("four", "interrupted", 1, 0, 0),
        ("three", "failed", 1, 0, 1),
        ("two", "succeeded", 0, 3, 0),
        ("one", "succeeded", 3, 0, 0),
    ]
    assert found[3]["accuracy"] == 0.9
    assert found[3]["blessed"] is True
    assert found[3]["pushed"] == "17"
    assert found[0]["accuracy"] is None


def test_a_run_whose_folder_is_locked_is_running(workdir: Path) -> None:
    with Workdir(workdir).locked():
        assert rows("runs", "--workdir", workdir)[0]["state"] == "running"
        assert rows("executions", "--workdir", workdir)[-1]["state"] == "running"
    assert rows("executions", "--workdir", workdir)[-1]["state"] == "interrupted"


def test_an_older_run_that_was_killed_does_not_run_while_another_does(tmp_path: Path) -> None:
    folder = Workdir(tmp_path / "work")
    builder = StoreBuilder(folder.metadata)
    builder.run("killed", folder.artifacts, state="running")
    builder.run("now", folder.artifacts, state="running")

    with folder.locked():
        assert rows("executions", "1", "--workdir", folder.root)[-1]["state"] == "interrupted"
        assert rows("executions", "2", "--workdir", folder.root)[-1]["state"] == "running"


def test_options_stand_before_or_behind_the_noun(workdir: Path) -> None:
    behind = call("inspect", "executions", "latest", "--workdir", workdir, "--json")
    before = call("inspect", "--json", "--workdir", workdir, "executions", "latest")

    assert behind.output == before.output
    assert [row["component"] for row in json.loads(before.output)] == ["ImageIngest", "Trainer"]


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        (["--limit", 2], ["runs", "--limit", 2]),
        (["--json"], ["runs", "--json"]),
        (["--type", "ImageDataset", "artifacts"], ["artifacts", "--type", "ImageDataset"]),
        (["--type=ImageDataset", "artifacts"], ["artifacts", "--type=ImageDataset"]),
        (["--limit", 1, "--json", "artifacts", "latest"], ["artifacts", "latest", "--limit", 1, "--json"]),
        (["--format", "dot", "lineage", "artifact:2"], ["lineage", "artifact:2", "--format", "dot"]),
        (["--name", "runs", "artifacts"], ["artifacts", "--name", "runs"]),
    ],
)
def test_an_option_of_a_noun_may_stand_before_it(before: list[object], behind: list[object], workdir: Path) -> None:
    result = call("inspect", "--workdir", workdir, *before)

    assert result.exit_code == 0, result.output
    assert result.output == call("inspect", *behind, "--workdir", workdir).output


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["runs", "--format", "dot"], "--format"),
        (["--format", "dot"], "--format"),
        (["--type", "Model", "runs"], "--type"),
        (["executions", "--limit", "3"], "--limit"),
        (["executions", "--name", "x"], "--name"),
        (["artifacts", "--format", "dot"], "--format"),
        (["show", "artifact:1", "--limit", "3"], "--limit"),
        (["lineage", "artifact:1", "--type", "Model"], "--type"),
        (["diff", "one", "two", "--format", "dot"], "--format"),
        (["lineage", "artifact:1", "--json", "--format", "dot"], "give one of the two"),
    ],
)
def test_an_option_without_effect_is_refused(arguments: list[str], option: str, workdir: Path) -> None:
    result = call("inspect", *arguments, "--workdir", workdir)

    assert result.exit_code == 2
    assert option in result.output.splitlines()[-1]


def test_one_argument_too_many_is_refused(workdir: Path) -> None:
    result = call("inspect", "diff", "one", "two", "three", "--workdir", workdir)

    assert result.exit_code == 2
    assert "unexpected extra argument" in result.output


def test_help_before_a_noun_is_that_of_all_nouns() -> None:
    assert call("inspect", "--json", "--help").output == call("inspect", "-h").output
    assert "executions  The components of a run." in call("inspect", "--help").output


def test_artifacts_can_be_filtered(workdir: Path) -> None:
    assert len(rows("artifacts", "--workdir", workdir)) == 5
    assert len(rows("artifacts", "latest", "--workdir", workdir)) == 1
    assert {row["type"] for row in rows("artifacts", "--type", "imagedataset", "--workdir", workdir)} == {
        "components.ImageDataset"
    }
    [one] = rows("artifacts", "--name", "pushed_model", "--workdir", workdir)
    assert one["properties"] == {"pushed_destination": f"{workdir}/serving_model/17", "pushed_version": "17"}
    assert one["bytes"] == 1000
    assert len(rows("artifacts", "--limit", 2, "--workdir", workdir)) == 2


def test_show_has_everything_of_one(workdir: Path) -> None:
    execution = {row["property"]: row["value"] for row in rows("show", "execution:2", "--workdir", workdir)}
    artifact = {row["property"]: row["value"] for row in rows("show", "artifact:1", "--workdir", workdir)}

    assert execution["component"] == "Trainer"
    assert execution["train_options"] == '{"epochs": 5}'
    assert execution["takes"] == "artifact:1 [examples]"
    assert artifact["size in bytes"] == 1000


def test_lineage_goes_up_to_the_source_and_down_to_the_model(workdir: Path) -> None:
    text = call("inspect", "lineage", "artifact:2", "--workdir", workdir).output
    mermaid = call("inspect", "lineage", "artifact:2", "--format", "mermaid", "--workdir", workdir).output
    dot = call("inspect", "lineage", "artifact:2", "--format", "dot", "--workdir", workdir).output

    above, below = text.split("led to:")
    assert "ImageIngest (complete) of /data/faces" in above
    assert "PushedModel" in below
    assert mermaid.startswith("flowchart TD")
    assert "  artifact1 -->|examples| execution2" in mermaid
    assert '"artifact:1" -> "execution:2" [label="examples"];' in dot


def test_diff_names_what_changed(workdir: Path) -> None:
    found = {
        (row["what"], row["name"]): (row["first"], row["second"])
        for row in rows("diff", "one", "three", "--workdir", workdir)
    }

    assert found["option", "train.epochs"] == (5, 6)
    assert found["run", "git_revision"] == ("one", "three")
    assert found["parameter of Trainer", "train_options.epochs"] == (5, 6)
    assert found["figure", "ModelEvaluation.accuracy"] == (0.9, None)
    assert call("inspect", "diff", "one", "one", "--workdir", workdir).output == "Nothing changed between the two.\n"


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["executions", "99"], 1, "no run 99"),
        (["show", "artifact:99"], 1, "no artifact 99"),
        (["show", "7"], 1, "an id is artifact:3 or execution:3"),
        (["lineage", "execution:99"], 1, "no execution 99"),
        (["diff", "one"], 2, "say: inspect diff RUN RUN"),
        (["nonsense"], 2, "no noun 'nonsense'"),
        (["--mlmd", "/nowhere.db"], 1, "no ML Metadata at /nowhere.db"),
        (["--mlmd", "grpc://nohost"], 1, "grpc://host:port"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(arguments: list[str], status: int, message: str, workdir: Path) -> None:
    result = call("inspect", *arguments, "--workdir", workdir)

    assert result.exit_code == status
    assert message in result.output
    assert "Traceback" not in result.output


def test_other_files_and_a_locked_store_are_told_apart(tmp_path: Path, workdir: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("this is no database at all, but long enough to look at")
    foreign = tmp_path / "foreign.db"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE mine (x)")
    locked = sqlite3.connect(workdir / "metadata.db", isolation_level=None)
    locked.execute("BEGIN EXCLUSIVE")
    try:
        assert "is no SQLite database" in call("inspect", "--mlmd", text).output
        assert "but not one of ML Metadata" in call("inspect", "--mlmd", foreign).output
        assert "being written by another program" in call("inspect", "--workdir", workdir).output
    finally:
        locked.close()


def test_inspecting_changes_nothing(workdir: Path) -> None:
    before = (workdir / "metadata.db").read_bytes()
    for noun in (
        ["runs"],
        ["executions"],
        ["artifacts"],
        ["show", "artifact:1"],
        ["lineage", "artifact:1"],
        ["diff", "one", "two"],
    ):
        assert call("inspect", *noun, "--workdir", workdir).exit_code == 0

    assert (workdir / "metadata.db").read_bytes() == before


@pytest.fixture
def server(workdir: Path) -> Iterator[str]:
    with served(workdir / "metadata.db") as (_, port):
        yield f"grpc://127.0.0.1:{port}"


def test_a_server_tells_the_same_as_the_file(workdir: Path, server: str) -> None:
    with Workdir(workdir).locked():  # whether a run is running can't be told from afar: compare what can
        assert rows("runs", "--mlmd", server) == rows("runs", "--workdir", workdir)
    assert rows("artifacts", "--mlmd", server) == rows("artifacts", "--workdir", workdir)
    assert rows("lineage", "artifact:1", "--mlmd", server) == rows("lineage", "artifact:1", "--workdir", workdir)


def test_a_server_that_does_not_answer_is_named() -> None:
    result = call("inspect", "--mlmd", "grpc://127.0.0.1:1")

    assert result.exit_code == 1
    assert "can't read ML Metadata at grpc://127.0.0.1:1" in result.output


def test_looking_needs_neither_tfx_nor_tensorflow() -> None:
    code = (
        "import sys; from pipeline.cli import main; main.get_command(None, 'inspect'); main.get_command(None, 'gc');"
        "print([name for name in ('tfx', 'tensorflow', 'apache_beam') if name in sys.modules])"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_damaged_value_is_said_in_a_line(tmp_path: Path) -> None:
    folder = Workdir(tmp_path / "work")
    StoreBuilder(folder.metadata).run("run", folder.artifacts)
    with sqlite3.connect(folder.metadata) as connection:
        connection.execute("UPDATE ContextProperty SET name = CAST(CAST(name AS BLOB) || x'f6' AS TEXT)")

    result = call("inspect", "--workdir", folder.root)

    assert result.exit_code == 1
    assert result.output.startswith("Error: ML Metadata is damaged at number ")
