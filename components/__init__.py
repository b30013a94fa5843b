"""The pipeline's components; the artifact types are loaded when first asked for, since TFX takes seconds to import."""

from typing import Any

__all__ = ["Analysis", "HtmlReport", "ImageDataset"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from components.formats import artifacts

        return getattr(artifacts, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
