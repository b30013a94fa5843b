"""Runs the search for a baseline, without TFX."""

import shutil
from pathlib import Path
from typing import Any

from components.evaluator.baseline import choose
from components.formats.documents import SUMMARY
from components.formats.examples import read_labels
from components.formats.pushed_models import Origin, candidates, file_system, list_versions
from components.formats.saved_model import serving_folder
from components.plain_executor import PlainExecutor
from components.tools.retries import with_retries


class BaselineExecutor(PlainExecutor):
    """Copies the model to beat from the push destination, if there is one."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Find the newest model with the same classes that other data, options or code made.

        Args:
            input_dict: `summary`, with the data's digest, and `labels`, with the label map.
            output_dict: `model`; stays empty where there is nothing to compare with.
            exec_properties: `destination`, `recipe` and `folder_digest` (see `Origin`).
        """
        [split], [label_map], [model] = input_dict["summary"], input_dict["labels"], output_dict["model"]
        target = Path(model.uri)
        target.mkdir(parents=True, exist_ok=True)
        summary = SUMMARY.read(split.uri)
        labels = read_labels(label_map.uri)
        origin = Origin(exec_properties["recipe"], summary["data_digest"], exec_properties["folder_digest"])
        version = choose(candidates(list_versions(exec_properties["destination"]), origin), labels)
        model.set_string_custom_property("version", str(version.number) if version else "")
        if version:
            store, path = file_system(version.uri)
            local = serving_folder(target)

            def fetch() -> None:
                shutil.rmtree(local, ignore_errors=True)  # into a folder that exists fsspec would copy one level deeper
                store.get(path.rstrip("/"), str(local), recursive=True)

            with_retries(fetch)
