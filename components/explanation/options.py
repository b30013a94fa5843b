"""Options of ModelExplanation."""

import importlib.util
from typing import Literal

from pydantic import Field

from components.tools.section import Section


class ExplainOptions(Section):
    """What the report shows of what a model sees."""

    enabled: bool = Field(
        True,
        description="heat maps, a map of the test images, neighbours of mistakes, near-duplicates across splits; asks "
        "the model once more for every original",
    )
    map: Literal["pca", "umap"] = Field(
        "pca", description="how features come down to two dimensions; umap requires the package umap-learn"
    )
    map_points: int = Field(2000, ge=100, le=20_000, description="images on the map at most")

    def why_no_map(self) -> str:
        """Return why the map can't be made on this machine; "" if it can."""
        if not self.enabled or self.map != "umap" or importlib.util.find_spec("umap") is not None:
            return ""
        return (
            "explain.map=umap requires the package umap-learn, which isn't installed: install it "
            "(pip install umap-learn), or set explain.map=pca"
        )
