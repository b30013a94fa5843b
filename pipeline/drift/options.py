"""What counts as drift. Pure."""

from dataclasses import dataclass

LEAST = 20  # independent images on either side: fewer say nothing


@dataclass(frozen=True)
class DriftOptions:
    """When the served images are said to have drifted.

    Attributes:
        false_alarms: how often at most they are said to, where they have not: of all figures together.
        least_shift: share of the images that must lie elsewhere than those of test; a smaller shift is none, however
            sure it is.
        images: served images that are looked at, at most; so many are drawn by their names.
        permutations: that say what chance alone does.
        seed: of what is drawn, and of the permutations.
        without: figures that are left out.
    """

    false_alarms: float = 0.05
    least_shift: float = 0.1
    images: int = 2000
    permutations: int = 999
    seed: int = 0
    without: tuple[str, ...] = ()
