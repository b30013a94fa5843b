"""What the report says of augmented copies: how many an original has, by class, and what a bound leaves out."""

from typing import Any

from components.split.copies import cells_of, left_out, too_many

REMEDY = "Set balance.max_copies_per_image, and leave the rest to train.imbalance"
REST = "train.imbalance makes up for the rest, unless it is none"


def copies_of(split: dict[str, Any]) -> dict[str, Any]:
    """Return rows of the classes that have copies, the most copies of an original first, with what is unusual.

    Args:
        split: SplitBalanceAugment's summary.
    """
    cells = cells_of(split["counts"])
    rows = [
        {
            "label": cell.label,
            "split": cell.split,
            "originals": cell.originals,
            "copies": cell.copies,
            "per_original": cell.copies_per_original,
            "missing": cell.missing,
        }
        for cell in sorted(cells, key=lambda cell: (-cell.copies_per_original, cell.split, cell.label))
        if cell.copies
    ]
    return {
        "rows": rows,
        "warning": too_many(cells, REMEDY),
        "left_out": left_out(cells, split.get("max_copies_per_image"), REST),
    }
