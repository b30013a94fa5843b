"""ImageSchema, TFX's own statistics and validators set up for images, and DataGate, which acts on what they find."""

import tensorflow_data_validation as tfdv
from tfx import types
from tfx.components.example_validator.component import ExampleValidator
from tfx.components.statistics_gen.component import StatisticsGen
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.types.standard_artifacts import ExampleAnomalies, Examples, ExampleStatistics, Schema

from components.artifacts import Analysis, ImageDataset
from components.validation.executor import ComparisonExecutor, GateExecutor, SchemaExecutor
from components.validation.schema import STATISTICS


class ImageSchemaSpec(ComponentSpec):
    """Inputs, outputs and parameters of ImageSchema."""

    INPUTS = {"examples": ChannelParameter(type=Examples)}
    OUTPUTS = {"schema": ChannelParameter(type=Schema)}
    PARAMETERS = {
        "validate": ExecutionParameter(type=str),
        "data": ExecutionParameter(type=str),
        "code_version": ExecutionParameter(type=str),
    }


class ImageSchema(BaseComponent):
    """Writes the schema from the label map and the options, or takes over the user's own."""

    SPEC_CLASS = ImageSchemaSpec
    EXECUTOR_SPEC = ExecutorClassSpec(SchemaExecutor)

    def __init__(self, examples: types.BaseChannel, validate: str, data: str, code_version: str = "") -> None:
        """Construct the component.

        Args:
            examples: standard Examples with our label map.
            validate: `ValidateOptions` as JSON.
            data: `DataOptions` as JSON.
            code_version: of the component's source; a changed one runs the component anew.
        """
        spec = ImageSchemaSpec(
            examples=examples,
            validate=validate,
            data=data,
            code_version=code_version,
            schema=types.Channel(type=Schema),
        )
        super().__init__(spec=spec)


class SplitComparisonSpec(ComponentSpec):
    """Inputs, outputs and parameters of SplitComparison."""

    INPUTS = {"statistics": ChannelParameter(type=ExampleStatistics)}
    OUTPUTS = {"anomalies": ChannelParameter(type=ExampleAnomalies)}
    PARAMETERS = {"code_version": ExecutionParameter(type=str)}


class SplitComparison(BaseComponent):
    """Holds eval's classes against test's. Train is balanced on purpose, so it is left out.

    TFX's own DistributionValidator takes the statistics twice, as two inputs. Kubeflow's driver can't: ML Metadata
    holds one event an execution and artifact, and the task would never start.
    """

    SPEC_CLASS = SplitComparisonSpec
    EXECUTOR_SPEC = ExecutorClassSpec(ComparisonExecutor)

    def __init__(self, statistics: types.BaseChannel, code_version: str = "") -> None:
        """Construct the component.

        Args:
            statistics: of StatisticsGen, with the splits eval and test.
            code_version: of the component's source; a changed one runs the component anew.
        """
        spec = SplitComparisonSpec(
            statistics=statistics, code_version=code_version, anomalies=types.Channel(type=ExampleAnomalies)
        )
        super().__init__(spec=spec)


class DataGateSpec(ComponentSpec):
    """Inputs, outputs and parameters of DataGate."""

    INPUTS = {
        "dataset": ChannelParameter(type=ImageDataset),
        "schema_anomalies": ChannelParameter(type=ExampleAnomalies),
        "distribution_anomalies": ChannelParameter(type=ExampleAnomalies),
    }
    OUTPUTS = {"verdict": ChannelParameter(type=Analysis)}
    PARAMETERS = {"validate": ExecutionParameter(type=str), "code_version": ExecutionParameter(type=str)}


class DataGate(BaseComponent):
    """Fails on a fatal anomaly, so that nothing behind it runs; TFX's validators alone only take note."""

    SPEC_CLASS = DataGateSpec
    EXECUTOR_SPEC = ExecutorClassSpec(GateExecutor)

    def __init__(
        self,
        dataset: types.BaseChannel,
        schema_anomalies: types.BaseChannel,
        distribution_anomalies: types.BaseChannel,
        validate: str,
        code_version: str = "",
    ) -> None:
        """Construct the component.

        Args:
            dataset: the split ImageDataset, for its counts.
            schema_anomalies: of ExampleValidator.
            distribution_anomalies: of SplitComparison.
            validate: `ValidateOptions` as JSON.
            code_version: of the component's source; a changed one runs the component anew.
        """
        spec = DataGateSpec(
            dataset=dataset,
            schema_anomalies=schema_anomalies,
            distribution_anomalies=distribution_anomalies,
            validate=validate,
            code_version=code_version,
            verdict=types.Channel(type=Analysis),
        )
        super().__init__(spec=spec)


def image_statistics(examples: types.BaseChannel) -> StatisticsGen:
    """StatisticsGen over everything but the encoded bytes and the unique names."""
    return StatisticsGen(examples=examples, stats_options=tfdv.StatsOptions(feature_allowlist=list(STATISTICS)))


def example_validator(statistics: types.BaseChannel, schema: types.BaseChannel) -> ExampleValidator:
    """ExampleValidator: each split's statistics against the schema."""
    return ExampleValidator(statistics=statistics, schema=schema)
