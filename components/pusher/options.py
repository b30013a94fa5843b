"""Options of the Pusher."""

from pydantic import Field

from components.tools.section import Section


class PushOptions(Section):
    """Where a blessed model goes."""

    destination: str | None = Field(None, description="folder, `s3://…` or `gs://…`; null: WORKDIR/serving_model")
