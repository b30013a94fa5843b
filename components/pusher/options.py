"""Options of the Pusher."""

from pydantic import Field

from components.tools.section import Section


class PushOptions(Section):
    """Where a blessed model goes."""

    destination: str | None = Field(None, description="folder, `s3://…` or `gs://…`; null: WORKDIR/serving_model")
    ensemble: bool = Field(
        False, description="evaluate and push the average of the models of `evaluate.folds` in place of the Trainer's"
    )
