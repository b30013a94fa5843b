"""Slices from tables: the plan from what is known of all images, the findings from what a model said of some. Pure."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from components.evaluator.options import EvaluateOptions
from components.evaluator.slice_plan import SlicePlan, plan_slices
from components.evaluator.slices import Key, evidence_of, judge_slices


def plan_of(table: pa.Table, options: EvaluateOptions) -> SlicePlan | None:
    """Return what is sliced; None where nothing is known of the images.

    Args:
        table: `label`, `copy` and `metadata` of the images of all splits.
        options: which columns are used.

    Raises:
        ValueError: a column that is to be used can't be.
    """
    metadata, copies, labels = (table[name].to_pylist() for name in ("metadata", "copy", "label"))
    if not metadata or metadata[0] is None:
        return None
    originals = [index for index, copy in enumerate(copies) if copy == 0] or range(len(copies))
    images = [(labels[index], metadata[index]) for index in originals]
    return plan_slices(images, options.slice_on, options.max_slice_values)


def slices_of(
    rows: pa.Table,
    measured: Mapping[Key, tuple[int, float]],
    plan: SlicePlan,
    options: EvaluateOptions,
    overall: float,
) -> dict[str, Any]:
    """Return what `judge_slices` says.

    Args:
        rows: `label`, `group`, `augmented`, `slices` and `probabilities` of the test images.
        measured: number of images and accuracy of each slice.
        plan: that they follow.
        options: what a slice must reach, and which are judged.
        overall: accuracy on all test images.
    """
    right = np.stack(rows["probabilities"].to_numpy()).argmax(axis=1) == rows["label"].to_numpy()
    groups, copies = np.array(rows["group"].to_pylist(), np.str_), np.array(rows["augmented"].to_pylist(), bool)
    evidence = evidence_of(plan, rows["slices"].to_pylist(), right, groups, copies)
    return judge_slices(measured, evidence, plan, options, overall)
