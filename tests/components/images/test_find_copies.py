import pytest

from components.images import copies
from components.images.copies import Copies, find_copies
from components.images.copy_mark import CopyMark
from components.images.named_sources import Origin
from components.images.names import copy_name


def sources(paths: list[str], found: Copies) -> dict[str, str]:
    return {paths[index]: paths[root] for index, root in found.roots.items()}


def doubts(paths: list[str], found: Copies) -> dict[str, str]:
    return {paths[index]: reason for index, reason in found.doubts.items()}


def by_names(*paths: str) -> tuple[dict[str, str], dict[str, str]]:
    found = find_copies(paths)
    return sources(list(paths), found), doubts(list(paths), found)


def test_a_copy_is_tied_to_the_image_that_its_name_says() -> None:
    paths = ["c/a.jpg", "c/a_aug1.jpg", "c/a_aug2-3.jpg", "c/b.jpg", "d/a_aug1.jpg", "c/e.gif", "c/e.gif_aug1.png"]
    found = find_copies(paths)
    assert found.ties(paths) == ["c/a.jpg", "c/a.jpg", "c/a.jpg", None, None, "c/e.gif", "c/e.gif"]
    assert doubts(paths, found) == {"d/a_aug1.jpg": copies.NO_SOURCE}


def test_the_published_data_sets_copies_find_their_source_though_it_begins_with_digits() -> None:
    assert by_names("c/12.jpg", "c/aug_012.jpg") == ({"c/aug_012.jpg": "c/12.jpg"}, {})
    assert by_names("c/12.jpg", "c/2.jpg", "c/aug_012.jpg") == ({"c/aug_012.jpg": "c/12.jpg"}, {})
    assert by_names("c/2.jpg", "c/aug_012.jpg") == ({"c/aug_012.jpg": "c/2.jpg"}, {})
    assert by_names("c/img7.png", "c/aug_3_img7.png") == ({"c/aug_3_img7.png": "c/img7.png"}, {})


def test_a_name_that_fits_several_images_is_in_doubt() -> None:
    assert by_names("c/12.jpg", "c/2.jpg", "c/aug_112.jpg") == (
        {"c/aug_112.jpg": "c/12.jpg"},
        {"c/aug_112.jpg": copies.SEVERAL},
    )


