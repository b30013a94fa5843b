"""Runs the look at what may have changed, without TFX, and hands on what was found."""

import json
from typing import Any

from components.data_digest.look import data_digest, number_to_push, standing, to_beat
from components.formats.pushed_models import Origin
from components.plain_executor import PlainExecutor


class Executor(PlainExecutor):
    """Sets the values by which Kubeflow's cache tells whether anything has changed."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Look at data and destination.

        Args:
            input_dict: empty.
            output_dict: `digest`, `candidates` and `version`, values.
            exec_properties: `uri`, `files` (JSON), `follow_links`, `destination` and `recipe` (see `Origin`).
        """
        del input_dict
        follow_links = bool(exec_properties["follow_links"])
        digest = data_digest(exec_properties["uri"], json.loads(exec_properties["files"]), follow_links)
        origin = Origin(exec_properties["recipe"], "", digest)
        versions = standing(exec_properties["destination"])
        found = {
            "digest": digest,
            "candidates": to_beat(versions, origin),
            "version": number_to_push(versions, origin),
        }
        for name, value in found.items():
            [output] = output_dict[name]
            output.value = value
            print(f"{name}: {value}")
