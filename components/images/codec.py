"""Read any image file into the pixels that the model will see, and write pixels back.

Pictures are H×W uint8 (grey) or H×W×3 uint8 (RGB). TensorFlow's decoders know nothing of EXIF turns, CMYK, WebP or
transparency on a background, and refuse files that others forgive; what they might show differently is encoded again,
everything else keeps its bytes.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from components.images.jpeg_scans import too_many_scans
from components.images.kinds import READABLE, why_unreadable
from components.images.plain_bmp import is_plain_bmp
from components.images.plain_jpeg import is_plain_jpeg
from components.images.plain_png import SIGNATURE, Png
from components.images.shown import brightened, grey_or_rgb, has_wide_colours, turned

Pixels = NDArray[np.uint8]
Encoding = Literal["jpeg", "png", "bmp", "webp", "tiff"]

MAX_PIXELS = 50_000_000  # where no option says otherwise
_JPEG = ("JPEG", "MPO")
_LOSSY = {*_JPEG, "WEBP", "AVIF"}
_ORIENTATION = 0x0112
_UPRIGHT = 1
# What TensorFlow decodes at most: of a PNG, of any picture in colour, and of a JPEG.
_LONGEST_SIDE = 1_000_000
_MOST_PIXELS = 2**29 // 4
_LONGEST_JPEG_SIDE = 65_500

# The limit is ours and is checked on the header, before any pixel is decoded.
Image.MAX_IMAGE_PIXELS = None


class BadImage(ValueError):
    """A file that can't be used as an image; the message is the reason, in a few words."""


@dataclass(frozen=True)
class Picture:
    """A decoded image.

    Attributes:
        pixels: H×W (grey) or H×W×3 (RGB), uint8, turned upright, transparency on white.
        format: what the bytes are, in lower case ("jpeg", "png", "webp", …).
        keep: whether TensorFlow decodes the very same bytes to the very same picture.
        lossy: whether the format has thrown information away already.
    """

    pixels: Pixels
    format: str
    keep: bool
    lossy: bool


def decode(data: bytes, max_pixels: int = MAX_PIXELS, take: Callable[[int], object] = bool) -> Picture:
    """Decode the first frame of an image file.

    Args:
        data: the file's bytes.
        max_pixels: an image with more pixels is refused by its header, before it is decoded.
        take: called with the number of pixels before they are decoded; see `components.images.room`.

    Raises:
        BadImage: not an image, a damaged one, or one with too many pixels.
    """
    if not data:
        raise BadImage("empty file")
    png = Png(data) if data.startswith(SIGNATURE) else None
    if png is not None and png.damaged_chunk:
        raise BadImage(f"damaged: the checksum of {png.damaged_chunk} doesn't match")
    try:
        with Image.open(io.BytesIO(data if png is None else png.readable), formats=READABLE) as image:
            _check_size(*image.size, max_pixels)
            file_format = image.format or ""
            if file_format in _JPEG and (most := too_many_scans(data, image.width * image.height)):
                raise BadImage(
                    f"too many scans: more than {most} in a JPEG would take long, and encoders write about ten"
                )
            take(image.width * image.height)
            image.load()  # before its EXIF is asked for: that would load a PNG and swallow its errors
            if png is not None and png.lacks_rows:
                raise BadImage("damaged: it ends before its last row")
            orientation = _orientation(image)
            keep = orientation == _UPRIGHT and (_is_plain(image, data) if png is None else png.is_plain())
            is_wide = has_wide_colours(image) if png is None else png.has_wide_colours
            pixels = turned(grey_or_rgb(brightened(image, data) if is_wide else image), orientation)
    except BadImage:
        raise
    except UnidentifiedImageError:
        raise BadImage(why_unreadable(data)) from None
    except MemoryError:
        raise
    except Exception as error:  # Pillow's plug-ins raise whatever a damaged file makes them: OSError, SyntaxError, …
        raise BadImage(f"damaged: {' '.join(str(error).split()) or type(error).__name__}") from None
    name = "jpeg" if file_format == "MPO" else file_format.lower()
    return Picture(pixels=pixels, format=name, keep=keep, lossy=file_format in _LOSSY)


def for_tensorflow(data: bytes, picture: Picture) -> tuple[bytes, str]:
    """Bytes that TensorFlow decodes to `picture`, and their format: the original ones wherever that holds.

    What must be encoded again becomes PNG if it came from a lossless format, else JPEG at quality 95 without chroma
    subsampling, which is a fraction of the size of a photo's PNG.
    """
    if picture.keep:
        return data, picture.format
    is_short = max(picture.pixels.shape) <= _LONGEST_JPEG_SIDE
    encoding: Encoding = "jpeg" if picture.lossy and is_short else "png"
    return encode(picture.pixels, encoding), encoding


def encode(pixels: Pixels, encoding: Encoding, quality: int = 95, *, subsampled: bool = False) -> bytes:
    """Encode grey or RGB pixels.

    Args:
        pixels: the image.
        encoding: the format.
        quality: of JPEG and WebP, 1–100.
        subsampled: JPEG's colours at half the resolution, as most files and OpenCV's own have them: a third faster.
    """
    image = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420 if subsampled else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    options = {
        "jpeg": [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling],
        "png": [cv2.IMWRITE_PNG_COMPRESSION, 6],
        "webp": [cv2.IMWRITE_WEBP_QUALITY, quality],
    }
    done, encoded = cv2.imencode(f".{encoding}", image, options.get(encoding, []))
    if not done:
        raise ValueError(f"can't encode as {encoding}. Received: shape {pixels.shape}, dtype {pixels.dtype}")
    return encoded.tobytes()


def _orientation(image: Image.Image) -> int:
    try:
        orientation = int(image.getexif().get(_ORIENTATION, _UPRIGHT))
        return orientation if 1 <= orientation <= 8 else _UPRIGHT
    except Exception:  # a damaged EXIF block says nothing of the picture
        return _UPRIGHT


def _is_plain(image: Image.Image, data: bytes) -> bool:
    """Return whether TensorFlow is sure to decode the bytes to the picture that Pillow shows.

    So it is with grey and RGB of 8 bits in JPEG, PNG and BMP, if the file is whole; tests/benchmarks/decoders.py holds
    it against TensorFlow's own decoders.
    """
    if image.mode not in ("L", "RGB"):
        return False
    match image.format:
        case "JPEG" | "MPO":
            return is_plain_jpeg(data)
        case "BMP":
            return is_plain_bmp(data)
    return False


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width < 1 or height < 1:
        raise BadImage(f"no pixels ({width}×{height})")
    if width * height > max_pixels:
        raise BadImage(f"too many pixels: {width}×{height} is more than data.max_pixels = {max_pixels}")
    if width * height > _MOST_PIXELS or max(width, height) > _LONGEST_SIDE:
        raise BadImage(f"too many pixels: {width}×{height} is more than TensorFlow decodes")
