"""How often the 95 % intervals hold the truth.

`python tests/benchmarks/coverage.py [--repeats N]` prints, as Markdown tables:

1. Proportions of independent images: exact sums over the binomial distribution, averaged over p from 0.5 to 1, and at
   single values of it.
2. Proportions of images in groups: simulated, for several sizes of groups and correlations within them (beta-binomial).
   The shortfall is by how much the least coverage is below 95 %.
3. Averages over classes, beside those of a percentile bootstrap, which this project used to show.
4. The gain of one model over another on the same images, beside its level: simulated.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from simulated_coverage import (
    exact_coverage,
    gain_coverage,
    group_sizes,
    grouped_coverage,
    macro_coverage,
    single_shares,
)

from components.tools.proportions import LEVEL

COUNTS = (20, 50, 300)
SHARES = np.linspace(0.5, 1.0, 501)
# Number of images, images a group: the last are 300 images in groups of 1 to 29.
GROUPED = ((20, 2), (20, 4), (50, 2), (50, 5), (300, 2), (300, 5), (300, 10), (300, 30), (300, None))
CORRELATIONS = (0.0, 0.2, 0.5, 1.0)


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    head = list(head)
    print("|", " | ".join(head), "|")
    print("|" + "---|" * len(head))
    for row in rows:
        print("|", " | ".join(f"{one:.3f}" if isinstance(one, float) else str(one) for one in row), "|", flush=True)
    print()


def _grouped_row(count: int, size: int | None, repeats: int, rng: np.random.Generator) -> list[object]:
    sizes = group_sizes(count, size)
    cells: list[object] = [count, size or "1–29", len(sizes)]
    worst = 1.0
    for correlation in CORRELATIONS:

        def coverage(share: float, correlation: float = correlation, repeats: int = repeats) -> float:
            return grouped_coverage(sizes, share, correlation, repeats, rng)

        mean = float(np.mean([coverage(share, repeats=repeats // 10) for share in np.linspace(0.5, 0.999, 40)]))
        least = min(map(coverage, single_shares(count)))
        worst = min(worst, least)
        cells.append(f"{mean:.3f}, {least:.3f}")
    return [*cells, f"{max(0.0, LEVEL - worst):.3f}"]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=2000, help="simulated test splits for each figure")
    repeats = parser.parse_args().repeats
    rng = np.random.default_rng(0)
    print("Independent images: exact coverage\n")
    _table(
        ("images", "mean over p from 0.5 to 1", "p = 0.5", "0.9", "0.99", "1 - 1/n"),
        (
            [n, float(np.mean([exact_coverage(n, p) for p in SHARES[:-1]]))]
            + [exact_coverage(n, p) for p in single_shares(n)]
            for n in COUNTS
        ),
    )
    print("Images in groups: mean over p from 0.5 to 1, and the least at 0.5, 0.9, 0.99, 1 - 1/n\n")
    _table(
        ("images", "a group", "groups", *(f"correlation {one:g}" for one in CORRELATIONS), "shortfall of the least"),
        (_grouped_row(count, size, repeats, rng) for count, size in GROUPED),
    )
    print("Averages over classes: as shown, and by a percentile bootstrap\n")
    _table(
        ("classes", "images", "a group", "errors", "balanced accuracy", "macro-precision", "macro-F1", "weighted F1"),
        _macro_rows(repeats // 5, rng),
    )
    print("Gains: how often the interval holds the true one; how often the true one is below it\n")
    _table(
        ("images", "a group", "candidate alone right", "other alone right", "holds", "below"),
        (
            [n, group, better, worse, *gain_coverage(n, better, worse, group, repeats, rng)]
            for n in COUNTS
            for group in (1, 5)
            for better, worse in ((0.0, 0.0), (0.02, 0.02), (0.1, 0.1), (0.1, 0.02), (0.2, 0.1))
        ),
    )


def _macro_rows(repeats: int, rng: np.random.Generator) -> Iterable[list[object]]:
    def pair(by: dict[str, dict[str, float]], name: str) -> str:
        return ", ".join(f"{one[name]:.3f}" for one in by.values())

    for classes in (3, 7):
        for count in (50, 300):
            for group in (1, 5):
                for error in (0.002, 0.02, 0.1, 0.3):
                    by = macro_coverage(classes, count, error, group, repeats, rng)
                    yield [classes, count, group, error, *(pair(by, name) for name in by["shown"])]


if __name__ == "__main__":
    main()
