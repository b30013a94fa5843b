"""Options of PredictionAnalysis."""

from pydantic import Field

from components.tools.section import MOST, Section


class AnalysisOptions(Section):
    """What is measured of a model's predictions."""

    calibrate: bool = Field(True, description="the model's temperature was fitted")
    bootstrap: int = Field(
        1000, ge=0, le=MOST, description="resamples for the intervals of averages over classes; 0: none"
    )
    suspects: int = Field(100, ge=0, le=MOST, description="suspicious labels that are shown at most")
