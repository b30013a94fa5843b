import cv2
import numpy as np
import pytest
import tensorflow as tf
from trainer_examples import encode

from components.images.options import ImageOptions
from components.training.decoding import decode_image

RGB = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (40, 48, 3)).astype(np.uint8), (7, 7), 0)
SAME = ImageOptions(height=40, width=48)


@pytest.mark.parametrize("extension", [".png", ".bmp"])
def test_lossless_kinds_come_back_unchanged(extension: str) -> None:
    np.testing.assert_array_equal(decode_image(tf.constant(encode(RGB, extension)), SAME), RGB)


def test_jpeg_is_decoded_within_one_level_of_the_accurate_transform() -> None:
    data = encode(RGB, ".jpg")
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int)

    difference = np.abs(decode_image(tf.constant(data), SAME).numpy().astype(int) - expected)

    assert difference.max() <= 1


@pytest.mark.parametrize("extension", [".png", ".bmp", ".jpg"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("source", [RGB, RGB[..., 0]])
def test_grey_and_colour_become_the_channels_asked_for(extension: str, channels: int, source: np.ndarray) -> None:  # type: ignore[type-arg]
    options = ImageOptions(height=40, width=48, channels=channels)

    assert decode_image(tf.constant(encode(source, extension)), options).shape == (40, 48, channels)


def test_the_first_frame_of_a_gif_is_decoded() -> None:
    import io

    from PIL import Image

    frames = [Image.new("RGB", (48, 40), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])

    assert decode_image(tf.constant(buffer.getvalue()), SAME)[0, 0].numpy().tolist() == [255, 0, 0]


def test_another_size_is_resized_with_antialiasing() -> None:
    stripes = np.zeros((96, 96, 3), np.uint8)
    stripes[:, ::2] = 255

    small = decode_image(tf.constant(encode(stripes)), ImageOptions(height=32, width=32)).numpy()

    # Without antialiasing a column would be black or white, by chance.
    assert abs(int(small[:, 4:-4].min()) - 127) < 45
    assert abs(int(small[:, 4:-4].max()) - 127) < 45
