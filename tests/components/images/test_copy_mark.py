import io

import cv2
import numpy as np
import pytest
from PIL import Image

from components.images.codec import Encoding, decode, encode
from components.images.copy_mark import CopyMark, marked, read_mark

MARK = CopyMark("0123456789abcdef" * 4, 17)
TEXT = f"affect-copy source-sha256={MARK.source_sha256} copy=17"
WITH_ROOM: tuple[Encoding, ...] = ("jpeg", "png", "webp", "tiff")


def picture(*shape: int) -> np.ndarray:
    small = np.random.default_rng(shape).integers(0, 256, (4, 4, *shape[2:]), dtype=np.uint8)
    return cv2.resize(small, shape[1::-1], interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("shape", [(1, 1, 3), (24, 24, 3), (31, 50), (300, 257, 3)])
@pytest.mark.parametrize("encoding", ["jpeg", "png", "webp", "tiff", "bmp"])
def test_a_mark_changes_nothing_that_a_decoder_shows(encoding: Encoding, shape: tuple[int, ...]) -> None:
    plain = encode(picture(*shape), encoding)
    done = marked(plain, encoding, MARK)

    ours, before = decode(done), decode(plain)
    assert (ours.format, ours.keep, ours.lossy) == (before.format, before.keep, before.lossy)
    assert np.array_equal(ours.pixels, before.pixels)
    read, seen = (cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) for data in (done, plain))
    assert np.array_equal(read, seen)
    assert read_mark(plain) is None
    assert read_mark(done) == (None if encoding == "bmp" else MARK)


def test_other_programs_show_the_mark_as_the_files_comment() -> None:
    shown = {}
    for encoding in WITH_ROOM:
        with Image.open(io.BytesIO(marked(encode(picture(24, 24, 3), encoding), encoding, MARK))) as image:
            image.load()
            comment = image.info.get("comment") or image.info.get("Comment") or image.getexif().get(270)
            shown[encoding] = comment.decode() if isinstance(comment, bytes) else comment
    assert shown == dict.fromkeys(WITH_ROOM, TEXT)


def test_what_a_program_makes_of_a_marked_file_keeps_its_comment_and_so_the_mark() -> None:
    with Image.open(io.BytesIO(marked(encode(picture(40, 40, 3), "jpeg"), "jpeg", MARK))) as image:
        smaller = io.BytesIO()
        image.resize((20, 20)).save(smaller, "JPEG", comment=image.info["comment"])
    assert read_mark(smaller.getvalue()) == MARK


@pytest.mark.parametrize(
    "data",
    [
        b"",
        TEXT.encode()[:-1].replace(b" copy=1", b" copy="),
        TEXT.replace("=17", "=0").encode(),
        TEXT.replace("=17", "=" + "9" * 20).encode(),
        TEXT.upper().encode(),
    ],
)
def test_half_a_mark_is_none(data: bytes) -> None:
    assert read_mark(data) is None


@pytest.mark.heavy
def test_tensorflow_shows_a_marked_file_as_it_shows_a_plain_one() -> None:
    import tensorflow as tf

    for encoding in ("jpeg", "png", "bmp"):
        for shape in ((24, 24, 3), (31, 50), (96, 96, 3)):
            plain = encode(picture(*shape), encoding)
            shown = [tf.io.decode_image(data).numpy() for data in (plain, marked(plain, encoding, MARK))]
            assert np.array_equal(*shown)
