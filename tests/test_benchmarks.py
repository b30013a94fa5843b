"""Benchmarks run by hand, so nothing else notices when what they import has moved."""

import ast
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
COMMANDS = sorted(path for path in TESTS.glob("benchmarks/*.py") if "__main__" in path.read_text("utf-8"))
# Compared with where they are installed.
OPTIONAL = {"torch", "torchvision"}


def imported(path: Path) -> Iterator[str]:
    """Top names of what a file imports, and of what those imports that lie beside it import."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        else:
            continue
        for name in names:
            yield name.partition(".")[0]
            if (beside := path.with_name(f"{name}.py")).exists():
                yield from imported(beside)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda path: path.stem)
def test_what_a_benchmark_imports_is_where_it_looks(command: Path) -> None:
    places = [str(command.parent), str(TESTS.parent), *(path for path in sys.path if "-packages" in path)]
    if '"support"' in command.read_text("utf-8"):
        places.append(str(TESTS / "support"))

    names = {*imported(command)} - set(sys.stdlib_module_names) - OPTIONAL

    assert sorted(name for name in names if PathFinder.find_spec(name, places) is None) == []
