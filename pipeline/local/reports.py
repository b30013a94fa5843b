"""What long components report of their progress, read from the file that they append it to."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Report:
    """How far a component is.

    Attributes:
        step: what is done.
        total: what there is to do; 0 if it isn't known.
        text: what it says of it.
        worth_a_line: whether each report is news by itself, such as an epoch.
    """

    step: int
    total: int
    text: str
    worth_a_line: bool

    def as_text(self) -> str:
        """Return it for a line of a log."""
        return f"{self.step}/{self.total}  {self.text}".rstrip() if self.total else self.text


class Reports:
    """Reads what is new in the file; begins with an empty one."""

    def __init__(self, file: Path) -> None:
        file.write_text("")
        self._file = file.open("rb")
        self._rest = b""

    def read(self) -> Sequence[Report]:
        """Return the reports since the last call."""
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        found = []
        for line in lines:
            values = json.loads(line)
            found.append(Report(values["step"], values["total"], values["text"], values["worth_a_line"]))
        return found

    def close(self) -> None:
        """Close the file."""
        self._file.close()
