"""Small clean sets pass, whatever their sizes; splits whose classes were shifted don't."""

import random
from collections.abc import Mapping
from itertools import combinations_with_replacement

import pytest
from scipy.stats import fisher_exact

from components.split.plan import Rules, exact, make_plan
from components.validation.gate import balance_anomalies, is_real_difference
from components.validation.share_test import LEVEL, chance, differences

_SHARES = {"train": exact("0.7"), "eval": exact("0.1"), "test": exact("0.2")}
_SIZES = range(9, 58, 3)

Counts = dict[str, dict[str, int]]


def split_of_our_own(sizes: Mapping[str, int]) -> Counts:
    """Return the originals of each split and class of single images."""
    labels = [label for label, size in sizes.items() for _ in range(size)]
    names = [str(number) for number in range(len(labels))]
    plan = make_plan(Rules(_SHARES, (), exact(1), 27), labels=labels, digests=names, ids=names, groups=names)
    counts: Counts = {split: {} for split in _SHARES}
    for cell in plan.cells:
        counts[cell.split][cell.label] = cell.originals
    return counts


def is_refused(counts: Counts) -> bool:
    return bool(balance_anomalies(counts)) or is_real_difference(counts["eval"], counts["test"])


def test_none_of_the_small_clean_sets_is_refused() -> None:
    sets = [sizes for classes in (2, 3) for sizes in combinations_with_replacement(_SIZES, classes)]
    refused = [sizes for sizes in sets if is_refused(split_of_our_own(dict(zip("abc", sizes, strict=False))))]

    assert (len(sets), refused) == (1122, [])


@pytest.mark.parametrize(
    "sizes",
    [
        {"cat": 42, "dog": 48},
        {"cat": 12, "dog": 27},
        # Rounded up in eval 500 times, to 500 of 800 images: that is 38 % for the large class, of the whole 50 %.
        {"large": 3000, **{f"small{number}": 6 for number in range(500)}},
        {"large": 3000, **{f"small{number}": 13 for number in range(200)}},
    ],
    ids=lambda sizes: f"{len(sizes)} classes",
)
def test_rounding_is_no_difference(sizes: dict[str, int]) -> None:
    assert not is_refused(split_of_our_own(sizes))


def shifted(size: int, share: float, rng: random.Random, split: str = "test") -> Counts:
    """Return two classes of a size; images are drawn for one split with that share of the first, others make room."""
    counts = split_of_our_own({"a": size, "b": size})
    images = sum(counts[split].values())
    first = sum(rng.random() < share for _ in range(images))
    moved = first - counts[split]["a"]
    for name, sign in ((split, 1), ("train", -1)):
        counts[name]["a"] += sign * moved
        counts[name]["b"] -= sign * moved
    return counts


@pytest.mark.parametrize(
    ("size", "share", "power"),
    [(30, 0.8, 0.5), (30, 0.9, 0.8), (50, 0.8, 0.75), (100, 0.8, 0.95), (300, 0.7, 0.95), (1000, 0.65, 0.9)],
)
def test_a_split_with_shifted_shares_is_refused(size: int, share: float, power: float) -> None:
    rng = random.Random(0)

    refused = sum(is_refused(shifted(size, share, rng)) for _ in range(400))

    assert refused / 400 >= power


def test_a_random_split_is_hardly_ever_taken_for_a_different_one() -> None:
    rng = random.Random(1)
    whole = {"a": 40, "b": 40}
    drawn = [rng.sample("ab" * 40, 16).count("a") for _ in range(400)]

    found = sum(bool(differences({"a": count, "b": 16 - count}, whole)) for count in drawn)

    assert found / 400 <= LEVEL


def test_a_small_difference_is_none_however_sure_it_is() -> None:
    whole = {"a": 50_000, "b": 50_000}

    assert differences({"a": 5_900, "b": 4_100}, whole) == []
    [a, b] = differences({"a": 6_100, "b": 3_900}, whole)
    assert (a.label, a.count, a.images, a.share, a.expected) == ("a", 6_100, 10_000, 0.61, 0.5)
    assert b.probability < 1e-9


def test_a_class_that_is_missing_from_a_large_split_is_found() -> None:
    assert [one.label for one in differences({"a": 40}, {"a": 80, "b": 40})] == ["a", "b"]
    assert differences({}, {"a": 80}) == differences({"a": 80}, {"a": 80}) == []


@pytest.mark.parametrize(("count", "drawn", "marked", "everything"), [(9, 10, 79, 150), (0, 7, 9, 66), (3, 5, 20, 40)])
def test_the_chance_is_that_of_fishers_exact_test(count: int, drawn: int, marked: int, everything: int) -> None:
    table = [[count, drawn - count], [marked - count, everything - drawn - marked + count]]

    assert chance(count, drawn, marked, everything) == pytest.approx(fisher_exact(table).pvalue)
