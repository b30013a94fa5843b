"""YAML from people's files, whatever is in them."""

from typing import Any

import yaml


def parse_yaml(text: str) -> Any:
    """Return the value of a document.

    Raises:
        yaml.YAMLError: it isn't YAML, or more than a person writes: nested by thousands, a number of thousands of
            digits.
    """
    try:
        return yaml.safe_load(text)
    except RecursionError:
        raise yaml.YAMLError("it is nested too deeply") from None
    except ValueError as error:  # a number that Python doesn't read, a day that doesn't exist
        raise yaml.YAMLError(str(error)) from None
