"""Splits by hash: what was decided stays, whatever comes and goes."""

from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.split.stable import LEFT_OUT, Images, alike_hashes, assign_stably, expected_deviation

SHARES = [Fraction(7, 10), Fraction(1, 10), Fraction(2, 10)]
TRAIN, EVAL, TEST = range(3)


@dataclass(frozen=True)
class Picture:
    """An image: its pixels, who is on it, its perceptual hash; hashes next to each other are alike."""

    pixels: int
    person: str | None = None
    hash: int | None = None
    age: int = 0


def assigned(pictures: list[Picture], seed: int = 27) -> list[int]:
    hashes = [picture.hash for picture in pictures]
    hashed = [index for index, value in enumerate(hashes) if value is not None]
    near = [(i, j) for i in hashed for j in hashed if i < j and _alike(hashes[i], hashes[j])]
    ids = [f"{number}.jpg" for number in range(len(pictures))]
    images = Images(
        ids=ids,
        pixels=[str(picture.pixels) for picture in pictures],
        keys=[picture.person for picture in pictures],
        ties=ids,
        ages=[picture.age for picture in pictures],
        hashes=hashes,
        alike=alike_hashes(hashes, near),
    )
    return assign_stably(images, range(len(pictures)), SHARES, seed)


def _alike(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= 1


def pictures(age: st.SearchStrategy[int]) -> st.SearchStrategy[list[Picture]]:
    """Few persons, pixels and hashes, so that many images belong together, in chains."""
    return st.lists(
        st.builds(
            Picture,
            st.integers(0, 30),
            st.none() | st.sampled_from("abcdef"),
            st.none() | st.integers(0, 40),
            age,
        ),
        max_size=25,
    )


@settings(max_examples=300, deadline=None)
@given(pictures(st.integers(0, 2)), pictures(st.integers(3, 4)))
def test_later_images_never_move_an_older_one(older: list[Picture], later: list[Picture]) -> None:
    assert assigned(older + later)[: len(older)] == assigned(older)


@settings(max_examples=200, deadline=None)
@given(pictures(st.integers(0, 3)), st.randoms(use_true_random=False))
def test_the_order_of_the_images_changes_nothing(found: list[Picture], random: object) -> None:
    order = list(range(len(found)))
    random.shuffle(order)  # type: ignore[attr-defined]

    expected = assigned(found)

    assert assigned([found[index] for index in order]) == [expected[index] for index in order]


@settings(max_examples=300, deadline=None)
@given(pictures(st.integers(0, 3)))
def test_what_belongs_together_is_never_in_two_splits(found: list[Picture]) -> None:
    splits = assigned(found)

    for first, one in zip(splits, found, strict=True):
        for second, other in zip(splits, found, strict=True):
            together = one.pixels == other.pixels or one.person == other.person is not None
            if (together or _alike(one.hash, other.hash)) and LEFT_OUT not in (first, second):
                assert first == second


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.builds(Picture, st.integers(0, 30), age=st.integers(0, 3)), max_size=30),
    st.sets(st.integers(0, 29)),
)
def test_images_of_their_own_and_their_duplicates_stay_whatever_is_added_or_removed(
    found: list[Picture], removed: set[int]
) -> None:
    expected = assigned(found)
    kept = [index for index in range(len(found)) if index not in removed]

    assert assigned([found[index] for index in kept]) == [expected[index] for index in kept]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 3)), max_size=30), st.sets(st.integers(0, 29)))
def test_a_person_stays_whatever_images_of_theirs_come_and_go(found: list[tuple[str, int]], removed: set[int]) -> None:
    everything = [Picture(number, person, age=age) for number, (person, age) in enumerate(found)]
    expected = assigned(everything)
    kept = [index for index in range(len(found)) if index not in removed]

    assert assigned([everything[index] for index in kept]) == [expected[index] for index in kept]


def one_in(split: int, hashed: int) -> Picture:
    """A picture that is in a split by itself."""
    return next(
        picture for number in range(1000) if assigned([picture := Picture(1000 + number, hash=hashed)]) == [split]
    )


@pytest.mark.parametrize("split", [TRAIN, EVAL, TEST])
def test_a_later_image_goes_where_the_group_is_that_it_joins(split: int) -> None:
    old = one_in(split, 5)
    later = [Picture(number, hash=6, age=1) for number in range(20)]

    assert assigned([old, *later]) == [split] * 21


def test_a_later_image_that_ties_two_splits_together_is_left_out_and_nobody_moves() -> None:
    train, test = one_in(TRAIN, 4), one_in(TEST, 6)
    tying, beside = Picture(1, hash=5, age=1), Picture(2, hash=7, age=1)

    assert assigned([train, test, tying]) == [TRAIN, TEST, LEFT_OUT]
    assert assigned([train, test, Picture(1, hash=5, age=1), Picture(3, hash=3, age=2)]) == [
        TRAIN,
        TEST,
        LEFT_OUT,
        TRAIN,
    ]
    # One that is alike to the tying image belongs together with it, and one that came before it doesn't.
    assert assigned([train, test, Picture(9, hash=6, age=1), beside]) == [TRAIN, TEST, TEST, TEST]
    assert assigned([train, test, tying, Picture(2, hash=6, age=1)]) == [TRAIN, TEST, LEFT_OUT, LEFT_OUT]


def test_shares_are_met_within_what_is_expected_of_chance() -> None:
    images = [Picture(number) for number in range(20_000)]

    splits = assigned(images)

    for split, share in enumerate(SHARES):
        expected = expected_deviation([str(number) for number in range(20_000)], float(share))
        assert abs(splits.count(split) - 20_000 * share) < 4 * expected
    assert expected_deviation(["a"] * 10 + ["b"] * 10, 0.5) == pytest.approx((0.25 * 200) ** 0.5)


def test_another_seed_is_another_split() -> None:
    images = [Picture(number) for number in range(300)]

    assert assigned(images, seed=1) != assigned(images, seed=2)


def test_a_copy_goes_where_its_source_goes_also_if_it_came_first() -> None:
    for number in range(40):
        ids = ["b/copy.jpg", "a/source.jpg"]
        copies = Images(ids, [f"c{number}", f"s{number}"], [None, None], [ids[1]] * 2, [0, 1], [None] * 2, {})
        alone = Images([ids[1]], [f"s{number}"], [None], [ids[1]], [0], [None], {})

        first, second = assign_stably(copies, range(2), SHARES, 27)

        assert [first] == [second] == assign_stably(alone, range(1), SHARES, 27)


def test_only_free_images_are_decided_on() -> None:
    images = [Picture(1), Picture(1), Picture(2)]
    ids = [str(number) for number in range(3)]
    found = Images(ids, [str(one.pixels) for one in images], [None] * 3, ids, [0] * 3, [None] * 3, {})

    splits = assign_stably(found, [1, 2], [Fraction(1)], 27)

    assert splits == [LEFT_OUT, 0, 0]
