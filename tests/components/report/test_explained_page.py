"""What the page says of a model's explanation, and the map of images as SVG."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from report_artifacts import LABELS, facts, make_artifacts

from components.formats.documents import EXPLANATION
from components.report.content import gather
from components.report.explained import leak
from components.report.map_chart import HEIGHT, WIDTH, colour, map_chart
from components.report.render import render

HOSTILE = "<b>'\"&"


@pytest.fixture(scope="module")
def uris(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_artifacts(tmp_path_factory.mktemp("artifacts"))


def text(uris: dict[str, Path]) -> str:
    return " ".join(render(gather(uris, {"seed": 0}, {"ImageIngest": []}, facts())).split())


def test_the_page_explains_mistakes_classes_the_map_and_the_leak(uris: dict[str, Path]) -> None:
    mistakes = EXPLANATION.read(uris["explanation"])["mistakes"]

    page = text(uris)

    assert page.count('alt="what speaks for') == 2 * len(mistakes) + 3 * len(LABELS)
    assert "<strong>A possible leak: 5 test images look like a version of an image of train or eval" in page
    assert "of 3,000 test images, drawn by name" in page
    assert "7 pairs look like versions of one picture" in page
    assert "the 1 most alike are shown, all of them are in <code>near_duplicates.parquet</code>" in page
    assert "at least 0.9910, as that of 19 of 20 versions" in page
    assert 'class="gallery explained"' in page


def test_a_run_without_explanations_shows_its_mistakes_as_ever(uris: dict[str, Path]) -> None:
    page = text({name: uri for name, uri in uris.items() if name != "explanation"})

    assert "The most confident mistakes" in page
    assert "gallery explained" not in page
    assert "Near-duplicates" not in page
    assert "A possible leak" not in page


def test_without_near_duplicates_nothing_leaks() -> None:
    assert leak({"test_images": 0}) == ""
    assert leak({"test_images": 1}).startswith("A possible leak: 1 test image looks like")


def chart(count: int) -> ElementTree.Element:
    rows = range(count)
    found = {
        "x": [float(row % 50) for row in rows],
        "y": [float(row // 50) for row in rows],
        "true": [row % 3 for row in rows],
        "predicted": [row % 3 if row % 10 else (row + 1) % 3 for row in rows],
        "filename": [f"{HOSTILE}{row}.jpg" for row in rows],
    }
    return ElementTree.fromstring(str(map_chart(f"The {HOSTILE} map", found, ["a", HOSTILE, "c"])))


def test_each_image_is_a_dot_or_a_cross_with_its_name_inside_the_picture() -> None:
    figure = chart(40)

    dots, crosses = figure.findall(".//g[@class='right']/path"), figure.findall(".//g[@class='wrong']/path")
    assert sum(path.get("d", "").count("h0") for path in dots) == 36
    assert [path.get("stroke") for path in dots] == [colour(label, 3) for label in range(3)]
    assert [path.findtext("title") for path in crosses] == [
        f"{HOSTILE}0.jpg: a taken for {HOSTILE}",
        f"{HOSTILE}10.jpg: {HOSTILE} taken for c",
        f"{HOSTILE}20.jpg: c taken for a",
        f"{HOSTILE}30.jpg: a taken for {HOSTILE}",
    ]
    for path in dots:
        for x, y in re.findall(r"M(\d+) (\d+)", path.get("d", "")):
            assert 0 <= int(x) <= WIDTH
            assert 0 <= int(y) <= HEIGHT
    assert [span.text or span.find("i").tail for span in figure.findall(".//span[@class='legend']/span")] == [  # type: ignore[union-attr]
        "a",
        HOSTILE,
        "c",
    ]


def test_two_thousand_images_are_a_light_map_and_none_is_a_map_too() -> None:
    assert len(ElementTree.tostring(chart(2000))) < 60_000
    assert not chart(0).findall(".//g[@class='wrong']/path")


def test_classes_have_colours_of_their_own_however_many_there_are() -> None:
    for count in (2, 8, 9, 60):
        assert len({colour(label, count) for label in range(count)}) == count
