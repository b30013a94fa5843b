"""Runs the comparison of splits inside TFX."""

from typing import Any

from tfx import types
from tfx.components.distribution_validator import executor as distribution_validator
from tfx.proto import distribution_validator_pb2
from tfx.types import standard_component_specs as keys
from tfx.utils import json_utils

from components.formats.examples import TEXT
from components.validation.share_test import MAX_SHARE_DIFFERENCE


class ComparisonExecutor(distribution_validator.Executor):
    """TFX's DistributionValidator between two splits of the same statistics."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> Any:
        """Compare the shares of the classes in eval with those in test.

        Args:
            input_dict: `statistics`.
            output_dict: `anomalies`, with one Anomalies proto for the pair.
            exec_properties: not read.

        Returns:
            TFX's ExecutorOutput, with the anomalies' properties.
        """
        del exec_properties
        config = distribution_validator_pb2.DistributionValidatorConfig()
        feature = config.default_slice_config.feature.add()
        feature.path.step.append(TEXT)
        feature.distribution_comparator.infinity_norm.threshold = MAX_SHARE_DIFFERENCE
        statistics = input_dict[keys.STATISTICS_KEY]
        return super().Do(
            {keys.STATISTICS_KEY: statistics, keys.BASELINE_STATISTICS_KEY: statistics},
            output_dict,
            {
                keys.DISTRIBUTION_VALIDATOR_CONFIG_KEY: config,
                keys.INCLUDE_SPLIT_PAIRS_KEY: json_utils.dumps([("eval", "test")]),
            },
        )
