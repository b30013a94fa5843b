"""The pipeline: which component feeds which, in the order in which the data flows."""

import json

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.orchestration import pipeline as tfx_pipeline
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.types.channel import BaseChannel

from components.analysis.component import PredictionAnalysis
from components.evaluator.component import BaselineFinder, ImageEvaluator
from components.ingest.component import ImageIngest
from components.options import BeamOptions, Section
from components.pusher.component import ImagePusher
from components.report.component import Report
from components.split_balance_augment.component import SplitBalanceAugment
from components.tfrecord.component import TFRecordConverter
from components.trainer.component import ImageTrainer
from components.trainer.tuner_component import ImageTuner
from components.validation.component import (
    DataGate,
    ImageSchema,
    SplitComparison,
    example_validator,
    image_statistics,
)
from pipeline.code_version import code_version
from pipeline.config import Config
from pipeline.run_context import RunContext, RunParameters, file_digest, recipe, recipe_parts
from pipeline.run_record import report_facts

NAME = "facial-affect"


def create_components(config: Config, context: RunContext) -> list[BaseComponent]:
    """All components, wired.

    Args:
        config: the configuration.
        context: where the data and the models are.
    """
    # A compiled pipeline's run may set some of what the recipe is made of.
    own_recipe = recipe(config) if context.parameters is None else json.dumps(recipe_parts(config), sort_keys=True)
    given = context.parameters or RunParameters(context.uri, context.destination, config.seed)

    # Reads the folder once: checks, hashes and packs every image; quarantines what can't be used.
    ingest = ImageIngest(
        uri=given.data,
        data=_json(config.data.model_copy(update={"path": None})),
        group_regex=config.split.group_regex or "",
        data_digest=context.folder_digest,
        code_version=_version(code_version("components.ingest.executor"), config.data.labels_csv),
    )
    # Divides groups of images into train, eval and test, and fills up small classes with augmented copies.
    split = SplitBalanceAugment(
        images=ingest.outputs["images"],
        split=_json(config.split),
        balance=_json(config.balance),
        augment=_json(config.augment),
        beam=_json(BeamOptions() if context.beam_in_environment else config.beam),
        code_version=_version(code_version("components.split_balance_augment.executor"), config.augment.pipeline_yaml),
    )
    dataset = split.outputs["dataset"]
    # Writes tf.Examples, with the label map that the model will carry.
    convert = TFRecordConverter(dataset=dataset, code_version=code_version("components.tfrecord.executor"))
    examples = convert.outputs["examples"]

    # Statistics of each split, held against a schema that was not inferred from them.
    statistics = image_statistics(examples)
    schema = ImageSchema(
        examples=examples,
        validate=_json(config.validation.model_copy(update={"on_anomaly": "stop"})),
        data=_json(config.data.model_copy(update={"path": None})),
        code_version=_version(code_version("components.validation.executor"), config.validation.schema_path),
    )
    validator = example_validator(statistics.outputs["statistics"], schema.outputs["schema"])
    distribution = SplitComparison(
        statistics=statistics.outputs["statistics"], code_version=code_version("components.validation.executor")
    ).with_id("DistributionValidator")
    # Stops here on an anomaly: the validators alone only take note.
    gate = DataGate(
        dataset=dataset,
        schema_anomalies=validator.outputs["anomalies"],
        distribution_anomalies=distribution.outputs["anomalies"],
        validate=_json(config.validation),
        code_version=code_version("components.validation.executor"),
    )

    components: list[BaseComponent] = [ingest, split, convert, statistics, schema, validator, distribution, gate]
    hyperparameters: BaseChannel | None = None
    if config.tuner.enabled:
        # Tries architectures under one budget, scored on eval; the trainer gets the best.
        tuner = ImageTuner(
            examples=examples,
            model=_json(config.model),
            train=_json(config.train),
            image=_json(config.image),
            tuner=_json(config.tuner),
            seed=given.seed,
            code_version=_version(
                code_version("components.trainer.tuner_executor", "components.trainer.tuner_fn"), config.model.weights
            ),
            checkpoint_dir=context.checkpoints,
        ).with_id("Tuner")
        tuner.add_upstream_node(gate)
        hyperparameters = tuner.outputs["best_hyperparameters"]
        components.append(tuner)
    # Builds and trains the chosen ResNet on train, watching eval.
    trainer = ImageTrainer(
        examples=examples,
        hyperparameters=hyperparameters,
        model=_json(config.model),
        train=_json(config.train),
        image=_json(config.image),
        tracking=_json(config.tracking),
        evaluate=_json(config.evaluate),
        epochs=given.epochs,
        architecture=given.architecture,
        seed=given.seed,
        code_version=_version(
            code_version("components.trainer.executor", "components.trainer.run_fn"), config.model.weights
        ),
        checkpoint_dir=context.checkpoints,
    ).with_id("Trainer")
    trainer.add_upstream_node(gate)
    model = trainer.outputs["model"]

    # The pushed model that the new one has to beat, if there is one.
    baseline = BaselineFinder(
        dataset=dataset,
        examples=examples,
        destination=given.destination,
        recipe=own_recipe,
        folder_digest=context.folder_digest,
        candidates=context.candidates,
        code_version=code_version("components.evaluator.executor"),
    )
    # Both on this run's test split, which nothing has looked at before.
    evaluator = ImageEvaluator(
        dataset=dataset,
        examples=examples,
        model=model,
        baseline_model=baseline.outputs["model"],
        evaluate=_json(config.evaluate),
        code_version=code_version("components.evaluator.executor", "components.evaluator.argmax_metrics"),
    ).with_id("Evaluator")
    # Intervals, calibration, mistakes, suspicious labels, model card.
    analysis = PredictionAnalysis(
        dataset=dataset,
        examples=examples,
        model=model,
        model_run=trainer.outputs["model_run"],
        evaluate=_json(config.evaluate),
        image=_json(config.image),
        seed=given.seed,
        recipe=own_recipe,
        code_version=code_version("components.analysis.executor"),
    )
    # A blessed model goes to where it is served from.
    pusher = ImagePusher(
        model=model,
        model_blessing=evaluator.outputs["blessing"],
        analysis=analysis.outputs["analysis"],
        destination=given.destination,
        recipe=own_recipe,
        folder_digest=context.folder_digest,
        lost=context.lost,
        code_version=code_version("components.pusher.executor"),
    ).with_id("Pusher")
    components += [trainer, baseline, evaluator, analysis, pusher]
    # One page of all that.
    report = Report(
        images=ingest.outputs["images"],
        dataset=dataset,
        verdict=gate.outputs["verdict"],
        model_run=trainer.outputs["model_run"],
        evaluation=evaluator.outputs["evaluation"],
        analysis=analysis.outputs["analysis"],
        pushed_model=pusher.outputs["pushed_model"],
        tuner_results=tuner.outputs["tuner_results"] if config.tuner.enabled else None,
        config=json.dumps(config.as_dict()),
        graph=json.dumps(_graph(components)),
        facts=json.dumps(report_facts(config, context)),
        data=given.data,
        recipe=own_recipe,
        code_version=code_version("components.report.executor"),
    )
    return [*components, report]


