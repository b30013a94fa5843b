import pytest

from components.images.containers.archive_names import ArchiveEntry, Arrangement, arrange


def files(*names: str) -> list[ArchiveEntry]:
    return [ArchiveEntry(name, "file") for name in names]


def reasons(found: Arrangement) -> dict[str, str]:
    return dict(found.unusable)


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["train/happy/a.png", "test/happy/b.png"], ["test/happy/b.png", "train/happy/a.png"]),
        (["faces/train/happy/a.png", "faces/test/sad/b.png"], ["test/sad/b.png", "train/happy/a.png"]),
        (["x/faces/train/happy/a.png", "x/faces/test/sad/b.png"], ["test/sad/b.png", "train/happy/a.png"]),
        (["train/happy/a.png", "train/sad/b.png"], ["train/happy/a.png", "train/sad/b.png"]),
        (["faces/happy/a.png", "faces/sad/b.png"], ["happy/a.png", "sad/b.png"]),
        (["happy/a.png", "sad/b.png"], ["happy/a.png", "sad/b.png"]),
        (["happy/a.png"], ["happy/a.png"]),
        (["LICENSE", "faces/happy/a.png", "faces/sad/b.png"], ["LICENSE", "happy/a.png", "sad/b.png"]),
        (["README", "faces/README", "faces/happy/a.png"], ["README", "README~", "happy/a.png"]),
        (["./faces/./happy//a.png", "faces/sad/b.png"], ["happy/a.png", "sad/b.png"]),
        ([r"faces\happy\a.png", r"faces\sad\b.png"], ["happy/a.png", "sad/b.png"]),
        (["faces/happy/a\\b.png", "faces/sad/b.png"], ["happy/a\\b.png", "sad/b.png"]),
    ],
)
def test_the_folder_around_the_data_is_taken_away_and_no_other(names: list[str], ids: list[str]) -> None:
    assert sorted(arrange(files(*names)).members) == ids


def test_what_macos_and_other_systems_hide_is_counted_and_is_no_second_folder() -> None:
    found = arrange(files("faces/happy/a.png", "faces/sad/b.png", "__MACOSX/faces/a.png", "faces/.DS_Store"))

    assert (sorted(found.members), len(found.left_out)) == (["happy/a.png", "sad/b.png"], 2)


@pytest.mark.parametrize("name", ["../a.png", "happy/../../a.png", "/etc/a.png", "C:/a.png", "\\\\host\\a.png"])
def test_a_name_that_leads_out_is_unusable(name: str) -> None:
    found = arrange(files(name, "happy/a.png", "sad/b.png"))

    assert sorted(found.members) == ["happy/a.png", "sad/b.png"]
    assert "leads out of the archive" in str(found.unusable)


def test_of_two_files_of_one_name_the_last_counts_and_the_other_is_reported() -> None:
    found = arrange(files("happy/a.png", "sad/b.png", "happy/a.png"))

    assert found.members == {"sad/b.png": 1, "happy/a.png": 2}
    assert reasons(found) == {"happy/a.png~2": "the archive holds another file of that name further on"}


def test_a_link_may_take_the_place_of_a_file() -> None:
    found = arrange([*files("happy/a.png", "sad/b.png"), ArchiveEntry("happy/a.png", "link", "gone")])

    assert set(found.members) == {"sad/b.png"}
    assert set(reasons(found)) == {"happy/a.png", "happy/a.png~2"}


def test_links_are_followed_inside_the_archive_only() -> None:
    links = {
        "happy/again.png": "a.png",
        "happy/chain.png": "../happy/again.png",
        "glad": "happy",
        "happy/up": "..",
        "happy/out.png": "../../a.png",
        "happy/root.png": "/etc/passwd",
        "happy/gone.png": "gone",
        "happy/loop1": "loop2",
        "happy/loop2": "loop1",
    }
    found = arrange([*files("happy/a.png", "sad/b.png"), *(ArchiveEntry(*item) for item in
                    ((name, "link", target) for name, target in links.items()))])  # fmt: skip

    assert found.linked == {"happy/again.png", "happy/chain.png", "glad/a.png"}
    assert {found.members[id_] for id_ in found.linked} == {0}
    assert reasons(found) == {
        "happy/up": "link to a folder it lies in",
        "happy/out.png": "link that leads out of the archive",
        "happy/root.png": "link that leads out of the archive",
        "happy/gone.png": "dangling link",
        "happy/loop1": "dangling link",
        "happy/loop2": "dangling link",
    }


def test_a_hard_link_is_the_file_itself() -> None:
    entries = [
        *files("x/happy/a.png", "x/sad/b.png"),
        ArchiveEntry("x/happy/c.png", "hard link", "x/happy/a.png"),
        ArchiveEntry("x/happy/d.png", "hard link", "/etc/passwd"),
    ]
    found = arrange(entries)

    assert (found.members["happy/c.png"], found.linked) == (0, frozenset())
    assert reasons(found) == {"happy/d.png": "hard link to a file that isn't in the archive"}


def test_an_empty_class_folder_is_seen() -> None:
    found = arrange([*files("x/happy/a.png", "x/sad/b.png"), ArchiveEntry("x/fear/", "folder")])

    assert found.folders == ["fear", "happy", "sad"]


def test_a_workdir_that_was_packed_with_the_data_is_no_class() -> None:
    workdir = ("x/runs/local/.affect-workdir", "x/runs/local/artifacts/1.png", "x/runs/local/report/index.html")
    folders = [ArchiveEntry(name, "folder") for name in ("x/runs/", "x/runs/local/")]

    found = arrange([*files("x/happy/a.png", "x/sad/b.png", *workdir), *folders])

    assert (sorted(found.members), found.folders) == (["happy/a.png", "sad/b.png"], ["happy", "sad"])
    assert sorted(found.left_out.values()) == ["hidden", "workdir", "workdir"]
