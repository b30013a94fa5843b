"""What can be known beforehand to fail: looked at before anything is read, made or imported, which may take minutes.

Each message names the option, what was received, and what to do.
"""

import importlib.util
import zipfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from components.evaluator.slice_plan import plan_slices
from components.formats.saved_model import GRAPH
from components.images.containers.open_data import ContainerSource, open_data
from components.ingest.structure import Structure, read_structure
from components.models.torch_weights import SUFFIX, check_file
from components.split.captures import captured_keys, count_captures
from components.tools.patterns import CHARACTERS, found_in
from components.tools.places import why_no_folder
from components.tools.retries import reason
from components.tools.schemes import why_no_store
from components.tools.yaml_text import parse_yaml
from components.training.mlflow_run import address
from pipeline.config import Config
from pipeline.local.failures import cut
from pipeline.local.metadata_file import why_no_metadata
from pipeline.local.workdir import Workdir

# Files that may lie in an object store.
_FETCHED = ("data.labels_csv", "data.metadata_csv", "data.label_names", "augment.pipeline_yaml")
_HDF5 = b"\x89HDF\r\n\x1a\n"


class BeforehandError(ValueError):
    """A run that can't succeed; the message says why and what to do."""


def check(config: Config, data: str | None, folder: Workdir) -> None:
    """Make sure of all that can be known before a run.

    Args:
        config: the configuration.
        data: the data folder, or None for the sample data.
        folder: the workdir; nothing is made in it.

    Raises:
        BeforehandError: all that is wrong, a line each.
    """
    problems = [*_names(folder), *_files(config), *_stores(config, data), *_places(config, folder), *_runner(config)]
    problems += filter(None, [config.explain.why_no_map(), *_others(config)])
    if problems:
        raise BeforehandError("\n".join(problems))


def check_data(config: Config, data: str) -> None:
    """Make sure of what names and tables say of the data, before its images are read.

    Args:
        config: the configuration.
        data: the data folder.

    Raises:
        BeforehandError: `split.group_regex` captures nothing, or takes too long to search; or `evaluate.slice_on`
            names what can't be sliced by.
        SourceError: there is no such folder, or it can't be told what its folders and tables mean.
    """
    source = open_data(data, follow_links=config.data.follow_links)
    if isinstance(source, ContainerSource):  # whose names are known when it is unpacked
        return
    found = read_structure(data, source, config.data)
    try:
        _check_groups(config, found)
        _check_slices(config, found)
    except ValueError as error:
        raise BeforehandError(str(error)) from None


def _check_groups(config: Config, found: Structure) -> None:
    split = config.split
    if split.group_regex is None:
        return
    ids = [entry.id for entry in found.entries if found.relations[entry.id].source is None]  # a copy follows its source
    names = ids if split.group_on == "path" else [file_id.rpartition("/")[2] for file_id in ids]
    option = f"split.group_regex = {split.group_regex}"
    keys = captured_keys(names, split.group_regex)
    count_captures(keys, names, split.group_on, option, "set split.group_on=path")


def _check_slices(config: Config, found: Structure) -> None:
    relations = [found.relations[entry.id] for entry in found.entries]
    images = [(one.label, one.metadata) for one in relations if one.source is None and one.metadata is not None]
    if images:
        plan_slices(images, config.evaluate.slice_on, config.evaluate.max_slice_values)


def _names(folder: Workdir) -> Iterator[str]:
    """Artifacts lie below the workdir, and TFX's own components take their paths for patterns."""
    if found := found_in(str(folder.root)):
        yield (
            f"--workdir can't have {' '.join(found)} in its path, which TFX takes for a pattern of names: name a "
            f"folder without any of {' '.join(CHARACTERS)}. Received: {folder.root}"
        )


