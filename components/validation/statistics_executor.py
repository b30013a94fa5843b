"""Runs the statistics inside TFX."""

from typing import Any

import tensorflow_data_validation as tfdv
from tfx import types
from tfx.components.statistics_gen import executor as statistics_gen
from tfx.types import standard_component_specs as keys
from tfx.types.artifact_utils import get_single_instance

from components.formats.examples import METADATA, read_metadata_columns
from components.validation.schema import STATISTICS


class StatisticsExecutor(statistics_gen.Executor):
    """TFX's StatisticsGen over the features that say something in sum, the columns of metadata among them."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Compute the statistics of each split.

        Args:
            input_dict: `examples`.
            output_dict: `statistics`.
            exec_properties: not read.
        """
        del exec_properties
        columns = read_metadata_columns(get_single_instance(input_dict["examples"]).uri)
        options = tfdv.StatsOptions(feature_allowlist=[*STATISTICS, *(METADATA + column for column in columns)])
        super().Do(input_dict, output_dict, {keys.STATS_OPTIONS_JSON_KEY: options.to_json()})
