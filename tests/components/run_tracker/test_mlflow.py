"""What reaches a real MLflow server, read back by MLflow's client and by its REST API; and servers that are away."""

import http.server
import json
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow_server import free_port, mlflow_server
from report_artifacts import make_artifacts

from components.formats.documents import MLFLOW
from components.plain_executor import PlainArtifact
from components.run_tracker.executor import Executor
from components.tools.passwords import hidden
from components.training.mlflow_run import MlflowRun
from components.training.mlflow_tracker import MlflowTracker
from components.training.options import MlflowOptions

FIGURES = {"loss": 0.5, "val_accuracy": 0.75}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow_server(tmp_path_factory.mktemp("mlflow"), free_port()) as url:
        yield url


@pytest.fixture
def client(server: str) -> MlflowClient:
    return MlflowClient(tracking_uri=server)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID", "MLFLOW_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")  # a server that is busy isn't away


def options(uri: str | None, **more: Any) -> MlflowOptions:
    return MlflowOptions(enabled=True, uri=uri, **more)


def curve(client: MlflowClient, run_id: str, metric: str = "loss") -> list[tuple[int, float]]:
    return [(one.step, one.value) for one in client.get_metric_history(run_id, metric)]


def asked(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.loads(answer.read())


def test_a_training_is_logged_with_options_curves_confusion_matrix_and_model(
    server: str, client: MlflowClient, tmp_path: Path
) -> None:
    tracker = MlflowTracker(
        options(server, experiment="faces", name="first"), {"train.epochs": 2, "model.weights": None}, folder=tmp_path
    )
    tracker.epoch(1, FIGURES)
    tracker.epoch(2, FIGURES | {"loss": 0.25})
    tracker.confusion(["happy", "sad"], np.array([[5, 1], [2, 4]]))
    tracker.finish({"best_epoch": 2}, "/models/7")

    run_id = MLFLOW.read(tmp_path)["run_id"]
    found = asked(f"{server}/api/2.0/mlflow/runs/get?run_id={run_id}")["run"]
    assert found["info"]["status"] == "FINISHED"
    assert found["info"]["run_name"] == "first"
    assert client.get_experiment(found["info"]["experiment_id"]).name == "faces"
    params = {one["key"]: one["value"] for one in found["data"]["params"]}
    assert params == {"train.epochs": "2", "model.weights": "None"}
    assert {"key": "model", "value": "/models/7"} in found["data"]["tags"]
    assert curve(client, run_id) == [(1, 0.5), (2, 0.25)]
    assert client.get_run(run_id).data.metrics["best_epoch"] == 2
    matrix = json.loads(Path(client.download_artifacts(run_id, "confusion_matrix.json")).read_text())
    assert matrix == {"labels": ["happy", "sad"], "rows_are_actual": [[5, 1], [2, 4]]}


def test_a_resumed_training_goes_on_with_its_run_and_repeats_no_epoch(server: str, client: MlflowClient) -> None:
    known: list[str] = []
    interrupted = MlflowTracker(options(server), {"seed": 0}, remember=known.append)
    interrupted.epoch(1, FIGURES)
    interrupted.epoch(2, FIGURES | {"loss": 0.4})
    interrupted.fail()
    assert client.get_run(known[0]).info.status == "FAILED"

    resumed = MlflowTracker(options(server), {"seed": 0}, run_id=known[0])
    for number in (1, 2, 3):  # the history, and then what is new
        resumed.epoch(number, FIGURES | {"loss": 0.5 - 0.1 * number})
    assert client.get_run(known[0]).info.status == "RUNNING"
    resumed.finish({}, "/models/7")

    assert [step for step, _ in curve(client, known[0])] == [1, 2, 3]
    assert client.get_run(known[0]).info.status == "FINISHED"


def test_a_run_that_somebody_deleted_is_begun_again(server: str, client: MlflowClient) -> None:
    first = MlflowTracker(options(server), {})
    first.epoch(1, FIGURES)
    client.delete_run(str(first.run.run_id))

    again = MlflowTracker(options(server), {}, run_id=first.run.run_id)
    again.epoch(1, FIGURES)

    assert again.run.run_id not in (None, first.run.run_id)
    assert curve(client, str(again.run.run_id)) == [(1, 0.5)]


def test_mlflows_own_variables_name_server_experiment_and_run(
    server: str, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "by name")
    by_name = MlflowRun(options(None))
    assert by_name.send(lambda *_: None)
    named = client.get_run(str(by_name.run_id)).info.experiment_id
    assert client.get_experiment(named).name == "by name"

    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", named)
    by_number = MlflowRun(options(None))
    assert by_number.send(lambda *_: None)
    assert client.get_run(str(by_number.run_id)).info.experiment_id == named

    monkeypatch.setenv("MLFLOW_RUN_ID", str(by_name.run_id))
    given, fold = MlflowRun(options(None)), MlflowRun(options(None, name="x"), part="fold 1")
    assert given.send(lambda *_: None)
    assert given.run_id == by_name.run_id
    assert fold.send(lambda *_: None)
    below = client.get_run(str(fold.run_id))
    assert below.data.tags["mlflow.parentRunId"] == by_name.run_id
    assert (below.info.experiment_id, below.info.run_name) == (named, "x fold 1")


def test_no_server_at_all_is_an_error_before_training() -> None:
    with pytest.raises(RuntimeError, match=r"set tracking\.mlflow\.uri, or MLFLOW_TRACKING_URI"):
        MlflowTracker(options(None), {})


def test_a_server_that_is_away_is_told_of_once_and_holds_up_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tracker = MlflowTracker(options(hidden(f"http://me:hunter2@127.0.0.1:{free_port()}")), {}, folder=tmp_path)
    for number in range(1, 50):
        tracker.epoch(number, FIGURES)
    tracker.finish({"best_epoch": 1}, "/models/7")

    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith("Warning: MLflow at http://***@127.0.0.1:")
    assert "Connection refused" in line
    assert "hunter2" not in line
    assert MLFLOW.read(tmp_path) == {"run_id": None, "parameters": {}}


class Refusing(http.server.BaseHTTPRequestHandler):
    """A server that lets nobody in, and notes with what they came."""

    came_with: list[str | None] = []

    def do_GET(self) -> None:
        Refusing.came_with.append(self.headers["Authorization"])
        self.send_error(401)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: Any) -> None: ...


