"""ModelRegistration: pushed models in Kubeflow's Model Registry."""

from tfx.types.standard_artifacts import PushedModel

from components.component import Component, Input, Output, Parameter
from components.formats.artifacts import Analysis
from components.registration.executor import Executor


class ModelRegistration(Component):
    """Register the models that stand at the push destination in Kubeflow's Model Registry, with scores and digest."""

    EXECUTOR = Executor
    INPUTS = {"pushed_model": Input(PushedModel, "of the Pusher")}
    OUTPUTS = {"registered": Output(Analysis, "`registered.json`: which versions were new to the registry")}
    PARAMETERS = {
        "destination": Parameter(str, "folder, `s3://…` or `gs://…`"),
        "registry": Parameter(str, "the registry's URL"),
        "name": Parameter(str, "of the model in the registry"),
    }
