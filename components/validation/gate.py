"""Decides whether the data is fit to train on, from TFDV's anomalies and the split's own counts. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from components.formats.examples import TEXT

# Largest difference between splits in any class's share of the originals. Stratified splits differ by rounding alone;
# large groups, which can't be divided, add to it.
MAX_SHARE_DIFFERENCE = 0.1


class DataAnomalyError(RuntimeError):
    """The data has anomalies and the configuration says to stop."""


@dataclass(frozen=True)
class Anomaly:
    """One thing that is wrong.

    Attributes:
        source: "schema", "distribution", "balance" or "pixels".
        split: the split or pair of splits it was found in.
        feature: the feature's name.
        description: what is wrong.
        fatal: False for what is only reported: differences that the user made.
    """

    source: str
    split: str
    feature: str
    description: str
    fatal: bool

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.split}: {self.feature}: {self.description}"


def schema_anomalies(split: str, anomalies: Any, source: str = "schema", fatal: bool = True) -> list[Anomaly]:
    """Return what TFDV's Anomalies proto of one split (or pair of splits) says."""
    found = []
    for name, info in sorted(anomalies.anomaly_info.items()):
        reasons = [f"{reason.short_description}: {reason.description}".strip(": ") for reason in info.reason]
        text = " ".join("; ".join(reasons or [info.description]).split())
        found.append(Anomaly(source, split, _feature_name(name, info), text, fatal))
    whole = [" ".join(reason.description.split()) for reason in anomalies.dataset_anomaly_info.reason]
    found += [Anomaly(source, split, "examples", text, fatal) for text in whole]
    if anomalies.data_missing:
        found.append(Anomaly(source, split, "examples", "there are none", fatal))
    return found


def _feature_name(key: str, info: Any) -> str:
    return "/".join(info.path.step) if info.path.step else key


def balance_anomalies(originals: Mapping[str, Mapping[str, int]], given: Iterable[str] = ()) -> list[Anomaly]:
    """Return splits whose originals are distributed over the classes otherwise than the whole.

    Args:
        originals: number of original images by split and class.
        given: splits that the data folder brought along; their differences are reported only.
    """
    given = set(given)
    labels = sorted({label for counts in originals.values() for label in counts})
    # What was cut here is held against what was cut here: a given test split says nothing of how train was divided.
    cut = {split: counts for split, counts in originals.items() if split not in given}
    whole = {label: sum(counts.get(label, 0) for counts in cut.values()) for label in labels}
    total = sum(whole.values()) or 1
    found = []
    for split, counts in originals.items():
        in_split = sum(counts.values()) or 1
        for label in labels:
            share, expected = counts.get(label, 0) / in_split, whole[label] / total
            if abs(share - expected) > MAX_SHARE_DIFFERENCE:
                text = f"{label} is {share:.1%} of the originals, of the splits that were cut {expected:.1%}"
                found.append(Anomaly("balance", split, TEXT, text, split not in given))
    return found
