"""The compiled pipeline as YAML text that reads the same in YAML 1.1, as Python's reader has it, and in 1.2, as Go's.

A digest such as `123456789e12` is text in YAML 1.1 and a number in 1.2: Kubeflow would hand over 123456789000000000000.
"""

import re
from collections.abc import Iterable
from typing import Any

import yaml

# YAML 1.2.2, section 10.3.2: what its core schema takes for a number; and the forms that Go's reader takes beyond.
_NUMBER = re.compile(
    r"[-+]?(\.[0-9_]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?|[-+]?0[xob][0-9a-fA-F_]+|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)


def dump(documents: Iterable[Any]) -> str:
    """Return the documents as YAML: sorted keys, no anchors, every text quoted that some reader takes for a number."""
    return yaml.dump_all(documents, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=120)


class _Dumper(yaml.SafeDumper):
    """Writes every value where it stands: anchors would tie distant parts of the file together."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def _text(dumper: yaml.SafeDumper, data: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", data, style="'" if _NUMBER.fullmatch(data) else None)


_Dumper.add_representer(str, _text)
