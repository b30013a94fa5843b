"""Carry an augmentation pipeline that Albumentations 1.x saved over to 2.x, with the same meaning.

2.x loads such a file with mere warnings: it ignores arguments that it no longer knows, so `always_apply` transforms run
half of the time and noise is ten times as strong. Here every argument is known and carried over, or it is an error that
names it. The table below holds each transform's arguments in 1.x with their defaults there; what isn't in it can't be
carried over. Pure: takes and returns the dictionaries that `A.save` writes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Arguments = dict[str, Any]

# Borders: 1.x filled with a mirror image (cv2.BORDER_REFLECT_101) unless told otherwise, 2.x with black.
_MIRROR = 4
_BORDER = {"interpolation": 1, "border_mode": _MIRROR, "value": None, "mask_value": None}
_OUR_MODULE = "components.split_balance_augment.transforms"


class PipelineError(ValueError):
    """A pipeline file can't be used; the message says why."""


@dataclass(frozen=True)
class _Rule:
    """How one transform of 1.x becomes one of 2.x.

    Attributes:
        defaults: its arguments in 1.x, with their defaults there.
        convert: makes 2.x's arguments of them.
        name: in 2.x; "" if it is the same.
        p: default of its probability in 1.x.
    """

    defaults: Arguments = field(default_factory=dict)
    convert: Callable[[Arguments], Arguments] = dict
    name: str = ""
    p: float = 0.5


def _renamed(**names: str) -> Callable[[Arguments], Arguments]:
    """Arguments under new names; an empty name drops the argument."""
    return lambda args: {new: value for old, value in args.items() if (new := names.get(old, old))}


def _filled(args: Arguments) -> Arguments:
    fill = {} if args["value"] is None else {"fill": args["value"]}
    if isinstance(args["value"], (int, float)) and args["value"]:  # OpenCV gives a single number to the first channel
        fill = {"fill": [args["value"], 0, 0]}
    return {key: value for key, value in args.items() if key not in ("mask_value", "value")} | fill


def _range(value: Any, low: float | None = None) -> list[Any]:
    """1.x's `to_tuple`: a number x stands for (-x, x), or for (low, x)."""
    if isinstance(value, (list, tuple)):
        return list(value)
    return sorted([-value if low is None else low, value])


def _gauss_noise(args: Arguments) -> Arguments:
    return args | {"var_limit": _range(args["var_limit"], 0)}


def _gaussian_blur(args: Arguments) -> Arguments:
    return {"blur_limit": _range(args["blur_limit"], 0), "sigma_limit": _range(args["sigma_limit"] or 0, 0)}


def _motion_blur(args: Arguments) -> Arguments:
    return args | {"blur_limit": _range(args["blur_limit"], 3)}


def _shift_scale_rotate(args: Arguments) -> Arguments:
    shift = args.pop("shift_limit")
    for axis in ("shift_limit_x", "shift_limit_y"):
        args[axis] = _range(shift if args[axis] is None else args[axis])
    return _filled(args)


def _coarse_dropout(args: Arguments) -> Arguments:
    converted = {"fill": args["fill_value"]}
    for ours, theirs in (("holes", "num_holes"), ("height", "hole_height"), ("width", "hole_width")):
        most, least = args[f"max_{ours}"], args[f"min_{ours}"]
        converted[f"{theirs}_range"] = [most if least is None else least, most]
    return converted


def _cutout(args: Arguments) -> Arguments:
    return {
        "num_holes_range": [args["num_holes"]] * 2,
        "hole_height_range": [args["max_h_size"]] * 2,
        "hole_width_range": [args["max_w_size"]] * 2,
        "fill": args["fill_value"],
    }


def _image_compression(args: Arguments) -> Arguments:
    kinds = {0: "jpeg", 1: "webp", "jpeg": "jpeg", "webp": "webp"}
    if args["compression_type"] not in kinds:
        raise PipelineError(f"ImageCompression.compression_type must be 0 or 1. Received: {args['compression_type']}")
    return {
        "quality_range": [args["quality_lower"], args["quality_upper"]],
        "compression_type": kinds[args["compression_type"]],
    }


