"""Whether our ResNets compute what torchvision's do: `python tests/benchmarks/torchvision_parity.py` (80 seconds).

Each of the five gets drawn weights and running statistics in torchvision, is saved as .safetensors, and read by ours.
Compared are pooled features and logits, at 96×96 and at an odd size, with the stride where PyTorch has it and, of the
deep ones, where Keras has it. Exits with 1 if features or logits differ by more than 1e-4.

It needs torch and torchvision beside what the project needs. `--write` renews `tests/data/torchvision_outputs.json`,
with which the ordinary tests compare.
"""

import argparse
import importlib.util
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import keras
import numpy as np
from drawn_weights import draw_pixels, draw_weights
from numpy.typing import NDArray

from components.models.blocks import BLOCKS
from components.models.pretrained import IMAGENET_MEAN, IMAGENET_STD
from components.models.resnets import resnet

CLASSES = 8
SIZES = ((96, 96), (75, 101))
TOLERANCE = 1e-4
EXPECTED = Path(__file__).parents[1] / "data" / "torchvision_outputs.json"
NUMBERS = 16  # features of an image in the file

Outputs = tuple[NDArray[Any], NDArray[Any]]  # N×F features, N×K logits


def torchvision_model(architecture: str, stride: str) -> Any:
    """Return torchvision's network with drawn weights, ready to predict."""
    import torch  # type: ignore[import-not-found,unused-ignore]
    import torchvision  # type: ignore[import-not-found,unused-ignore]

    model = getattr(torchvision.models, architecture)(num_classes=CLASSES)
    if stride == "first":
        for name, module in model.named_modules():
            if name.endswith(".conv2") and module.stride == (2, 2):
                module.stride, model.get_submodule(name.replace("conv2", "conv1")).stride = (1, 1), (2, 2)
    weights = {name: torch.from_numpy(np.array(value)) for name, value in draw_weights(architecture, CLASSES).items()}
    model.load_state_dict(weights)  # strict: the names and shapes are all of torchvision's and no others
    return model.eval()


def theirs(model: Any, pixels: NDArray[Any]) -> Outputs:
    """Return what torchvision's network computes of N×H×W×3 pixels in 0–255."""
    import torch

    features = []
    hook = model.avgpool.register_forward_hook(lambda *arguments: features.append(arguments[2].flatten(1)))
    images = (pixels / 255.0 - np.array(IMAGENET_MEAN)) / np.array(IMAGENET_STD)
    with torch.no_grad():
        logits = model(torch.from_numpy(images.transpose(0, 3, 1, 2).astype(np.float32)))
    hook.remove()
    return features[0].numpy(), logits.numpy()


def ours(architecture: str, file: Path, pixels: NDArray[Any], stride: Any) -> Outputs:
    """Return what our network computes with the weights of a file."""
    model = resnet(
        architecture,
        CLASSES,
        (None, None, 3),
        normalize=True,
        classifier_activation=None,
        weights=str(file),
        bottleneck_stride=stride,
    )
    both = keras.Model(model.input, [model.get_layer("avg_pool").output, model.output])
    features, logits = both(pixels, training=False)
    return np.asarray(features), np.asarray(logits)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"renew {EXPECTED.name}")
    options = parser.parse_args()
    if importlib.util.find_spec("torch") is None or importlib.util.find_spec("torchvision") is None:
        print("skipped: torch and torchvision are not installed")
        return
    from safetensors.torch import save_file

    written: dict[str, Any] = {}
    worst = 0.0
    print(f"{'network':<10} {'stride':<7} {'size':<7} {'features':>9} {'logits':>9}   (largest difference)")
    for architecture, (kind, _) in BLOCKS.items():
        for stride in ("middle", "first") if kind == "bottleneck" else ("middle",):
            model = torchvision_model(architecture, stride)
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / f"{architecture}.safetensors"
                save_file(model.state_dict(), str(file))
                for height, width in SIZES:
                    pixels = draw_pixels(height, width)
                    expected = theirs(model, pixels)
                    found = ours(architecture, file, pixels, None if stride == "middle" else stride)
                    differences = [float(np.abs(a - b).max()) for a, b in zip(found, expected, strict=True)]
                    worst = max(worst, *differences)
                    size = f"{height}×{width}"
                    texts = "".join(f" {difference:9.1e}" for difference in differences)
                    largest = ", ".join(f"{np.abs(values).max():.2f}" for values in expected)
                    print(f"{architecture:<10} {stride:<7} {size:<7}{texts}   of at most {largest}", flush=True)
                    features, logits = (np.round(values.astype(float), 6) for values in expected)
                    every = features.shape[1] // NUMBERS
                    written[f"{architecture} {stride} {size}"] = {
                        "features": features[:, ::every].tolist(),
                        "logits": logits.tolist(),
                    }
            keras.backend.clear_session()
    if options.write:
        EXPECTED.write_text(json.dumps(written, indent=1) + "\n", "utf-8")
    if worst > TOLERANCE:
        sys.exit(f"differences of up to {worst:.1e} are more than {TOLERANCE:.0e}")


if __name__ == "__main__":
    main()
