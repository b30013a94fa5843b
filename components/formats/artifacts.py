"""The pipeline's own artifact types.

Kubeflow restores an artifact's class from its type name, so that must be `<module>.<Class>` and importable in the
image: hence `components.ImageDataset`. Declared properties aren't carried there; everything worth recording is a
custom property.
"""

from tfx.types.artifact import Artifact


class ImageDataset(Artifact):
    """Labelled images in sharded Parquet, with a `summary.json`; see `components.formats.dataset` for the columns."""

    TYPE_NAME = "components.ImageDataset"


class Analysis(Artifact):
    """Findings as JSON files: what a gate decided, how far a model can be trusted, which trial was best."""

    TYPE_NAME = "components.Analysis"


class HtmlReport(Artifact):
    """One self-contained HTML file, `index.html`."""

    TYPE_NAME = "components.HtmlReport"
