"""An executor that needs no TFX, run by TFX. How it runs on Kubeflow is shown in `test_entrypoint.py`."""

from pathlib import Path
from typing import Any

from tfx.orchestration.portable.data_types import ExecutionInfo
from tfx.orchestration.portable.python_executor_operator import PythonExecutorOperator
from tfx.proto.orchestration.executable_spec_pb2 import PythonClassExecutableSpec
from tfx.types.standard_artifacts import String

from components.formats.artifacts import ImageDataset
from components.plain_executor import PlainExecutor


class Marks(PlainExecutor):
    """Marks its output with its text, and hands the text on."""

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: Any) -> None:  # noqa: N802
        output_dict["images"][0].set_string_custom_property("text", exec_properties["text"])
        output_dict["handed_on"][0].value = exec_properties["text"]


def test_tfx_runs_it_as_one_of_its_own(tmp_path: Path) -> None:
    images, handed_on = ImageDataset(), String()
    handed_on.uri = str(tmp_path / "value")
    info = ExecutionInfo(
        execution_id=1,
        output_dict={"images": [images], "handed_on": [handed_on]},
        exec_properties={"text": "a b"},
        execution_output_uri=str(tmp_path / "output"),
        tmp_dir=str(tmp_path / "tmp"),
    )
    operator = PythonExecutorOperator(PythonClassExecutableSpec(class_path=f"{__name__}.Marks"))

    output = operator.run_executor(info)

    assert output.output_artifacts["images"].artifacts[0].custom_properties["text"].string_value == "a b"
    assert (tmp_path / "value").read_text() == "a b"
