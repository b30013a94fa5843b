"""ImageTuner: TFX's Tuner over architectures (and further options), with a leaderboard.

ImageTuner(examples, model=options.model.model_dump_json(), train=…, image=…, tuner=…, seed=0)
"""

from typing import Any, ClassVar

from tfx.components.tuner.component import Tuner
from tfx.dsl.components.base import base_component, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.proto import trainer_pb2
from tfx.types import standard_artifacts, standard_component_specs
from tfx.types.channel import BaseChannel, Channel

from components.trainer.parameters import PARAMETERS
from components.trainer.tuner_executor import Executor

TUNER_FN = "components.trainer.tuner_fn.tuner_fn"


class ImageTunerSpec(standard_component_specs.TunerSpec):
    """The Tuner's inputs and outputs, and our parameters."""

    PARAMETERS: ClassVar[dict[str, Any]] = {**standard_component_specs.TunerSpec.PARAMETERS, **PARAMETERS}


class ImageTuner(Tuner):
    """Trains every listed architecture for `tuner.epochs` epochs and scores it on the split eval.

    Outputs: `best_hyperparameters` (for ImageTrainer) and `tuner_results` (`leaderboard.json`).
    """

    SPEC_CLASS = ImageTunerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        *,
        model: str,
        train: str,
        image: str,
        tuner: str,
        seed: int | RuntimeParameter = 0,
        code_version: str = "",
        checkpoint_dir: str = "",
    ) -> None:
        """Construct the component.

        Args:
            examples: with splits train and eval, and a label map beside them.
            model: ModelOptions as JSON.
            train: TrainOptions as JSON; `epochs` is the Tuner's own.
            image: ImageOptions as JSON.
            tuner: TunerOptions as JSON.
            seed: of weights, shuffling, dropout and augmentation.
            code_version: changes when the code does, so that a cached result isn't reused.
            checkpoint_dir: folder for the state of interrupted searches; "" for none.
        """
        spec = ImageTunerSpec(
            examples=examples,
            tuner_fn=TUNER_FN,
            train_args=trainer_pb2.TrainArgs(splits=["train"]),
            eval_args=trainer_pb2.EvalArgs(splits=["eval"]),
            custom_config="null",
            best_hyperparameters=Channel(type=standard_artifacts.HyperParameters),
            tuner_results=Channel(type=standard_artifacts.TunerResults),
            model_options=model,
            train_options=train,
            image_options=image,
            tuner_options=tuner,
            seed=seed,
            code_version=code_version,
            checkpoint_dir=checkpoint_dir,
        )
        base_component.BaseComponent.__init__(self, spec=spec)
