"""The notice of a local run, by how the run ends; and of the command itself, over a real web server."""

import contextlib
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from webhook import SECRET, listening

from pipeline.cli import main
from pipeline.local.interruption import Terminated
from pipeline.local.notice import notified
from pipeline.local.workdir import Workdir, WorkdirError, WorkdirLocked
from pipeline.notice.options import NotifyOptions

PUSHED = {"pushed_model": {"pushed": 1, "pushed_destination": "/m/7"}}


def ran(node: str, state: str = "done", **more: Any) -> Any:
    return SimpleNamespace(node=node, state=state, **{"properties": {}, "error": None, **more})


def told(folder: Path, *runs: Any, error: BaseException | None = None) -> Any:
    """The message that the end of such a run sends."""
    with listening() as hook, contextlib.suppress(KeyboardInterrupt, OSError, WorkdirError):
        options = NotifyOptions.model_validate({"webhook": hook.url})
        with notified(options, Workdir(folder), lambda line: pytest.fail(line)) as heard:
            heard.run_id = "r1"
            for run in runs:
                heard.changed(run)
            if error is not None:
                raise error
    [message] = hook.messages
    return message


def test_a_pushed_model_is_a_success_and_another_is_not_blessed(tmp_path: Path) -> None:
    scores = ran("Evaluator", properties={"evaluation": {"accuracy": 0.9}})

    message = told(tmp_path, scores, ran("Pusher", properties=PUSHED), ran("Report", "cached"))
    assert (message["state"], message["model"]) == ("succeeded", "/m/7")
    assert message["report"] == str(tmp_path / "report" / "index.html")
    assert message["figures"] == {"test_accuracy": 0.9}

    message = told(tmp_path, ran("Pusher", properties={"pushed_model": {"pushed": 0}}))
    assert (message["state"], message["model"], message["report"]) == ("not blessed", None, None)


def test_a_failure_names_the_component_even_behind_the_push(tmp_path: Path) -> None:
    failed = ran("ModelRegistration", "failed", error=RuntimeError("away\nfrom http://me:hunter2@registry"))

    message = told(tmp_path, ran("Pusher", properties=PUSHED), failed)

    assert (message["state"], message["component"]) == ("failed", "ModelRegistration")
    assert message["cause"] == "away from http://***@registry"
    assert message["model"] == "/m/7"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Terminated()])
def test_an_interruption_is_told_as_one(tmp_path: Path, error: KeyboardInterrupt) -> None:
    message = told(tmp_path, ran("Trainer", "running"), error=error)

    assert (message["state"], message["component"], message["cause"]) == ("interrupted", None, None)


def test_what_ends_a_run_outside_its_components_is_its_cause(tmp_path: Path) -> None:
    message = told(tmp_path, error=OSError("database is locked"))

    assert (message["state"], message["cause"]) == ("failed", "OSError: database is locked")


def test_a_webhook_that_refuses_changes_nothing_and_is_warned_of(tmp_path: Path) -> None:
    warned: list[str] = []
    with listening(404) as hook:
        options = NotifyOptions.model_validate({"webhook": hook.url})
        with notified(options, Workdir(tmp_path), warned.append):
            pass

    assert warned == ["Warning: the notice wasn't sent to 127.0.0.1: it answers 404 Not Found"]


def test_a_folder_that_cant_be_worked_in_is_told_and_one_in_use_is_not(tmp_path: Path) -> None:
    message = told(tmp_path, error=WorkdirError("can't work in /gone: No such file or directory"))
    assert message["state"] == "failed"

    with listening() as hook, contextlib.suppress(WorkdirLocked):
        options = NotifyOptions.model_validate({"webhook": hook.url})
        with notified(options, Workdir(tmp_path), lambda line: pytest.fail(line)):
            raise WorkdirLocked("in use")
    assert hook.messages == []


def test_the_command_tells_of_data_that_has_gone_and_shows_no_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening() as hook:
        line = ["run", "--data", str(tmp_path / "gone"), "--workdir", str(tmp_path / "w")]
        line += ["--set", f"notify.webhook={hook.url}"]
        monkeypatch.setattr(sys, "argv", line)
        result = CliRunner().invoke(main, line)

    assert result.exit_code == 2
    [message] = hook.messages
    assert message["state"] == "failed"
    assert "no such folder" in message["cause"]
    assert message["cause"] in result.output
    assert SECRET not in result.output
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and SECRET.encode() in file.read_bytes()]
