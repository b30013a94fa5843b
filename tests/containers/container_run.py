"""What a run of the pipeline in containers left behind."""

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """What a run left behind."""

    root: Path
    tasks: Path
    local: Path
    log: str

    def output(self, task: str, name: str) -> Path:
        """The folder of a task's output."""
        return self.tasks / task / name

    def table(self) -> str:
        """Component, seconds, of which imports."""
        found = re.findall(r"(\S+) done: ([\d.]+) s, of which imports ([\d.]+) s", self.log)
        lines = [f"{'executor':58} {'seconds':>8} {'imports':>8}"]
        lines += [f"{name:58} {float(total):8.1f} {float(imports):8.1f}" for name, total, imports in found]
        return "\n".join(lines)
