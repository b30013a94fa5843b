import pytest

from components.tools.wording import counted, named


@pytest.mark.parametrize(
    ("number", "words", "text"),
    [
        (0, ("image",), "0 images"),
        (1, ("image",), "1 image"),
        (1.0, ("class", "classes"), "1 class"),
        (1000, ("class", "classes"), "1,000 classes"),
        (2, ("image isn't", "images aren't"), "2 images aren't"),
    ],
)
def test_nouns_agree_with_their_number(number: float, words: tuple[str, ...], text: str) -> None:
    assert counted(number, *words) == text


def test_ten_names_are_listed_and_the_others_counted() -> None:
    names = [f"class {number}" for number in range(1_200)]

    assert named(names[:10]) == ", ".join(names[:10])
    assert named(names) == f"{', '.join(names[:10])} and 1,190 more"
    assert named(names[:3], 2) == "class 0, class 1 and 1 more"
    assert named([]) == ""
