"""A model's scores as flat figures by name, for what knows no more than numbers: trackers and registries."""

from collections.abc import Iterator, Mapping
from typing import Any


def named_scores(metrics: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return scores and the bounds of their intervals as `test/accuracy`, `test/accuracy_low`, `test/accuracy_high`.

    Args:
        metrics: of each split, by its name, as `analysis.json` and a pushed model's `metrics.json` have them.
    """
    return {name: float(value) for split in metrics for name, value in _of(split, metrics[split]) if value is not None}


def _of(split: str, metrics: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    for name, one in metrics.items():
        if isinstance(one, Mapping):  # those of the classes are a list
            yield f"{split}/{name}", one["value"]
            yield from ((f"{split}/{name}_{bound}", one[bound]) for bound in ("low", "high"))
