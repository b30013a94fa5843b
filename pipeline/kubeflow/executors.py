"""Executors that TFX's runner for Kubeflow serves badly, under a name of their own.

That runner hands every parameter over as the text or number that the IR holds; the local one restores protocol buffers.
"""

from typing import Any

from tfx import types
from tfx.components.distribution_validator import executor as distribution_validator
from tfx.proto import distribution_validator_pb2
from tfx.types.standard_component_specs import DISTRIBUTION_VALIDATOR_CONFIG_KEY
from tfx.utils import proto_utils


class DistributionValidatorExecutor(distribution_validator.Executor):
    """TFX's DistributionValidator with its configuration restored from JSON."""

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Validate."""
        config = exec_properties[DISTRIBUTION_VALIDATOR_CONFIG_KEY]
        if isinstance(config, str):
            config = proto_utils.json_to_proto(config, distribution_validator_pb2.DistributionValidatorConfig())
        super().Do(input_dict, output_dict, {**exec_properties, DISTRIBUTION_VALIDATOR_CONFIG_KEY: config})