def _downscale(args: Arguments) -> Arguments:
    pair = args["interpolation"]
    if not isinstance(pair, dict):
        pair = {"upscale": pair or 0, "downscale": pair or 0}
    return {"scale_range": [args["scale_min"], args["scale_max"]], "interpolation_pair": pair}


def _sized(args: Arguments) -> Arguments:
    return {key: value for key, value in args.items() if key not in ("height", "width")} | {
        "size": [args["height"], args["width"]]
    }


def _solarize(args: Arguments) -> Arguments:
    threshold = args["threshold"]
    limits = _range(threshold, 0) if isinstance(threshold, (list, tuple)) else [threshold, threshold]
    return {"threshold_range": [limit / 255 for limit in limits]}


def _random_gamma(args: Arguments) -> Arguments:
    return {"gamma_limit": args["gamma_limit"]}  # `eps` had no effect in 1.x either


_SIMPLE: dict[str, Arguments] = {
    "HorizontalFlip": {},
    "VerticalFlip": {},
    "Transpose": {},
    "NoOp": {},
    "RandomRotate90": {},
    "ChannelShuffle": {},
    "InvertImg": {},
    "ToGray": {},
    "ToSepia": {},
    "Blur": {"blur_limit": [3, 7]},
    "MedianBlur": {"blur_limit": [3, 7]},
    "RandomBrightnessContrast": {"brightness_limit": 0.2, "contrast_limit": 0.2, "brightness_by_max": True},
    "HueSaturationValue": {"hue_shift_limit": 20, "sat_shift_limit": 30, "val_shift_limit": 20},
    "RGBShift": {"r_shift_limit": 20, "g_shift_limit": 20, "b_shift_limit": 20},
    "ColorJitter": {"brightness": 0.2, "contrast": 0.2, "saturation": 0.2, "hue": 0.2},
    "CLAHE": {"clip_limit": 4.0, "tile_grid_size": [8, 8]},
    "Posterize": {"num_bits": 4},
    "Sharpen": {"alpha": [0.2, 0.5], "lightness": [0.5, 1.0]},
    "Emboss": {"alpha": [0.2, 0.5], "strength": [0.2, 0.7]},
    "PixelDropout": {"dropout_prob": 0.01, "per_channel": False, "drop_value": 0, "mask_drop_value": None},
    "Resize": {"height": None, "width": None, "interpolation": 1},
    "CenterCrop": {"height": None, "width": None},
    "RandomCrop": {"height": None, "width": None},
    "RandomScale": {"scale_limit": 0.1, "interpolation": 1},
    "LongestMaxSize": {"max_size": 1024, "interpolation": 1},
    "SmallestMaxSize": {"max_size": 1024, "interpolation": 1},
}
_RULES: dict[str, _Rule] = {name: _Rule(defaults) for name, defaults in _SIMPLE.items()} | {
    "GaussNoise": _Rule(
        {"var_limit": [10.0, 50.0], "mean": 0, "per_channel": True}, _gauss_noise, f"{_OUR_MODULE}.GaussNoise"
    ),
    "GaussianBlur": _Rule(
        {"blur_limit": [3, 7], "sigma_limit": 0}, _gaussian_blur, f"{_OUR_MODULE}.GaussianBlur"
    ),
    "MotionBlur": _Rule({"blur_limit": [3, 7], "allow_shifted": True}, _motion_blur, f"{_OUR_MODULE}.MotionBlur"),
    "Rotate": _Rule({"limit": 90, **_BORDER, "rotate_method": "largest_box", "crop_border": False}, _filled),
    "SafeRotate": _Rule({"limit": 90, **_BORDER}, _filled),
    "ShiftScaleRotate": _Rule(
        {"shift_limit": 0.0625, "shift_limit_x": None, "shift_limit_y": None, "scale_limit": 0.1, "rotate_limit": 45}
        | {**_BORDER, "rotate_method": "largest_box"},
        _shift_scale_rotate,
    ),
    "PadIfNeeded": _Rule(
        {"min_height": 1024, "min_width": 1024, "pad_height_divisor": None, "pad_width_divisor": None}
        | {"position": "center", "border_mode": _MIRROR, "value": None, "mask_value": None},
        _filled,
        p=1.0,
    ),
    "CoarseDropout": _Rule(
        {"max_holes": 8, "max_height": 8, "max_width": 8, "min_holes": None, "min_height": None, "min_width": None}
        | {"fill_value": 0, "mask_fill_value": None},
        _coarse_dropout,
    ),
    "Cutout": _Rule({"num_holes": 8, "max_h_size": 8, "max_w_size": 8, "fill_value": 0}, _cutout, "CoarseDropout"),
    "ChannelDropout": _Rule({"channel_drop_range": [1, 1], "fill_value": 0}, _renamed(fill_value="fill")),
    "ImageCompression": _Rule(
        {"quality_lower": 99, "quality_upper": 100, "compression_type": 0}, _image_compression
    ),
    "JpegCompression": _Rule(
        {"quality_lower": 99, "quality_upper": 100, "compression_type": 0}, _image_compression, "ImageCompression"
    ),
    "Downscale": _Rule({"scale_min": 0.25, "scale_max": 0.25, "interpolation": None}, _downscale),
    "RandomResizedCrop": _Rule(
        {"height": None, "width": None, "scale": [0.08, 1.0], "ratio": [0.75, 1.3333333333333333], "interpolation": 1},
        _sized,
        p=1.0,
    ),
    "RandomSizedCrop": _Rule(
        {"min_max_height": None, "height": None, "width": None, "w2h_ratio": 1.0, "interpolation": 1}, _sized, p=1.0
    ),
    "Solarize": _Rule({"threshold": 128}, _solarize),
    "RandomGamma": _Rule({"gamma_limit": [80, 120], "eps": None}, _random_gamma),
    "RandomBrightness": _Rule(
        {"limit": 0.2},
        lambda args: {"brightness_limit": args["limit"], "contrast_limit": 0},
        "RandomBrightnessContrast",
    ),
    "RandomContrast": _Rule(
        {"limit": 0.2},
        lambda args: {"brightness_limit": 0, "contrast_limit": args["limit"]},
        "RandomBrightnessContrast",
    ),
}  # fmt: skip
for _name in ("Resize", "CenterCrop", "RandomCrop", "RandomScale", "LongestMaxSize", "SmallestMaxSize"):
    _RULES[_name] = _Rule(_RULES[_name].defaults, p=0.5 if _name == "RandomScale" else 1.0)

