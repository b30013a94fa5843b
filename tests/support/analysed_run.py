"""A finished run as ML Metadata has it, around a data set and findings that a test has made."""

import json
from pathlib import Path
from typing import Any

from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2 as pb

from components.formats.documents import ANALYSIS


def record_run(
    workdir: Path, data: Path, dataset: Path | None, findings: dict[str, Any], options: dict[str, Any] | None = None
) -> Path:
    """Write the findings and the store into a workdir, and return it.

    Args:
        workdir: a folder.
        data: the run's data folder.
        dataset: folder of the split data set.
        findings: of PredictionAnalysis.
        options: the section `data` of the configuration.
    """
    analysis = workdir / "artifacts" / "PredictionAnalysis" / "analysis" / "1"
    analysis.mkdir(parents=True, exist_ok=True)
    ANALYSIS.write(findings, analysis)
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(workdir / "metadata.db")
    config.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    store = metadata_store.MetadataStore(config)
    context = pb.Context(type_id=store.put_context_type(pb.ContextType(name="pipeline_run")), name="run-1")
    context.custom_properties["data"].string_value = str(data)
    context.custom_properties["config"].string_value = json.dumps({"data": options or {}})
    made = {"components.Analysis": analysis} | ({"components.ImageDataset": dataset} if dataset else {})
    pairs = []
    for kind, folder in made.items():
        artifact = pb.Artifact(
            type_id=store.put_artifact_type(pb.ArtifactType(name=kind)), uri=str(folder), state=pb.Artifact.LIVE
        )
        pairs.append((artifact, pb.Event(type=pb.Event.OUTPUT)))
    execution = pb.Execution(type_id=store.put_execution_type(pb.ExecutionType(name="made")))
    store.put_execution(execution, pairs, [context])
    return workdir
