"""Classes whose images show nothing: black, white or of one colour. Pure."""

from collections.abc import Mapping

from components.formats.examples import TEXT
from components.tools.wording import counted
from components.validation.gate import Anomaly

MOST_CONSTANT = 0.5  # of a class's images


def constant_anomalies(images: Mapping[str, int], constant: Mapping[str, int]) -> list[Anomaly]:
    """Return the classes most of whose images are constant: nothing can be learnt from them.

    Args:
        images: number of images by class.
        constant: number of those among them without contrast, by class.
    """
    found = []
    for label, count in sorted(constant.items()):
        if count > MOST_CONSTANT * images[label]:
            among = f"{count:,} of the {counted(images[label], 'image')} of {label}"
            text = f"{among} {'is' if count == 1 else 'are'} of one colour: look at their files"
            found.append(Anomaly("pixels", "all splits", TEXT, text, fatal=True))
    return found
