"""The pipeline: which component feeds which, in the order in which the data flows."""

import json
from typing import Any

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.orchestration import pipeline as tfx_pipeline
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.types.channel import BaseChannel

from components.analysis.component import PredictionAnalysis
from components.analysis.options import AnalysisOptions
from components.data_digest.component import DataDigest
from components.evaluator.component import BaselineFinder, ImageEvaluator
from components.evaluator.options import EvaluateOptions
from components.explanation.component import ModelExplanation
from components.ingest.component import ImageIngest
from components.pusher.component import ImagePusher
from components.registration.component import ModelRegistration
from components.report.component import Report
from components.run_tracker.component import RunTracker
from components.simple_baselines.component import SimpleBaselines
from components.split_balance_augment.component import SplitBalanceAugment
from components.tfrecord.component import TFRecordConverter
from components.trainer.component import ImageTrainer
from components.tuner.component import ImageTuner
from components.validation.component import (
    DataGate,
    ImageSchema,
    ImageStatistics,
    SplitComparison,
    example_validator,
)
from components.validation.options import ValidateOptions
from components.work.options import BeamOptions
from pipeline.config import Config
from pipeline.config.secrets import recorded
from pipeline.context import RunContext, RunParameters, recipe, recipe_parts
from pipeline.cross_fitting import cross_fitting
from pipeline.record import report_facts

NAME = "facial-affect"