_COMPOSE_OPTIONS: Arguments = {
    "bbox_params": None, "keypoint_params": None, "additional_targets": {}, "is_check_shapes": True,
}  # fmt: skip


def migrate(transform: Arguments) -> tuple[Arguments, list[str]]:
    """Carry over what 1.x saved under `transform`.

    Returns:
        What 2.x saves for the same meaning, and each change in a line of its own.

    Raises:
        PipelineError: a transform or an argument that can't be carried over.
    """
    changes: list[str] = []
    return _migrated(transform, changes, forced=False), changes


def short_name(transform: Arguments) -> str:
    """Class name without its modules; early versions of 1.x saved those too."""
    name = transform.get("__class_fullname__")
    if not isinstance(name, str):
        raise PipelineError("a transform without `__class_fullname__`: not written by A.save")
    if name.startswith("albumentations.") or "." not in name:
        return name.rpartition(".")[2]
    return name


def _migrated(transform: Arguments, changes: list[str], *, forced: bool) -> Arguments:
    """`forced`: what holds this transform runs it whatever its `p` is, which is only its weight then."""
    name = short_name(transform)
    if "transforms" in transform:
        return _migrated_composition(name, transform, changes, forced=forced)
    args = {key: value for key, value in transform.items() if key != "__class_fullname__"}
    rule = _RULES.get(name)
    if name == "Flip":
        return _flip(args, changes, forced=forced)
    if rule is None:
        raise PipelineError(
            f"{name} of Albumentations 1.x can't be carried over to 2.x with the same meaning; "
            "build the pipeline with 2.x and save it anew"
        )
    p = _probability(name, args, rule.p, changes, forced=forced)
    if unknown := set(args) - set(rule.defaults):
        raise PipelineError(f"{name} of Albumentations 1.x has no argument {', '.join(sorted(unknown))}")
    before = rule.defaults | args
    if missing := [key for key in ("height", "width", "min_max_height") if key in before and before[key] is None]:
        raise PipelineError(f"{name} needs {', '.join(missing)}")
    try:
        after = rule.convert(dict(before))
    except TypeError as error:  # text where a number should be, …
        raise PipelineError(f"{name} of Albumentations 1.x can't have such arguments ({error}): {args}") from None
    new_name = rule.name or name
    if new_name != name:
        changes.append(f"{name} → {new_name}")
    for key in sorted(set(before) | set(after)):
        if key not in after:
            changes.append(f"{name}: {key}={before[key]!r} dropped")
        elif key not in before:
            changes.append(f"{name}: → {key}={after[key]!r}")
        elif key not in args:
            changes.append(f"{name}: {key}={after[key]!r}, 1.x's default, made explicit")
        elif before[key] != after[key]:
            changes.append(f"{name}: {key}={before[key]!r} → {after[key]!r}")
    return {"__class_fullname__": new_name, "p": p, **after}


