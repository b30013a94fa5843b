"""Runs the explanation inside TFX."""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from tfx import types
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types.artifact_utils import get_single_instance

from components.explanation.embeddings import embed_originals
from components.explanation.explain import explain, pair_table
from components.explanation.near_duplicates import find_pairs, learn_rule
from components.explanation.options import ExplainOptions
from components.explanation.predicted import read_predicted
from components.explanation.served_model import ServedModel
from components.formats.dataset import NEAR_DUPLICATES, write_table
from components.formats.documents import ANALYSIS, EXPLANATION
from components.formats.found_images import find_images
from components.formats.saved_model import serving_folder


class Executor(BaseExecutor):
    """Shows a model all originals once more, and says what it sees in them."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Write the explanation and the pairs of near-duplicates.

        Args:
            input_dict: `model`, `dataset` and `analysis`.
            output_dict: `explanation`.
            exec_properties: `options` as JSON; `seed`.
        """
        uris = {name: Path(get_single_instance(artifacts).uri) for name, artifacts in input_dict.items()}
        options = ExplainOptions.model_validate_json(exec_properties["options"])
        if problem := options.why_no_map():  # on Kubeflow nobody has looked before
            raise ValueError(problem)
        findings = ANALYSIS.read(uris["analysis"])
        predicted = read_predicted(uris["analysis"], "test")
        model = ServedModel(serving_folder(uris["model"]))
        read = partial(find_images, uris["dataset"])
        with tempfile.TemporaryDirectory() as folder:
            embeddings = embed_originals(uris["dataset"], model.embed, Path(folder) / "features")
            rule = learn_rule(embeddings, read, model.embed)
            pairs = find_pairs(embeddings, rule, read)
            found = explain(
                embeddings,
                findings,
                predicted,
                rule,
                pairs,
                options,
                int(exec_properties["seed"]),
                read,
                model.embed,
                model.explain,
            )
            table = pair_table(embeddings, pairs)

        explanation = get_single_instance(output_dict["explanation"])
        target = Path(explanation.uri)
        target.mkdir(parents=True, exist_ok=True)
        write_table(table, target / NEAR_DUPLICATES)
        EXPLANATION.write(found, target)
        explanation.set_int_custom_property("embedded", len(embeddings.names))
        explanation.set_int_custom_property("near_duplicates", len(pairs))
        explanation.set_int_custom_property("leaked_test_images", found["near_duplicates"]["test_images"])
