"""Decides whether the data is fit to train on, from TFDV's anomalies and the split's own counts. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from components.formats.examples import TEXT
from components.validation.share_test import differences, whole_of


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


_BY_PLAN = ": large groups do that; another split.seed, or larger shares, may divide them better"
_BY_HASH = ": where hashes divide few or large groups, chance does that, and more images make it up"


def balance_anomalies(
    originals: Mapping[str, Mapping[str, int]], given: Iterable[str] = (), *, by_hash: bool = False
) -> list[Anomaly]:
    """Return splits whose originals are distributed over the classes otherwise than the whole.

    See `components.validation.share_test` for what counts as a difference. Our own splits differ by whole images alone;
    only groups that can't be divided make a real one.

    Args:
        originals: number of original images by split and class.
        given: splits that the data folder brought along; their differences are reported only.
        by_hash: whether each group's hash decided where it goes (`split.assignment`). Then chance differs with few or
            large groups, and is to stay as it is: that is reported only, too.
    """
    given = set(given)
    # What was cut here is held against what was cut here: a given test split says nothing of how train was divided.
    cut = whole_of([counts for split, counts in originals.items() if split not in given])
    found = []
    for split, counts in originals.items():
        whole = whole_of([cut, counts]) if split in given else cut
        for one in differences(counts, whole):
            text = (
                f"{one.label} is {one.share:.1%} of the originals ({one.count} of {one.images}), "
                f"of {'all' if split in given else 'the splits that were cut'} {one.expected:.1%}, "
                f"by chance with p = {one.probability:.1g}"
            )
            if split not in given:
                text += _BY_HASH if by_hash else _BY_PLAN
            found.append(Anomaly("balance", split, TEXT, text, split not in given and not by_hash))
    return found


def is_real_difference(first: Mapping[str, int], second: Mapping[str, int]) -> bool:
    """Return whether two splits differ by more than rounding and chance, as TFDV's fixed distance can't tell.

    Args:
        first: originals of a split, by class.
        second: of the other.
    """
    return bool(differences(first, whole_of([first, second])))
