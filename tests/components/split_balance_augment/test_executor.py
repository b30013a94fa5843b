from pathlib import Path

from drawn_images import draw_folder

from components import ImageDataset
from components.formats.artifacts import Analysis
from components.formats.documents import SUMMARY
from components.ingest.ingest import ingest
from components.ingest.options import DataOptions
from components.split_balance_augment.component import SplitBalanceAugment
from components.split_balance_augment.executor import Executor
from components.split_balance_augment.options import AugmentOptions, BalanceOptions, SplitOptions
from components.work.options import BeamOptions


def test_the_executor_publishes_what_it_made(tmp_path: Path) -> None:
    images, dataset, summary = ImageDataset(), ImageDataset(), Analysis()
    images.uri, dataset.uri = str(tmp_path / "images"), str(tmp_path / "not" / "made" / "yet")
    summary.uri = str(tmp_path / "summary" / "yet")
    (tmp_path / "images").mkdir()
    ingest(str(draw_folder(tmp_path / "folder", {"a": 40, "b": 20})), tmp_path / "images", DataOptions())
    options = {
        "split": SplitOptions().model_dump_json(),
        "balance": BalanceOptions(splits=("train", "eval", "test")).model_dump_json(),
        "augment": AugmentOptions().model_dump_json(),
        "beam": BeamOptions(workers=1).model_dump_json(),
        "group_near": 0,
        "code_version": "1",
    }
    Executor().Do({"images": [images]}, {"dataset": [dataset], "summary": [summary]}, options)
    published = {name: dataset.get_int_custom_property(f"{name}_images") for name in ("train", "eval", "test")}
    assert published == {"train": 56, "eval": 8, "test": 16}
    assert dataset.get_int_custom_property("made_copies") == 20
    assert dataset.get_string_custom_property("data_digest")
    [alone] = Path(summary.uri).iterdir()
    assert alone.name == "summary.json"
    assert alone.read_bytes() == (Path(dataset.uri) / "summary.json").read_bytes()
    assert SUMMARY.read(summary.uri)["made_copies"] == 20


def test_the_component_has_the_parameters_of_its_executor() -> None:
    images = ImageDataset()
    from tfx.types.channel import Channel

    component = SplitBalanceAugment(
        images=Channel(type=ImageDataset).set_artifacts([images]),
        split=SplitOptions(),
        group_near=0,
        balance=BalanceOptions(),
        augment=AugmentOptions(),
        beam=BeamOptions(),
    )
    assert set(component.outputs) == {"dataset", "summary"}
    assert set(component.exec_properties) == {"split", "group_near", "balance", "augment", "beam", "code_version"}
