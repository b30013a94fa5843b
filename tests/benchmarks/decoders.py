"""Whether every file whose bytes ingest keeps is decoded by TensorFlow, to the same picture.

    TF_CPP_MIN_LOG_LEVEL=3 python tests/benchmarks/decoders.py [--count 2000] [--seed 0]

takes half a minute. Small files of eight kinds are damaged in 13 ways, `count` times each, and sent
through the codec. Prints by kind how many were kept, encoded again and refused, how many of those kept TensorFlow
refuses, and how many it shows differently, by as little as one level of one pixel; exit status 1 if there are any.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path += [str(ROOT), str(ROOT / "tests" / "support")]

from damaged_files import damaged, whole_files  # noqa: E402
from tensorflow_verdict import verdict  # noqa: E402


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


if __name__ == "__main__":
    sys.exit(main())
