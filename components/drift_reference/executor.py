"""Makes the reference inside TFX."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfx import types
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types.artifact_utils import get_single_instance

from components.drift_reference.look import Measured, look, measure
from components.formats.dataset import read_columns
from components.formats.drift_reference import MOST, NAME, About, write_reference
from components.formats.drift_sample import draw, numbered
from components.formats.examples import read_labels
from components.formats.found_images import find_images
from components.formats.saved_model import ASSETS, model_digest, serving_folder
from components.images.codec import decode
from components.images.options import ImageOptions

_ANY = 2**63 - 1  # pixels: what is in a data set was small enough to get there


class Executor(BaseExecutor):
    """Asks a model once more for images of its test split, as a server would be asked."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Write the reference.

        Args:
            input_dict: `model` and `dataset`.
            output_dict: `reference`.
            exec_properties: `image` as JSON, `group_on`, and maybe `group_regex`.

        Raises:
            ValueError: the model can't decode an image of the data set; the message has its id.
        """
        uris = {name: Path(get_single_instance(artifacts).uri) for name, artifacts in input_dict.items()}
        image = ImageOptions.model_validate_json(exec_properties["image"])
        model = serving_folder(uris["model"])
        columns = read_columns(uris["dataset"], "test", ("id", "group", "copy")).to_pydict()
        group_of = {
            name: group
            for name, group, copy in zip(columns["id"], columns["group"], columns["copy"], strict=True)
            if not copy
        }
        names = list(group_of)
        drawn = [names[place] for place in draw(names, MOST)]
        sample, undecodable = look(model, _pictures(uris["dataset"], drawn, image))
        if undecodable:
            raise ValueError(
                f"the model couldn't decode {undecodable[0]}: ingest the data again, or take the file out of the data "
                "folder"
            )
        sample = sample._replace(groups=numbered([group_of[name] for name in sample.ids]))
        about = About(
            read_labels(model / ASSETS),
            model_digest(model),
            len(names),
            image.height,
            image.width,
            exec_properties.get("group_regex"),
            exec_properties["group_on"],
        )
        reference = get_single_instance(output_dict["reference"])
        target = Path(reference.uri)
        target.mkdir(parents=True, exist_ok=True)
        write_reference(sample, about, target)
        reference.set_int_custom_property("images", len(sample.ids))
        reference.set_float_custom_property("megabytes", (target / NAME).stat().st_size / 1e6)


def _pictures(dataset: Path, names: list[str], image: ImageOptions) -> Iterator[Measured]:
    for name, encoded in find_images(dataset, names, ("test",)):
        yield measure(name, encoded, decode(encoded, _ANY).pixels, image.height, image.width)
