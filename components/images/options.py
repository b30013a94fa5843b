"""What the model sees of an image."""

from typing import Literal

from pydantic import Field

from components.tools.section import Section

MOST_SIDE = 8192  # of what a network sees; images of any size are made to fit
MIN_SIDE = 32  # pixels; the last stage of a ResNet has a stride of 32


class ImageOptions(Section):
    """What the model sees."""

    height: int = Field(96, ge=MIN_SIDE, le=MOST_SIDE, description="pixels")
    width: int = Field(96, ge=MIN_SIDE, le=MOST_SIDE, description="pixels")
    channels: Literal[1, 3] = Field(3, description="1: grey, 3: RGB")
