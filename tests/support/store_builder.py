"""Writes runs into a real ML Metadata store, as TFX writes them."""

import json
from pathlib import Path
from typing import Any

from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2 as pb

COMPONENTS = (
    "components.ingest.component.ImageIngest",
    "components.trainer.component.ImageTrainer",
    "components.pusher.component.ImagePusher",
)


class StoreBuilder:
    """A store with a chain of three components a run: ImageIngest → Trainer → Pusher."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        config = pb.ConnectionConfig()
        config.sqlite.filename_uri = str(path)
        config.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
        self.store = metadata_store.MetadataStore(config)
        self.run_type = self.store.put_context_type(pb.ContextType(name="pipeline_run"))
        self.types = {name: self.store.put_execution_type(pb.ExecutionType(name=name)) for name in COMPONENTS}
        self.kinds = {
            name: self.store.put_artifact_type(pb.ArtifactType(name=name))
            for name in ("components.ImageDataset", "Model", "PushedModel", "ModelEvaluation", "components.Analysis")
        }

    def run(
        self,
        name: str,
        root: Path,
        state: str = "succeeded",
        config: dict[str, Any] | None = None,
        cached: bool = False,
        accuracy: float = 0.9,
        uri: str = "/data/faces",
        outputs: tuple[int, ...] = (),
        pushed: str = "",
    ) -> tuple[int, ...]:
        """Write one run; returns the ids of its artifacts, which `outputs` of a cached run reuse."""
        context = pb.Context(type_id=self.run_type, name=name)
        recorded = {"state": state, "config": json.dumps(config or {}), "config_digest": "abc", "git_revision": name}
        if state != "running":
            recorded["milliseconds"] = 1500  # type: ignore[assignment]
        for key, value in recorded.items():
            _set(context.custom_properties[key], value)
        made: list[int] = []
        states = pb.Execution
        before: int | None = None
        for index, kind in enumerate(COMPONENTS):
            execution = pb.Execution(
                type_id=self.types[kind], last_known_state=states.CACHED if cached else states.COMPLETE
            )
            if kind.endswith("ImageIngest"):
                _set(execution.custom_properties["uri"], uri)
            if kind.endswith("ImageTrainer"):
                _set(execution.custom_properties["train_options"], json.dumps((config or {}).get("train", {})))
                if state in ("failed", "running"):
                    execution.last_known_state = states.FAILED if state == "failed" else states.RUNNING
            pairs = []
            if before is not None:
                taken = pb.Event(type=pb.Event.INPUT)
                taken.path.steps.add().key = "examples"
                pairs.append((self.store.get_artifacts_by_id([before])[0], taken))
            if execution.last_known_state in (states.COMPLETE, states.CACHED):
                artifact = (
                    self._artifact(index, root, accuracy, pushed)
                    if not cached
                    else self.store.get_artifacts_by_id([outputs[index]])[0]
                )
                event = pb.Event(type=pb.Event.OUTPUT)
                event.path.steps.add().key = ("images", "model", "pushed_model")[index]
                pairs.append((artifact, event))
            _, artifact_ids, contexts = self.store.put_execution(
                execution, pairs, [context], reuse_context_if_already_exist=True
            )
            context.id = contexts[0]
            if execution.last_known_state not in (states.COMPLETE, states.CACHED):
                break
            before = artifact_ids[-1]
            made.append(before)
        return tuple(made)

    def _artifact(self, index: int, root: Path, accuracy: float, pushed: str) -> pb.Artifact:
        component, output, kind = (
            ("ImageIngest", "images", "components.ImageDataset"),
            ("Trainer", "model", "ModelEvaluation"),
            ("Pusher", "pushed_model", "PushedModel"),
        )[index]
        number = len(self.store.get_artifacts())
        folder = root / component / output / str(number)
        folder.mkdir(parents=True)
        (folder / "payload").write_bytes(b"x" * 1000)
        artifact = pb.Artifact(type_id=self.kinds[kind], uri=str(folder), state=pb.Artifact.LIVE)
        if index == 1:
            _set(artifact.custom_properties["accuracy"], accuracy)
            _set(artifact.custom_properties["blessed"], 1)
        if index == 2 and pushed:
            _set(artifact.custom_properties["pushed_version"], Path(pushed).name)
            _set(artifact.custom_properties["pushed_destination"], pushed)
        return artifact


def _set(target: Any, value: Any) -> None:
    if isinstance(value, str):
        target.string_value = value
    elif isinstance(value, float):
        target.double_value = value
    else:
        target.int_value = int(value)
