import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.images.codec import decode, encode
from components.images.hashing import near_duplicates, perceptual_hash, pixels_sha256
from components.split.groups import group_images


def photo(seed: int) -> np.ndarray:
    small = np.random.default_rng(seed).uniform(0, 255, (6, 6, 3)).astype(np.uint8)
    return cv2.resize(small, (96, 96), interpolation=cv2.INTER_CUBIC)


def test_the_same_grey_in_one_or_three_channels_has_one_digest() -> None:
    grey = np.arange(100, dtype=np.uint8).reshape(10, 10)

    assert pixels_sha256(grey) == pixels_sha256(np.repeat(grey[..., None], 3, axis=-1))
    assert pixels_sha256(grey) != pixels_sha256(grey.reshape(5, 20))


def test_a_reencoded_picture_is_a_near_duplicate_and_another_is_not() -> None:
    first, second = photo(0), photo(1)
    again = decode(encode(first, "jpeg", 75)).pixels

    pairs = near_duplicates([perceptual_hash(first), perceptual_hash(second), perceptual_hash(again)])

    assert pairs == [(0, 2)]


def test_blank_pictures_have_no_perceptual_hash() -> None:
    assert perceptual_hash(np.full((20, 20, 3), 77, np.uint8)) is None
    assert near_duplicates([None, None]) == []


@given(st.lists(st.integers(0, 2**64 - 1), max_size=30), st.lists(st.integers(0, 63), max_size=4), st.integers(0, 3))
def test_near_duplicates_links_what_comparing_all_pairs_finds(
    hashes: list[int], flips: list[int], distance: int
) -> None:
    if hashes:
        twin = hashes[0]
        for bit in flips:
            twin ^= 1 << bit
        hashes = [*hashes, twin, *hashes[:3]]
    expected = {
        (i, j)
        for i in range(len(hashes))
        for j in range(i + 1, len(hashes))
        if (hashes[i] ^ hashes[j]).bit_count() <= distance
    }

    found = near_duplicates(hashes, distance)

    digests = [f"{index:03d}" for index in range(len(hashes))]
    assert set(found) <= expected
    assert {frozenset((hashes[i], hashes[j])) for i, j in found} == {
        frozenset((hashes[i], hashes[j])) for i, j in expected
    }
    assert group_images(digests, near=found) == group_images(digests, near=expected)


def test_a_picture_that_is_there_20_000_times_makes_a_chain() -> None:
    assert near_duplicates([7] * 20_000) == [(index, index + 1) for index in range(19_999)]


def test_a_distance_that_the_bands_cannot_find_is_refused() -> None:
    with pytest.raises(ValueError, match="Received: 4"):
        near_duplicates([1, 2], 4)