def _files(config: Config) -> Iterator[str]:
    named = {
        "data.labels_csv": config.data.labels_csv,
        "data.metadata_csv": config.data.metadata_csv,
        "data.label_names": config.data.names_file,
        "augment.pipeline_yaml": config.augment.pipeline_yaml,
        "validate.schema": config.validation.schema_path,
        "model.weights": None if config.model.weights == "imagenet" else config.model.weights,
    }
    for key, path in named.items():
        if path is None:
            continue
        if key in _FETCHED and "://" in path:
            if problem := why_no_store(path):
                yield f"{key} = {path}: {problem}"
        elif not Path(path).exists():
            yield f"{key} names {path}, which isn't there"
        elif key != "model.weights" and Path(path).is_dir():
            yield f"{key} names {path}, which is a folder, not a file"
        elif key == "model.weights":
            yield from _weights(path, config)
        elif key == "validate.schema":
            yield from _schema(path)
        elif key == "augment.pipeline_yaml":
            yield from _yaml(path)


def _weights(path: str, config: Config) -> Iterator[str]:
    """Weights of the right kind, by the head of the file; of PyTorch's by its table of contents."""
    if Path(path).is_dir():
        if not (Path(path) / GRAPH).exists():
            yield f"model.weights names the folder {path}, in which there is no {GRAPH}"
    elif path.endswith(SUFFIX):
        try:
            for architecture in config.architectures():
                check_file(path, architecture, config.image.channels)
        except ValueError as error:
            yield str(error)
    elif path.endswith(".keras"):
        if not zipfile.is_zipfile(path):
            yield f"model.weights names {path}, which is no Keras file: it is damaged, or another format"
    elif path.endswith(".weights.h5"):
        with Path(path).open("rb") as file:
            if file.read(len(_HDF5)) != _HDF5:
                yield f"model.weights names {path}, which is no HDF5 file: it is damaged, or another format"
    else:
        yield (
            "model.weights must be 'imagenet', a .safetensors, .weights.h5 or .keras file, or a SavedModel's folder. "
            f"Received: {path}"
        )


def _schema(path: str) -> Iterator[str]:
    from components.validation.schema_file import SchemaFileError, read_schema

    try:
        read_schema(path)
    except SchemaFileError as error:
        yield str(error)


def _yaml(path: str) -> Iterator[str]:
    try:
        values = parse_yaml(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        yield f"can't read augment.pipeline_yaml = {path}: {cut(reason(error))}"
        return
    if not isinstance(values, dict):
        yield f"augment.pipeline_yaml names {path}, which holds no pipeline: A.save(…, data_format='yaml') writes one"


def _stores(config: Config, data: str | None) -> Iterator[str]:
    named = {"--data": data, "push.destination": config.push.destination, "train.checkpoints": config.train.checkpoints}
    for key, uri in named.items():
        if uri is not None and (problem := why_no_store(uri)):
            yield f"{key} = {uri}: {problem}"


def _others(config: Config) -> Iterator[str]:
    """Who else is told of the run; whether they are there now says nothing of later."""
    try:
        if config.tracking.mlflow.enabled:
            address(config.tracking.mlflow)
        if config.notify.wanted:
            config.notify.url()
    except (RuntimeError, ValueError) as error:
        yield str(error)


def _places(config: Config, folder: Workdir) -> Iterator[str]:
    for key, place in (("push.destination", config.push.destination), ("train.checkpoints", config.train.checkpoints)):
        if place is not None and "://" not in place and (problem := why_no_folder(place)):
            yield f"can't write to {key} = {place}: {problem}. Name another folder, or make it writable"
    inside = (folder.artifacts, folder.serving_model, folder.report.parent, folder.checkpoints, folder.logs)
    for path in (folder.root, *inside, folder.temporary):
        if problem := why_no_folder(path):
            yield f"can't work in {folder.root}: {problem}. Name another folder with --workdir"
            return
    if problem := why_no_metadata(folder):
        yield f"can't work in {folder.root}: {problem}"


def _runner(config: Config) -> Iterator[str]:
    """Look for the module that a runner is named with; Beam itself takes seconds to import."""
    module, dot, _ = (config.beam.runner or "").rpartition(".")
    if not dot:
        return
    package, *rest = module.split(".")
    found = importlib.util.find_spec(package)
    places = [Path(root, *rest) for root in (found.submodule_search_locations or ())] if found else []
    if not any(place.is_dir() or place.with_suffix(".py").exists() for place in places):
        yield f"beam.runner names the module {module}, which isn't installed. Received: {config.beam.runner}"
