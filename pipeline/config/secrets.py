"""What of a configuration is nobody's business but its user's: kept out of metadata, report, logs and versions."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from components.tools.passwords import MASK, has_password, hidden, looks_secret, masked
from pipeline.config.config import Config

_STORES = ("s3://", "gs://", "gcs://", "minio://")
# `--set kubeflow.components.all.env={…}`, or a longer or shorter key; `secret_env` names secrets and holds none.
_ENVIRONMENT = re.compile(r"((?:--set=)?kubeflow[^=]*)=.*", re.DOTALL)
_NOTIFY = re.compile(r"((?:--set=)?notify[^=]*)=.*", re.DOTALL)
_BEAM = re.compile(r"((?:--set=)?beam[^=]*)=.*", re.DOTALL)


def hide_passwords(config: Config) -> Config:
    """Return the configuration with the passwords in its URLs hidden (`components.tools.passwords`)."""
    found: Config = _each_text(config, hidden)
    return found


def recorded(config: Config) -> dict[str, Any]:
    """Return the configuration as it may be recorded and shown.

    The values of environment variables are masked, whatever their names, as are passwords in URLs, and options of Beam
    whose names say that they are secrets.
    """
    values: dict[str, Any] = _each_text(config.as_dict(), masked)
    for task in values["kubeflow"]["components"].values():
        task["env"] = dict.fromkeys(task["env"], MASK)
    options: list[str] = values["beam"]["options"]
    for index, option in enumerate(options):
        name, equals, _ = option.partition("=")
        if equals and looks_secret(name):
            options[index] = f"{name}={MASK}"
        elif index and looks_secret(options[index - 1]) and "=" not in options[index - 1]:
            options[index] = MASK
    return values


def masked_command(words: Sequence[str]) -> str:
    """Return a command's words with what `recorded` masks masked in them."""
    return " ".join(_masked_word(word) for word in words)


def keys_in_store_uris(config: Config, places: Mapping[str, str | None]) -> Iterator[str]:
    """Yield what is wrong with URIs of object stores that hold keys, which no store's client takes from there.

    Args:
        config: the configuration.
        places: further URIs and paths, by the options that named them.
    """
    for name, place in [*places.items(), *_texts(config)]:
        if place is not None and place.startswith(_STORES) and has_password(place) and ".env." not in name:
            yield (
                f"{name} can't hold keys: give them in the environment, as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
                f"(on Kubeflow by secret_env). Received: {masked(place)}"
            )


def readable_secrets(config: Config) -> Iterator[str]:
    """Yield, a line each, what stands in a compiled file for everyone to read though its name or form is a secret's."""
    where = "which everyone can read in the compiled file and in Kubeflow's pages"
    for node, task in config.kubeflow.components.items():
        names = [name for name, value in task.env.items() if looks_secret(name) and not value.startswith("/")]
        if names:
            yield (
                f"kubeflow.components.{node}.env sets {', '.join(names)}, {where}: take a secret from Kubernetes, by "
                "secret_env"
            )
    for name, value in _texts(config):
        if has_password(value):
            yield f"{name} has a password in its URL, {where}. Received: {masked(value)}"
        elif name == "beam.options" and looks_secret(value):
            yield f"beam.options has {value.partition('=')[0]}, {where}"


def _masked_word(word: str) -> str:
    if (found := _ENVIRONMENT.fullmatch(word)) and re.search(r"\benv\b", word):
        return f"{found[1]}={MASK}"
    if (found := _NOTIFY.fullmatch(word)) and "webhook" in word:
        return f"{found[1]}={MASK}"
    if (found := _BEAM.fullmatch(word)) and looks_secret(word):
        return f"{found[1]}={MASK}"
    return masked(word)


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, BaseModel):
        fields = {name: (one, _each_text(one, change)) for name, one in value}
        return value.model_copy(update={name: after for name, (before, after) in fields.items() if before != after})
    if isinstance(value, dict):
        return {key: _each_text(one, change) for key, one in value.items()}
    return type(value)(_each_text(one, change) for one in value) if isinstance(value, list | tuple) else value


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, BaseModel):
        for field, one in value:  # not by `dict`: a section may have a field `keys`
            name = type(value).model_fields[field].alias or field
            yield from _texts(one, f"{key}.{name}" if key else name)
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _texts(one, f"{key}.{name}")
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one, key)
