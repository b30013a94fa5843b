"""What the model sees of an image."""

from typing import Literal

from pydantic import Field

from components.tools.section import Section


class ImageOptions(Section):
    """What the model sees."""

    height: int = Field(96, ge=32, description="pixels")
    width: int = Field(96, ge=32, description="pixels")
    channels: Literal[1, 3] = Field(3, description="1: grey, 3: RGB")
