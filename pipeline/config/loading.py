"""Read a configuration: one validated YAML file, a preset's name, and `--set a.b=value` on top.

What a file doesn't name keeps its default, and a key that doesn't exist is an error that names it.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from components.tools.passwords import MASK, looks_secret, masked
from components.tools.yaml_text import parse_yaml
from pipeline.config.config import Config

PRESETS = Path(__file__).parent.parent / "configs"
_LONGEST = 200  # characters of a value that are shown


# What pydantic says of its own types, said of YAML's.
_IN_OUR_WORDS = {
    "dict_type": "Input should be keys with values, {key: value}",
    "list_type": "Input should be a list, [a, b]",
    "tuple_type": "Input should be a list, [a, b]",
    "string_type": "Input should be text",
    "bool_type": "Input should be true or false",
    "bool_parsing": "Input should be true or false",
    "int_type": "Input should be an integer",
    "int_parsing": "Input should be an integer",
    "int_from_float": "Input should be an integer",
    "float_type": "Input should be a number",
    "float_parsing": "Input should be a number",
}


class ConfigError(ValueError):
    """A configuration that can't be used; the message names the key, what was received and what is allowed."""


def presets() -> list[str]:
    """Return names of the presets that come with the project."""
    return sorted(path.stem for path in PRESETS.glob("*.yaml"))


def preset_name(source: str | Path | None) -> str | None:
    """Return the name of the preset that `load` reads for a source; None where that is a file, or nothing."""
    if source is None or Path(source).exists() or Path(source).name != str(source):
        return None
    return Path(source).stem if Path(source).stem in presets() else None


def load(source: str | Path | None = None, overrides: Iterable[str] = ()) -> Config:
    """Read a configuration.

    Args:
        source: a YAML file, the name of a preset, or None for the defaults.
        overrides: `a.b=value` each, the value in YAML.

    Raises:
        ConfigError: no such file, not YAML, an unknown key, or an impossible value.
    """
    values = _read(source) if source is not None else {}
    for override in overrides:
        _set(values, override)
    return validate(values, str(source) if source is not None else "configuration")


def validate(values: Mapping[str, Any], origin: str = "configuration") -> Config:
    """Check plain values and make a `Config` of them.

    Raises:
        ConfigError: all that is wrong, one line each.
    """
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        lines = [_explain(detail) for detail in error.errors()]
        raise ConfigError("\n".join(f"{origin}: {line}" for line in dict.fromkeys(lines))) from None


def _read(source: str | Path) -> dict[str, Any]:
    preset = preset_name(source)
    path = PRESETS / f"{preset}.yaml" if preset else Path(source)
    try:
        values = parse_yaml(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"no configuration file {source}. Presets: {', '.join(presets())}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"can't read {source}: {error}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{source} is not YAML: {' '.join(str(error).split())}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{source} must hold sections (`train: {{epochs: 5}}`). Received: {type(values).__name__}")
    return values


def _set(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        raise ConfigError(f"--set requires section.key=value. Received: {override}")
    try:
        value = parse_yaml(text)
    except yaml.YAMLError:
        raise ConfigError(f"--set {key}: the value is not YAML. Received: {text[:_LONGEST]}") from None
    for depth, part in enumerate(parts[:-1], start=1):
        inner = values.setdefault(part, {})
        if inner is None:
            inner = values[part] = {}
        if not isinstance(inner, dict):
            raise ConfigError(f"--set {key}: {'.'.join(parts[:depth])} is a value, not a section")
        values = inner
    values[parts[-1]] = value


def _explain(detail: Any) -> str:
    """Return one line for one of pydantic's errors: the key, what is wrong, what was received."""
    location = [str(part) for part in detail["loc"]]
    key = ".".join(location)
    if detail["type"] == "extra_forbidden":
        section = _model_at(Config, location[:-1])
        allowed = ", ".join(sorted(_key(section, name) for name in section.model_fields)) if section else "nothing"
        return f"unknown key {key}. Allowed here: {allowed}"
    if detail["type"] in ("model_type", "model_attributes_type"):
        section = _model_at(Config, location)
        keys = ", ".join(_key(section, name) for name in section.model_fields) if section else ""
        received = MASK if location[:1] == ["notify"] else _shown(detail["input"])
        return f"{key} is a section: set its keys, {keys}. Received: {received}"
    message = _IN_OUR_WORDS.get(detail["type"]) or str(detail["msg"]).removeprefix("Value error, ")
    if "Received:" in message:
        return masked(message)
    if location[:1] == ["notify"] and location[1:] != ["host"]:
        return f"{key}: {message}. Received: {MASK}"
    if location[:2] == ["kubeflow", "components"] and location[3:4] == ["env"]:
        remedy = "; secrets are taken from Kubernetes, by secret_env" if looks_secret(key) else ""
        return f"{key}: {message}{remedy}. Received: {MASK}"
    return f"{key}: {message}. Received: {_shown(detail['input'])}"


def _shown(value: Any) -> str:
    """Return a value as the YAML file has it, where that is shorter than Python's own form and as clear."""
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else masked(repr(value))


def _key(section: type[BaseModel], field: str) -> str:
    return section.model_fields[field].alias or field


def _model_at(model: type[BaseModel], location: Iterable[str]) -> type[BaseModel] | None:
    current: Any = model
    for part in location:
        fields = {_key(current, name): field for name, field in current.model_fields.items()}
        if part not in fields:
            return None
        current = fields[part].annotation
        if get_origin(current) is dict:
            current = get_args(current)[1]
        if not (isinstance(current, type) and issubclass(current, BaseModel)):
            return None
    return current  # type: ignore[no-any-return]
