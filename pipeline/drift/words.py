"""What a comparison says, in sentences for those who decide what to do. Pure."""

from collections.abc import Sequence

from components.tools.wording import counted
from pipeline.drift.compare import DRIFTED, TOO_FEW, Compared, Comparison
from pipeline.drift.figures import ACCEPTED, CLASSES, EMBEDDINGS
from pipeline.drift.options import LEAST, DriftOptions

TITLES = {
    CLASSES: "Predicted classes",
    "confidence": "Confidence",
    ACCEPTED: "Share accepted",
    "brightness": "Brightness",
    "sharpness": "Sharpness",
    "size": "Size",
    EMBEDDINGS: "What the network sees",
}
UNITS = {
    "confidence": "probability of the predicted class, %",
    "brightness": "mean luma, 0–255",
    "sharpness": "variance of the Laplacian at the model's input size",
    "size": "pixels: root of width × height",
    EMBEDDINGS: "score of a classifier: the higher, the more it looks served",
}
_SAID = {
    "confidence": "have a probability {relation} {of:.3f} for their class",
    "brightness": "have a mean luma {relation} {of:.1f}",
    "sharpness": "have a sharpness {relation} {of:.4g}",
    "size": "have a size {relation} {of:.0f} pixels (root of width × height)",
    EMBEDDINGS: "look like served images to a classifier that knows others of both",
}
_TO_DO = {
    CLASSES: "Find out whether other things are shown to the model, or whether it takes them for other classes: label "
    "some images of the class that has moved most. A new mix of classes alone changes the accuracy over all images, "
    "not that of each class.",
    "confidence": "The model is as sure as it was on test only of images like those. Label some images of low "
    "confidence, and see how many answers are right.",
    ACCEPTED: "More or fewer images than planned go to people. Label some that were accepted, and see whether the "
    "promised precision (evaluate.target_precision) holds.",
    "brightness": "Look at the light, the exposure and what decodes the images. If it is to stay so, train with such "
    "images, or with more brightness and contrast in augment.pipeline_yaml.",
    "sharpness": "Look at the focus, the lens, motion, and at what scales or compresses the images on their way.",
    "size": "See what crops or scales the images now: the model sees all at one size, so a larger picture is shrunk "
    "more.",
    EMBEDDINGS: "Look at the images that are least like test's. If they are what the model is for, label some, add "
    "them to the data, and train again; if not, keep them from the model.",
}


def headline(comparison: Comparison) -> str:
    """Return the verdict in a sentence."""
    if comparison.verdict == TOO_FEW:
        test, served = comparison.groups
        few, side = (served, "served") if served < LEAST else (test, "test")
        which = counted(few, f"{side} image or group of images", f"{side} images or groups of images")
        return f"Too few to say anything: {which}, and {LEAST} are the least."
    moved = [TITLES[one.name].lower() for one in comparison.figures if one.drifted]
    if comparison.verdict == DRIFTED:
        return f"Drifted: {listed(moved)}."
    return "Not drifted: nothing has moved far that chance alone would not move."


def reasons(comparison: Comparison, labels: Sequence[str]) -> list[str]:
    """Return a sentence for each figure that has drifted, the farthest first."""
    drifted = sorted((one for one in comparison.figures if one.drifted), key=lambda one: -one.shift.share)
    return [f"{TITLES[one.name]}: {sentence(one, labels)}" for one in drifted]


def sentence(figure: Compared, labels: Sequence[str]) -> str:
    """Return what has moved most of a figure, in shares of the images."""
    shift = figure.shift
    served, test = _percent(shift.served), _percent(shift.test)
    if figure.name == CLASSES:
        said = f"are taken for '{labels[int(shift.of)]}'"
        return (
            f"{served} of the served images {said}, {test} of test's; over all classes {_percent(shift.share)} of the "
            "images have changed theirs."
        )
    if figure.name == ACCEPTED:
        served, test = (_percent(one if shift.of else 1 - one) for one in (shift.served, shift.test))
        return f"the model is sure enough of {served} of the served images, of {test} of test's."
    if not shift.share:
        return "no difference."
    said = _SAID[figure.name].format(relation=_relation(shift.relation), of=shift.of)
    if figure.name == EMBEDDINGS and shift.relation in ("below", "at most"):
        said = said.replace("look", "don't look")
    return f"{served} of the served images {said}, {test} of test's."


def _percent(share: float) -> str:
    """Return `67 %`."""
    return f"{100 * share:.0f} %"


def to_do(comparison: Comparison) -> list[tuple[str, str]]:
    """Return for each figure that has drifted its title and what can be done."""
    return [(TITLES[one.name], _TO_DO[one.name]) for one in comparison.figures if one.drifted]


def about_the_test(options: DriftOptions) -> str:
    """Return how the verdict came about."""
    return (
        f"Each figure is held against what {options.permutations:,} permutations of the images make of it; images of "
        "one group move together. The p-values count that several figures are looked at: where nothing has changed, at "
        f"most {_percent(options.false_alarms)} of such comparisons are alarms. A figure has drifted where its p-value "
        f"is {options.false_alarms:g} or less and its shift {_percent(options.least_shift)} or more of the images: of "
        "many images even a shift that matters to nobody is sure."
    )


def listed(words: Sequence[str]) -> str:
    """Return `a, b and c`."""
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def _relation(relation: str) -> str:
    return {"below": "below", "at most": "of at most", "above": "above", "at least": "of at least"}[relation]