def test_photos_that_are_named_like_copies_are_originals_and_have_copies_of_their_own() -> None:
    photos = [f"c/aug_2020_{number:03d}.jpg" for number in range(3)]
    made = [copy_name(photo, number) for photo in photos for number in (1, 2)]
    found = find_copies([*photos, *made])
    assert sources([*photos, *made], found) == {copy: photos[index // 2] for index, copy in enumerate(made)}
    assert doubts([*photos, *made], found) == dict.fromkeys(photos, copies.NO_SOURCE)
    assert not found.lost


def test_copies_of_a_source_that_is_gone_stay_together_as_originals() -> None:
    paths = ["c/aug_0face.jpg", "c/aug_1face.jpg", "c/smile_aug1.jpg", "c/smile_aug2.jpg", "c/alone_aug1.jpg"]
    found = find_copies(paths)
    first, second, third, fourth, alone = found.ties(paths)
    assert first == second is not None
    assert third == fourth not in (None, first)
    assert alone is None
    assert not found.roots
    assert list(found.doubts.values()) == [copies.SIBLINGS] * 4 + [copies.NO_SOURCE]


def test_a_copy_of_a_copy_belongs_to_the_original() -> None:
    paths = ["c/a.jpg", "c/a_aug1.jpg", "c/a_aug1_aug3.jpg"]
    found = find_copies(paths)
    assert sources(paths, found) == dict.fromkeys(paths[1:], "c/a.jpg")
    assert found.origins[2] == Origin(1, 3)


def test_a_copy_whose_name_was_cut_finds_its_source_by_name_if_only_one_begins_so() -> None:
    long = "c/" + "z" * 236
    copy = copy_name(long + "a.jpg", 7)
    assert by_names(long + "a.jpg", copy, copy_name(long + "a.jpg", 8))[0][copy] == long + "a.jpg"
    # As `free_variants` gives them to two sources.
    two = {copy: long + "a.jpg", copy_name(long + "b.jpg", 7, variant=2): long + "b.jpg"}
    assert by_names(long + "a.jpg", long + "b.jpg", *two) == (two, dict.fromkeys(two, copies.SEVERAL))


def test_the_mark_says_more_than_the_name() -> None:
    long = "c/" + "z" * 236
    paths = [long + "a.jpg", long + "b.jpg", copy_name(long + "b.jpg", 7), "c/renamed.jpg", "c/other_aug1.jpg"]
    digests = ["aa", "bb", "cc", "dd", "ee"]
    marks = {2: CopyMark("bb", 7), 3: CopyMark("aa", 2), 4: CopyMark("aa", 1)}
    found = find_copies(paths, marks=marks, digests=digests)
    assert sources(paths, found) == {paths[2]: paths[1], paths[3]: paths[0], paths[4]: paths[0]}
    assert not found.doubts


def test_of_equal_sources_a_mark_means_the_one_in_the_copys_own_folder_and_split() -> None:
    paths = ["b/1.jpg", "c/1.jpg", "c/1.jpg", "c/1_aug1.jpg", "d/x.jpg"]
    marks = dict.fromkeys((3, 4), CopyMark("aa", 1))
    found = find_copies(paths, splits=["", "", "test", "test", ""], marks=marks, digests=["aa"] * 3 + ["b", "c"])
    assert found.roots == {3: 2, 4: 0}
    assert found.doubts == {4: copies.OTHER_CLASS}


def test_a_mark_whose_file_is_gone_leaves_the_name_or_else_ties_the_copies_to_each_other() -> None:
    paths = ["c/1.jpg", "c/1_aug1.jpg", "c/renamed.jpg", "d/2_aug1.jpg", "d/x.jpg"]
    marks = {1: CopyMark("old", 1), 2: CopyMark("old", 2), 3: CopyMark("gone", 1), 4: CopyMark("gone", 2)}
    found = find_copies(paths, marks=marks, digests="abcde")
    assert found.roots == {1: 0, 2: 0}
    assert found.lost[3] == found.lost[4]
    assert [found.doubts[index] for index in (1, 2, 3, 4)] == [
        *[copies.MARK_OUTDATED] * 2,
        *[copies.MARK_WITHOUT_SOURCE] * 2,
    ]


def test_the_table_counts_most_and_what_it_leaves_out_is_no_copy_by_name() -> None:
    paths = ["c/20_1.jpg", "c/aug_2020_1.jpg", "c/1.jpg", "c/x.jpg", "c/1_aug2.jpg"]
    found = find_copies(paths, table={3: Origin(2, 5)})
    assert (found.roots, found.doubts) == ({3: 2}, {})
    found = find_copies(paths, table={4: Origin(0, 1)})
    assert (found.roots, found.doubts) == ({4: 0}, {4: copies.TABLE_AGAINST_NAME})
    found = find_copies(
        paths, table={4: Origin(2, 1)}, marks={4: CopyMark("a", 1), 3: CopyMark("a", 2)}, digests="abcde"
    )
    assert (found.roots, found.doubts) == ({4: 2, 3: 0}, {4: copies.TABLE_AGAINST_MARK, 3: copies.NOT_IN_TABLE})


def test_a_mark_and_a_name_that_disagree_are_in_doubt() -> None:
    paths = ["c/1.jpg", "c/2.jpg", "c/1_aug1.jpg"]
    found = find_copies(paths, marks={2: CopyMark("b", 1)}, digests="abc")
    assert (found.roots, found.doubts) == ({2: 1}, {2: copies.MARK_AGAINST_NAME})


@pytest.mark.parametrize("table", [{0: Origin(1, 1), 1: Origin(0, 1)}, {0: Origin(0, 1)}])
def test_a_circle_is_cut_open(table: dict[int, Origin]) -> None:
    found = find_copies(["c/a.jpg", "c/b.jpg"], table=table)
    assert len(found.roots) == len(table) - 1


def test_copies_in_the_same_flat_folder_are_in_no_other_class() -> None:
    paths = ["1.jpg", "x.jpg", "y.jpg"]
    found = find_copies(paths, table={1: Origin(0, 1)}, marks={2: CopyMark("a", 2)}, digests="abc")
    assert found.roots == {1: 0, 2: 0}
    assert found.doubts == {2: copies.NOT_IN_TABLE}
    assert not find_copies(paths, marks={2: CopyMark("a", 2)}, digests="abc").doubts
