"""Read an augmentation pipeline that `A.save(…, data_format="yaml")` wrote, with Albumentations 2.x or 1.x.

2.x's own `A.load` warns of arguments that it doesn't know, ignores them and goes on; here that is an error.
"""

import inspect
import re
import warnings
from dataclasses import dataclass
from typing import Any

import albumentations as A
import yaml

from components.augment import transforms  # noqa: F401 (registers ours with Albumentations)
from components.augment.legacy_rules import PipelineError
from components.augment.legacy_yaml import migrate, short_name
from components.tools.yaml_text import parse_yaml

# What needs more of a picture than its pixels: boxes, masks, other images or their metadata.
_NEEDS_MORE = frozenset({
    "BBoxSafeRandomCrop", "AtLeastOneBBoxRandomCrop", "RandomSizedBBoxSafeCrop", "RandomCropNearBBox", "MaskDropout",
    "CropNonEmptyMaskIfExists", "ConstrainedCoarseDropout", "OverlayElements", "TextImage", "Mosaic", "FDA",
    "HistogramMatching", "PixelDistributionAdaptation", "TemplateTransform", "Lambda",
})  # fmt: skip
_HARMLESS = r"ShiftScaleRotate is a special case of Affine transform"


@dataclass(frozen=True)
class LoadedPipeline:
    """A pipeline, and what had to be changed for it to keep its meaning."""

    pipeline: Any
    changes: tuple[str, ...]


def load_pipeline(text: str) -> LoadedPipeline:
    """Build a pipeline from the text of its file.

    Raises:
        PipelineError: not YAML, not safe, not an `A.Compose`, a transform or argument that isn't known or can't be
            carried over from 1.x, or a transform that needs boxes, masks or other images.
    """
    try:
        saved = parse_yaml(text)
    except yaml.constructor.ConstructorError as error:
        raise PipelineError(f"holds more than plain data, which isn't loaded: {error.problem}") from None
    except yaml.YAMLError as error:
        raise PipelineError(f"not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(saved, dict) or not isinstance(saved.get("transform"), dict):
        raise PipelineError("not a pipeline saved by A.save: no `transform` in it")
    transform, version = saved["transform"], str(saved.get("__version__", ""))
    if short_name(transform) != "Compose":
        raise PipelineError(f"the outermost transform must be a Compose. Received: {short_name(transform)}")
    major = re.match(r"\d+", version)
    if major is None or int(major[0]) > 2:
        raise PipelineError(f"`__version__` must be one of Albumentations 1.x or 2.x. Received: {version!r}")
    _refuse_more_than_pixels(transform)
    changes: list[str] = []
    if int(major[0]) < 2:
        transform, changes = migrate(transform)
    return LoadedPipeline(_built(transform), tuple(changes))


def _refuse_more_than_pixels(transform: dict[str, Any]) -> None:
    name = short_name(transform)
    if name in _NEEDS_MORE:
        raise PipelineError(f"{name} needs more than an image's pixels (boxes, masks, other images or a function)")
    for key in ("bbox_params", "keypoint_params", "additional_targets"):
        if transform.get(key):
            raise PipelineError(f"{name}.{key} is for boxes, key points or masks, and there are none")
    if not isinstance(transform.get("p", 1.0), (int, float)):
        raise PipelineError(f"{name}.p must be a number. Received: {transform['p']!r}")
    parts = transform.get("transforms", [])
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise PipelineError(f"{name}.transforms must be a list of transforms as A.save writes them. Received: {parts}")
    for part in parts:
        _refuse_more_than_pixels(part)


def _built(transform: dict[str, Any]) -> Any:
    name = short_name(transform)
    registry = A.core.serialization.SERIALIZABLE_REGISTRY
    if name not in registry:
        raise PipelineError(f"no transform of Albumentations {A.__version__} is called {name}")
    args = {key: value for key, value in transform.items() if key != "__class_fullname__"}
    if unknown := set(args) - set(inspect.signature(registry[name].__init__).parameters):
        raise PipelineError(f"{name} of Albumentations {A.__version__} has no argument {', '.join(sorted(unknown))}")
    if "transforms" in args:
        if not isinstance(args["transforms"], list) or not args["transforms"]:
            raise PipelineError(f"{name} holds no transforms")
        args["transforms"] = [_built(part) for part in args["transforms"]]
    elif "p" not in args:
        raise PipelineError(f"{name} has no p")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", _HARMLESS)
        try:
            return registry[name](**args)
        except (Exception, Warning) as error:
            raise PipelineError(f"{name}: {' '.join(str(error).split())}") from None
