"""Which pushed model a new one has to beat. Pure but for reading the destination."""

from collections.abc import Sequence

from components.formats.pushed_models import Origin, Version, list_versions


def candidates(destination: str, origin: Origin) -> list[Version]:
    """Return pushed models that other data, options or code made, the newest first.

    Without this an unchanged second run would be compared with its own model and pushed again.
    """
    return [
        version
        for version in list_versions(destination)
        if version.origin is None or not version.origin.is_same(origin)
    ]


def choose(versions: Sequence[Version], labels: Sequence[str]) -> Version | None:
    """Return the newest of the versions with the same classes in the same order; None if there is none."""
    return next((version for version in versions if version.labels == tuple(labels)), None)
