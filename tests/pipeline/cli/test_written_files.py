"""Files that commands are to write are looked at first: with nothing else there, that is what is said."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli import main

_COMPILE = ["compile", "--image", "i:1", "--pipeline-root", "s3://bucket/x", "--data", "s3://bucket/data"]


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["predict", "--model", "gone", "gone.png"], "--csv"),
        (["suspects", "--workdir", "gone"], "--csv"),
        (["report", "--kubeflow", "http://127.0.0.1:9"], "--output"),
    ],
)
def test_a_file_that_cannot_be_written_is_named_before_anything_else(
    words: list[str], option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    shown = CliRunner().invoke(main, [*words, option, "/proc/self/x.csv"])

    assert shown.exit_code == 2
    assert f"can't write {option} /proc/self/x.csv: /proc/self: " in shown.output.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--output", "/proc/self/x/a.yaml"], "can't write --output /proc/self/x/a.yaml: /proc/self: "),
        (["--output", "a.yaml", "--pipeline-root", "hdfs://h/x"], "--pipeline-root must begin with minio://, s3://"),
        (["--output", "a.yaml", "--pipeline-root", "s3://b/[1]"], "--pipeline-root can't have [ in it, which TFX "),
        (["--output", "a.yaml", "--data", "hdfs://h/x"], "--data must be a path in the pods, s3://… or gs://…."),
        (["--output", "a.yaml", "--set", "push.destination=models"], "push.destination must be an absolute path: "),
    ],
)
def test_what_cannot_be_compiled_is_refused_before_tfx_is_imported(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    shown = CliRunner().invoke(main, [*_COMPILE, *words])

    assert shown.exit_code == 2
    assert shown.output.startswith(f"Error: {message}")
    assert list(tmp_path.iterdir()) == []


def test_an_option_without_effect_is_a_warning_of_compile_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    shown = CliRunner().invoke(
        main, [*_COMPILE, "--output", "a.yaml", "--data", "hdfs://h/x", "--set", "train.nesterov=true"]
    )

    assert shown.output.splitlines()[0] == "Warning: train.nesterov=true has no effect: it is of train.optimizer=sgd"
