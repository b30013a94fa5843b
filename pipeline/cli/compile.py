"""`affect compile`."""

from pathlib import Path

import click
import yaml

from components.images.places import as_text, given_places
from components.tools.files import write_text
from components.tools.places import not_writable, why_no_folder
from pipeline.cli.quiet import quiet_libraries
from pipeline.cli.usage_error import UsageError
from pipeline.cli.values import NOT_EMPTY
from pipeline.config import ConfigError, load, preset_name
from pipeline.config.old_names import old_names
from pipeline.config.secrets import keys_in_store_uris, readable_secrets
from pipeline.config.without_effect import without_effect

_SHORT = 3600


@click.command("compile")
@click.option("--config", "config_file", type=NOT_EMPTY, metavar="FILE", help="A YAML file, or the name of a preset.")
@click.option(
    "--output",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The .yaml to write.",
)
@click.option("--image", metavar="IMAGE", help="The components' image, by tag or by digest.")
@click.option("--pipeline-root", metavar="URI", help="Where artifacts go: minio://…, s3://… or gs://….")
@click.option(
    "--data",
    type=NOT_EMPTY,
    multiple=True,
    metavar="URI",
    help="The data folder, or a file that holds images: s3://…, gs://… or a path in the pods; can be repeated.",
)
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Set one key, e.g. train.epochs=50; can be repeated."
)
def compile(
    config_file: str | None,
    output: Path,
    image: str | None,
    pipeline_root: str | None,
    data: tuple[str, ...],
    overrides: tuple[str, ...],
) -> None:
    """Compile the pipeline for Kubeflow Pipelines v2, as IR YAML."""
    from pipeline.kubeflow.launcher_config import launcher_config, missing_endpoints
    from pipeline.kubeflow.targets import Target, check_schemes, pinned

    if output.suffix not in (".yaml", ".yml"):
        raise UsageError(f"--output must end in .yaml. Received: {output}")
    if problem := f"{output} is a folder" if output.is_dir() else why_no_folder(output.parent):
        raise UsageError(not_writable(f"--output {output}", problem))
    try:
        config = load(config_file, overrides)
        image = image or config.kubeflow.image
        pipeline_root = pipeline_root or config.kubeflow.pipeline_root
        places = [place for text in data for place in given_places(text)] or list(config.data.places())
        if not image:
            raise UsageError("which image? Give --image or kubeflow.image")
        if not pipeline_root:
            raise UsageError("where do artifacts go? Give --pipeline-root or kubeflow.pipeline_root")
        if not places:
            raise UsageError("which data? Give --data or data.path")
        named = {"--data": as_text(places), "--pipeline-root": pipeline_root}
        if problems := list(keys_in_store_uris(config, named)):
            raise UsageError("\n".join(problems))
        for line in (*old_names(config), *without_effect(config), *readable_secrets(config)):
            click.echo(f"Warning: {line}", err=True)
        target = Target(image=pinned(image), root=pipeline_root, data=as_text(places))
        check_schemes(target, config.push.destination)
        with quiet_libraries():
            from pipeline.kubeflow.compile import compile_pipeline  # TFX takes ten seconds to import
        text = compile_pipeline(config, target, preset_name(config_file))
    except ConfigError as error:
        raise UsageError(str(error)) from None
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_text(text, output)
    except OSError as error:
        raise click.UsageError(not_writable(f"--output {output}", error.strerror or str(error))) from None
    click.echo(output)
    documents = list(yaml.safe_load_all(text))
    if found := launcher_config(documents):
        why, config_map = found
        click.echo(f"Note: {why}. Merge into the cluster's ConfigMap:\n\n{config_map}", err=True)
    for problem in missing_endpoints(documents, {}):
        click.echo(f"Warning: {problem}", err=True)
    for name, task in config.kubeflow.components.items():
        if task.retry and task.retry.count and task.retry.longest_seconds < _SHORT:
            click.echo(
                f"Warning: kubeflow.components.{name}.retry.longest = {task.retry.longest} is the total time from the "
                "first attempt on; a retry that still runs then is killed",
                err=True,
            )
    if "@" not in target.image:
        click.echo(
            f"The image is named by its tag, {image}, which may move: `make image PUSH=1` notes digests.", err=True
        )
