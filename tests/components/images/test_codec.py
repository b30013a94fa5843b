import csv
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.images.codec import BadImage, decode, encode, for_tensorflow
from components.images.jpeg_scans import too_many_scans


def picture(height: int = 20, width: int = 30) -> np.ndarray:
    """A picture without symmetry, so that every turn and swap of channels shows."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 // width, y * 255 // height, (x + 2 * y) % 256], axis=-1).astype(np.uint8)


def saved(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "TIFF", "GIF", "WEBP", "PPM"])
def test_lossless_formats_give_the_same_pixels(file_format: str) -> None:
    image = Image.fromarray(picture())
    if file_format == "GIF":
        image = image.quantize(colors=256)
    data = saved(image, format=file_format, **({"lossless": True} if file_format == "WEBP" else {}))

    assert np.array_equal(decode(data).pixels, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    upright = Image.fromarray(picture())
    turn_back = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = upright.transpose(turn_back) if turn_back is not None else upright
    exif = Image.Exif()
    exif[0x0112] = orientation

    found = decode(saved(stored, format="PNG", exif=exif))

    assert np.array_equal(found.pixels, np.asarray(upright))
    assert found.keep == (orientation == 1)


def test_transparency_is_shown_on_white() -> None:
    rgba = np.zeros((4, 4, 4), np.uint8)
    rgba[:2, :, 3] = 255

    pixels = decode(saved(Image.fromarray(rgba), format="PNG")).pixels

    assert (pixels[:2] == 0).all()
    assert (pixels[2:] == 255).all()


def test_cmyk_becomes_rgb() -> None:
    cmyk = Image.fromarray(picture()).convert("CMYK")

    found = decode(saved(cmyk, format="JPEG", quality=100))

    assert np.abs(found.pixels.astype(int) - np.asarray(cmyk.convert("RGB"))).mean() < 3
    assert not found.keep


def test_sixteen_bits_keep_the_high_byte() -> None:
    samples = (np.arange(64, dtype=np.uint16) * 1024).reshape(8, 8)

    assert np.array_equal(decode(saved(Image.fromarray(samples), format="PNG")).pixels, samples >> 8)


def test_first_frame_of_an_animation_is_taken() -> None:
    frames = [Image.fromarray(np.full((5, 5), grey, np.uint8)) for grey in (10, 200)]

    pixels = decode(saved(frames[0], format="GIF", save_all=True, append_images=frames[1:])).pixels

    assert (pixels == 10).all()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"hello", "not an image"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (saved(Image.fromarray(picture(200, 200)), format="JPEG")[:900], "damaged"),
    ],
)
def test_what_is_no_image_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(BadImage, match=reason):
        decode(data)


def test_too_many_pixels_are_refused_by_the_header_alone() -> None:
    data = bytearray(saved(Image.fromarray(picture(8, 8)), format="BMP"))
    data[18:22] = (30_000).to_bytes(4, "little")
    data[22:26] = (30_000).to_bytes(4, "little")

    with pytest.raises(BadImage, match="30000×30000 is more than data.max_pixels"):
        decode(bytes(data))


def test_jpeg_at_quality_95_stays_close_and_png_is_exact() -> None:
    pixels = picture()

    assert np.array_equal(decode(encode(pixels, "png")).pixels, pixels)
    assert np.abs(decode(encode(pixels, "jpeg", 95)).pixels.astype(int) - pixels).mean() < 3


# Of its text Pillow, left alone, would say that it is too long.
_LONG_TEXT = "sad/png_decompression_dos.png"


def test_every_file_of_the_hostile_set_decodes_exactly_where_pillow_says_so(data_set: Callable[[str], Path]) -> None:
    root = data_set("dirty_hostile")
    decoded = failed = 0
    with (root / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name = row["path"].encode().replace(rb"\xe9", b"\xe9")
            path = root / "train" / name.decode("utf-8", "surrogateescape")
            if row["pil_result"] == "dir":
                continue
            try:
                decode(path.read_bytes())
                decoded += 1
                assert row["pil_result"] == "ok" or row["path"] == _LONG_TEXT, row["path"]
            except (BadImage, FileNotFoundError):
                failed += 1
                assert row["pil_result"] != "ok", row["path"]

    assert (decoded, failed) == (187, 28)


@pytest.mark.heavy
def test_what_is_kept_looks_the_same_to_tensorflow(data_set: Callable[[str], Path]) -> None:
    import tensorflow as tf

    kept = 0
    for path in sorted((data_set("dirty_hostile") / "train").rglob("*")):
        if not path.is_file():
            continue
        data = path.read_bytes()
        try:
            found = decode(data)
        except BadImage:
            continue
        stored, stored_format = for_tensorflow(data, found)
        if stored_format == "jpeg":
            tensor = tf.io.decode_jpeg(stored, dct_method="INTEGER_ACCURATE").numpy()
        else:
            tensor = tf.io.decode_image(stored, expand_animations=False).numpy()
        tensor = tensor[..., 0] if tensor.shape[-1] == 1 else tensor
        assert tensor.shape == found.pixels.shape, path
        if found.keep or stored_format == "png":
            kept += stored is data
            assert np.array_equal(tensor, found.pixels), path

    assert kept > 100


def test_a_jpeg_of_endless_scans_is_refused_in_no_time() -> None:
    file = io.BytesIO()
    Image.new("L", (64, 64), 128).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    last = data.rfind(b"\xff\xda")

    with pytest.raises(BadImage, match="^too many scans: more than 100"):
        decode(data[:last] + data[last:-2] * 600 + data[-2:])
    assert decode(data[:last] + data[last:-2] * 80 + data[-2:]).pixels.shape == (64, 64)


def test_what_follows_a_jpeg_is_no_scan_of_it() -> None:
    """A phone puts a film behind its photo, in which any two bytes occur."""
    file = io.BytesIO()
    Image.new("L", (64, 64), 128).save(file, "JPEG", progressive=True)

    assert decode(file.getvalue() + b"\xff\xda" * 1000).pixels.shape == (64, 64)


def test_a_large_jpeg_may_have_fewer_scans_but_never_fewer_than_encoders_write() -> None:
    scan = b"\xff\xda\x00\x04\x00\x00\x11"

    assert too_many_scans(b"\xff\xd8" + scan * 21 + b"\xff\xd9", 60_000_000) == 20
    assert too_many_scans(b"\xff\xd8" + scan * 20 + b"\xff\xd9", 60_000_000) is None
    assert too_many_scans(b"\xff\xd8" + scan * 100 + b"\xff\xd9", 1_000_000) is None
