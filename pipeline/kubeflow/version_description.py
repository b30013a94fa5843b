"""What an uploaded version says of itself in Kubeflow's pages: `submit` reads it from comments of the compiled file.

# Code: facial-affect-pipeline 0.1.0, revision 4f0c2b1e9d2e
# Configuration: 1a2b3c4d5e6f, preset photos
# Options: `train.epochs=50`, `model.architecture="resnet50"`
"""

from collections.abc import Sequence
from itertools import takewhile

from pipeline.config import Config
from pipeline.record import changed_options, code_revision
from pipeline.version import PACKAGE, own_version

_CODE, _CONFIGURATION, _OPTIONS = _TITLES = ("Code", "Configuration", "Options")
# The description is part of a URL, of which a proxy may take no more than 8 kB.
_LONGEST = 1000


def origin_comments(config: Config, preset: str | None) -> list[str]:
    """Return the comments of a compiled file that say what it was made from.

    Args:
        config: the configuration.
        preset: name of the preset that it began with, if any.
    """
    options = [f"`{option}`" for option in changed_options(config)]
    values = {
        _CODE: f"{PACKAGE} {own_version()}{code_revision()}",
        _CONFIGURATION: config.digest() + (f", preset {preset}" if preset else ""),
        _OPTIONS: _joined(options) or "all as by default",
    }
    return [f"# {title}: {value}" for title, value in values.items()]


def version_description(text: str, cache: bool, again: Sequence[str] = ()) -> str:
    """Return the description of a version, as the Markdown that Kubeflow's pages take; "" where a file says nothing.

    Args:
        text: the compiled file.
        cache: False: caching was turned off in it.
        again: components that were told in it to run once more.
    """
    comments = takewhile(lambda line: line.startswith("#"), text.splitlines())
    lines = [line[2:] for line in comments if line.startswith(tuple(f"# {title}: " for title in _TITLES))]
    lines += [f"Once more: {', '.join(again)}"] if again else []
    lines += [] if cache else ["Caching: off for every task"]
    return "\n".join(f"- {line}" for line in lines)


def _joined(options: Sequence[str]) -> str:
    """Return as many as have room, and how many more there are."""
    found = ", ".join(options)
    shown = len(options)
    while len(found) > _LONGEST:
        shown -= 1
        found = ", ".join([*options[:shown], f"and {len(options) - shown} more"])
    return found
