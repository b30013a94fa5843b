"""What follows from the configuration model: `configs/default.yaml` and the reference in the documentation."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, get_args, get_origin

import yaml
from pydantic import BaseModel

from pipeline.config import PRESETS, Config

REFERENCE = Path(__file__).parent.parent / "docs" / "configuration.md"
_HEAD = """\
# Configuration

One YAML file, given with `--config`; what it doesn't name keeps the default below, and single keys are overridden with
`--set section.key=value`. A key that doesn't exist is an error. `pipeline/configs/` holds all keys with their defaults
(`default.yaml`) and presets, which `--config NAME` finds by name:

| preset | what it is for |
|---|---|
"""


def default_yaml() -> str:
    """Return all keys with their defaults, what they mean behind them."""
    lines = ["# All keys with their defaults. Generated from the model by `make docs`; presets change what they name."]
    for name, section in _sections():
        if section is None:
            field = Config.model_fields[name]
            lines.append(f"{name}: {_yaml(field.default)}  # {field.description}")
            continue
        lines.append(f"\n{name}: # {_first_line(section)}")
        for key, _, default, description in _keys(section):
            indent = "  " * (1 + key.count("."))
            if default is _SECTION:
                lines.append(f"{indent}{key.rsplit('.', 1)[-1]}:")
            else:
                lines.append(f"{indent}{key.rsplit('.', 1)[-1]}: {_yaml(default)}  # {description}")
    return "\n".join(lines) + "\n"


def reference() -> str:
    """Return the reference as Markdown, one table a section."""
    text = _HEAD
    for preset in sorted(PRESETS.glob("*.yaml")):
        comment = [line[2:] for line in preset.read_text("utf-8").splitlines() if line.startswith("# ")]
        text += f"| `{preset.stem}` | {_cell(' '.join(comment))} |\n"
    text += "\n| key | default | values | what it is |\n|---|---|---|---|\n"
    for name, section in _sections():
        if section is None:
            field = Config.model_fields[name]
            text += f"| `{name}` | `{_yaml(field.default)}` | {_type(field.annotation)} | {field.description} |\n"
            continue
        for key, annotation, default, description in _keys(section):
            if default is not _SECTION:
                row = (f"`{name}.{key}`", f"`{_yaml(default)}`", _type(annotation), description)
                text += f"| {' | '.join(_cell(cell) for cell in row)} |\n"
    return text


_SECTION = object()


def _sections() -> Iterator[tuple[str, type[BaseModel] | None]]:
    for name, field in Config.model_fields.items():
        model = field.annotation
        yield field.alias or name, model if isinstance(model, type) and issubclass(model, BaseModel) else None


def _keys(section: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any, Any, str]]:
    """Key, type, default and description of each field, sections in sections included."""
    for name, field in section.model_fields.items():
        key = prefix + (field.alias or name)
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield key, model, _SECTION, ""
            yield from _keys(model, f"{key}.")
        else:
            yield key, model, field.get_default(call_default_factory=True), field.description or ""


def _yaml(value: Any) -> str:
    if isinstance(value, tuple):
        value = list(value)
    if isinstance(value, dict | list):
        return yaml.safe_dump(value, default_flow_style=True, width=1000, sort_keys=False).strip()
    # PyYAML takes 1e-05 for text: a number needs its point.
    return json.dumps(value) if not isinstance(value, str) else value


def _type(annotation: Any) -> str:
    """Return a type as a user reads it."""
    arguments = get_args(annotation)
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if get_origin(annotation) is Annotated:
        return _type(arguments[0])
    if get_origin(annotation) is tuple:
        return f"list of {_type(arguments[0])}"
    if get_origin(annotation) is dict:
        return "mapping"
    if type(None) in arguments:
        inner = next(argument for argument in arguments if argument is not type(None))
        return f"{_type(inner)} or null"
    if get_origin(annotation) is UnionType:
        return " or ".join(map(_type, arguments))
    names = {"str": "text", "int": "integer", "float": "number", "bool": "true, false"}
    name = getattr(annotation, "__name__", str(annotation))
    return names.get(name, name)


def _first_line(section: type[BaseModel]) -> str:
    return (section.__doc__ or "").strip().splitlines()[0].rstrip(".").lower()


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