def _graph(components: list[BaseComponent]) -> dict[str, list[str]]:
    """By component, those whose outputs it takes, sources first."""
    owner = {id(channel): component.id for component in components for channel in component.outputs.values()}
    return {
        component.id: sorted({owner[id(channel)] for channel in component.inputs.values() if id(channel) in owner})
        for component in components
    }


def create_pipeline(
    config: Config, context: RunContext, root: str, metadata: str | None = None
) -> tfx_pipeline.Pipeline:
    """The pipeline as TFX's runners take it.

    Args:
        config: the configuration.
        context: where the data and the models are.
        root: where artifacts go.
        metadata: path of the SQLite store; None where the platform keeps its own.
    """
    return tfx_pipeline.Pipeline(
        pipeline_name=NAME,
        pipeline_root=root,
        components=create_components(config, context),
        enable_cache=True,
        metadata_connection_config=sqlite_metadata_connection_config(metadata) if metadata else None,
        beam_pipeline_args=_beam_arguments(config),
    )


def _beam_arguments(config: Config) -> list[str]:
    # Named in full: from Beam 2.68 on, "DirectRunner" means to download another one first.
    runner = config.beam.runner or "apache_beam.runners.portability.fn_api_runner.FnApiRunner"
    return [f"--runner={runner}", *config.beam.options]


def _version(code: str, path: str | None) -> str:
    """The code's version, and the content of the file that an option of the component names."""
    digest = file_digest(path)
    return f"{code}-{digest}" if digest else code


def _json(section: Section) -> str:
    return section.model_dump_json(by_alias=True)
