"""Options of the work that Beam spreads."""

from pydantic import Field

from components.tools.section import Section


class BeamOptions(Section):
    """What runs the Beam stages."""

    runner: str | None = Field(None, description="a Beam runner's name; null: the one in this process or its workers")
    workers: int | None = Field(None, ge=1, description="worker processes; null: one a core")
    options: tuple[str, ...] = Field((), description="further Beam options, e.g. [--flink_master=host:8081]")
