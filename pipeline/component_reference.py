"""Writes `docs/components.md` from the specs and docstrings: `python -m pipeline.component_reference`."""

import inspect
from pathlib import Path
from typing import Any

from tfx.types.component_spec import ComponentSpec

from pipeline.config import load
from pipeline.pipeline import create_components
from pipeline.run_context import RunContext

REFERENCE = Path(__file__).parent.parent / "docs" / "components.md"
_HEAD = """\
# Components

In the order of the data. An artifact's type stands behind its name; parameters are options as JSON, or digests by which
TFX's cache notices that data or code changed. Generated from the code by `make docs`.
"""


def reference() -> str:
    """The reference as Markdown: what each component does, takes, makes, and is told."""
    config = load("choose-best")
    text = _HEAD
    for component in create_components(config, RunContext(uri="DATA", destination="DESTINATION")):
        kind = type(component)
        title = component.id if component.id == kind.__name__ else f"{component.id} (`{kind.__name__}`)"
        about = inspect.getdoc(kind) or ""
        text += f"\n## {title}\n\n{about.split(chr(10) + chr(10))[0].replace(chr(10), ' ')}\n\n"
        folder = kind.__module__.rsplit(".", 1)[0].replace(".", "/")
        text += f"Source: `{folder}/`\n\n" if _ours(kind) else "TFX's own.\n\n"
        text += "| | name | type |\n|---|---|---|\n"
        spec: type[ComponentSpec] = kind.SPEC_CLASS
        for what, parameters in (("input", spec.INPUTS), ("output", spec.OUTPUTS)):
            for name, parameter in parameters.items():
                if what == "input" and name not in component.inputs:
                    continue
                optional = ", optional" if parameter.optional else ""
                text += f"| {what} | `{name}` | {parameter.type.TYPE_NAME}{optional} |\n"
        for name, parameter in spec.PARAMETERS.items():
            if _ours(kind) and name in component.exec_properties:
                text += f"| parameter | `{name}` | {_type(parameter.type)} |\n"
    return text


def _ours(kind: type) -> bool:
    return kind.__module__.startswith("components.")


def _type(kind: Any) -> str:
    return {"str": "text", "int": "integer", "float": "number"}.get(getattr(kind, "__name__", ""), str(kind))


if __name__ == "__main__":
    REFERENCE.write_text(reference(), "utf-8")
