"""What each transform of Albumentations 1.x did by default, and what its arguments are called in 2.x.

A transform that isn't in the table can't be carried over. Pure: works on the dictionaries that `A.save` writes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Arguments = dict[str, Any]

# Borders: 1.x filled with a mirror image (cv2.BORDER_REFLECT_101) by default, 2.x with black.
_MIRROR = 4
_BORDER = {"interpolation": 1, "border_mode": _MIRROR, "value": None, "mask_value": None}
_OUR_MODULE = "components.augment.transforms"


class PipelineError(ValueError):
    """A pipeline file can't be used; the message says why."""


@dataclass(frozen=True)
class Rule:
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
    """Return 1.x's `to_tuple`: a number x stands for (-x, x), or for (low, x)."""
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
RULES: dict[str, Rule] = {name: Rule(defaults) for name, defaults in _SIMPLE.items()} | {
    "GaussNoise": Rule(
        {"var_limit": [10.0, 50.0], "mean": 0, "per_channel": True}, _gauss_noise, f"{_OUR_MODULE}.GaussNoise"
    ),
    "GaussianBlur": Rule(
        {"blur_limit": [3, 7], "sigma_limit": 0}, _gaussian_blur, f"{_OUR_MODULE}.GaussianBlur"
    ),
    "MotionBlur": Rule({"blur_limit": [3, 7], "allow_shifted": True}, _motion_blur, f"{_OUR_MODULE}.MotionBlur"),
    "Rotate": Rule({"limit": 90, **_BORDER, "rotate_method": "largest_box", "crop_border": False}, _filled),
    "SafeRotate": Rule({"limit": 90, **_BORDER}, _filled),
    "ShiftScaleRotate": Rule(
        {"shift_limit": 0.0625, "shift_limit_x": None, "shift_limit_y": None, "scale_limit": 0.1, "rotate_limit": 45}
        | {**_BORDER, "rotate_method": "largest_box"},
        _shift_scale_rotate,
    ),
    "PadIfNeeded": Rule(
        {"min_height": 1024, "min_width": 1024, "pad_height_divisor": None, "pad_width_divisor": None}
        | {"position": "center", "border_mode": _MIRROR, "value": None, "mask_value": None},
        _filled,
        p=1.0,
    ),
    "CoarseDropout": Rule(
        {"max_holes": 8, "max_height": 8, "max_width": 8, "min_holes": None, "min_height": None, "min_width": None}
        | {"fill_value": 0, "mask_fill_value": None},
        _coarse_dropout,
    ),
    "Cutout": Rule({"num_holes": 8, "max_h_size": 8, "max_w_size": 8, "fill_value": 0}, _cutout, "CoarseDropout"),
    "ChannelDropout": Rule({"channel_drop_range": [1, 1], "fill_value": 0}, _renamed(fill_value="fill")),
    "ImageCompression": Rule(
        {"quality_lower": 99, "quality_upper": 100, "compression_type": 0}, _image_compression
    ),
    "JpegCompression": Rule(
        {"quality_lower": 99, "quality_upper": 100, "compression_type": 0}, _image_compression, "ImageCompression"
    ),
    "Downscale": Rule({"scale_min": 0.25, "scale_max": 0.25, "interpolation": None}, _downscale),
    "RandomResizedCrop": Rule(
        {"height": None, "width": None, "scale": [0.08, 1.0], "ratio": [0.75, 1.3333333333333333], "interpolation": 1},
        _sized,
        p=1.0,
    ),
    "RandomSizedCrop": Rule(
        {"min_max_height": None, "height": None, "width": None, "w2h_ratio": 1.0, "interpolation": 1}, _sized, p=1.0
    ),
    "Solarize": Rule({"threshold": 128}, _solarize),
    "RandomGamma": Rule({"gamma_limit": [80, 120], "eps": None}, _random_gamma),
    "RandomBrightness": Rule(
        {"limit": 0.2},
        lambda args: {"brightness_limit": args["limit"], "contrast_limit": 0},
        "RandomBrightnessContrast",
    ),
    "RandomContrast": Rule(
        {"limit": 0.2},
        lambda args: {"brightness_limit": 0, "contrast_limit": args["limit"]},
        "RandomBrightnessContrast",
    ),
}  # fmt: skip
for _name in ("Resize", "CenterCrop", "RandomCrop", "RandomScale", "LongestMaxSize", "SmallestMaxSize"):
    RULES[_name] = Rule(RULES[_name].defaults, p=0.5 if _name == "RandomScale" else 1.0)
