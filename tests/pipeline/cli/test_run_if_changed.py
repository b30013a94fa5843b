"""`affect run --if-changed`, up to the pipeline itself: that is stood in for by a note of what it was given."""

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from ml_metadata.proto import metadata_store_pb2 as pb
from store_builder import StoreBuilder
from webhook import listening

from components.formats import nodes
from components.images.codec import encode
from components.images.places import found_places
from components.images.spans import as_given
from components.tools.environment import BEAM, PROGRESS
from pipeline.cli import main
from pipeline.local.notice import Heard
from pipeline.local.workdir import Workdir


class Pipeline:
    """Takes note of each run, and ends it with a status."""

    def __init__(self) -> None:
        self.status = 0
        self.problem = ""
        self.data: list[str] = []
        self.to_predict: list[str] = []

    def run_locally(self, config: Any, context: Any, folder: Workdir, heard: Heard, *rest: Any) -> int:
        self.data.append(context.uri)
        self.to_predict.append(context.to_predict)
        properties = {"tracked": {"problem": self.problem}}
        tracked: Any = SimpleNamespace(node=nodes.RUN_TRACKER, state="done", properties=properties)
        heard.changed(tracked)
        return self.status


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    found = Pipeline()
    for name in (PROGRESS, BEAM):  # a run sets them for its components, and they are to be gone after the test
        monkeypatch.setenv(name, "")
    monkeypatch.setitem(
        sys.modules, "pipeline.local.run", SimpleNamespace(PUSHED=0, NOT_BLESSED=3, run_locally=found.run_locally)
    )
    return found


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    draw(tmp_path / "faces/2026-10", 0)
    draw(tmp_path / "faces/2026-11", 10)
    return tmp_path / "faces"


def draw(folder: Path, first: int) -> None:
    for number in range(4):
        path = folder / ("happy", "sad")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(first + number).integers(0, 255, (24, 24, 3), dtype=np.uint8)
        path.write_bytes(encode(pixels, "png"))


def run(faces: Path, *arguments: str) -> Result:
    workdir = str(faces.parent / "run")
    return CliRunner().invoke(main, ["run", "--data", f"{faces}/{{YYYY}}-{{MM}}", "--workdir", workdir, *arguments])


@pytest.mark.parametrize("status", [0, 3])
def test_a_second_run_ends_at_once_where_nothing_has_changed(pipeline: Pipeline, faces: Path, status: int) -> None:
    pipeline.status = status
    assert run(faces).exit_code == status

    again = run(faces, "--if-changed")

    assert again.exit_code == 0
    assert again.output.startswith("Nothing has changed since run 20")
    assert again.output.count("\n") == 1
    assert len(pipeline.data) == 1
    assert run(faces).exit_code == status  # without the option it runs
    assert len(pipeline.data) == 2


def test_a_new_span_a_changed_file_option_or_model_is_a_change(pipeline: Pipeline, faces: Path) -> None:
    def changed(*arguments: str) -> str:
        before = len(pipeline.data)
        result = run(faces, "--if-changed", *arguments)
        assert result.exit_code == 0, result.output
        assert len(pipeline.data) == before + 1
        assert run(faces, "--if-changed", *arguments).output.startswith("Nothing has changed")
        return result.output.partition(": ")[2]

    changed()
    (faces / "2026-10/sad/1.png").write_bytes((faces / "2026-11/sad/3.png").read_bytes())
    assert changed() == "data.\n"
    draw(faces / "2026-12", 20)
    assert changed() == "data.\n"
    assert list(found_places(pipeline.data[-1])) == ["2026-10", "2026-11", "2026-12"]
    assert changed("--set", "data.until=2026-11") == "data, configuration.\n"
    assert list(found_places(pipeline.data[-1])) == ["2026-10", "2026-11"]
    assert changed("--set", "train.epochs=3") == "data, configuration.\n"
    model = faces.parent / "run/serving_model/7"
    model.mkdir(parents=True)
    (model / "saved_model.pb").write_text("graph")
    assert changed("--set", "train.epochs=3") == "pushed models.\n"


def test_a_run_that_failed_is_tried_again(pipeline: Pipeline, faces: Path) -> None:
    run(faces)
    pipeline.status = 1
    assert run(faces).exit_code == 1

    pipeline.status = 0
    assert run(faces, "--if-changed").exit_code == 0

    assert len(pipeline.data) == 3


def test_a_run_that_the_tracking_server_missed_is_made_up_for(pipeline: Pipeline, faces: Path) -> None:
    pipeline.problem = "[Errno 111] Connection refused"
    run(faces)

    pipeline.problem = ""
    run(faces, "--if-changed")

    assert len(pipeline.data) == 2
    assert run(faces, "--if-changed").output.startswith("Nothing has changed")


def test_the_command_that_a_report_names_finds_the_same_folders(pipeline: Pipeline, faces: Path) -> None:
    """Also of one dated folder, whose name is in the ids of its images, and would not be without the pattern."""
    run(faces, "--set", "data.until=2026-10")
    [place] = as_given(pipeline.data[0])
    assert place.startswith("{")

    result = CliRunner().invoke(main, ["run", "--data", place, "--workdir", str(faces.parent / "run")])

    assert result.exit_code == 0, result.output
    assert pipeline.data[0] == pipeline.data[1]


def test_predictions_that_were_removed_since_do_not_come_from_the_cache(
    pipeline: Pipeline, faces: Path, tmp_path: Path
) -> None:
    store = StoreBuilder(tmp_path / "run/metadata.db").store
    kind = store.get_artifact_type("components.Analysis").id
    place = tmp_path / "out/7"
    for name, value in (("inside", tmp_path / "run/artifacts/gone"), ("outside", place)):
        made = pb.Artifact(type_id=kind, uri=name, state=pb.Artifact.LIVE)
        made.custom_properties["predicted_to"].string_value = str(value)
        made.custom_properties["predicted_by"].string_value = "7"
        store.put_artifacts([made])
    place.mkdir(parents=True)
    (place / "predictions.json").write_text("{}")
    options = ["--set", f"predict.path={faces / '2026-10'}", "--set", f"predict.output={tmp_path / 'out'}"]

    run(faces, *options)
    shutil.rmtree(place)
    run(faces, *options)

    there, gone = pipeline.to_predict
    assert gone == f"{there}7"


def test_two_runs_do_not_overlap(pipeline: Pipeline, faces: Path) -> None:
    run(faces)
    with Workdir(faces.parent / "run").locked():
        second = run(faces, "--if-changed")

    assert second.exit_code == 1
    assert "is in use by process" in second.output


def test_a_pattern_or_date_that_cannot_be_meant_is_a_line(pipeline: Pipeline, faces: Path) -> None:
    until = run(faces, "--set", "data.until=2025")
    wrong = CliRunner().invoke(main, ["run", "--data", f"{faces}/{{MM}}", "--workdir", str(faces.parent / "run")])

    assert (until.exit_code, wrong.exit_code) == (2, 2)
    assert "there is no folder" in until.output
    assert "only 2026-10, 2026-11" in until.output
    assert "a path with dates has {YYYY}" in wrong.output
    assert pipeline.data == []


def test_nobody_is_told_where_nothing_has_changed(pipeline: Pipeline, faces: Path) -> None:
    with listening() as hook:
        for arguments in ((), ("--if-changed",)):
            assert run(faces, "--set", f"notify.webhook={hook.url}", *arguments).exit_code == 0

    assert len(hook.messages) == len(pipeline.data) == 1
