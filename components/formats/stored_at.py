"""Where an artifact is for everybody else, while a component works on a copy of it."""

from typing import Any

# Of an input artifact: its URI in the object store. Where it isn't set, the artifact is worked on in its place.
PROPERTY = "stored_at"


def stored_at(artifact: Any) -> str:
    """Return the URI under which others find a TFX artifact."""
    return artifact.get_string_custom_property(PROPERTY) or artifact.uri
