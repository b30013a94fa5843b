"""What a file is, by its first bytes: an image of a kind that can be read, or what else, for a message."""

import io

from PIL import Image, TiffImagePlugin

# Formats read by content, whatever a file's name says; MPO opens as JPEG. Pillow knows more, but some of those run
# other programs (EPS).
READABLE = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "GIF", "PPM", "ICO", "TGA", "SGI", "XPM", "PSD", "AVIF")
HEAD = 512  # bytes that tell what a file is

# Without it Pillow knows the five commonest formats only, until the first file that is none of them.
Image.init()

_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_SAMPLE_FORMATS = {1: "unsigned", 2: "signed", 3: "float", 4: "undefined", 5: "complex", 6: "complex float"}
_OTHERS = (
    (0, b"version https://git-lfs", "a Git LFS pointer, not the image: run `git lfs pull`"),
    (4, b"ftyphei", "HEIC"),
    (4, b"ftyphev", "HEIC"),
    (4, b"ftypmif1", "HEIC"),
    (4, b"ftypmsf1", "HEIC"),
    (4, b"ftyp", "a video or an image in MP4's container"),
    (4, b"jP  \r\n", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"\xff\x0a", "JPEG XL"),
    (4, b"JXL \r\n", "JPEG XL"),
    (128, b"DICM", "DICOM"),
    (0, b"v/1\x01", "OpenEXR"),
    (0, b"SIMPLE  =", "FITS"),
    (0, b"\x89HDF", "HDF5"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"%PDF", "PDF"),
    (0, b"%!PS", "PostScript"),
    (0, b"<svg", "SVG"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!", "a rar archive"),
    (0, b"\x1aE\xdf\xa3", "a video"),
)


def may_be_an_image(head: bytes) -> bool:
    """Return whether a file with these first bytes (`HEAD` are enough) can be one of the readable formats."""
    for name in READABLE:
        accept = Image.OPEN[name][1]
        # A TGA begins with numbers, which are looked at as Pillow does.
        if _may_be_tga(head) if accept is None else accept(head[:16]):
            return True
    return False


def _may_be_tga(head: bytes) -> bool:
    return len(head) >= 18 and head[1] < 2 and head[2] in (1, 2, 3, 9, 10, 11) and head[16] in (1, 8, 16, 24, 32)


def why_unreadable(data: bytes) -> str:
    """Return what a file is that no decoder knows, in a few words; its first `HEAD` bytes are enough but for a TIFF."""
    if data.startswith(_TIFF_STARTS):
        return _tiff_samples(data)
    for offset, start, name in _OTHERS:
        if data.startswith(start, offset):
            return name if ":" in name else f"not an image that can be read: {name}; convert it to JPEG or PNG"
    return "not an image that can be read"


def _tiff_samples(data: bytes) -> str:
    """Name the samples of a TIFF; most that can't be read have unusual ones."""
    try:
        size = 16 if data[2:3] == b"+" or data[3:4] == b"+" else 8
        tags = TiffImagePlugin.ImageFileDirectory_v2(data[:size])
        file = io.BytesIO(data)
        file.seek(tags.next)
        tags.load(file)
        bits = tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))
        bands = tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1)
        number = tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,))[0]
    except Exception:  # Pillow's readers raise whatever a damaged file makes them
        return "not an image that can be read: TIFF whose tags are damaged"
    kind = _SAMPLE_FORMATS.get(number, f"format {number}")
    depth = "/".join(map(str, sorted(set(bits))))
    return f"samples that can't be shown: TIFF with {bands} bands of {depth} bits, {kind}; convert it to JPEG or PNG"
