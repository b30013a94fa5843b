"""Runs the push inside TFX, behind TFX's own check of the blessing."""

import time
from pathlib import Path
from typing import Any

from tfx import types
from tfx.components.pusher import executor as tfx_pusher
from tfx.types.artifact_utils import get_single_instance

from components.formats.documents import ANALYSIS, CARD, CARD_MARKDOWN
from components.formats.pushed_models import Origin, list_versions, new_number
from components.formats.saved_model import METRICS
from components.pusher.push import push


class Executor(tfx_pusher.Executor):
    """Pushes a blessed model with its card, metrics and origin beside it."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Push the model if it was blessed.

        Args:
            input_dict: `model`, `model_blessing` and `analysis`.
            output_dict: `pushed_model`; says where and as which version.
            exec_properties: `destination`, `recipe` and `folder_digest` (see `Origin`), and maybe `version`.
        """
        pushed = get_single_instance(output_dict["pushed_model"])
        Path(pushed.uri).mkdir(parents=True, exist_ok=True)
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed)
            return
        analysis = Path(get_single_instance(input_dict["analysis"]).uri)
        findings = ANALYSIS.read(analysis)
        destination = exec_properties["destination"]
        origin = Origin(exec_properties["recipe"], findings["data"]["data_digest"], exec_properties["folder_digest"])
        standing = list_versions(destination)
        # Killed behind the push, or compared once more with another model: what stands already isn't pushed again.
        for version in standing:
            if version.origin is not None and version.origin.is_same(origin):
                self._MarkPushed(pushed, pushed_destination=version.uri, pushed_version=str(version.number))
                return
        number = new_number(standing, int(exec_properties.get("version") or time.time()))
        target = push(
            Path(self.GetModelPath(input_dict)),
            destination,
            number,
            origin,
            {METRICS: {split: findings[split]["metrics"] for split in ("test", "eval")}},
            {name: analysis / name for name in (CARD_MARKDOWN, CARD.name)},
        )
        self._MarkPushed(pushed, pushed_destination=target, pushed_version=str(number))
