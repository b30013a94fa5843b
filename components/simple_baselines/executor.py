"""Measures the simple baselines, without TFX and TensorFlow."""

from pathlib import Path
from typing import Any

from components.formats.documents import BASELINES
from components.formats.examples import read_labels
from components.plain_executor import PlainExecutor
from components.simple_baselines.baselines import measure_baselines


class Executor(PlainExecutor):
    """Says what can be reached without a network."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Measure the largest class's share and a linear model on the test split.

        Args:
            input_dict: `dataset`, with splits, and `labels`, with the label map.
            output_dict: `baselines`: `baselines.json`, and what the linear model says of each image of test.
            exec_properties: nothing is asked for.
        """
        del exec_properties
        [dataset], [labels], [baselines] = input_dict["dataset"], input_dict["labels"], output_dict["baselines"]
        target = Path(baselines.uri)
        target.mkdir(parents=True, exist_ok=True)
        found = measure_baselines(Path(dataset.uri), read_labels(labels.uri), target)
        BASELINES.write(found, target)
        baselines.set_string_custom_property("largest_class", found["largest_class"]["label"])
        for name in ("largest_class", "linear_model"):
            accuracy = found[name]["metrics"]["accuracy"]
            for key, kind in (("accuracy", "value"), ("low", "low"), ("high", "high")):
                if accuracy[kind] is not None:
                    baselines.set_float_custom_property(f"{name}_{key}", accuracy[kind])
