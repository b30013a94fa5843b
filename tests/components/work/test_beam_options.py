"""Options of Beam that it would pass over, or miss only when the work begins."""

import logging
from pathlib import Path

import pytest
from pydantic import ValidationError

from components.tools.option_words import values_of
from components.work import engine
from components.work.engine import do_units
from components.work.options import BeamOptions
from components.work.unit import WorkError

SERVER = "--job_endpoint=localhost:8099"


@pytest.mark.parametrize(
    ("runner", "options", "message"),
    [
        ("portable", [], "name it by the option --job_endpoint=HOST:PORT"),
        ("PortableRunner", ["--job_endpiont=x"], "name it by the option --job_endpoint=HOST:PORT"),
        ("PortableRunner", [SERVER, "--environment_type=EXTERNAL"], "name it by the option --environment_config="),
        ("PortableRunner", [SERVER, "--environment_type=EXTERNL"], "must be one of DOCKER, PROCESS, EXTERNAL, LOOPB"),
        (None, ["job_endpoint=localhost:8099"], "options of Beam begin with --. Received: 'job_endpoint=localhost"),
        ("FlinkRunner", ["--parallelism=4", "--flink_master", "host", "8081"], "begin with --. Received: '8081'"),
    ],
)
def test_what_cannot_be_meant_is_refused(runner: str | None, options: list[str], message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        BeamOptions(runner=runner, options=tuple(options))
    assert message in str(raised.value)


@pytest.mark.parametrize(
    "options",
    [
        [SERVER],
        ["--job_endpoint", "localhost:8099", "--environment_type", "loopback"],
        [SERVER, "--environment_type=EXTERNAL", "--environment_config=localhost:50000"],
        [SERVER, "--environment_type=EXTERNAL", "--environment_option=external_service_address=localhost:50000"],
        [SERVER, "--environment_type=beam:env:external:v1", "--job_server_timeout=86400"],
    ],
)
def test_what_can_be_meant_is_taken(options: list[str]) -> None:
    assert not BeamOptions(runner="PortableRunner", options=tuple(options)).is_local


def test_the_values_of_an_option_are_found_in_both_spellings() -> None:
    assert values_of("a", ["--a=1", "--ab=2", "--a", "3", "a"]) == ["1", "3"]


class OneUnit:
    index = 0


class Doing:
    """Counts one."""

    def prepare(self):  # type: ignore[no-untyped-def]
        return lambda unit: {"done": 1}


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ("--direct_test_wait_for_worker_tmeout=1", None),
        ("--job_endpiont=x", "Beam has no option --job_endpiont: is --job_endpoint meant?"),
        ("--something_else=1", "Beam has no option --something_else"),
        ("--experiment=one", ""),
        ("--no_use_public_ips", ""),
    ],
)
def test_an_option_that_nobody_reads_is_named(option: str, problem: str | None, tmp_path: Path) -> None:
    options = BeamOptions(workers=1, options=(option,))
    if problem == "":
        assert do_units([OneUnit()], Doing(), options, scratch=str(tmp_path), seconds=0) == {"done": 1}
        return
    with pytest.raises(WorkError) as raised:
        do_units([OneUnit()], Doing(), options, scratch=str(tmp_path), seconds=0)
    assert problem is None or str(raised.value) == problem


@pytest.mark.parametrize("option", ["--max_parallelism=4", "--checkpointing_interval=1000", "--object_reuse"])
def test_what_a_job_server_alone_knows_is_left_to_it(option: str) -> None:
    assert engine._why_unknown((option,), is_local=False) is None
    assert engine._why_unknown(("--job_endpiont=x",), is_local=False) is not None


class Failing(Doing):
    """Says why it fails."""

    def prepare(self):  # type: ignore[no-untyped-def]
        def fail(unit: OneUnit) -> dict[str, int]:
            logging.getLogger("ours").warning("a word of ours")
            raise RuntimeError("it can't be done")

        return fail


def test_the_cause_is_said_once_and_not_by_beam(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(WorkError, match=r"^RuntimeError: it can't be done$"):
        do_units([OneUnit()], Failing(), BeamOptions(workers=1), scratch=str(tmp_path), seconds=0)

    assert [record.name for record in caplog.records] == ["ours"]
