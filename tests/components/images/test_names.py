import pytest

from components.images.copies import find_copies
from components.images.names import copy_extension, copy_name, free_variants, is_copy, possible_sources, shortened


@pytest.mark.parametrize(
    ("name", "number", "extension", "expected"),
    [
        ("smile.jpg", 1, None, "smile_aug1.jpg"),
        ("smile.JPG", 12, None, "smile_aug12.JPG"),
        ("smile.JPG", 1, ".jpg", "smile_aug1.JPG"),
        ("smile.gif", 2, ".png", "smile.gif_aug2.png"),
        ("no extension", 1, ".jpg", "no extension_aug1.jpg"),
        ("happy/deep.er/a.b.png", 1, None, "happy/deep.er/a.b_aug1.png"),
    ],
)
def test_a_copy_is_named_after_its_source(name: str, number: int, extension: str | None, expected: str) -> None:
    assert copy_name(name, number, extension) == expected
    assert is_copy(expected.rpartition("/")[2])


def test_a_copy_of_the_longest_name_still_fits() -> None:
    for name in ("x" * 251 + ".jpg", "é" * 125 + ".jpg", "名" * 83 + ".jpg"):
        made = copy_name(name, 123)
        assert len(made.encode()) <= 255
        assert made.endswith("_aug123.jpg")


def test_copies_are_numbered_from_1() -> None:
    with pytest.raises(ValueError, match="from 1"):
        copy_name("a.jpg", 0)


def names_of(sources: list[str], counts: list[int], existing: list[str], extensions: list[str | None]) -> list[str]:
    variants = free_variants(sources, counts, existing, extensions)
    return [
        copy_name(source, number, extension, variant)
        for source, count, extension, variant in zip(sources, counts, extensions, variants, strict=True)
        for number in range(1, count + 1)
    ]


def test_no_copy_takes_the_name_of_a_file_that_is_there() -> None:
    there = ["c/a.jpg", "c/a_aug2.jpg", "c/a_aug2-2.jpg"]
    made = names_of(there[:1], [3], there, [None])
    assert made == ["c/a_aug1-3.jpg", "c/a_aug2-3.jpg", "c/a_aug3-3.jpg"]


def test_no_two_sources_share_their_copies_names() -> None:
    long = "y" * 245
    sources = ["c/a.gif", "c/a.gif.png", "c/a.jpg", "c/a.png", f"c/{long}1.jpg", f"c/{long}2.jpg", "d/a.jpg"]
    extensions = [".png", None, None, None, None, None, None]
    made = names_of(sources, [5] * 7, sources, extensions)
    assert len(set(made)) == 35


@pytest.mark.parametrize(
    ("name", "readings"),
    [
        ("a_aug12.jpg", [[(12, "a.jpg"), (12, "a")]]),
        ("e.gif_aug1-3.png", [[(1, "e.gif.png"), (1, "e.gif")]]),
        ("aug_0face.jpg", [[(0, "face.jpg")]]),
        ("aug_112.jpg", [[(1, "12.jpg"), (11, "2.jpg")]]),
        ("aug_012.jpg", [[(0, "12.jpg")], [(1, "2.jpg")]]),
        ("aug_3_img7.png", [[(3, "_img7.png"), (3, "img7.png")]]),
        ("aug_3.jpg", []),  # a photo: there is no source left
        ("smile.jpg", []),
    ],
)
def test_what_a_copys_name_may_say_of_its_source(name: str, readings: list[list[tuple[int, str]]]) -> None:
    assert possible_sources(name) == readings


def test_a_name_that_may_have_been_cut_gives_the_beginning_of_its_sources() -> None:
    assert shortened(copy_name("z" * 251 + ".jpg", 7)) == ("z" * 231, 1)
    assert shortened(copy_name("z" * 251 + ".jpg", 7, variant=2)) == ("z" * 229, 2)
    assert shortened("z_aug7.jpg") is None


@pytest.mark.parametrize(
    ("path", "encoding", "extension"),
    [("a.jfif", "jpeg", None), ("a/b.JPG", "jpeg", None), ("a.png", "jpeg", ".jpg"), ("a.b/c", "png", ".png")],
)
def test_a_copy_keeps_its_sources_ending_where_that_fits(path: str, encoding: str, extension: str | None) -> None:
    assert copy_extension(path, encoding) == extension


def test_a_copy_takes_no_name_that_a_photo_would_be_taken_for_a_copy_of() -> None:
    ids = ["c/a.jpg", "c/a_aug1_aug1.jpg"]

    [variant, _] = free_variants(ids, [2, 0], ids, [None, None])

    made = [copy_name(ids[0], number, None, variant) for number in (1, 2)]
    assert find_copies([*ids, *made]).roots == {2: 0, 3: 0}