def _probability(name: str, args: Arguments, default: float, changes: list[str], *, forced: bool) -> float:
    """The transform's `p`, with `always_apply` merged into it; both are taken out of the arguments."""
    p = args.pop("p", default)
    if args.pop("always_apply", False) and not forced and p != 1.0:
        changes.append(f"{name}: always_apply=True → p=1.0 (was {p})")
        return 1.0
    return p


def _flip(args: Arguments, changes: list[str], *, forced: bool) -> Arguments:
    p = _probability("Flip", args, 0.5, changes, forced=forced)
    if args:
        raise PipelineError(f"Flip of Albumentations 1.x has no argument {', '.join(sorted(args))}")
    horizontal, vertical = ({"__class_fullname__": f"{way}Flip", "p": 1.0} for way in ("Horizontal", "Vertical"))
    both = {"__class_fullname__": "Sequential", "p": 1.0, "transforms": [horizontal, vertical]}
    changes.append("Flip → OneOf(HorizontalFlip, VerticalFlip, both)")
    return {"__class_fullname__": "OneOf", "p": p, "transforms": [horizontal, vertical, both]}


def _migrated_composition(name: str, transform: Arguments, changes: list[str], *, forced: bool) -> Arguments:
    known = {"__class_fullname__", "transforms", "p"}
    options = {"Compose": _COMPOSE_OPTIONS, "SomeOf": {"n": 1, "replace": True}}.get(name, {})
    if name not in ("Compose", "OneOf", "SomeOf", "OneOrOther", "Sequential"):
        raise PipelineError(f"{name} of Albumentations 1.x can't be carried over to 2.x with the same meaning")
    if unknown := set(transform) - known - set(options):
        raise PipelineError(f"{name} of Albumentations 1.x has no argument {', '.join(sorted(unknown))}")
    chooses = name in ("OneOf", "SomeOf", "OneOrOther")
    p = transform.get("p", 1.0 if name in ("Compose", "SomeOf") else 0.5)
    if name == "Compose" and p < 1.0 and _has_always_apply(transform):
        raise PipelineError("a Compose with p < 1 around a transform with always_apply=True can't be carried over")
    parts = [_migrated(part, changes, forced=chooses) for part in transform["transforms"]]
    result = {"__class_fullname__": name, "p": p, "transforms": parts}
    result |= {key: transform[key] for key in options if key in transform}
    if name == "Sequential" and not forced and p != 1.0:
        changes.append(f"Sequential: p={p}, which 1.x ignored, → 1.0")
        result["p"] = 1.0
    if name == "SomeOf":
        if len({part["p"] for part in parts}) > 1:
            raise PipelineError("SomeOf with transforms of unequal p (its weights in 1.x) can't be carried over")
        changes.append("SomeOf → RandomOrder, each part with p=1.0: 1.x shuffled the chosen ones and forced them")
        result |= {"__class_fullname__": "RandomOrder", "replace": transform.get("replace", True)}
        result["transforms"] = [part | {"p": 1.0} for part in parts]
        if forced and p != 1.0:
            return {"__class_fullname__": "Sequential", "p": p, "transforms": [result | {"p": 1.0}]}
    return result


def _has_always_apply(transform: Arguments) -> bool:
    return bool(transform.get("always_apply")) or any(map(_has_always_apply, transform.get("transforms", ())))
