"""Read any image file into the pixels that the model will see, and write pixels back.

Pictures are H×W uint8 (grey) or H×W×3 uint8 (RGB). TensorFlow's decoders know nothing of EXIF turns, CMYK, WebP or
transparency on a background; whatever they would show differently is encoded again, everything else keeps its bytes.
"""

import io
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

Pixels = NDArray[np.uint8]
Encoding = Literal["jpeg", "png", "bmp", "webp", "tiff"]

# Formats read by content, whatever a file's name says; MPO opens as JPEG. Pillow knows more, but some of those run
# other programs (EPS).
_READABLE = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "GIF", "PPM", "ICO", "TGA", "SGI", "XPM", "PSD", "AVIF")
_LOSSY = {"JPEG", "MPO", "WEBP", "AVIF"}
_ORIENTATION = 0x0112
_UPRIGHT = 1

# The limit is ours and is checked on the header, before any pixel is decoded.
Image.MAX_IMAGE_PIXELS = None
# Without it Pillow knows the five commonest formats only, until the first file that is none of them.
Image.init()


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


def decode(data: bytes, max_pixels: int = 50_000_000) -> Picture:
    """Decode the first frame of an image file.

    Args:
        data: the file's bytes.
        max_pixels: an image with more pixels is refused by its header, before it is decoded.

    Raises:
        BadImage: not an image, a damaged one, or one with too many pixels.
    """
    if not data:
        raise BadImage("empty file")
    if data.startswith(b"version https://git-lfs"):
        raise BadImage("a Git LFS pointer, not the image: run `git lfs pull`")
    try:
        with Image.open(io.BytesIO(data), formats=_READABLE) as image:
            width, height = image.size
            if width < 1 or height < 1:
                raise BadImage(f"no pixels ({width}×{height})")
            if width * height > max_pixels:
                raise BadImage(f"too many pixels: {width}×{height} is more than data.max_pixels = {max_pixels}")
            file_format = image.format or ""
            storage = (image.tile[0][0], image.tile[0][3]) if image.tile else ("", None)
            image.load()  # before its EXIF is asked for: that would load a PNG and swallow its errors
            keep = _tensorflow_sees_the_same(image, *storage)
            pixels = _to_grey_or_rgb(_upright(image))
    except BadImage:
        raise
    except UnidentifiedImageError:
        raise BadImage("not an image that can be read") from None
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
    encoding: Encoding = "jpeg" if picture.lossy else "png"
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
        return int(image.getexif().get(_ORIENTATION, _UPRIGHT))
    except Exception:  # a damaged EXIF block says nothing of the picture
        return _UPRIGHT


def _upright(image: Image.Image) -> Image.Image:
    if _orientation(image) not in range(2, 9):
        return image
    return ImageOps.exif_transpose(image)


def _tensorflow_sees_the_same(image: Image.Image, codec: str, storage: Any) -> bool:
    """Return True for plain 8-bit grey or RGB in JPEG, PNG or 24-bit BMP; tested against TensorFlow's own decoders.

    Args:
        image: the loaded image.
        codec: the decoder that Pillow used for its first tile.
        storage: that decoder's arguments, which tell how the samples lie in the file.
    """
    if _orientation(image) in range(2, 9) or image.mode not in ("L", "RGB"):
        return False
    if image.format in ("JPEG", "MPO"):
        return True
    if image.format == "PNG":
        # A colour key is transparency, an animation's first frame may not be the default image, and TensorFlow and
        # Pillow narrow 16-bit samples differently.
        return storage in ("L", "RGB") and "transparency" not in image.info and getattr(image, "n_frames", 1) == 1
    # Palettes, masks and run lengths of bitmaps are what decoders differ in.
    return image.format == "BMP" and codec == "raw" and storage[0] == "BGR"


def _to_grey_or_rgb(image: Image.Image) -> Pixels:
    mode = image.mode
    if mode.startswith("I") or mode == "F":
        return _sixteen_to_eight_bits(image)
    if mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        image = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB") or image
    elif "transparency" in image.info or mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image).convert("RGB")
    elif mode == "1":
        image = image.convert("L")
    elif mode not in ("L", "RGB"):
        image = image.convert("RGB")
    return np.ascontiguousarray(np.asarray(image, dtype=np.uint8))


def _sixteen_to_eight_bits(image: Image.Image) -> Pixels:
    samples = np.asarray(image)
    if samples.dtype.kind == "f":
        samples = np.nan_to_num(samples, posinf=255.0, neginf=0.0)
        if samples.max(initial=0.0) <= 1.0:
            samples = samples * 255.0
        return np.ascontiguousarray(np.clip(samples, 0, 255).astype(np.uint8))
    wide = np.clip(samples.astype(np.int64), 0, 65535)
    # A 32-bit file may well hold eight bits; a 16-bit one says what it is.
    if image.mode.startswith("I;16") or wide.max(initial=0) > 255:
        wide >>= 8
    return np.ascontiguousarray(wide.astype(np.uint8))
