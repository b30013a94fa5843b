"""Options of the work that Beam spreads."""

from pydantic import Field, field_validator

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


class BeamOptions(Section):
    """What runs the Beam stages."""

    runner: str | None = Field(None, description="a Beam runner's name; null: the one in this process or its workers")
    workers: int | None = Field(None, ge=1, le=MOST, description="worker processes; null: one a core")
    options: tuple[str, ...] = Field((), description="further Beam options, e.g. [--flink_master=host:8081]")

    @field_validator("runner")
    @classmethod
    def _exists(cls, value: str | None) -> str | None:
        known = {name.lower() for name in _RUNNERS}
        if value is not None and "." not in value and not known & {value.lower(), f"{value.lower()}runner"}:
            raise ValueError(f"Beam has the runners {', '.join(_RUNNERS)}; name any other with its module")
        return value
