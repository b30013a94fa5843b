"""The page `docs/components.md`, from what components declare."""

import inspect
import re
from pathlib import Path

from tfx.dsl.components.base.base_component import BaseComponent

from components.component import Component
from components.formats.nodes import kind_of
from components.tools.section import Section
from pipeline.config import load
from pipeline.context import RunContext, RunParameters
from pipeline.pipeline import create_components

REFERENCE = Path(__file__).parent.parent / "docs" / "components.md"
_HEAD = """\
# Components

In the order of the data. TFX's cache runs a component again when an input, a parameter, its code, or a file that an
option names has changed. Generated from the code by `make docs`.
"""
# Of inputs that there are for each fold, the first says it for all.
_LATER_FOLD = re.compile(r"_(?!01)\d\d$")
# What makes every optional component part of it.
_ALL = ["evaluate.folds=2", "push.ensemble=true", "tracking.mlflow.enabled=true", "push.registry=http://REGISTRY"]
_WORDS = {str: "text", int: "integer"}


def reference() -> str:
    """Return the reference as Markdown: what each component does, takes and makes."""
    config = load("choose-best", _ALL)
    compiled = RunParameters(data="DATA", destination="DESTINATION", seed=config.seed)
    components = create_components(config, RunContext(uri="DATA", destination="DESTINATION", parameters=compiled))
    of_each_kind = {kind_of(component.id): component for component in reversed(components)}
    return _HEAD + "".join(_section(component) for component in components if component in of_each_kind.values())


def _section(component: BaseComponent) -> str:
    kind = type(component)
    name = kind_of(component.id)
    title = name if name == kind.__name__ else f"{name} (`{kind.__name__}`)"
    text = f"\n## {title}\n\n"
    if not isinstance(component, Component):
        rows = [("input", name, channel.type_name, "") for name, channel in component.inputs.items()]
        rows += [("output", name, channel.type_name, "") for name, channel in component.outputs.items()]
        return text + "TFX's own.\n\n" + _table(rows)
    about = " ".join((inspect.getdoc(kind) or "").partition("\n\n")[0].split())
    folder = kind.__module__.rpartition(".")[0].replace(".", "/")
    rows = [
        ("input", name, one.type.TYPE_NAME, f"{one.about}{' (optional)' if one.optional else ''}")
        for name, one in component.INPUTS.items()
        if not _LATER_FOLD.search(name)
    ]
    rows += [("output", name, one.type.TYPE_NAME, one.about) for name, one in component.OUTPUTS.items()]
    for name, parameter in component.PARAMETERS.items():
        type_of = f"`{parameter.type.__name__}`" if issubclass(parameter.type, Section) else _WORDS[parameter.type]
        rows.append(("parameter", name, type_of, f"{parameter.about}{' (optional)' if parameter.optional else ''}"))
    return f"{text}{about} Source: `{folder}/`\n\n{_table(rows)}"


def _table(rows: list[tuple[str, str, str, str]]) -> str:
    text = "| | name | type | |\n|---|---|---|---|\n"
    for what, name, kind, about in rows:
        text += f"| {what} | `{name}` | {kind} | {about} |\n"
    return text
