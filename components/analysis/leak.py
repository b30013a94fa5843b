"""Whether the weights that a training began with know its test images."""

from collections.abc import Collection
from pathlib import Path

from components.formats.dataset import SPLITS, read_columns
from components.formats.saved_model import seen_groups, without


def leak(known: Collection[str] | None, dataset: Path) -> str:
    """Return a sentence for those who read the test results; "" where there is nothing to say.

    Args:
        known: what the model was made from, as `read_made_from` returns it.
        dataset: the split data set that it was trained and is tested on.
    """
    if known is None:
        return (
            "The weights that training began with don't say what they were made from: if test images are among it, "
            "these results are too good."
        )
    rows = {split: read_columns(dataset, split, ["sha256", "group"]).to_pylist() for split in SPLITS}
    earlier = without(known, (row["sha256"] for split in ("train", "eval") for row in rows[split]))
    images = [(row["sha256"], row["group"]) for split in SPLITS for row in rows[split]]
    seen = seen_groups(earlier, images)
    count = sum(row["group"] in seen for row in rows["test"])
    if not count:
        return ""
    return (
        f"The weights that training began with were made from {count:,} of the {len(rows['test']):,} test images, or "
        "from others of their groups: these results are too good."
    )
