"""ImageSchema, TFX's own statistics and validators set up for images, and DataGate, which acts on what they find."""

from tfx.components.example_validator.component import ExampleValidator
from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.types.channel import BaseChannel
from tfx.types.standard_artifacts import ExampleAnomalies, Examples, ExampleStatistics, Schema

from components.component import Component, Input, Output, Parameter
from components.formats.artifacts import Analysis
from components.validation.comparison_executor import ComparisonExecutor
from components.validation.gate_executor import GateExecutor
from components.validation.options import ValidateOptions
from components.validation.schema_executor import SchemaExecutor
from components.validation.statistics_executor import StatisticsExecutor


class ImageSchema(Component):
    """Write the schema from the label map and the options, or take over the user's own."""

    EXECUTOR = SchemaExecutor
    INPUTS = {"labels": Input(Analysis, "of TFRecordConverter")}
    OUTPUTS = {"schema": Output(Schema, "what the data is held to")}
    PARAMETERS = {
        "validate": Parameter(ValidateOptions, "the user's own schema"),
        "max_pixels": Parameter(int, "no side of an image may be longer"),
    }


class ImageStatistics(Component, BaseBeamComponent):  # type: ignore[misc]
    """Run TFX's StatisticsGen over everything but the encoded bytes and the unique names.

    TFX's own takes the names of the features when the pipeline is made; those of a table's columns aren't known then.
    """

    EXECUTOR = StatisticsExecutor
    INPUTS = {"examples": Input(Examples, "with the columns of metadata")}
    OUTPUTS = {"statistics": Output(ExampleStatistics, "of each split")}


class SplitComparison(Component):
    """Hold eval's classes against test's. Train is balanced on purpose, so it is left out.

    TFX's own DistributionValidator takes the statistics twice, as two inputs. Kubeflow's driver can't: ML Metadata
    holds one event an execution and artifact, and the task would never start.
    """

    EXECUTOR = ComparisonExecutor
    INPUTS = {"statistics": Input(ExampleStatistics, "of StatisticsGen, with the splits eval and test")}
    OUTPUTS = {"anomalies": Output(ExampleAnomalies, "of the pair eval, test")}


class DataGate(Component):
    """Fail on a fatal anomaly, so that nothing behind it runs; TFX's validators alone only take note."""

    EXECUTOR = GateExecutor
    INPUTS = {
        "summary": Input(Analysis, "of SplitBalanceAugment, for its counts"),
        "schema_anomalies": Input(ExampleAnomalies, "of ExampleValidator"),
        "distribution_anomalies": Input(ExampleAnomalies, "of SplitComparison"),
    }
    OUTPUTS = {"verdict": Output(Analysis, "`gate.json`")}
    PARAMETERS = {"validate": Parameter(ValidateOptions, "what an anomaly does")}


def example_validator(statistics: BaseChannel, schema: BaseChannel) -> ExampleValidator:
    """Return ExampleValidator: each split's statistics against the schema."""
    return ExampleValidator(statistics=statistics, schema=schema)
