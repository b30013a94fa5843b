"""A map of images as inline SVG: a dot an image, its colour the class, a cross over each mistake.

All right images of a class are one path, of eight characters a dot: 2,000 images are some 20 KB.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

WIDTH, HEIGHT = 720, 480
_MARGIN = 10
_CROSS = 3  # half its width
# Okabe & Ito's, which those can tell apart who see fewer colours, but for the black, which a dark page swallows.
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#b8a100", "#8a8a86")


def map_chart(title: str, found: Mapping[str, Any], labels: Sequence[str]) -> Markup:
    """Return the map with its legend.

    Args:
        title: what the chart shows.
        found: `x`, `y`, `true`, `predicted` (places in `labels`) and `filename` of each image.
        labels: class names.
    """
    xs, ys = _scaled(found["x"], WIDTH), [HEIGHT - y for y in _scaled(found["y"], HEIGHT)]
    rows = list(zip(xs, ys, found["true"], found["predicted"], found["filename"], strict=True))
    right = [
        Markup('<path d="{}" stroke="{}"/>').format(
            "".join(f"M{x:.0f} {y:.0f}h0" for x, y, true, predicted, _ in rows if true == predicted == label),
            colour(label, len(labels)),
        )
        for label in range(len(labels))
    ]
    cross = f"l{2 * _CROSS} {2 * _CROSS}m0 {-2 * _CROSS}l{-2 * _CROSS} {2 * _CROSS}"
    wrong = [
        Markup('<path d="M{:.0f} {:.0f}{}" stroke="{}"><title>{}: {} taken for {}</title></path>').format(
            x - _CROSS, y - _CROSS, cross, colour(true, len(labels)), name, labels[true], labels[predicted]
        )
        for x, y, true, predicted, name in rows
        if true != predicted
    ]
    shown = sorted({true for _, _, true, _, _ in rows})
    legend = Markup("").join(
        Markup('<span><i class="spot" style="background:{}"></i>{}</span>').format(
            colour(label, len(labels)), labels[label]
        )
        for label in shown
    )
    return Markup(
        '<figure class="chart map"><svg role="img" aria-label="{}" viewBox="0 0 {} {}"><g class="right">{}</g>'
        '<g class="wrong">{}</g></svg><figcaption>{} <span class="legend">{}</span></figcaption></figure>'
    ).format(title, WIDTH, HEIGHT, Markup("").join(right), Markup("").join(wrong), title, legend)


def colour(label: int, count: int) -> str:
    """Return the colour of a class among so many; beyond eight they go around the circle."""
    return _COLOURS[label] if count <= len(_COLOURS) else f"hsl({360 * label / count:.0f} 65% 50%)"


def _scaled(values: Sequence[float], length: int) -> list[float]:
    low, high = min(values, default=0.0), max(values, default=0.0)
    return [_MARGIN + (value - low) / ((high - low) or 1.0) * (length - 2 * _MARGIN) for value in values]
