"""A digest of a component's source: TFX's cache knows inputs and parameters, but not that the code changed.

What counts is what is used: of a module from which a name is imported, that name's definition and whatever this needs
in turn. So a new option, document or name concerns those alone who use it, and comments between definitions nobody.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_PACKAGE = "components"
_EVERYTHING = "*"  # of a module
_Used = tuple[str, str]  # module; a name in it, or everything


def code_version(*modules: str) -> str:
    """Return twelve hex digits over the modules and all of the project that they use, directly or not.

    Templates and styles beside the named modules count too.

    Args:
        modules: dotted names, e.g. `components.ingest.executor`.

    Raises:
        ModuleNotFoundError: no such module in the project.
    """
    used: set[_Used] = set()
    waiting: list[_Used] = [(module, _EVERYTHING) for module in modules]
    while waiting:
        one = waiting.pop()
        if one not in used:
            used.add(one)
            waiting += _module(one[0]).needs(one[1])
    digest = hashlib.sha256()
    for module, name in sorted(used):
        digest.update(f"{module}\0{name}\0{_module(module).source(name)}".encode())
    for path in sorted({path for module in modules for path in _resources(_file(module).parent)}):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


class _Module:
    """A module's top-level statements by the name that they define, and what it imports of the project."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._text = _file(name).read_text("utf-8")

    @cached_property
    def _statements(self) -> dict[str, list[ast.stmt]]:
        """By name; what defines no name, such as a condition or a call, is part of every use of the module: ""."""
        found: dict[str, list[ast.stmt]] = {"": []}
        for statement in ast.parse(self._text).body:
            for name in _defined_by(statement) or [""]:
                found.setdefault(name, []).append(statement)
        return found

    @cached_property
    def _imported(self) -> dict[str, _Used]:
        """What a local name stands for, wherever in the module it is imported."""
        found: dict[str, _Used] = {}
        for node in ast.walk(ast.parse(self._text)):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if _exists(alias.name):
                        found[alias.asname or alias.name] = (alias.name, _EVERYTHING)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    if _exists(f"{node.module}.{alias.name}"):
                        found[alias.asname or alias.name] = (f"{node.module}.{alias.name}", _EVERYTHING)
                    elif _exists(node.module):
                        found[alias.asname or alias.name] = (node.module, alias.name)
        return found

    def source(self, name: str) -> str:
        """Return the text of a definition, or of everything."""
        if name == _EVERYTHING:
            return self._text
        lines, found = self._text.splitlines(), []
        for statement in self._statements.get(name, []):
            first = min([statement.lineno, *(one.lineno for one in getattr(statement, "decorator_list", []))])
            found += lines[first - 1 : statement.end_lineno]
        return "\n".join(found)

    def needs(self, name: str) -> Iterator[_Used]:
        """Yield what a definition, or everything, uses of this module and of others."""
        # A module that is imported as a whole may be so for what importing it does.
        yield from (used for used in self._imported.values() if used[1] == _EVERYTHING)
        if name == _EVERYTHING:
            yield from self._imported.values()
            return
        yield self.name, ""
        if name in self._imported:  # passed on
            yield self._imported[name]
        for statement in self._statements.get(name, []):
            for node in ast.walk(statement):
                # A decorator, and a class that is derived from, are part of the statement and its names.
                if isinstance(node, ast.Name) and node.id in self._imported:
                    yield self._imported[node.id]
                elif isinstance(node, ast.Name) and node.id in self._statements:
                    yield self.name, node.id


def _defined_by(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return ["import"]  # no name can be this; what is imported counts where it is used
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return ["documentation"] if is_text else []


def _resources(folder: Path) -> list[Path]:
    return list((folder / "page").glob("*"))


@cache
def _module(name: str) -> _Module:
    return _Module(name)


@cache
def _exists(module: str) -> bool:
    if module.split(".")[0] != _PACKAGE:
        return False
    try:
        _file(module)
    except ModuleNotFoundError:
        return False
    return True


def _file(module: str) -> Path:
    base = _ROOT.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    raise ModuleNotFoundError(f"no module {module} in the project")
