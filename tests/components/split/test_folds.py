"""The division into folds, on drawn data sets of images, groups and copies."""

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.split.folds import divide_into_folds

Image = tuple[str, str, str, bool]  # id, class, group, whether it is a copy


@st.composite
def data_sets(draw: st.DrawFn) -> list[Image]:
    """Groups of one to four originals of one class or two, some with copies; enough of them for four folds."""
    images: list[Image] = []
    for group in range(draw(st.integers(24, 60))):
        label = draw(st.sampled_from("abc"))
        originals = draw(st.sampled_from((1, 1, 1, 2, 4)))
        for number in range(originals):
            other = draw(st.booleans()) and number == 3
            images.append((f"{group}-{number}", "d" if other else label, f"g{group}", False))
        copies = range(draw(st.sampled_from((0, 0, 1, 3))))
        images += [(f"{group}-0-copy-{number}", label, f"g{group}", True) for number in copies]
    return images


def divided(images: list[Image], folds: int, seed: int = 27) -> dict[str, tuple[int, int]]:
    ids, labels, groups, copies = (list(column) for column in zip(*images, strict=True))
    places = divide_into_folds(labels, ids, ids, groups, copies, folds, seed)
    return {name: (int(fold), int(half)) for name, (fold, half) in zip(ids, places, strict=True)}


@settings(max_examples=40, deadline=None)
@given(data_sets(), st.integers(2, 4))
def test_no_group_is_in_two_folds_or_halves_and_copies_are_where_their_group_is(
    images: list[Image], folds: int
) -> None:
    places = divided(images, folds)

    found: dict[str, set[tuple[int, int]]] = {}
    for name, _, group, _ in images:
        found.setdefault(group, set()).add(places[name])
    assert all(len(where) == 1 for where in found.values())
    assert {where for (where,) in found.values()} == {(fold, half) for fold in range(folds) for half in range(2)}


def test_no_fold_is_empty_where_there_are_as_many_groups() -> None:
    """Of four images each, of classes that don't divide evenly: once two groups in one part were thought better."""
    chance = random.Random(0)
    for _ in range(300):
        images: list[Image] = []
        for group in range(chance.choice((8, 9, 24))):
            labels = [chance.choice("abc")] * 3 + [chance.choice("abcd")]
            images += [(f"{group}-{number}", label, str(group), False) for number, label in enumerate(labels)]

        assert len(set(divided(images, 4).values())) == 8


def test_no_fold_is_empty_beside_a_group_as_large_as_all_others_and_copies_of_what_is_elsewhere() -> None:
    chance = random.Random(0)
    for _ in range(100):
        sizes = [chance.choice((40, 80)), *(chance.choice((1, 4)) for _ in range(7))]
        images = [
            (f"{group}-{number}", chance.choice("abc"), str(group), False)
            for group, size in enumerate(sizes)
            for number in range(size)
        ]
        away = [(f"copy {number}", chance.choice("abc"), f"away {number % 5}", True) for number in range(40)]

        places = divided(images + away, 4)

        assert len({places[name] for name, *_ in images}) == 8


@settings(max_examples=40, deadline=None)
@given(data_sets(), st.randoms(use_true_random=False))
def test_the_order_of_the_images_changes_nothing(images: list[Image], random: random.Random) -> None:
    shuffled = list(images)
    random.shuffle(shuffled)

    assert divided(shuffled, 3) == divided(images, 3)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from("aaaabbc"), min_size=40, max_size=120), st.integers(2, 4))
def test_single_images_spread_evenly_by_class_and_in_all(labels: list[str], folds: int) -> None:
    images = [(str(index), label, str(index), False) for index, label in enumerate(labels)]
    places = divided(images, folds)

    for label in set(labels):
        by_fold = Counter(places[name][0] for name, found, _, _ in images if found == label)
        counts = [by_fold[fold] for fold in range(folds)]
        assert max(counts) - min(counts) <= 1
    sizes = Counter(places.values())
    assert max(sizes.values()) - min(sizes.values()) <= 1


def test_copies_count_for_nothing_where_there_are_originals() -> None:
    images: list[Image] = [(str(index), "ab"[index % 2], str(index), False) for index in range(40)]
    many = [(f"{index}-{copy}", "ab"[index % 2], str(index), True) for index in range(3) for copy in range(50)]

    without, places = divided(images, 5), divided([*images, *many], 5)

    assert {name: places[name] for name in without} == without


def test_another_seed_divides_otherwise() -> None:
    images: list[Image] = [(str(index), "ab"[index % 2], str(index), False) for index in range(40)]

    assert divided(images, 5, seed=1) != divided(images, 5, seed=2)


def test_the_folds_of_a_rare_class_begin_where_those_of_the_last_end() -> None:
    images: list[Image] = [
        (f"{label}-{n}", f"{label:03d}", f"{label}-{n}", False) for label in range(50) for n in (0, 1, 2)
    ]

    sizes = Counter(fold for fold, _ in divided(images, 5).values())

    assert set(sizes.values()) == {30}


def test_too_few_groups_are_an_error_that_says_how_many_there_are() -> None:
    images: list[Image] = [(str(index), "a", str(index // 4), False) for index in range(28)]

    with pytest.raises(ValueError, match=r"evaluate\.folds=5 divides train and eval into 10 parts, and their 7 groups"):
        divided(images, 5)


def test_places_are_numbered_from_zero() -> None:
    images: list[Image] = [(str(index), "a", str(index), False) for index in range(12)]

    places = np.array(list(divided(images, 3).values()))

    assert places.min(axis=0).tolist() == [0, 0]
    assert places.max(axis=0).tolist() == [2, 1]
