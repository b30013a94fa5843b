"""Submission over real HTTP to a stand-in that checks requests against the models of Kubeflow's API client."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from compiled import CLUSTER, compiled_file
from stand_in import Kubeflow, Refusal, checked, running

from pipeline.cli import main
from pipeline.config import load
from pipeline.kubeflow.submit import made_again


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled_file(tmp_path_factory.mktemp("compiled"))


@pytest.fixture
def kubeflow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Kubeflow]:
    monkeypatch.setenv("HOME", str(tmp_path))  # kfp keeps a context there
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with running(Kubeflow()) as found:
        yield found


def submitted(kubeflow: Kubeflow, path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["submit", str(path), "--host", kubeflow.url, *arguments])


def error(result: Result) -> str:
    """The one line that says what was wrong."""
    lines = [line for line in result.output.splitlines() if line and not line.startswith(("Usage:", "Try "))]
    assert len(lines) == 1, result.output
    return lines[0]


def test_a_submission_uploads_a_version_named_by_its_content_and_prints_the_runs_link(
    kubeflow: Kubeflow, path: Path
) -> None:
    result = submitted(kubeflow, path, "--experiment", "faces", "--param", "epochs=50", "--param", "data=s3://new")

    version = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    assert result.exit_code == 0, result.output
    assert result.output == f"version {version}\n{kubeflow.url}/#/runs/details/r0\n"
    [run] = kubeflow.runs
    [experiment] = kubeflow.experiments
    assert experiment["display_name"] == "faces"
    assert run["experiment_id"] == experiment["experiment_id"]
    assert run["runtime_config"]["parameters"] == {"epochs": 50, "data": "s3://new"}
    assert run["service_account"] == "pipeline-runner"
    [sent] = kubeflow.versions  # one content, one version
    assert sent["display_name"] == version
    assert run["pipeline_version_reference"]["pipeline_version_id"] == sent["pipeline_version_id"]
    assert len(sent["documents"]) == 2  # the platform spec goes with it


def test_a_version_says_what_it_was_made_from(kubeflow: Kubeflow, path: Path) -> None:
    submitted(kubeflow, path)
    submitted(kubeflow, path, "--no-cache")

    cached, uncached = (version["description"].splitlines() for version in kubeflow.versions)
    assert cached == [
        "- Code: facial-affect-pipeline 0.1.0, revision 000000000000",
        f"- Configuration: {load(None, CLUSTER).digest()}",
        "- Options: all as by default",  # what the cluster gives is no option of the pipeline
    ]
    assert uncached == [*cached, "- Caching: off for every task"]


def test_a_file_that_says_nothing_of_itself_has_no_description(kubeflow: Kubeflow, path: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.yaml"
    bare.write_text("".join(line for line in path.open() if not line.startswith("#")))

    assert submitted(kubeflow, bare).exit_code == 0

    assert "description" not in kubeflow.versions[0]


def test_artifacts_go_to_the_pipeline_root(kubeflow: Kubeflow, path: Path) -> None:
    submitted(kubeflow, path)
    submitted(kubeflow, path, "--schedule", "0 3 * * 1")

    for started in (*kubeflow.runs, *kubeflow.recurring):
        assert started["runtime_config"]["pipeline_root"] == "minio://mlpipeline/v2/artifacts"


@pytest.mark.parametrize("what", ["pipelines", "versions", "experiments"])
def test_of_two_first_submits_at_once_both_succeed(kubeflow: Kubeflow, path: Path, what: str) -> None:
    def somebody_else(missed: str) -> None:
        if missed == what:
            kubeflow.on_miss = None
            assert submitted(kubeflow, path).exit_code == 0

    kubeflow.on_miss = somebody_else

    result = submitted(kubeflow, path)

    assert result.exit_code == 0, result.output
    assert len(kubeflow.runs) == 2
    assert (len(kubeflow.pipelines), len(kubeflow.versions), len(kubeflow.experiments)) == (1, 1, 1)


def test_a_refused_upload_is_told_in_the_servers_own_words(kubeflow: Kubeflow, path: Path) -> None:
    kubeflow.upload_refusal = "unknown template format"

    result = submitted(kubeflow, path)

    assert result.exit_code == 1
    assert error(result).endswith("refused (400): unknown template format")


def test_the_same_content_is_uploaded_once(kubeflow: Kubeflow, path: Path) -> None:
    submitted(kubeflow, path)
    versions = len(kubeflow.versions)

    assert submitted(kubeflow, path).exit_code == 0

    assert (len(kubeflow.pipelines), len(kubeflow.versions)) == (1, versions)
    assert (len(kubeflow.experiments), len(kubeflow.runs)) == (1, 2)


def test_a_component_is_made_once_more_than_the_file_has_it(kubeflow: Kubeflow, path: Path, tmp_path: Path) -> None:
    assert submitted(kubeflow, path, "--again", "Trainer", "--again", "TFRecordConverter").exit_code == 0
    assert submitted(kubeflow, path, "--again", "Trainer", "--again", "TFRecordConverter").exit_code == 0
    again = tmp_path / "again.yaml"
    again.write_text(made_again(path.read_text("utf-8"), ["Trainer"]), "utf-8")
    assert submitted(kubeflow, again, "--again", "Trainer").exit_code == 0

    def marks(version: dict[str, Any]) -> dict[str, str]:
        executors = version["documents"][0]["deploymentSpec"]["executors"]
        arguments = {name: one["container"]["args"] for name, one in executors.items()}
        return {name: args[args.index("--again") + 1] for name, args in arguments.items() if "--again" in args}

    first, compiled = kubeflow.versions  # twice the same is one version, which the cache then has
    assert marks(first) == {"exec-trainer": "1", "exec-tf-record-converter": "1"}
    assert marks(compiled) == {"exec-trainer": "2"}
    assert first["description"].splitlines()[-1] == "- Once more: Trainer, TFRecordConverter"


def test_no_cache_turns_every_task_off(kubeflow: Kubeflow, path: Path) -> None:
    submitted(kubeflow, path, "--no-cache")

    tasks = kubeflow.versions[-1]["documents"][0]["root"]["dag"]["tasks"]
    assert all(task["cachingOptions"] == {} for task in tasks.values())


def test_a_schedule_makes_a_recurring_run(kubeflow: Kubeflow, path: Path) -> None:
    result = submitted(kubeflow, path, "--schedule", "0 3 * * 1")

    [recurring] = kubeflow.recurring
    assert recurring["trigger"]["cron_schedule"]["cron"] == "0 0 3 * * 1"
    assert f"/#/recurringrun/details/{recurring['recurring_run_id']}" in result.output


def test_a_schedule_takes_the_place_of_the_one_of_its_name(kubeflow: Kubeflow, path: Path) -> None:
    submitted(kubeflow, path, "--schedule", "0 3 * * 1")
    submitted(kubeflow, path, "--schedule", "0 4 * * *", "--name", "nightly")
    submitted(kubeflow, path, "--schedule", "0 5 * * *", "--experiment", "other")

    result = submitted(kubeflow, path, "--schedule", "0 3 * * 2")

    assert result.exit_code == 0, result.output
    assert "In place of the schedule r0, which was: 0 0 3 * * 1" in result.output
    found = {(one["display_name"], one["trigger"]["cron_schedule"]["cron"]) for one in kubeflow.recurring}
    assert found == {
        ("nightly", "0 0 4 * * *"),
        ("facial-affect", "0 0 5 * * *"),
        ("facial-affect", "0 0 3 * * 2"),
    }
    assert all(one["no_catchup"] and int(one["max_concurrency"]) == 1 for one in kubeflow.recurring)


def test_a_schedule_that_cannot_be_replaced_stays_alone(kubeflow: Kubeflow, path: Path) -> None:
    submitted(kubeflow, path, "--schedule", "0 3 * * 1")
    kubeflow.kept_schedules = ("r0",)

    result = submitted(kubeflow, path, "--schedule", "0 3 * * 2")

    assert result.exit_code == 1
    assert "(r0) can't be replaced, so there is no new one" in error(result)
    assert [one["recurring_run_id"] for one in kubeflow.recurring] == ["r0"]


def test_only_changes_are_run_where_the_cache_is_on(kubeflow: Kubeflow, path: Path, tmp_path: Path) -> None:
    documents = list(yaml.safe_load_all(path.read_text()))
    documents[0]["root"]["dag"]["tasks"]["evaluator"]["cachingOptions"] = {"enableCache": True}
    cached = tmp_path / "cached.yaml"
    cached.write_text(yaml.safe_dump_all(documents))

    done = submitted(kubeflow, cached, "--schedule", "0 3 * * 1", "--if-changed")
    one_off = submitted(kubeflow, path, "--schedule", "0 3 * * 1", "--if-changed")
    all_off = submitted(kubeflow, cached, "--schedule", "0 3 * * 1", "--if-changed", "--no-cache")

    assert (done.exit_code, one_off.exit_code, all_off.exit_code) == (0, 1, 1)
    assert "a run would do evaluator again" in error(one_off)
    assert "a run would do baseline-finder, " in error(all_off)
    assert submitted(kubeflow, path, "--name", "nightly").exit_code == 2


def test_a_lost_connection_is_waited_out(kubeflow: Kubeflow, path: Path) -> None:
    kubeflow.states = ["RUNNING", "SUCCEEDED"]
    kubeflow.troubles = {2: None, 3: 503, 4: 503, 5: None}

    result = submitted(kubeflow, path, "--wait")

    assert result.exit_code == 0, result.output
    assert result.output.count("waiting for it") == 1
    assert "succeeded, " in result.output


def test_a_host_that_stays_away_is_no_failed_run(
    kubeflow: Kubeflow, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubeflow.troubles = dict.fromkeys(range(2, 100_000), 503)
    monkeypatch.setattr("pipeline.kubeflow.follow.PATIENCE", 0.5)

    result = submitted(kubeflow, path, "--wait")

    assert result.exit_code == 4
    assert "refused (503): upstream connect error. Gave up waiting; the run may go on: " in result.output


def test_a_run_that_is_gone_ends_the_waiting_at_once(kubeflow: Kubeflow, path: Path) -> None:
    kubeflow.troubles = {2: 404}

    result = submitted(kubeflow, path, "--wait")

    assert result.exit_code == 4
    assert "No longer watched" in result.output
    assert kubeflow.questions == 2


def test_a_token_is_taken_from_the_environment(kubeflow: Kubeflow, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubeflow.token = "secret"
    monkeypatch.setenv("TOKEN", "secret")

    result = submitted(kubeflow, path, "--token-env", "TOKEN")

    assert result.exit_code == 0, result.output
    assert "secret" not in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--param", "epoch=5"], "no parameter epoch. The pipeline has: architecture, data, epochs, push_destination"),
        (["--param", "epochs=many"], "parameter epochs must be an integer from 1 to 1000000. Received: many"),
        (["--param", "epochs=2.5"], "parameter epochs must be an integer from 1 to 1000000. Received: 2.5"),
        (["--param", "epochs=0"], "parameter epochs must be an integer from 1 to 1000000. Received: 0"),
        (["--param", "seed=-1"], "parameter seed must be an integer from 0 to 4294967295. Received: -1"),
        (["--param", "architecture=vgg"], "parameter architecture must be one of resnet18, resnet34"),
        (["--param", "data=minio://faces"], "parameter data must be a path in the pods, s3://… or gs://…"),
        (["--param", "push_destination=/models"], "parameter push_destination = /models is in no volume of Baseline"),
        (["--host", "localhost:8080"], "--host must begin with http:// or https://. Received: 'localhost:8080'"),
        (["--param", "epochs"], "--param requires NAME=VALUE"),
        (["--schedule", "monday"], "--schedule requires five fields"),
        (["--schedule", "0 3 * * 1", "--wait"], "a schedule has no end"),
        (["--token-env", "NO_SUCH_VARIABLE"], "the variable NO_SUCH_VARIABLE is empty"),
        (["--again", "trainer"], "--again takes one of BaselineFinder, DataGate, DistributionValidator, "),
        (["--again", "DataDigest"], "Received: DataDigest"),
        (["--timeout", "5m"], "--timeout is how long --wait may take"),
    ],
)
def test_a_bad_option_is_one_line(kubeflow: Kubeflow, path: Path, arguments: list[str], message: str) -> None:
    result = submitted(kubeflow, path, *arguments)

    assert result.exit_code in (1, 2)
    assert message in error(result)
    assert not kubeflow.runs


def test_an_unreachable_host_is_one_line(path: Path) -> None:
    result = CliRunner().invoke(main, ["submit", str(path), "--host", "http://127.0.0.1:9"])

    assert result.exit_code == 1
    assert "can't reach http://127.0.0.1:9" in error(result)


def test_a_missing_token_is_one_line(kubeflow: Kubeflow, path: Path) -> None:
    kubeflow.token = "secret"

    assert "doesn't let you in (401" in error(submitted(kubeflow, path))


def test_an_unknown_namespace_is_one_line(kubeflow: Kubeflow, path: Path) -> None:
    kubeflow.namespaces = ("mine",)

    assert "in namespace theirs (403" in error(submitted(kubeflow, path, "--namespace", "theirs"))
    assert submitted(kubeflow, path, "--namespace", "mine").exit_code == 0


@pytest.mark.parametrize(("text", "message"), [(None, "can't read"), ("a: 1", "is no compiled pipeline")])
def test_a_wrong_file_is_one_line(kubeflow: Kubeflow, tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "other.yaml"
    if text:
        path.write_text(text)

    assert message in error(submitted(kubeflow, path))


def test_the_stand_in_refuses_what_the_api_does_not_know() -> None:
    body: dict[str, Any] = {"display_name": "run", "runtime_config": {"parameter": {}}}
    with pytest.raises(Refusal, match="V2beta1RuntimeConfig has no field parameter"):
        checked(body, "V2beta1Run")
