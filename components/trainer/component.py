"""ImageTrainer: TFX's Trainer with the options of this pipeline as parameters.

ImageTrainer(examples, model=options.model.model_dump_json(), train=…, image=…, tracking=…, evaluate=…, seed=0)
"""

import json
from typing import Any, ClassVar

from tfx.components.trainer.component import Trainer
from tfx.dsl.components.base import base_component, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.proto import trainer_pb2
from tfx.types import standard_artifacts, standard_component_specs
from tfx.types.channel import BaseChannel, Channel

from components.trainer.executor import Executor
from components.trainer.parameters import PARAMETERS

RUN_FN = "components.trainer.run_fn.run_fn"


class ImageTrainerSpec(standard_component_specs.TrainerSpec):
    """The Trainer's inputs and outputs, and our parameters."""

    PARAMETERS: ClassVar[dict[str, Any]] = {**standard_component_specs.TrainerSpec.PARAMETERS, **PARAMETERS}


class ImageTrainer(Trainer):
    """Trains the chosen ResNet on the examples' split train, watches eval, and exports a SavedModel.

    Outputs: `model` (a SavedModel in `Format-Serving`) and `model_run` (`training.json`, TensorBoard logs).
    """

    SPEC_CLASS = ImageTrainerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        *,
        model: str,
        train: str,
        image: str,
        tracking: str = "{}",
        evaluate: str = "{}",
        epochs: int | RuntimeParameter | None = None,
        architecture: str | RuntimeParameter | None = None,
        seed: int | RuntimeParameter = 0,
        code_version: str = "",
        checkpoint_dir: str = "",
        hyperparameters: BaseChannel | None = None,
        schema: BaseChannel | None = None,
    ) -> None:
        """Construct the component.

        Args:
            examples: with splits train and eval, and a label map beside them.
            model: ModelOptions as JSON.
            train: TrainOptions as JSON.
            image: ImageOptions as JSON.
            tracking: TrackingOptions as JSON.
            evaluate: EvaluateOptions as JSON; only `calibrate` is read.
            epochs: overrides `train`.
            architecture: overrides `model`.
            seed: of weights, shuffling, dropout and augmentation.
            code_version: changes when the code does, so that a cached result isn't reused.
            checkpoint_dir: folder for the state of interrupted trainings; "" for none.
            hyperparameters: the Tuner's choice; overrides everything else.
            schema: not read; makes the component wait for what checks the data.
        """
        spec = ImageTrainerSpec(
            examples=examples,
            hyperparameters=hyperparameters,
            schema=schema,
            run_fn=RUN_FN,
            train_args=trainer_pb2.TrainArgs(splits=["train"]),
            eval_args=trainer_pb2.EvalArgs(splits=["eval"]),
            custom_config="null",
            model=Channel(type=standard_artifacts.Model),
            model_run=Channel(type=standard_artifacts.ModelRun),
            model_options=model,
            train_options=train,
            image_options=image,
            tracking_options=tracking,
            # Of `evaluate` no more than is read, so that its other options don't cause a new training.
            calibrate=int(json.loads(evaluate).get("calibrate", True)),
            epochs=epochs,
            architecture=architecture,
            seed=seed,
            code_version=code_version,
            checkpoint_dir=checkpoint_dir,
        )
        base_component.BaseComponent.__init__(self, spec=spec)
