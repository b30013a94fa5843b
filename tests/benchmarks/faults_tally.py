"""What a campaign of faults counts, and the table that it makes."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Tally:
    """One kind of fault.

    Attributes:
        fault: what was done.
        survives: what counts as survived.
        tried: how often.
        survived: how often nothing was lost and nothing wrong in silence.
        wrong: what happened otherwise.
    """

    fault: str
    survives: str
    tried: int = 0
    survived: int = 0
    wrong: list[str] = field(default_factory=list)

    def count(self, problem: str | None) -> None:
        """Count one trial; `problem` says what was lost or wrong, None that nothing was."""
        self.tried += 1
        if problem is None:
            self.survived += 1
        else:
            self.wrong.append(problem)


def as_table(tallies: Sequence[Tally]) -> str:
    """Return Markdown."""
    lines = ["| fault | tried | survived | lost or wrong | survived means |", "|---|---|---|---|---|"]
    lines += [f"| {one.fault} | {one.tried} | {one.survived} | {len(one.wrong)} | {one.survives} |" for one in tallies]
    return "\n".join(lines)