def create_components(config: Config, context: RunContext) -> list[BaseComponent]:
    """Return all components, wired.

    Args:
        config: the configuration.
        context: where the data and the models are.
    """
    # A compiled pipeline's run may set some of what the recipe is made of.
    own_recipe = recipe(config) if context.parameters is None else json.dumps(recipe_parts(config), sort_keys=True)
    given = context.parameters or RunParameters(context.uri, context.destination, config.seed)
    evaluate = config.evaluate

    # A local run has looked at data and destination before; a compiled one begins by it.
    seen: dict[str, Any] = {"digest": context.folder_digest, "candidates": context.candidates, "version": None}
    looks: list[BaseComponent] = []
    if context.parameters is not None:
        files = json.dumps(config.files())
        look = DataDigest(
            uri=given.data,
            files=files,
            follow_links=int(config.data.follow_links),
            destination=given.destination,
            recipe=own_recipe,
        )
        seen = {name: channel.future()[0].value for name, channel in look.outputs.items()}
        looks = [look]
    # Reads the folder: checks, hashes and packs every image; quarantines what can't be used.
    ingest = ImageIngest(uri=given.data, data=config.data.for_ingest(), data_digest=seen["digest"])
    # Divides groups of images into train, eval and test, and fills up small classes with augmented copies.
    split = SplitBalanceAugment(
        images=ingest.outputs["images"],
        split=config.split,
        group_near=int(config.data.near_duplicates == "group"),
        balance=config.balance,
        augment=config.augment,
        beam=BeamOptions() if context.beam_in_environment else config.beam,
    )
    # Writes tf.Examples, with the label map that the model will carry.
    convert = TFRecordConverter(dataset=split.outputs["dataset"])
    examples = {"examples": convert.outputs["examples"]}
    # On Kubeflow a task fetches all that it is given: who needs a few figures isn't given the images.
    summary, labels = {"summary": split.outputs["summary"]}, {"labels": convert.outputs["labels"]}

    # Statistics of each split, held against a schema that was not inferred from them.
    statistics = ImageStatistics(**examples)
    own_schema = ValidateOptions(schema=config.validation.schema_path)
    schema = ImageSchema(**labels, validate=own_schema, max_pixels=config.data.max_pixels)
    validator = example_validator(statistics.outputs["statistics"], schema.outputs["schema"])
    comparison = SplitComparison(statistics=statistics.outputs["statistics"])
    # Stops here on an anomaly: the validators alone only take note.
    gate = DataGate(
        **summary,
        schema_anomalies=validator.outputs["anomalies"],
        distribution_anomalies=comparison.outputs["anomalies"],
        validate=config.validation,
    )

    # What the model must beat to be worth its training: the largest class's share, and a linear model on small images.
    simple = SimpleBaselines(dataset=split.outputs["dataset"], **labels)
    training: dict[str, Any] = {**examples, "seed": given.seed, "checkpoint_dir": context.checkpoints}
    training |= {"model_options": config.model, "train_options": config.training, "image_options": config.image}
    training["epochs"] = given.epochs
    # Tries architectures by successive halving, scored on eval; the trainer goes on with the best.
    tuners = [ImageTuner(**training, tuner_options=config.tuner)] if config.tuner.enabled else []
    tuned: dict[str, BaseChannel] = tuners[0].outputs if tuners else {}
    # Builds and trains the chosen ResNet on train, watching eval.
    training |= {
        "hyperparameters": tuned.get("best_hyperparameters"),
        "tracking_options": config.tracking,
        "answer_options": config.answer,
        "calibrate": int(evaluate.calibrate),
        "flip_average": int(config.flip_average),
        "architecture": given.architecture,
    }
    trainer = ImageTrainer(**training)
    # Trains once more for each fold of train and eval, which it then predicts; test stays out of it.
    fitting = cross_fitting(config, training, labels)
    for waiting in (simple, *tuners, trainer, *fitting.components[:1]):
        waiting.add_upstream_node(gate)

    # The pushed model that the new one has to beat, if there is one.
    model = {"model": trainer.outputs["model"] if fitting.model is None else fitting.model}
    origin = {"destination": given.destination, "recipe": own_recipe, "folder_digest": seen["digest"]}
    baseline = BaselineFinder(**summary, **labels, **origin, candidates=seen["candidates"])
    # Both on this run's test split, which nothing has looked at before.
    least = EvaluateOptions(
        min_accuracy=evaluate.min_accuracy,
        beat_baselines=evaluate.beat_baselines,
        min_gain=evaluate.min_gain,
        gain_confidence=evaluate.gain_confidence,
        min_slice_accuracy=evaluate.min_slice_accuracy,
        min_slice_images=evaluate.min_slice_images,
        slice_on=evaluate.slice_on,
        max_slice_values=evaluate.max_slice_values,
    )
    evaluator = ImageEvaluator(
        **examples,
        groups=convert.outputs["groups"],
        **model,
        baselines=simple.outputs["baselines"],
        baseline_model=baseline.outputs["model"],
        evaluate=least,
    )
    # Intervals, calibration, mistakes, suspicious labels, model card.
    analysis = PredictionAnalysis(
        dataset=split.outputs["dataset"],
        **labels,
        model_run=trainer.outputs["model_run"],
        evaluation=evaluator.outputs["evaluation"],
        **fitting.found,
        options=AnalysisOptions(
            calibrate=evaluate.calibrate, bootstrap=evaluate.bootstrap, suspects=config.report.suspects
        ),
        image=config.image,
        seed=given.seed,
        recipe=own_recipe,
    )
    # What the model looks at, what lies near its mistakes, and pictures that two splits share.
    shown = {"dataset": split.outputs["dataset"], "analysis": analysis.outputs["analysis"]}
    explanations = (
        [ModelExplanation(**model, **shown, options=config.explain, seed=given.seed)] if config.explained else []
    )
    explained: dict[str, BaseChannel] = explanations[0].outputs if explanations else {}
    # A blessed model goes to where it is served from.
    found = {"analysis": analysis.outputs["analysis"]}
    pusher = ImagePusher(
        **model,
        **found,
        model_blessing=evaluator.outputs["blessing"],
        lost=context.lost,
        version=seen["version"],
        **origin,
    )

    components = [ingest, split, convert, statistics, schema, validator, comparison, gate]
    components += [simple, *tuners, trainer, *fitting.components, baseline, evaluator, analysis, *explanations, pusher]
    # One page of all that.
    report = Report(
        findings=ingest.outputs["findings"],
        **summary,
        verdict=gate.outputs["verdict"],
        model_run=trainer.outputs["model_run"],
        evaluation=evaluator.outputs["evaluation"],
        **found,
        pushed_model=pusher.outputs["pushed_model"],
        tuner_results=tuned.get("tuner_results"),
        explanation=explained.get("explanation"),
        config=json.dumps(recorded(config)),
        graph=json.dumps(_graph(components)),
        facts=json.dumps(report_facts(config, context)),
        data=given.data,
        recipe=own_recipe,
    )
    told = [*looks, *components, report]
    # The report, the card and the scores join the curves on the tracking server.
    if config.tracking.mlflow.enabled:
        results = {"model_run": trainer.outputs["model_run"], "evaluation": evaluator.outputs["evaluation"], **found}
        results |= {"pushed_model": pusher.outputs["pushed_model"], "report": report.outputs["report"]}
        copied = model if config.tracking.mlflow.upload_model else {}
        told.append(RunTracker(**results, **copied, mlflow=config.tracking.mlflow))
    # Comes last: a registry that is away takes nothing else away.
    if config.push.registry is not None:
        registration = ModelRegistration(
            pushed_model=pusher.outputs["pushed_model"],
            destination=given.destination,
            registry=config.push.registry,
            name=config.push.registry_model,
        )
        registration.add_upstream_node(told[-1])
        told.append(registration)
    return told


def _graph(components: list[BaseComponent]) -> dict[str, list[str]]:
    """Return by component those that it follows, since it takes their outputs or was told to wait for them."""
    owner = {id(channel): component.id for component in components for channel in component.outputs.values()}
    taken = {
        component.id: {owner[id(channel)] for channel in component.inputs.values() if id(channel) in owner}
        for component in components
    }
    return {one.id: sorted(taken[one.id] | {node.id for node in one.upstream_nodes}) for one in components}


def create_pipeline(
    config: Config, context: RunContext, root: str, metadata: str | None = None
) -> tfx_pipeline.Pipeline:
    """Return the pipeline as TFX's runners take it.

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
