"""Running `datasplit` in a test, and looking at what it left."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from click.testing import CliRunner, Result

from components.datasplit.__main__ import main

COUNTS = {"anger": 14, "happy": 30, "sad": 21}


def datasplit(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def done(*arguments: object) -> Result:
    result = datasplit(*arguments, "--workers", 1)
    assert result.exit_code == 0, result.output
    return result


def tree(folder: Path) -> dict[str, bytes]:
    """Files by path, with their bytes; names with bytes that aren't UTF-8 too."""
    return {
        os.path.relpath(os.path.join(base, name), folder): Path(base, name).read_bytes()  # noqa: PTH118
        for base, _, names in os.walk(folder)
        for name in names
    }


def tree_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for name, data in sorted(tree(folder).items()):
        digest.update(os.fsencode(name) + b"\0" + hashlib.sha256(data).digest())
    return digest.hexdigest()


def per_class(folder: Path, split: str) -> dict[str, int]:
    return dict(Counter(name.split("/")[1] for name in tree(folder) if name.startswith(f"{split}/")))


RECORDED = "s._Run._try_pipeline = lambda *_: os._exit(9)"
SEALED = "s.Workspace.commit = lambda *_: os._exit(9)"


def killed(folder: Path, *arguments: str, at: str = RECORDED) -> None:
    """Give the command in a folder and let it die when it has recorded its options, or when it has sealed its work."""
    code = f"import components.datasplit.split_folder as s, os; {at}\n"
    code += "from components.datasplit.__main__ import main; main()"
    command = [sys.executable, "-c", code, *arguments, "--balance", "--seed", "3", "--workers", "1"]
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    assert subprocess.run(command, check=False, capture_output=True, cwd=folder, env=environment).returncode == 9
