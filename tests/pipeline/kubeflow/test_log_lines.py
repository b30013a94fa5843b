"""What a pod's log says to the one who follows the run."""

import pytest

from pipeline.kubeflow import log_lines

LAUNCHER = (
    "E0801 10:00:00.000000       7 launcher_v2.go:449] Component failed to execute successfully: exit status 1\n"
    "F0801 10:00:00.000000       7 main.go:59] failed to execute component: exit status 1\n"
)
# Argo's executor, of releases up to 3 and from 4 on.
ARGO = [
    'time="2026-08-01T10:00:00.000Z" level=info msg="sub-process exited" argo=true error="exit status 1"\n',
    'time=2026-08-01T10:00:00.000Z level=INFO msg="sub-process exited" argo=true error="exit status 1"\n',
]
ERROR = "Error: exit status 1\n\n"
# What launcher and driver of release 2.17 said where the bucket was missing, and ML Metadata; shortened.
NO_BUCKET = (
    'failed to upload output artifact "executor-logs" to remote storage URI "minio://nosuchbucket/affect/executor-logs-0":'
    " operation error S3: PutObject, api error NoSuchBucket: The specified bucket does not exist"
)
NO_METADATA = (
    "KFP driver: driver.RootDAG(pipelineName=facial-affect, runtimeConfig, componentSpec) failed: Failed "
    'GetContextByTypeAndName(type="system.Pipeline"): rpc error: code = Unavailable desc = connection error'
)


def test_the_newest_word_on_what_was_made_counts() -> None:
    first, second = ({"model": {"artifacts": [{"metadata": {"version": number}}]}} for number in (1, 2))

    log = f"{log_lines.made(first)}\n{log_lines.made(second)}\n{LAUNCHER}"

    assert log_lines.read_made(log) == {"model": {"version": 2}}


@pytest.mark.parametrize("log", ["", LAUNCHER, 'made: {"model": {"vers', "made: 3", 'made: {"a": 1}'])
def test_a_log_without_that_line_tells_nothing(log: str) -> None:
    assert log_lines.read_made(log) == {}


def test_a_failure_is_one_line_whatever_its_message_holds() -> None:
    log = log_lines.failed(ValueError("two\n  lines")) + "\n" + LAUNCHER

    assert log_lines.read_failure(log) == "ValueError: two lines"


@pytest.mark.parametrize("argo", ARGO)
def test_who_was_killed_is_told_by_his_last_lines_without_those_around(argo: str) -> None:
    log = "".join(f"epoch {number}/20\n" for number in range(1, 10)) + LAUNCHER + argo + ERROR

    assert log_lines.read_failure(log) == "\n".join(f"epoch {number}/20" for number in range(5, 10))


def test_who_was_killed_beside_the_launcher_is_told_by_its_word_too() -> None:
    killed = LAUNCHER.replace("exit status 1", "signal: killed")

    assert log_lines.read_failure(f"epoch 3/20\n{killed}{ARGO[1]}{ERROR}") == "epoch 3/20\nsignal: killed"


def test_where_the_upload_fails_the_launcher_says_why() -> None:
    """The executor has said all that it had to say, and the launcher prints what it made."""
    log = (
        "made: {}\n"
        "I0801 10:00:00.000000   14184 launcher_v2.go:1230] ExecutorOutput: {\n"
        '  "artifacts": {},\n  "parameterValues": {\n    "candidates": ""\n  }\n}\n'
        f"E0801 10:00:00.000000   14184 launcher_v2.go:898] All upload artifact attempts failed: {NO_BUCKET}\n"
        "I0801 10:00:00.000000   14184 launcher_v2.go:206] publish success.\n"
        f"F0801 10:00:00.000000   14184 main.go:59] failed to execute component: {NO_BUCKET}\n"
        f"{ARGO[1]}{ERROR}"
    )

    assert log_lines.read_failure(log) == NO_BUCKET


@pytest.mark.parametrize("argo", ARGO)
def test_a_driver_says_why_it_failed_on_as_many_lines_as_it_likes(argo: str) -> None:
    log = (
        'I0801 10:00:00.000000   22379 root_dag.go:110] PipelineRoot="minio://mlpipeline/affect"\n'
        f"F0801 10:00:00.000000   22379 main.go:127] {NO_METADATA}\n\tstatus code: 404\n{argo}{ERROR}"
    )

    assert log_lines.read_failure(log) == f"{NO_METADATA} status code: 404"
