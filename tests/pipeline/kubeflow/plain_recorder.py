"""An executor that needs no TFX, and says what it was given. Its module imports none."""

import json
import sys
from pathlib import Path
from typing import Any

from components.formats.stored_at import stored_at
from components.plain_executor import PlainExecutor

_HEAVY = ("tfx", "tensorflow", "apache_beam", "kfp", "ml_metadata")


class Recorder(PlainExecutor):
    """Hands on a count and a text, and writes what it was given."""

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: Any) -> None:  # noqa: N802
        [examples], [report] = input_dict["examples"], output_dict["report"]
        given = {
            "uri": examples.uri,
            "stored_at": stored_at(examples),
            "count": examples.get_int_custom_property("train_examples"),
            "labels": examples.get_string_custom_property("labels"),
            "nothing": [examples.get_int_custom_property("none"), examples.get_string_custom_property("none")],
            "seed": exec_properties["seed"],
            "imported": [name for name in _HEAVY if name in sys.modules],
        }
        Path(report.uri, "index.html").write_text(json.dumps(given))
        report.set_string_custom_property("from", examples.uri)
        report.set_int_custom_property("bytes", 6)
        report.set_float_custom_property("accuracy", 0.5)
        output_dict["text"][0].value = "a b"
        if exec_properties["seed"] != 4:
            output_dict["count"][0].value = 3


class Doubler(PlainExecutor):
    """Hands on twice its number."""

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: Any) -> None:  # noqa: N802
        output_dict["double"][0].value = 2 * exec_properties["number"]


class Writer(PlainExecutor):
    """Writes a text into a file of its only output."""

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: Any) -> None:  # noqa: N802
        [[output]] = output_dict.values()
        Path(output.uri, exec_properties["name"]).write_text(exec_properties["text"], "utf-8")
