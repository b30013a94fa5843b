"""What `datasplit` is asked for and what came of it, as they are recorded for a rerun, and read again with care.

A record may lie in a folder that came from elsewhere, so it is believed only after it has been checked.
"""

from collections.abc import Collection
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from fractions import Fraction
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from components.datasplit.workspace import COMMIT, OPTIONS, Workspace
from components.split.fill import Target
from components.split.plan import Cell
from components.tools.printable import printable

SPLITS = ("train", "test")
_T = TypeVar("_T")


@dataclass(frozen=True)
class Request:
    """What is asked for; numbers as they were typed. It is recorded, so that an interrupted run goes on with it."""

    path: str
    output: str | None
    train_split: str
    multiplier: str
    balanced: tuple[str, ...]
    seed: int
    label_column: str
    filename_column: str
    group_regex: str | None
    near_duplicates: bool
    pipeline_yaml: str | None
    group_on: str = "name"
    max_copies: int | None = None
    target: str = "largest"

    @property
    def fill_to(self) -> Target:
        """What classes are filled up to."""
        return self.target if self.target in ("largest", "median") else int(self.target)  # type: ignore[return-value]


@dataclass(frozen=True)
class Outcome:
    """What was done, or would be: the plan's table, and how many images were read and written."""

    request: Request
    cells: tuple[Cell, ...]
    unusable: int
    written: int


# How each field is given. The folders aren't among them: other ones are another split.
_OPTIONS = {
    "train_split": "--train-split",
    "multiplier": "--global-multiplier",
    "balanced": "--balance",
    "seed": "--seed",
    "label_column": "--label-col",
    "filename_column": "--filename-col",
    "group_regex": "--group-regex",
    "group_on": "--group-on",
    "near_duplicates": "--near-duplicates",
    "pipeline_yaml": "--pipeline-yaml",
    "max_copies": "--max-copies-per-image",
    "target": "--balance-target",
}
_NUMBERS = ("train_split", "multiplier")


def differences(asked: Request, earlier: Request, but: Collection[str] = ()) -> list[str]:
    """Return the options in which two requests differ: `--seed 3 (not 99)`.

    Args:
        asked: what isn't done.
        earlier: what is.
        but: fields that nobody asked for.
    """
    found = []
    for field, option in _OPTIONS.items():
        ours, theirs = getattr(asked, field), getattr(earlier, field)
        same = Fraction(ours) == Fraction(theirs) if field in _NUMBERS else ours == theirs
        if not same and field not in but:
            words = "another file" if field == "pipeline_yaml" else f"{_said(theirs)} (not {_said(ours)})"
            found.append(f"{option} {words}")
    return found


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    text = ", ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
    return printable(text) or "none"


def record_request(workspace: Workspace, request: Request) -> None:
    """Write down what is asked for, with its path in full: the next command may be given in another folder."""
    workspace.record(asdict(request) | {"path": str(Path(request.path).resolve())})


def recorded_request(workspace: Workspace) -> Request | None:
    """Return what the interrupted attempt was asked for; None if there is none.

    Raises:
        WorkspaceError: the record can't be one of ours.
    """
    values = workspace.recorded()
    if values is None:
        return None
    try:
        request = _read(Request, values, "")
        share, multiplier = Fraction(request.train_split), Fraction(request.multiplier)
        numbers = [number for number in (request.max_copies, request.fill_to) if isinstance(number, int)]
        if not Fraction(1, 2) < share < 1 <= multiplier or request.seed < 0 or not {*request.balanced} <= {*SPLITS}:
            raise ValueError("impossible options")
        if any(number < 1 for number in numbers):
            raise ValueError("impossible options")
    except (ValueError, ZeroDivisionError) as error:
        raise workspace.not_ours(OPTIONS, str(error)) from None
    return request


def recorded_outcome(workspace: Workspace) -> Outcome | None:
    """Return what the interrupted attempt had done when it began to move files into place; None if it hadn't.

    Raises:
        WorkspaceError: the record can't be one of ours.
    """
    sealed = workspace.committed()
    if sealed is None:
        return None
    try:
        outcome = _read(Outcome, sealed, "")
        cells = sorted((cell.label, cell.split) for cell in outcome.cells)
        if cells != sorted((label, split) for label in {label for label, _ in cells} for split in SPLITS):
            raise ValueError("a class without train or test")
    except ValueError as error:
        raise workspace.not_ours(COMMIT, str(error)) from None
    return outcome


def _read(kind: type[_T], value: Any, where: str) -> _T:
    """Return what `dataclasses.asdict` and JSON made a value of, or raise a ValueError that names the first fault."""
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        needed = {field.name for field in fields(kind) if field.default is MISSING}
        if not isinstance(value, dict) or not needed <= value.keys() <= hints.keys():
            raise ValueError(f"{where or 'the record'} lacks fields or has others")
        return kind(**{name: _read(hints[name], item, name) for name, item in value.items()})
    if get_origin(kind) is tuple and isinstance(value, list):
        return tuple(_read(get_args(kind)[0], item, where) for item in value)  # type: ignore[return-value]
    kinds = get_args(kind) if get_origin(kind) is UnionType else (kind,)
    if type(value) not in kinds:
        raise ValueError(f"{where} can't be {type(value).__name__}")
    return value  # type: ignore[no-any-return]
