"""Runs the push, without TFX: blessing and properties are those of its Pusher."""

import time
from pathlib import Path
from typing import Any

from components.formats.documents import ANALYSIS, CARD, CARD_MARKDOWN
from components.formats.pushed_models import Origin, list_versions, new_number
from components.formats.saved_model import METRICS, model_digest, serving_folder
from components.plain_executor import PlainExecutor
from components.pusher.push import push


class Executor(PlainExecutor):
    """Pushes a blessed model with its card, metrics and origin beside it."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Push the model if it was blessed.

        Args:
            input_dict: `model`, `model_blessing` and `analysis`.
            output_dict: `pushed_model`; says where and as which version.
            exec_properties: `destination`, `recipe` and `folder_digest` (see `Origin`), and maybe `version`.
        """
        [model], [pushed] = input_dict["model"], output_dict["pushed_model"]
        Path(pushed.uri).mkdir(parents=True, exist_ok=True)
        if not _is_blessed(input_dict.get("model_blessing", [])):
            pushed.set_int_custom_property("pushed", 0)
            return
        [found] = input_dict["analysis"]
        analysis = Path(found.uri)
        findings = ANALYSIS.read(analysis)
        destination = exec_properties["destination"]
        origin = Origin(exec_properties["recipe"], findings["data"]["data_digest"], exec_properties["folder_digest"])
        standing = list_versions(destination)
        # Killed behind the push, or compared once more with another model: what stands already isn't pushed again.
        for version in standing:
            if version.origin is not None and version.origin.is_same(origin):
                _mark_pushed(pushed, version.uri, version.number, version.digest)
                return
        target, number = push(
            serving_folder(model.uri),
            destination,
            new_number(standing, int(exec_properties.get("version") or time.time())),
            origin,
            {METRICS: {split: findings[split]["metrics"] for split in ("test", "eval")}},
            {name: analysis / name for name in (CARD_MARKDOWN, CARD.name)},
        )
        _mark_pushed(pushed, target, number, model_digest(serving_folder(model.uri)))


def _is_blessed(blessings: list[Any]) -> bool:
    """Return whether nothing forbids the push; as in TFX, a model that nobody judged is pushed."""
    return all(blessing.get_int_custom_property("blessed") == 1 for blessing in blessings)


def _mark_pushed(pushed: Any, destination: str, version: int, digest: str) -> None:
    pushed.set_int_custom_property("pushed", 1)
    pushed.set_string_custom_property("pushed_destination", destination)
    pushed.set_string_custom_property("pushed_version", str(version))
    pushed.set_string_custom_property("pushed_digest", digest)
