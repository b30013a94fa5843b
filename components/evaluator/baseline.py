"""Which pushed model a new one has to beat. Pure."""

from collections.abc import Sequence

from components.formats.pushed_models import Version


def choose(versions: Sequence[Version], labels: Sequence[str]) -> Version | None:
    """Return the newest of the versions with the same classes in the same order; None if there is none."""
    return next((version for version in versions if version.labels == tuple(labels)), None)
