"""Predict parts through Beam's RunInference: parts in, shards written.

An element is a part, a plan of a few kilobytes: its images are read where the model is, and no image goes through the
runner. RunInference would put images of several parts into one batch, and their answers in any order; then a part's
answers could differ in their last bits from run to run, and no shard would be whole before all are.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.ml.inference.base import ModelHandler, PredictionResult, RunInference

from components.batch_predict.parts import Part
from components.batch_predict.place import Place
from components.batch_predict.predict_part import Asked, predict_part
from components.batch_predict.served_model import About, ServedModel, on_this_machine
from components.formats.dataset import shard_name
from components.formats.served_predictions import PREDICTIONS, QUARANTINE, QUARANTINE_SCHEMA, SCHEMA, write_served


class SavedModelHandler(ModelHandler[Part, PredictionResult, ServedModel]):  # type: ignore[misc]
    """Loads a SavedModel once a worker, and has it answer for the images of a part.

    Args:
        model: path or URI of its folder, as workers reach it.
        asked: what of it.
    """

    def __init__(self, model: str, asked: Asked) -> None:
        super().__init__()
        self._model, self._asked = model, asked

    def load_model(self) -> ServedModel:
        """Load the model; one in an object store is fetched first."""
        with on_this_machine(self._model) as folder:
            model = ServedModel(folder, self._model)
        if self._asked.embeddings and not model.can_embed():
            raise ValueError(
                "the model has no signature embed, since an earlier version exported it: leave out the embeddings, or "
                "push another model"
            )
        return model

    def run_inference(
        self, batch: Sequence[Part], model: ServedModel, inference_args: Mapping[str, Any] | None = None
    ) -> Iterable[PredictionResult]:
        """Yield what the model says of each part."""
        del inference_args
        for part in batch:
            yield PredictionResult(part, predict_part(part, model, self._asked))

    def get_metrics_namespace(self) -> str:
        """Return under which name Beam counts and times."""
        return "BatchPredict"


@dataclass
class PredictParts(beam.PTransform):  # type: ignore[misc]
    """Parts in, their numbers out; each becomes a shard of predictions and one of what can't be predicted.

    Attributes:
        model: path or URI of the model's folder, as workers reach it.
        about: the model.
        asked: what of it.
        output: the folder for the shards.
        shards: how many there are, those included that are there already.
    """

    model: str
    about: About
    asked: Asked
    output: Place
    shards: int

    def expand(self, pcoll: Any) -> Any:
        """Spread the parts over the workers."""
        alone = pcoll | beam.Reshuffle() | beam.Map(lambda part: [part])
        # A part is a batch by itself.
        answered = alone | RunInference(SavedModelHandler(self.model, self.asked).with_no_batching())
        return answered | beam.ParDo(_WriteShard(self.about, self.output, self.shards))


class _WriteShard(beam.DoFn):  # type: ignore[misc]
    def __init__(self, about: About, output: Place, shards: int) -> None:
        super().__init__()
        self._about, self._output, self._shards = about, output, shards

    def process(self, element: PredictionResult) -> Any:
        part, shard = element.example, element.inference
        # Predictions come last: where they are, the part is done.
        self._write(QUARANTINE, part.index, shard.quarantine, QUARANTINE_SCHEMA)
        self._write(PREDICTIONS, part.index, shard.predictions, SCHEMA)
        yield part.index

    def _write(self, prefix: str, index: int, columns: dict[str, list[Any]], schema: Any) -> None:
        file = io.BytesIO()
        write_served(columns, file, self._about.labels, self._about.digest, schema)
        self._output.write(shard_name(prefix, index, self._shards), file.getvalue())
