"""What a run of a compiled pipeline can set, and which values are possible. Pure.

A rule is plain JSON: it travels in the compiled file, where `submit` reads it before a run, and the run's first task
reads it again, since a value may also come from Kubeflow's own form.

    {"least": 1, "most": null}                    an integer
    {"choices": ["resnet18", "resnet34"]}         one of these texts
    {"volumes": {"ImageIngest": ["/data"]}}       s3://…, gs://…, or a path in a volume of each of these components
    {"volumes": null}                             s3://…, gs://…, or any absolute path
    {"volumes": null, "several": true}            one of these, a JSON list of them, or with dates: /data/{YYYY}-{MM}
    {"date": true}                                2026, 2026-11, 2026-11-30 or nothing
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from components.images.places import given_places
from components.images.spans import check_pattern, check_until

Rule = Mapping[str, Any]

# What components open by themselves, through fsspec.
SCHEMES = ("s3://", "gs://", "gcs://")


@dataclass(frozen=True)
class Parameter:
    """A parameter of the compiled pipeline.

    Attributes:
        default: its value when a run doesn't set it.
        decisive: whether it decides which model comes out.
        description: for people.
    """

    default: str | int
    decisive: bool
    description: str

    @property
    def ir_type(self) -> str:
        """As the IR names it."""
        return "NUMBER_INTEGER" if isinstance(self.default, int) else "STRING"


def checked(name: str, value: Any, rule: Rule) -> str | int:
    """Return the value as the pipeline takes it.

    Args:
        name: of the parameter.
        value: text as a person typed it, or a JSON value as Kubeflow's driver hands it over, where 3 is 3.0.
        rule: of the parameter.

    Raises:
        ValueError: an impossible value; the message names the parameter, what was received and what is possible.
    """
    if "least" in rule:
        return _integer(name, value, rule["least"], rule["most"])
    if "choices" in rule:
        if value not in rule["choices"]:
            raise ValueError(f"parameter {name} must be one of {', '.join(rule['choices'])}. Received: {value!r}")
    elif rule.get("date"):
        try:
            return check_until(value) if value else ""
        except ValueError as error:
            raise ValueError(f"parameter {name}: {error}") from None
    else:
        places = given_places(str(value)) if rule.get("several") else (str(value),)
        if problem := next(data_problems(f"parameter {name}", places, rule["volumes"]), None):
            raise ValueError(problem)
    return str(value)


def data_problems(name: str, places: Sequence[str], volumes: Mapping[str, list[str]] | None) -> Iterator[str]:
    """Say why pods can't read one of several places, or find those that a pattern stands for; see `place_problems`."""
    for place in places:
        yield from place_problems(name, place, volumes)
        try:
            check_pattern(place)
        except ValueError as error:
            yield f"{name}: {error}"


def _integer(name: str, value: Any, least: int, most: int | None) -> int:
    try:
        number = int(value)
        is_whole = not isinstance(value, bool) and number == float(value)
    except (TypeError, ValueError, OverflowError):
        is_whole = False
    if not is_whole or number < least or (most is not None and number > most):
        allowed = f"an integer of at least {least}" if most is None else f"an integer from {least} to {most}"
        raise ValueError(f"parameter {name} must be {allowed}. Received: {value}")
    return number


def place_problems(name: str, uri: str, volumes: Mapping[str, list[str]] | None) -> Iterator[str]:
    """Say why pods can't read or write there.

    Args:
        name: of the option or parameter.
        uri: path, or URI in an object store.
        volumes: where each component that uses it has volumes mounted; None where that can't be known.
    """
    if "://" in uri:
        if not uri.startswith(SCHEMES):
            hint = ". MinIO and SeaweedFS are s3:// with AWS_ENDPOINT_URL" if uri.startswith("minio://") else ""
            yield f"{name} must be a path in the pods, s3://… or gs://…. Received: {uri}{hint}"
    elif not uri.startswith("/"):
        yield f"{name} must be an absolute path: a pod doesn't see this folder. Received: {uri!r}"
    else:
        for node, paths in (volumes or {}).items():
            if not any(PurePosixPath(uri).is_relative_to(path) for path in paths):
                yield f"{name} = {uri} is in no volume of {node}: mount one with kubeflow.components.{node}.pvc"
