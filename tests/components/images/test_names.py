import pytest

from components.images.names import copy_extension, copy_name, free_variants, is_copy, source_keys


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


def test_a_copy_shares_its_sources_key() -> None:
    paths = ["c/a.jpg", "c/a_aug1.jpg", "c/a_aug2-3.jpg", "c/b.jpg", "d/a_aug1.jpg", "c/e.gif", "c/e.gif_aug1.png"]
    keys = source_keys(paths)
    assert keys[:4] == ["c/a.jpg", "c/a.jpg", "c/a.jpg", None]
    assert keys[4] not in (None, "c/a.jpg")
    assert keys[5] == keys[6] == "c/e.gif"


def test_the_published_data_sets_copies_find_their_source_though_it_begins_with_digits() -> None:
    assert source_keys(["c/12.jpg", "c/aug_012.jpg", "c/aug_112.jpg"]) == ["c/12.jpg"] * 3
    assert source_keys(["c/2.jpg", "c/aug_012.jpg"]) == ["c/2.jpg"] * 2
    assert source_keys(["c/img7.png", "c/aug_3img7.png", "c/aug_3_img7.png"]) == ["c/img7.png"] * 3


def test_copies_of_a_source_that_is_gone_still_share_a_key() -> None:
    first, second = source_keys(["c/aug_0face.jpg", "c/aug_1face.jpg"])
    assert first == second is not None
    first, second = source_keys(["c/face_aug1.jpg", "c/face_aug2.jpg"])
    assert first == second is not None


def test_a_shortened_copy_finds_its_source() -> None:
    source = "c/" + "z" * 251 + ".jpg"
    assert source_keys([source, copy_name(source, 7)]) == [source, source]


@pytest.mark.parametrize(
    ("path", "encoding", "extension"),
    [("a.jfif", "jpeg", None), ("a/b.JPG", "jpeg", None), ("a.png", "jpeg", ".jpg"), ("a.b/c", "png", ".png")],
)
def test_a_copy_keeps_its_sources_ending_where_that_fits(path: str, encoding: str, extension: str | None) -> None:
    assert copy_extension(path, encoding) == extension
