"""Options of the report."""

from pydantic import Field

from components.tools.section import Section


class ReportOptions(Section):
    """How much the report shows."""

    suspects: int = Field(
        100,
        ge=0,
        le=500,
        description="labels to look at again, the likeliest wrong first: at most so many in the report and in lists of "
        "`affect suspects`",
    )
