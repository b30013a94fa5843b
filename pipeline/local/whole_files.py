"""Keep the cache from handing out files that were damaged since they were made."""

from collections.abc import Sequence
from pathlib import Path

from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2 as pb

from pipeline.lineage.files import FILES, damage_of, record_of


class DamagedError(RuntimeError):
    """Files that the cache hands out aren't those that were made."""


def record_files(store: metadata_store.MetadataStore, artifacts: Sequence[pb.Artifact]) -> None:
    """Write the digests of new artifacts' files into ML Metadata, and into `artifacts`."""
    changed = []
    for artifact in artifacts:
        if (record := record_of(artifact.uri)) is not None:
            artifact.custom_properties[FILES].string_value = record
            changed.append(artifact)
    if changed:
        store.put_artifacts(changed)


def refuse_damaged(store: metadata_store.MetadataStore, artifacts: Sequence[pb.Artifact]) -> None:
    """Look at the files of artifacts that come from the cache, which forgets those whose folder isn't there.

    What is damaged is marked deleted, and its folder renamed: `affect gc` lists it.

    Raises:
        DamagedError: something is.
    """
    found = []
    for artifact in artifacts:
        recorded = artifact.custom_properties[FILES].string_value if FILES in artifact.custom_properties else ""
        if damage := damage_of(artifact.uri, {FILES: recorded}):
            found.append(damage)
            artifact.state = pb.Artifact.DELETED
            store.put_artifacts([artifact])
            folder = Path(artifact.uri)
            if folder.exists():
                folder.rename(folder.with_name(f"{folder.name}.damaged"))
    if found:
        raise DamagedError(
            f"{'; '.join(found)} since an earlier run made it. It was put aside: the same command makes it again"
        )
