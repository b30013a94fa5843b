"""A digest of a component's source: TFX's cache knows inputs and parameters, but not that the code changed."""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_PACKAGE = "components"


def code_version(*modules: str) -> str:
    """Return twelve hex digits over the modules and all of the project's modules that they import, directly or not.

    Templates and styles beside the named modules count too.

    Args:
        modules: dotted names, e.g. `components.ingest.executor`.

    Raises:
        ModuleNotFoundError: no such module in the project.
    """
    digest = hashlib.sha256()
    for module in sorted(_reachable(modules)):
        digest.update(module.encode() + b"\0" + _file(module).read_bytes())
    for path in sorted({path for module in modules for path in _resources(_file(module).parent)}):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def _resources(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.suffix in (".j2", ".css")]


def _reachable(modules: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += _imports(module)
    return found


@cache
def _imports(module: str) -> tuple[str, ...]:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(_file(module).read_bytes())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        imported.update(name for name in names if name.split(".")[0] == _PACKAGE and _exists(name))
    return tuple(sorted(imported))


def _exists(module: str) -> bool:
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