def test_a_password_in_the_address_reaches_the_server_and_no_log(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(name, "")  # so that it is taken away again
        monkeypatch.delenv(name)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as refusing:
        threading.Thread(target=refusing.serve_forever).start()
        run = MlflowRun(options(hidden(f"http://me:hunter2@127.0.0.1:{refusing.server_port}")))
        assert not run.send(lambda *_: None)
        refusing.shutdown()

    assert Refusing.came_with[0] == "Basic bWU6aHVudGVyMg=="  # me:hunter2
    assert "401" in run.problem
    assert "hunter2" not in run.problem + "".join(capsys.readouterr())


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    uris = make_artifacts(tmp_path_factory.mktemp("artifacts"))
    report = tmp_path_factory.mktemp("report")
    (report / "index.html").write_text("<p>report</p>")
    for name in ("model_card.md", "model_card.json"):
        (uris["analysis"] / name).write_text("{}")
    found = {name: [PlainArtifact(str(uris[name]))] for name in ("model_run", "evaluation", "analysis")}
    pushed = PlainArtifact()
    pushed.set_int_custom_property("pushed", 1)
    for name, value in (("destination", "s3://m/7"), ("version", "7"), ("digest", "abc")):
        pushed.set_string_custom_property(f"pushed_{name}", value)
    return {**found, "pushed_model": [pushed], "report": [PlainArtifact(str(report))]}


def complete(artifacts: dict[str, list[Any]], folder: Path, chosen: MlflowOptions) -> PlainArtifact:
    tracked = PlainArtifact(str(folder))
    Executor().Do(artifacts, {"tracked": [tracked]}, {"mlflow": chosen.model_dump_json()})
    return tracked


def test_scores_report_card_and_the_pushed_model_join_the_curves(
    server: str, client: MlflowClient, artifacts: dict[str, list[Any]], tmp_path: Path
) -> None:
    model_run = Path(artifacts["model_run"][0].uri)
    tracker = MlflowTracker(options(server), {"train.epochs": 3}, folder=model_run)
    tracker.epoch(1, FIGURES)
    tracker.finish({}, "/models/7")

    tracked = complete(artifacts, tmp_path, options(server))

    assert tracked.properties == {"run": tracker.run.run_id, "problem": ""}
    run = client.get_run(str(tracker.run.run_id))
    analysis = json.loads(Path(artifacts["analysis"][0].uri, "analysis.json").read_text())
    accuracy = analysis["test"]["metrics"]["accuracy"]
    assert run.data.metrics["test/accuracy"] == accuracy["value"]
    assert run.data.metrics["test/accuracy_low"] == accuracy["low"]
    assert "eval/macro_f1" in run.data.metrics
    tags = ("blessed", "pushed_model", "pushed_version", "pushed_digest")
    assert [run.data.tags[name] for name in tags] == ["yes", "s3://m/7", "7", "abc"]
    files = {one.path for one in client.list_artifacts(run.info.run_id)}
    assert files == {"index.html", "model_card.md", "model_card.json"}
    assert Path(client.download_artifacts(run.info.run_id, "index.html")).read_text() == "<p>report</p>"

    complete(artifacts, tmp_path, options(server))

    assert len(curve(client, run.info.run_id, "test/accuracy")) == 1  # the same isn't said twice


def test_what_a_server_missed_of_the_training_is_made_up_for_at_the_end(
    server: str, client: MlflowClient, artifacts: dict[str, list[Any]], tmp_path: Path
) -> None:
    model_run = Path(artifacts["model_run"][0].uri)
    away = MlflowTracker(options(f"http://127.0.0.1:{free_port()}"), {"seed": 3}, folder=model_run)
    away.epoch(1, FIGURES)
    away.finish({}, "/models/7")

    tracked = complete(artifacts, tmp_path, options(server))

    run = client.get_run(str(tracked.properties["run"]))
    history = json.loads((model_run / "training.json").read_text())["history"]
    assert [step for step, _ in curve(client, run.info.run_id)] == [row["epoch"] for row in history]
    assert run.data.params == {"seed": "3"}
    assert run.info.status == "FINISHED"

    again = complete(artifacts, tmp_path, options(server))  # as of each later run with the same training

    assert again.properties["run"] == run.info.run_id


def test_a_server_that_is_away_at_the_end_fails_nothing_and_is_told(
    artifacts: dict[str, list[Any]], tmp_path: Path
) -> None:
    (Path(artifacts["model_run"][0].uri) / "mlflow.json").unlink(missing_ok=True)

    tracked = complete(artifacts, tmp_path, options(f"http://127.0.0.1:{free_port()}"))

    assert tracked.properties["run"] == ""
    assert "Connection refused" in str(tracked.properties["problem"])


def test_the_model_is_copied_only_if_asked(
    server: str, client: MlflowClient, artifacts: dict[str, list[Any]], tmp_path: Path
) -> None:
    (tmp_path / "model" / "Format-Serving").mkdir(parents=True)
    (tmp_path / "model" / "Format-Serving" / "saved_model.pb").write_bytes(b"graph")
    (Path(artifacts["model_run"][0].uri) / "mlflow.json").unlink(missing_ok=True)
    model = {"model": [PlainArtifact(str(tmp_path / "model"))]}

    tracked = complete(artifacts | model, tmp_path, options(server, upload_model=True))

    run = str(tracked.properties["run"])
    assert [one.path for one in client.list_artifacts(run, "model")] == ["model/saved_model.pb"]
