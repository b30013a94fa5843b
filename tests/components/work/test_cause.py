"""What is said of a failure on an engine. The texts are what Beam 2.67 raised with real job servers and pools."""

import socket

import pytest

from components.work.cause import cause, unanswered, why_no_job_server

POOL = ("--environment_type=EXTERNAL", "--environment_config=10.0.0.7:50000")
# A pool whose `python` had no Beam, and a stage of more than a minute, look the same from here.
DEADLINE = """<_MultiThreadedRendezvous of RPC that terminated with:
\tstatus = StatusCode.DEADLINE_EXCEEDED
\tdetails = "Deadline Exceeded"
\tdebug_error_string = "UNKNOWN:Error received from peer  {grpc_message:"Deadline Exceeded", grpc_status:4}"
>"""
REFUSED = """Pipeline job-fd9a failed in state FAILED: Error running pipeline.
Traceback (most recent call last):
  File "/x/grpc/_channel.py", line 1006, in _end_unary_response_blocking
    raise _InactiveRpcError(state)  # pytype: disable=not-instantiable
grpc._channel._InactiveRpcError: <_InactiveRpcError of RPC that terminated with:
\tstatus = StatusCode.UNAVAILABLE
\tdetails = "failed to connect to all addresses; last error: UNKNOWN: ipv4:10.0.0.7:50000: Failed to connect to \
remote host: connect: Connection refused (111)"
\tdebug_error_string = "UNKNOWN:Error received from peer"
>"""
RAISED = """Pipeline job-1 failed in state FAILED: Error running pipeline.
Traceback (most recent call last):
  File "/x/apache_beam/runners/common.py", line 1498, in apache_beam.runners.common.DoFnRunner.process
ValueError: records.tfrecord is damaged at record 3: get it again [while running 'RunInference/ParDo(x)-ptransform-9']
"""


def test_what_a_unit_raised_is_the_cause() -> None:
    assert cause(RuntimeError(RAISED), POOL) == "ValueError: records.tfrecord is damaged at record 3: get it again"


def test_a_message_that_goes_on_behind_a_colon_is_told_whole() -> None:
    said = cause(RuntimeError("…\nValueError: Pipeline has validations errors: \nInvalid Project ID (No such)\nmore"))
    assert said == "ValueError: Pipeline has validations errors: Invalid Project ID (No such)"
    said = cause(ValueError("Pipeline has validations errors: \nInvalid Project ID (No such)"))
    assert said == "ValueError: Pipeline has validations errors: Invalid Project ID (No such)"


def test_a_call_without_an_answer_says_which_log_to_look_at_and_what_to_set() -> None:
    said = cause(RuntimeError(DEADLINE), POOL)
    assert "look at the log of the worker pool at 10.0.0.7:50000" in said
    assert "the `python` that it finds first in its PATH" in said
    assert "--job_server_timeout=86400" in said
    assert "Rendezvous" not in said
    assert "worker pool: the `python`" in cause(RuntimeError(DEADLINE))


def test_a_refused_connection_says_where() -> None:
    assert cause(RuntimeError(REFUSED), POOL).startswith("nothing answers at 10.0.0.7:50000: start the worker pool")


def test_packages_that_a_worker_lacks_are_named_with_whose_they_are() -> None:
    said = cause(RuntimeError("…\nModuleNotFoundError: No module named 'components' [while running 'Create']"), POOL)
    assert said.startswith("ModuleNotFoundError: No module named 'components': a worker has other packages")
    assert "worker pool at 10.0.0.7:50000" in said


def test_other_messages_are_no_unanswered_calls() -> None:
    assert unanswered("no such folder") is None
    assert cause(RuntimeError("no such folder\nmore")) == "RuntimeError: no such folder"


@pytest.mark.parametrize("form", ["--job_endpoint={}", "--job_endpoint {}"])
def test_a_job_server_is_looked_for_beforehand(form: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        options = form.format(f"127.0.0.1:{server.getsockname()[1]}").split()
        assert why_no_job_server(options) is None
    said = why_no_job_server(options)
    assert said is not None
    assert said.startswith(
        f"no job server answers at --job_endpoint={options[-1].rpartition('=')[2]} (Connection refused"
    )
    assert why_no_job_server(["--flink_master=host:8081"]) is None
