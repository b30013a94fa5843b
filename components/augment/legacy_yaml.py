"""Carry an augmentation pipeline that Albumentations 1.x saved over to 2.x, with the same meaning.

2.x loads such a file with mere warnings: it ignores arguments that it no longer knows, so `always_apply` transforms run
half of the time and noise is ten times as strong. Here every argument is known and carried over, or it is an error that
names it. Pure: takes and returns the dictionaries that `A.save` writes.
"""

from components.augment.legacy_rules import RULES, Arguments, PipelineError

_COMPOSE_OPTIONS: Arguments = {
    "bbox_params": None, "keypoint_params": None, "additional_targets": {}, "is_check_shapes": True,
}  # fmt: skip
# Where this project's own transforms are, and where they were when somebody saved a pipeline with one.
_OWN, _OWN_BEFORE = "components.augment.transforms.", "components.split_balance_augment.transforms."


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
    if name.startswith(_OWN_BEFORE):
        return _OWN + name.removeprefix(_OWN_BEFORE)
    return name


def _migrated(transform: Arguments, changes: list[str], *, forced: bool) -> Arguments:
    """Carry one transform over.

    Args:
        transform: as 1.x saved it.
        changes: gets a line for each change.
        forced: what holds this transform runs it whatever its `p` is, which is only its weight then.
    """
    name = short_name(transform)
    if "transforms" in transform:
        return _migrated_composition(name, transform, changes, forced=forced)
    args = {key: value for key, value in transform.items() if key != "__class_fullname__"}
    rule = RULES.get(name)
    if name == "Flip":
        return _flip(args, changes, forced=forced)
    if rule is None:
        raise PipelineError(
            f"{name} of Albumentations 1.x can't be carried over to 2.x with the same meaning; "
            "build the pipeline with 2.x and save it again"
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
    """Return the transform's `p`, with `always_apply` merged into it; both are taken out of the arguments."""
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
