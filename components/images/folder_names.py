"""What the names of folders and files say: which split a folder is, which files are no images, which labels look alike.

Pure.
"""

import re
import unicodedata
from collections.abc import Iterable

# Words for a split, as data sets have them (Kaggle, Roboflow, COCO, ImageNet, …).
_WORDS = {
    "train": ("train", "training", "trn"),
    "eval": ("val", "valid", "validation", "eval", "evaluation", "dev", "development"),
    "test": ("test", "testing", "tst"),
}
# What stands around such a word and says nothing: `training_set`, `Test_Images`, `seg_train`, `val2017`, `TrainData`.
_AROUND = (
    "datasets?|data|ds|sets?|splits?|subset|part|folder|files?|images?|imgs?|img|pics?|pictures?|photos?|samples?"
    "|seg|raw|final|new|original|resized|cropped|labell?ed"
)
_SPLITS = {
    split: re.compile(f"(?:{_AROUND})*(?:{'|'.join(words)})(?:{_AROUND})*", re.IGNORECASE)
    for split, words in _WORDS.items()
}
_NOTHING = re.compile(f"(?:{_AROUND}|extra|unlabell?ed)*", re.IGNORECASE)
_NO_LETTERS = re.compile(r"[\d\W_]+")

# Endings of what lies beside images. All else may be an image: what a file is, its content says.
_ENDINGS = {
    "texts": "txt md rst rtf pdf doc docx odt html htm css js url webloc lnk nfo log tex bib",
    "tables": "csv tsv json jsonl ndjson xml yaml yml toml ini cfg conf names xls xlsx ods",
    "archives": "zip tar gz tgz bz2 xz 7z rar zst",
    "code": "py pyc ipynb r sh bat m",
    "data": "db sqlite parquet arrow feather npy npz mat pkl pickle h5 hdf5 tfrecord lmdb mdb",
    "models": "pt pth ckpt onnx pb keras tflite safetensors",
    "sound and films": "mp3 wav ogg flac mp4 mov avi mkv webm",
    "sums and halves": "sha1 sha256 md5 sum sig asc part tmp bak swp",
}
_DOCUMENT_ENDINGS = frozenset(ending for endings in _ENDINGS.values() for ending in endings.split())
_DOCUMENT_NAMES = re.compile(
    r"(licen[cs]e|copying|readme|notice|authors|changelog|changes|contributing|version|makefile|dockerfile"
    r"|manifest|checksums?|(md5|sha1|sha256|sha512)(sums?)?)([-_].*)?",
    re.IGNORECASE,
)


def split_of(name: str) -> str | None:
    """Return "train", "eval" or "test" if that is what a folder's name says, else None."""
    letters = _NO_LETTERS.sub("", name)
    return next((split for split, pattern in _SPLITS.items() if pattern.fullmatch(letters)), None)


def says_nothing(name: str) -> bool:
    """Return whether a folder's name is only such as `images` or `data_2`, which is neither a class nor a split."""
    return bool(_NOTHING.fullmatch(_NO_LETTERS.sub("", name)))


def may_be_image(file_id: str) -> bool:
    """Return whether a file may be an image by its name: it isn't a text, a table, an archive or the like."""
    name = file_id.rpartition("/")[2]
    stem, dot, ending = name.rpartition(".")
    if dot and stem:
        return ending.lower() not in _DOCUMENT_ENDINGS
    return not _DOCUMENT_NAMES.fullmatch(name)


def has_ending(name: str) -> bool:
    """Return whether a name ends as a file's does: a folder of a class seldom has a dot and a few letters there.

    So does that of a row in a table, `train.parquet#12`.
    """
    name = re.sub(r"#\d+$", "", name)
    return bool(re.search(r"[^.]\.[A-Za-z][A-Za-z0-9]{1,4}$", name)) or not may_be_image(name)


def look_alikes(labels: Iterable[str]) -> list[tuple[str, str]]:
    """Return pairs of labels that differ only in case, in Unicode's spelling of the same letters, or in blanks.

    Characters that aren't seen, such as a blank of no width, don't count.
    """
    first: dict[str, str] = {}
    pairs = []
    for label in sorted(labels):
        seen = "".join(letter for letter in label if unicodedata.category(letter) != "Cf")
        plain = " ".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", seen).lower()).split())
        if first.setdefault(plain, label) != label:
            pairs.append((first[plain], label))
    return pairs


def spelled_out(label: str) -> str:
    """Return a label in quotation marks, with its letters' numbers where it has others than ASCII's."""
    return repr(label) if label.isascii() else f"{label!r} ({label!a})"
