"""The notice at the end of a run: what it says, how it is sent, and that its address is shown nowhere."""

import json
import socket
from typing import Any

import pytest
from webhook import SECRET, listening

from pipeline.config import ConfigError, load
from pipeline.config.secrets import hide_passwords, masked_command, readable_secrets, recorded
from pipeline.notice.message import Outcome, as_message, figures, one_line
from pipeline.notice.options import NotifyOptions
from pipeline.notice.send import send

URL = f"https://hooks.example/{SECRET}"
FOUND: dict[str, Any] = {
    "ImageIngest": {"images": {"images": 240}},
    "Evaluator": {"evaluation": {"accuracy": 0.969, "macro_f1": 0.968, "gain": 0.01}},
    "PredictionAnalysis": {"analysis": {"accuracy_low": 0.939, "accuracy_high": 0.984, "suspects": 3}},
}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)


def test_a_run_that_succeeded_is_told_with_figures_model_and_report() -> None:
    message = as_message(Outcome("r1", "succeeded", figures=figures(FOUND), model="/m/7", report="/w/index.html"))

    assert message["state"] == "succeeded"
    assert (message["component"], message["cause"]) == (None, None)
    assert message["figures"]["test_accuracy"] == 0.969
    assert message["text"].splitlines() == [
        "affect: run r1 succeeded",
        "Test accuracy 0.969 (0.939 – 0.984), macro-F1 0.968, gain +0.010",
        "Model: /m/7",
        "Report: /w/index.html",
    ]
    json.dumps(message, allow_nan=False)


def test_a_failure_is_told_with_its_component_and_cause_in_a_line() -> None:
    cause = one_line("no space was left\n  on a disk" + "!" * 400)
    message = as_message(Outcome("r1", "failed", "Trainer", cause))

    assert message["text"].startswith("affect: run r1 failed at Trainer: no space was left on a disk!!!")
    assert len(message["cause"]) < 310


def test_a_figure_that_is_none_is_left_out_and_a_run_without_a_name_is_just_a_run() -> None:
    found = FOUND | {"Evaluator": {"evaluation": {"accuracy": 0.5, "gain": float("nan")}}}
    found |= {"PredictionAnalysis": {"analysis": {"accuracy_low": 0.4, "accuracy_high": float("nan")}}}
    message = as_message(Outcome("", "failed", cause="no such folder", figures=figures(found)))

    assert message["text"] == "affect: run failed: no such folder\nTest accuracy 0.500"
    json.dumps(message, allow_nan=False)


def test_a_message_is_sent_again_after_the_servers_own_trouble() -> None:
    with listening(503, 429) as hook:
        assert send(hook.url, {"text": "ä"}) == ""

    assert hook.messages == [{"text": "ä"}] * 3


@pytest.mark.parametrize(("status", "times"), [(404, 1), (302, 1), (500, 3)])
def test_what_isnt_taken_is_told_without_the_address(status: int, times: int) -> None:
    with listening(*[status] * 3) as hook:
        problem = send(hook.url, {})

    assert len(hook.messages) == times
    assert problem.startswith(f"127.0.0.1: it answers {status} ")
    assert SECRET not in problem


def test_a_login_in_the_address_is_sent_as_one() -> None:
    with listening() as hook:
        assert send(hook.url.replace("//", "//me:hunter2@"), {}) == ""

    assert hook.logins == ["Basic bWU6aHVudGVyMg=="]  # me:hunter2


def test_nobody_there_is_told_without_the_address() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/{SECRET}"

    assert send(url, {}) == "127.0.0.1: Connection refused"


@pytest.mark.parametrize("sent", [f"notify.webhook={URL}", f"notify={{webhook: '{URL}'}}"])
def test_the_address_is_in_nothing_that_is_recorded_or_shown(sent: str) -> None:
    config = hide_passwords(load(None, [sent]))

    assert config.notify.url() == URL
    everything = [str(recorded(config)), repr(config), str(config.as_dict()), masked_command(["run", "--set", sent])]
    assert not [text for text in everything if "xyzzy" in text]
    assert recorded(config)["notify"]["webhook"] == "***"
    assert not list(readable_secrets(config))


@pytest.mark.parametrize(
    "override",
    [
        "notify.webhook=hooks.example/xyzzy",
        "notify.webhook='https://hooks.example/xyzzy with spaces'",
        "notify.webhook=[xyzzy]",
        "notify=https://hooks.example/xyzzy",
        "notify.webhook_env=https://hooks.example/xyzzy",
        "notify.webhook_env={a: xyzzy}",
    ],
)
def test_an_error_in_the_options_names_the_key_and_hides_the_value(override: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load(None, [override])

    assert "notify" in str(raised.value)
    assert "***" in str(raised.value)
    assert "xyzzy" not in str(raised.value)


def test_the_address_may_come_from_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    options = NotifyOptions(webhook_env="HOOK")
    monkeypatch.setenv("HOOK", f" {URL}\n")
    assert options.url() == URL

    monkeypatch.setenv("HOOK", "xyzzy")
    with pytest.raises(ValueError, match=r"the value of HOOK must be an http:// or https:// URL$"):
        options.url()
    monkeypatch.delenv("HOOK")
    with pytest.raises(ValueError, match="the variable HOOK is empty"):
        options.url()
    with pytest.raises(ConfigError, match="say the same: set one"):
        load(None, [f"notify.webhook={URL}", "notify.webhook_env=HOOK"])
