"""What a configuration holds of secrets, and what is left of it in all that is recorded or shown."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from components.tools.environment import PASSWORDS
from components.tools.passwords import revealed
from pipeline.cli import main
from pipeline.config import Config, ConfigError, load
from pipeline.config.secrets import hide_passwords, masked_command, readable_secrets
from pipeline.context import RunContext
from pipeline.kubeflow.version_description import origin_comments
from pipeline.record import report_facts, run_record

_SECRETS = ("hunter2", "wJalrXUt")
_OVERRIDES = [
    "kubeflow.components.all.env={AWS_SECRET_ACCESS_KEY: wJalrXUt, AWS_ENDPOINT_URL: http://hunter2}",
    "kubeflow.components.all.secret_env=[{secret: s, keys: {k: WANDB_API_KEY}}]",
    "data.labels_csv=https://me:hunter2@host/t.csv",
    "push.destination=ftp://me:hunter2@host/models",
    "beam.options=[--s3_secret_access_key=wJalrXUt, --s3_access_key, hunter2, --region=here]",
]


def secrets_in(text: str) -> list[str]:
    return [secret for secret in _SECRETS if secret in text]


@pytest.fixture
def config() -> Config:
    return load(None, _OVERRIDES)


def test_nothing_that_is_recorded_of_a_run_holds_a_secret(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(secrets_in(json.dumps(config.as_dict()))) == 2
    words = ["affect", "run", "--data", "ftp://me:hunter2@host/faces"]
    monkeypatch.setattr(sys, "argv", [*words, *(word for text in _OVERRIDES for word in ("--set", text))])
    context = RunContext("ftp://me:hunter2@host/faces", "ftp://me:hunter2@host/models")

    record = run_record(config, context)
    shown = json.dumps([record, report_facts(config, context), origin_comments(config, None)])

    assert secrets_in(shown) == []
    assert record["data"] == "ftp://***@host/faces"
    values = json.loads(str(record["config"]))
    assert values["kubeflow"]["components"]["all"]["env"] == dict.fromkeys(
        ("AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"), "***"
    )
    assert values["beam"]["options"] == ["--s3_secret_access_key=***", "--s3_access_key", "***", "--region=here"]
    assert "--set push.destination=ftp://***@host/models" in str(record["command"])
    assert "--set kubeflow.components.all.env=***" in str(record["command"])


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("--set=kubeflow.components.all.env.TOKEN=a", "--set=kubeflow.components.all.env.TOKEN=***"),
        ("kubeflow.components={all: {env: {A: a}}}", "kubeflow.components=***"),
        (
            "kubeflow.components.all.secret_env=[{secret: s, keys: {k: A}}]",
            "kubeflow.components.all.secret_env=[{secret: s, keys: {k: A}}]",
        ),
        ("beam.options=[--region=here]", "beam.options=[--region=here]"),
        ("train.epochs=3", "train.epochs=3"),
    ],
)
def test_a_word_of_the_command_is_masked_where_it_sets_a_secret(word: str, shown: str) -> None:
    assert masked_command(["run", word]) == f"run {shown}"


def test_a_run_knows_of_passwords_no_more_than_that_there_are_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORDS, "{}")
    config = load(None, [*_OVERRIDES, "train.checkpoints=ftp://me:other@host/state"])

    hidden = hide_passwords(config)

    assert hidden.push.destination == "ftp://***@host/models"
    assert hidden.data.labels_csv == "https://***@host/t.csv"
    assert hidden.train.checkpoints == "ftp://***2@host/state"
    assert revealed(hidden.train.checkpoints) == "ftp://me:other@host/state"
    assert hide_passwords(hidden) == hidden
    assert hide_passwords(Config()) == Config()


def test_what_everyone_could_read_on_kubeflow_is_named_with_the_remedy(config: Config) -> None:
    lines = list(readable_secrets(config))

    assert secrets_in("\n".join(lines)) == []
    assert lines[0].startswith("kubeflow.components.all.env sets AWS_SECRET_ACCESS_KEY, which everyone can read in ")
    assert lines[0].endswith("take a secret from Kubernetes, by secret_env")
    named = {line.split(" ", 1)[0] for line in lines[1:]}
    assert named == {"data.labels_csv", "push.destination", "beam.options"}


def test_the_name_of_a_file_is_no_secret() -> None:
    config = load(None, ["kubeflow.components.all.env.GOOGLE_APPLICATION_CREDENTIALS=/secrets/gcp.json"])

    assert list(readable_secrets(config)) == []


@pytest.mark.parametrize("command", ["run", "compile"])
def test_keys_in_a_stores_uri_are_refused_without_being_repeated(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    more = ["--output", "a.yaml", "--image", "i:1", "--pipeline-root", "s3://b/x"] if command == "compile" else []

    shown = CliRunner().invoke(main, [command, *more, "--data", "s3://AKIA:wJalrXUt@bucket/faces"])

    assert shown.exit_code == 2
    assert shown.output.splitlines()[-1] == (
        "Error: --data can't hold keys: give them in the environment, as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
        "(on Kubeflow by secret_env). Received: s3://***@bucket/faces"
    )
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_an_environment_variable_doesnt_repeat_its_value() -> None:
    with pytest.raises(ConfigError) as error:
        load(None, ["kubeflow.components.all.env.DB_PASSWORD=12345", "kubeflow.components.Trainer.env=[hunter2]"])

    assert str(error.value).splitlines() == [
        "configuration: kubeflow.components.all.env.DB_PASSWORD: Input should be text; secrets are taken from "
        "Kubernetes, by secret_env. Received: ***",
        "configuration: kubeflow.components.Trainer.env: Input should be keys with values, {key: value}. Received: ***",
    ]
