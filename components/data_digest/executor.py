"""Runs the look at what may have changed, without TFX, and hands on what was found."""

import json
from typing import Any

from components.data_digest.look import data_digest, number_to_push, standing, to_beat
from components.formats.pushed_models import Origin
from components.images.places import given_places
from components.images.spans import find_places
from components.plain_executor import PlainExecutor
from components.tools.passwords import masked


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
            output_dict: `places`, `digest`, `candidates` and `version`, values.
            exec_properties: `uri`, `until`, `files` (JSON), `follow_links`, `destination` and `recipe` (see `Origin`).
        """
        del input_dict
        follow_links = bool(exec_properties["follow_links"])
        places = find_places(given_places(exec_properties["uri"]), exec_properties["until"])
        digest = data_digest(places, json.loads(exec_properties["files"]), follow_links)
        origin = Origin(exec_properties["recipe"], "", digest)
        versions = standing(exec_properties["destination"])
        found = {
            "places": places,
            "digest": digest,
            "candidates": to_beat(versions, origin),
            "version": number_to_push(versions, origin),
        }
        for name, value in found.items():
            [output] = output_dict[name]
            output.value = value
            print(f"{name}: {masked(value)}")
