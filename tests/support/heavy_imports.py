"""Which files import TensorFlow, TFX or Beam, by their import statements: nothing is imported to find out."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parent.parent.parent
# Up to ten seconds and a gigabyte each. `tensorflow_data_validation`, `tfx_bsl` and `keras_tuner` begin alike.
_HEAVY = ("tensorflow", "keras", "tfx", "apache_beam")


def heavy_packages() -> set[str]:
    """Return those that this process has imported."""
    return {name for name in _HEAVY if name in sys.modules}


@cache
def imports_heavy(file: Path) -> bool:
    """Return whether importing the file imports one of them, by itself or through modules of this project."""
    seen: set[Path] = set()
    waiting = [file]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in _imported(path):
            if name.startswith(_HEAVY):
                return True
            waiting += _files(name, beside=file.parent)
    return False


@cache
def _imported(file: Path) -> tuple[str, ...]:
    names: list[str] = []
    for node in _executed(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            # What is imported from a package may be a module of it.
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(names)


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run when a module is imported: functions don't, nor does what is there for type checkers."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _executed(child)


def _files(name: str, beside: Path) -> list[Path]:
    """The project's files that importing a dotted name runs: a module and the packages around it."""
    parts = name.split(".")
    places = [
        root.joinpath(*parts[:length])
        for root in (_ROOT, _ROOT / "tests" / "support", beside)
        for length in range(1, len(parts) + 1)
    ]
    candidates = [path for place in places for path in (place.with_suffix(".py"), place / "__init__.py")]
    return [path for path in candidates if path.is_file()]
