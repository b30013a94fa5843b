import random

from hypothesis import given
from hypothesis import strategies as st

from components.split.groups import group_images


def test_images_are_joined_through_others() -> None:
    groups = group_images(["d1", "d2", "d2", "d3"], keys=["S1", "S1", "S2", None])

    assert groups == ["d1", "d1", "d1", "d3"]


def test_near_duplicates_and_copies_are_joined() -> None:
    groups = group_images(["1", "2", "3", "4"], near=[(0, 1)], ties=[None, None, "k", "k"])

    assert groups == ["1", "1", "3", "3"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("12345")), min_size=1, max_size=12), st.randoms())
def test_groups_do_not_depend_on_the_order(items: list[tuple[str, str]], rng: random.Random) -> None:
    def grouped(order: list[tuple[str, str]]) -> set[tuple[tuple[str, str], str]]:
        keys = [name if name in "ab" else None for name, _ in order]
        found = group_images([digest for _, digest in order], keys=keys)
        return set(zip(order, found, strict=True))

    shuffled = list(items)
    rng.shuffle(shuffled)

    assert grouped(items) == grouped(shuffled)
