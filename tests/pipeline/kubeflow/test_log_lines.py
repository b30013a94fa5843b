"""What a pod's log says to the one who follows the run."""

import pytest

from pipeline.kubeflow import log_lines

LAUNCHER = (
    'time="2026-08-01T10:00:00.000Z" level=info msg="sub-process exited" argo=true error="exit status 1"\n'
    "F0801 10:00:00.000000       7 main.go:55] failed to execute component: exit status 1\n\n"
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


def test_who_was_killed_is_told_by_his_last_lines_without_those_around() -> None:
    log = "".join(f"epoch {number}/20\n" for number in range(1, 10)) + LAUNCHER

    assert log_lines.read_failure(log) == "\n".join(f"epoch {number}/20" for number in range(5, 10))
