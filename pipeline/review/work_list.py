"""The list of suspicious labels as a table to fill in: a spreadsheet opens it, and `data.labels_csv` reads it. Pure.

`label` and `exclude` are empty: a person writes the right class into the one, or yes into the other.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from components.tools.printable import FORMULA, harmless_cell

_COLUMNS = ("path", "label", "exclude", "given", "suggested", "chance_wrong", "split")


def as_list(rows: Iterable[Mapping[str, Any]], *, has_chances: bool = True) -> str:
    """Return the table's text, the most suspicious label first; to be written with a byte order mark, as Excel needs.

    Args:
        rows: suspects, as PredictionAnalysis has them.
        has_chances: whether their scores are chances; else `chance_wrong` is left empty.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        given, suggested = harmless_cell(row["given"]), harmless_cell(row["suggested"])
        wrong = f"{1 - row['score']:.2f}" if has_chances else ""
        writer.writerow([safe_path(row["filename"]), "", "", given, suggested, wrong, row["split"]])
    return text.getvalue()


def safe_path(path: str) -> str:
    """Return a path that no spreadsheet takes for a formula; it names the same image."""
    return f"./{path}" if path.startswith((*FORMULA, " ", "'")) else path


def unquoted(name: str, classes: Iterable[str]) -> str:
    """Return the class that was meant by a name copied from the list."""
    known = set(classes)
    return name[1:] if name not in known and name.startswith("'") and name[1:] in known else name
