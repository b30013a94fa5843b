"""Options of the work that Beam spreads."""

from itertools import pairwise

from pydantic import Field, field_validator, model_validator
from typing_extensions import Self

from components.tools.option_words import values_of
from components.tools.section import MOST, Section

# Beam's own, of all releases that we install; it takes them in any case, and without `Runner`.
_RUNNERS = (
    "BundleBasedDirectRunner",
    "DataflowRunner",
    "DirectRunner",
    "FlinkRunner",
    "FnApiRunner",
    "InteractiveRunner",
    "PortableRunner",
    "PrismRunner",
    "PythonRPCDirectRunner",
    "SparkRunner",
    "SwitchingDirectRunner",
    "TestDataflowRunner",
    "TestDirectRunner",
)


_LOCAL = {"direct", "directrunner", "fnapirunner", "bundlebaseddirectrunner"}
_ENVIRONMENTS = ("DOCKER", "PROCESS", "EXTERNAL", "LOOPBACK")


class BeamOptions(Section):
    """What runs the Beam stages."""

    runner: str | None = Field(None, description="a Beam runner's name; null: the one in this process or its workers")
    workers: int | None = Field(
        None, ge=1, le=MOST, description="worker processes; null: one a core, or none where the work is little"
    )
    options: tuple[str, ...] = Field((), description="further Beam options, e.g. [--flink_master=host:8081]")

    @property
    def is_local(self) -> bool:
        """Whether Beam's local runner does the work, however it is spelled."""
        return self.runner is None or self.runner.rpartition(".")[2].lower() in _LOCAL

    @field_validator("runner")
    @classmethod
    def _exists(cls, value: str | None) -> str | None:
        known = {name.lower() for name in _RUNNERS}
        if value is not None and "." not in value and not known & {value.lower(), f"{value.lower()}runner"}:
            raise ValueError(f"Beam has the runners {', '.join(_RUNNERS)}; name any other with its module")
        return value

    @field_validator("options")
    @classmethod
    def _are_options(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for before, word in pairwise(("", *value)):
            if not word.startswith("-") and (not before.startswith("--") or "=" in before):
                raise ValueError(f"options of Beam begin with --. Received: {word!r}")
        return value

    @model_validator(mode="after")
    def _are_enough(self) -> Self:
        if (self.runner or "").lower() not in ("portable", "portablerunner"):
            return self
        if not values_of("job_endpoint", self.options):
            raise ValueError(
                "PortableRunner hands the work to a job server: name it by the option --job_endpoint=HOST:PORT"
            )
        kind = (values_of("environment_type", self.options) or ["DOCKER"])[-1]
        if kind.upper() not in _ENVIRONMENTS and not kind.startswith("beam:"):
            raise ValueError(f"--environment_type must be one of {', '.join(_ENVIRONMENTS)}. Received: {kind!r}")
        named = (*values_of("environment_config", self.options), *values_of("environment_option", self.options))
        if kind.upper() == "EXTERNAL" and not named:
            raise ValueError(
                "--environment_type=EXTERNAL has a worker pool start the workers: name it by the option "
                "--environment_config=HOST:PORT"
            )
        return self
