"""Makes the report, without TFX."""

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from components.formats.documents import REPORT, SUMMARY
from components.plain_executor import PlainExecutor
from components.report.content import gather
from components.report.render import render
from components.tools.files import write_text

_VERSIONS = ("tfx", "tensorflow", "keras", "apache-beam", "albumentations", "opencv-python-headless", "numpy")


class Executor(PlainExecutor):
    """Makes one self-contained page of what a run has found."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Write the page.

        Args:
            input_dict: `findings`, `summary`, `verdict`, `model_run`, `evaluation`, `analysis`, `pushed_model`,
                `tuner_results` where there was a search, and `explanation` unless it is switched off.
            output_dict: `report`, an HtmlReport.
            exec_properties: `config`, `graph` and `facts` as JSON.
        """
        artifacts = {name: artifact for name, found in input_dict.items() for artifact in found}
        uris = {name: Path(artifact.uri) for name, artifact in artifacts.items()}
        pushed = artifacts["pushed_model"]
        facts = json.loads(exec_properties["facts"])
        facts["pushed"] = bool(pushed.get_int_custom_property("pushed"))
        facts["version"] = pushed.get_string_custom_property("pushed_version")
        facts["versions"] = {"python": platform.python_version(), **{name: version(name) for name in _VERSIONS}}
        facts["origin"]["data digest"] = SUMMARY.read(uris["summary"])["data_digest"]
        config, graph = json.loads(exec_properties["config"]), json.loads(exec_properties["graph"])
        page = render(gather(uris, config, graph, facts))
        [report] = output_dict["report"]
        target = Path(report.uri)
        target.mkdir(parents=True, exist_ok=True)
        write_text(page, target / REPORT)
        report.set_int_custom_property("bytes", len(page.encode()))
        report.set_string_custom_property("place", report.uri)  # for those who need to name it, but nothing in it
