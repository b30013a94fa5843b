import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from components.datasplit.request import (
    Outcome,
    Request,
    record_request,
    recorded_outcome,
    recorded_request,
)
from components.datasplit.workspace import Workspace, WorkspaceError
from components.split.plan import Cell

REQUEST = Request("data", None, "0.7", "2", ("train",), 3, "label", "file", None, False, None)
OUTCOME = Outcome(REQUEST, (Cell("a", "train", 3, 1, 4), Cell("a", "test", 1, 0, 1)), 0, 1)


def test_what_is_recorded_is_read_again(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    odd = replace(REQUEST, path=str(tmp_path / "caf\udce9"), output="é")
    with workspace:
        record_request(workspace, odd)
        workspace.seal(workspace.new_stage(), [], asdict(OUTCOME))
    assert recorded_request(workspace) == odd
    assert recorded_outcome(workspace) == OUTCOME


def test_a_request_that_was_recorded_before_copies_had_a_bound_is_read(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    earlier = {key: value for key, value in asdict(REQUEST).items() if key not in ("max_copies", "target")}
    with workspace:
        (workspace.path / "options.json").write_text(json.dumps(earlier))
    assert recorded_request(workspace) == REQUEST


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "it holds a list"),
        ({}, "lacks fields"),
        (asdict(REQUEST) | {"more": 1}, "has others"),
        (asdict(REQUEST) | {"seed": True}, "seed can't be bool"),
        (asdict(REQUEST) | {"seed": -1}, "impossible options"),
        (asdict(REQUEST) | {"balanced": "train"}, "balanced can't be str"),
        (asdict(REQUEST) | {"balanced": ["eval"]}, "impossible options"),
        (asdict(REQUEST) | {"balanced": [["train"]]}, "balanced can't be list"),
        (asdict(REQUEST) | {"path": None}, "path can't be NoneType"),
        (asdict(REQUEST) | {"output": {}}, "output can't be dict"),
        (asdict(REQUEST) | {"train_split": "x"}, "Fraction"),
        (asdict(REQUEST) | {"train_split": "1/0"}, "Fraction"),
        (asdict(REQUEST) | {"train_split": "0.5"}, "impossible options"),
        (asdict(REQUEST) | {"multiplier": "0.9"}, "impossible options"),
        (asdict(REQUEST) | {"max_copies": 0}, "impossible options"),
        (asdict(REQUEST) | {"target": "0"}, "impossible options"),
        (asdict(REQUEST) | {"target": "smallest"}, "invalid literal"),
    ],
)
def test_a_request_that_is_none_of_ours_is_an_error_with_a_remedy(tmp_path: Path, values: Any, message: str) -> None:
    workspace = Workspace(tmp_path)
    with workspace:
        (workspace.path / "options.json").write_text(json.dumps(values))
    with pytest.raises(WorkspaceError, match=message) as caught:
        recorded_request(workspace)
    assert f"Delete {workspace.path} unless" in str(caught.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (asdict(OUTCOME) | {"cells": [1]}, "cells lacks fields"),
        (asdict(OUTCOME) | {"cells": [asdict(OUTCOME.cells[0])]}, "a class without train or test"),
        (asdict(OUTCOME) | {"request": []}, "request lacks fields"),
        (asdict(OUTCOME) | {"written": "many"}, "written can't be str"),
    ],
)
def test_an_outcome_that_is_none_of_ours_is_an_error(tmp_path: Path, values: Any, message: str) -> None:
    workspace = Workspace(tmp_path)
    with workspace:
        workspace.seal(workspace.new_stage(), [], values)
    with pytest.raises(WorkspaceError, match=message):
        recorded_outcome(workspace)
