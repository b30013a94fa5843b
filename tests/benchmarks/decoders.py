"""Whether every file whose bytes ingest keeps is decoded by TensorFlow, to the same picture.

    TF_CPP_MIN_LOG_LEVEL=3 python tests/benchmarks/decoders.py [--count 2000] [--seed 0]

takes about 5 minutes on two cores. Small files of eight kinds are damaged in 12 ways, `count` times each, and sent
through the codec. Prints by kind how many were kept, encoded again and refused, how many of those kept TensorFlow
refuses, and how many it shows differently, by as little as one level of one pixel; exit status 1 if there are any.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import tensorflow as tf

ROOT = Path(__file__).parents[2]
sys.path += [str(ROOT), str(ROOT / "tests" / "support")]

from damaged_files import damaged, whole_files  # noqa: E402

from components.images.codec import BadImage, decode, for_tensorflow  # noqa: E402
from components.images.options import ImageOptions  # noqa: E402
from components.training.decoding import decode_image  # noqa: E402


def main() -> int:
    """Run the campaign and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000, help="changes of each file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", type=Path, help="folder for the files that are shown otherwise")
    options = parser.parse_args()
    wrong = 0
    for kind, data in whole_files().items():
        counts = Counter({"kept": 0, "encoded again": 0, "unusable": 0, "refused": 0, "different": 0})
        for name, changed in damaged(data, options.seed, options.count):
            found = verdict(changed)
            counts[found] += 1
            if found in ("refused", "different"):
                wrong += 1
                if options.save:
                    options.save.mkdir(parents=True, exist_ok=True)
                    (options.save / f"{kind} {found} {name}").write_bytes(changed)
        print(f"{kind:20}", ", ".join(f"{count} {what}" for what, count in counts.items()), flush=True)
    return int(wrong > 0)


def verdict(data: bytes) -> str:
    """Return what the codec does with a file or, where it keeps one wrongly, what TensorFlow does."""
    try:
        picture = decode(data)
    except BadImage:
        return "unusable"
    stored, _ = for_tensorflow(data, picture)
    height, width = picture.pixels.shape[:2]
    size = ImageOptions.model_construct(height=height, width=width, channels=3)
    try:
        shown = decode_image(tf.constant(stored), size).numpy()
    except tf.errors.InvalidArgumentError:
        return "refused"
    expected = picture.pixels if picture.pixels.ndim == 3 else np.repeat(picture.pixels[..., np.newaxis], 3, axis=2)
    if not picture.keep:
        return "encoded again"
    return "kept" if np.array_equal(shown, expected) else "different"


if __name__ == "__main__":
    sys.exit(main())
