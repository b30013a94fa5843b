"""How `affect datasplit` makes copies, and what it says of pipelines that can't."""

from pathlib import Path

import albumentations as A
import cv2
import pytest
from datasplit_command import COUNTS, datasplit, done, tree
from drawn_images import draw, draw_folder
from PIL import Image

from components.images.codec import decode

# `datasplit` imports Beam when the work begins.
pytestmark = pytest.mark.heavy


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return draw_folder(tmp_path / "data", COUNTS)


def test_copies_keep_their_sources_format(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for seed, extension in enumerate((".jpg", ".JPEG", ".png", ".bmp", ".webp", ".tif"), start=100):
        draw(data / "train" / "a" / f"x{extension}", seed=seed)
    gif = cv2.imread(str(data / "train" / "a" / "x.png"))

    Image.fromarray(gif).save(data / "train" / "a" / "y.gif")
    (data / "train" / "b").mkdir()
    draw_folder(data, {"b": 40})
    done(data, "--balance-train", "--train-split", "0.9", "--seed", 1)
    formats = {}
    for path in (data / "train" / "a").glob("*_aug1*"):
        formats[path.name] = decode(path.read_bytes()).format
    kept = {
        "x_aug1.jpg": "jpeg",
        "x_aug1.JPEG": "jpeg",
        "x_aug1.png": "png",
        "x_aug1.bmp": "bmp",
        "x_aug1.webp": "webp",
    }
    expected = kept | {"x_aug1.tif": "tiff", "y.gif_aug1.png": "png"}
    assert formats == {name: form for name, form in expected.items() if name in formats}
    assert len(formats) >= 6


def test_a_pipeline_of_1_x_is_carried_over_and_every_change_is_printed(data: Path) -> None:
    old = Path(__file__).parent.parent / "augment" / "default_pipeline_1.3.1.yml"
    output = done(data, "--balance", "--seed", 3, "--pipeline-yaml", old).output.replace("\n", " ")
    assert "Pipeline of Albumentations 1.x: Rotate: always_apply=True → p=1.0 (was 0.5)" in output


def test_a_pipeline_that_changes_sizes_says_so_once(data: Path, tmp_path: Path) -> None:
    A.save(A.Compose([A.Resize(10, 12, p=1.0)]), tmp_path / "p.yml", data_format="yaml")
    output = done(data, "--balance", "--seed", 3, "--pipeline-yaml", tmp_path / "p.yml").output
    assert output.count("changes sizes") == 1


@pytest.mark.parametrize(
    ("text", "message"), [("x: 1", "not a pipeline"), ("!!python/name:os.system", "more than plain data")]
)
def test_a_bad_pipeline_changes_nothing(data: Path, tmp_path: Path, text: str, message: str) -> None:
    before = tree(data)
    (tmp_path / "p.yml").write_text(text)
    result = datasplit(data, "--balance", "--pipeline-yaml", tmp_path / "p.yml")
    assert result.exit_code == 1
    assert message in result.output.replace("\n", " ")
    assert tree(data) == before


def test_a_pipeline_that_fails_on_the_images_changes_nothing(data: Path, tmp_path: Path) -> None:
    before = tree(data)
    A.save(A.Compose([A.RandomCrop(500, 500, p=1.0)]), tmp_path / "p.yml", data_format="yaml")
    result = datasplit(data, "--balance", "--pipeline-yaml", tmp_path / "p.yml")
    assert result.exit_code == 1
    assert "fails on a 24×24 image" in result.output.replace("\n", " ")
    assert tree(data) == before
