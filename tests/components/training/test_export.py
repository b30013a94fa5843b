from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from on_gpu import ON_GPU
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from trainer_examples import draw_shapes, encode, example

from components.images.options import ImageOptions
from components.models.pretrained import Conventions, conventions_of_model, conventions_of_weights
from components.models.resnets import ResNet18
from components.training.decoding import decode_image
from components.training.export import export
from components.training.network import build_model, copy_in_float32
from components.training.options import ModelOptions

LABELS = ["circle", "square", "cross"]
IMAGE = ImageOptions(height=32, width=32)
TEMPERATURE = 2.5


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    return ResNet18(3, (32, 32, 3), normalize=True, classifier_activation=None)


@pytest.fixture(scope="module")
def served(model: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = str(tmp_path_factory.mktemp("model") / "1")
    export(model, folder, LABELS, IMAGE, TEMPERATURE, {"epochs_run": 1})
    loaded = tf.saved_model.load(folder)
    loaded.folder = folder
    return loaded


def classify(served: Any, images: list[bytes]) -> dict[str, NDArray[Any]]:
    outputs = served.signatures["serving_default"](image_bytes=tf.constant(images, tf.string))
    return {name: value.numpy() for name, value in outputs.items()}


def test_serving_equals_the_model_on_the_same_bytes(served: Any, model: keras.Model) -> None:
    images, _ = draw_shapes(8, size=45)

    outputs = classify(served, images)

    decoded = tf.stack([tf.cast(decode_image(tf.constant(image), IMAGE), tf.float32) for image in images])
    expected = tf.nn.softmax(model(decoded, training=False) / TEMPERATURE).numpy()
    np.testing.assert_allclose(outputs["probabilities"], expected, atol=1e-5)
    np.testing.assert_allclose(outputs["score"], expected.max(axis=1), atol=1e-5)
    assert [label.decode() for label in outputs["label"]] == [LABELS[i] for i in expected.argmax(axis=1)]


def test_an_image_and_its_mirror_image_are_answered_alike_where_both_are_averaged(
    model: keras.Model, tmp_path: Path
) -> None:
    export(model, str(tmp_path), LABELS, IMAGE, TEMPERATURE, {}, flip_average=True)
    pixels = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype(np.uint8)
    served = tf.saved_model.load(str(tmp_path))

    plain, mirrored = (
        classify(served, [encode(np.ascontiguousarray(one)) for one in images])["probabilities"]
        for images in (pixels, pixels[:, :, ::-1])
    )

    logits = [model(images.astype(np.float32), training=False) for images in (pixels, pixels[:, :, ::-1])]
    np.testing.assert_allclose(plain, tf.nn.softmax((logits[0] + logits[1]) / 2 / TEMPERATURE), atol=1e-5)
    np.testing.assert_allclose(mirrored, plain, atol=1e-5)
    assert np.abs(logits[0] - logits[1]).max() > 0.1


def test_a_model_without_thresholds_accepts_all_that_it_can_decode(served: Any) -> None:
    images, _ = draw_shapes(3)

    accepted = classify(served, [*images, b"no image"])["accepted"]

    assert accepted.dtype == bool
    assert accepted.tolist() == [True, True, True, False]


def test_an_answer_is_accepted_where_its_own_class_is_sure_enough(
    served: Any, model: keras.Model, tmp_path: Path
) -> None:
    images, _ = draw_shapes(24, seed=5)
    plain = classify(served, images)
    names, counts = np.unique(plain["label"], return_counts=True)
    often = LABELS.index(names[counts.argmax()].decode())
    least = float(np.sort(plain["score"][plain["label"] == names[counts.argmax()]])[counts.max() // 2]) - 1e-5
    thresholds: list[float | None] = [None] * 3
    thresholds[often] = least

    export(model, str(tmp_path), LABELS, IMAGE, TEMPERATURE, {}, thresholds=thresholds)
    again = tf.saved_model.load(str(tmp_path))
    outputs = classify(again, [*images, b"no image"])
    from_examples = again.signatures["serve_examples"](tf.constant([example(image) for image in images]))["accepted"]

    expected = (plain["label"] == LABELS[often].encode()) & (plain["score"] >= least)
    assert 0 < expected.sum() < len(images)
    assert outputs["accepted"].tolist() == [*expected, False]
    assert from_examples.numpy().tolist() == expected.tolist()
    np.testing.assert_array_equal(outputs["label"][:-1], plain["label"])


def test_examples_and_bytes_give_the_same(served: Any) -> None:
    images, _ = draw_shapes(5)

    outputs = served.signatures["serve_examples"](examples=tf.constant([example(image) for image in images]))

    for name, value in classify(served, images).items():
        np.testing.assert_array_equal(outputs[name], value)


def test_broken_rows_are_isolated(served: Any) -> None:
    images, _ = draw_shapes(3)
    whole = classify(served, images)

    outputs = classify(served, [b"", images[0], b"no image", images[1], images[2][:60], images[2]])

    broken = [True, False, True, False, True, False]
    assert [label == b"" for label in outputs["label"]] == broken
    assert list(np.isnan(outputs["score"])) == broken
    assert list(np.isnan(outputs["probabilities"]).all(axis=1)) == broken
    # For batches of another size a GPU has other kernels, whose float32 products have ten bits.
    np.testing.assert_allclose(
        outputs["probabilities"][[1, 3, 5]], whole["probabilities"], atol=1e-2 if ON_GPU else 1e-6
    )


def test_only_broken_rows_and_no_rows_are_answered(served: Any) -> None:
    assert list(classify(served, [b"x", b"y"])["label"]) == [b"", b""]
    assert {name: value.shape for name, value in classify(served, []).items()} == {
        "probabilities": (0, 3),
        "label": (0,),
        "score": (0,),
        "accepted": (0,),
    }


@pytest.mark.parametrize("flip_average", [False, True])
def test_features_and_maps_make_up_what_is_served(model: keras.Model, tmp_path: Path, flip_average: bool) -> None:
    export(model, str(tmp_path), LABELS, IMAGE, TEMPERATURE, {}, flip_average=flip_average)
    served = tf.saved_model.load(str(tmp_path))
    images, _ = draw_shapes(4)
    images.insert(1, b"no image")

    features = served.signatures["embed"](image_bytes=tf.constant(images))["features"].numpy()
    found = served.signatures["explain"](image_bytes=tf.constant(images))

    expected = classify(served, images)["probabilities"]
    kernel, bias = model.get_layer("predictions").get_weights()
    np.testing.assert_allclose(tf.nn.softmax((features @ kernel + bias) / TEMPERATURE), expected, atol=1e-5)
    maps, rows, columns = (found[name].numpy() for name in ("maps", "rows", "columns"))
    np.testing.assert_allclose(tf.nn.softmax(maps.mean(axis=(1, 2, 3))), expected, atol=1e-5)
    views = 2 if flip_average else 1
    assert (features.dtype, features.shape, maps.shape) == (np.float32, (5, 512), (5, views, 1, 1, 3))
    assert np.isnan(features).all(axis=1).tolist() == [False, True, False, False, False]
    np.testing.assert_allclose(rows, [[0.5 / 32]] * 5)
    np.testing.assert_allclose(columns, [[[0.5 / 32], [31.5 / 32]][:views]] * 5)


def test_no_image_has_no_features_and_no_maps(served: Any) -> None:
    features = served.signatures["embed"](image_bytes=tf.constant([], tf.string))["features"]
    maps = served.signatures["explain"](image_bytes=tf.constant([], tf.string))["maps"]

    assert (features.shape, maps.shape) == ((0, 512), (0, 1, 1, 1, 3))


def test_images_of_different_sizes_and_kinds_share_a_batch(served: Any) -> None:
    pixels = np.full((50, 70, 3), 200, np.uint8)

    outputs = classify(served, [encode(pixels, kind) for kind in (".png", ".bmp", ".jpg")] + [encode(pixels[:10, :10])])

    assert not np.isnan(outputs["score"]).any()


def test_label_map_and_figures_lie_in_assets_extra(served: Any) -> None:
    extra = Path(served.folder) / "assets.extra"

    assert '"square"' in (extra / "label_map.json").read_text()
    assert '"epochs_run": 1' in (extra / "training.json").read_text()


def test_decoding_is_bound_to_the_host_and_the_network_to_nothing(served: Any) -> None:
    """So that a GPU gets decoded images and nothing else, on whatever machine the model was exported."""
    graph = SavedModel.FromString((Path(served.folder) / "saved_model.pb").read_bytes()).meta_graphs[0].graph_def
    decoding = [f for f in graph.library.function if any(n.op == "DatasetToSingleElement" for n in f.node_def)]
    classifying = [f for f in decoding if any(n.op == "Softmax" for n in f.node_def)]

    assert (len(decoding), len(classifying)) == (4, 2)  # one a signature; the network of the others is called
    for function in decoding:
        on_host = HOST_OPS if function in classifying else DECODING_OPS
        devices = {name: {n.device for n in function.node_def if n.op == name} for name in {*on_host, *FREE_OPS}}
        assert {name for name, found in devices.items() if found == {"/device:CPU:0"}} >= set(on_host)
        assert {name for name, found in devices.items() if found == {""}} == set(
            FREE_OPS if function in classifying else ()
        )
        assert {n.device for n in function.node_def} == {"", "/device:CPU:0"}


DECODING_OPS = [
    "TensorSliceDataset",
    "ParallelMapDatasetV2",
    "IgnoreErrorsDataset",
    "ConcatenateDataset",
    "BatchDatasetV2",
    "OptionsDataset",
    "DatasetToSingleElement",
    "ScatterNd",
]
HOST_OPS = [*DECODING_OPS, "GatherV2", "SelectV2"]
FREE_OPS = ["Conv2D", "FusedBatchNormV3", "Relu", "MatMul", "Softmax"]


def test_another_training_can_start_from_the_saved_model(served: Any, model: keras.Model) -> None:
    again = ResNet18(3, (32, 32, 3), normalize=True, weights=served.folder)

    for weight, expected in zip(again.weights, model.weights, strict=True):
        np.testing.assert_array_equal(weight.numpy(), expected.numpy())


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_what_serves_and_what_begins_with_it_keep_stride_and_standardization(tmp_path: Path, precision: str) -> None:
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    options = ModelOptions(architecture="resnet50", mean=mean, std=std, bottleneck_stride="middle", dropout=0.0)
    expected = Conventions(mean=tuple(mean), std=tuple(std), bottleneck_stride="middle", stem="small")
    trained = build_model(options, 3, (32, 32, 3), precision)
    images, _ = draw_shapes(6)

    copy = copy_in_float32(trained, options.model_copy(update={"bottleneck_stride": None}))
    export(copy, str(tmp_path), LABELS, IMAGE, 1.0, {})

    assert conventions_of_model(copy) == conventions_of_weights(str(tmp_path)) == expected
    served = classify(tf.saved_model.load(str(tmp_path)), images)["probabilities"]
    pixels = np.stack([decode_image(tf.constant(image), IMAGE) for image in images]).astype("float32")
    plain = build_model(
        ModelOptions(architecture="resnet50", normalize=False, bottleneck_stride="middle"), 3, (32, 32, 3)
    )
    plain.set_weights(trained.get_weights())
    logits = plain((pixels / 255.0 - np.array(mean)) / np.array(std), training=False)
    np.testing.assert_allclose(served, tf.nn.softmax(logits), atol=1e-5)
    again = build_model(ModelOptions(architecture="resnet50", weights=str(tmp_path)), 3, (32, 32, 3))
    assert conventions_of_model(again) == expected
    np.testing.assert_allclose(again(pixels, training=False), logits, atol=1e-5)


def test_a_saved_model_of_an_earlier_revision_has_none_of_them(tmp_path: Path) -> None:
    module = tf.Module()
    module.imagenet_preprocessing = tf.Variable(True, trainable=False)
    tf.saved_model.save(module, str(tmp_path))

    assert conventions_of_weights(str(tmp_path)) == Conventions(imagenet_preprocessing=True)


def test_a_saved_model_of_another_maker_is_refused(tmp_path: Path) -> None:
    tf.saved_model.save(tf.Module(), str(tmp_path))

    with pytest.raises(ValueError, match="not exported by this pipeline"):
        ResNet18(3, (32, 32, 3), weights=str(tmp_path))


class _Initialized(tf.saved_model.experimental.TrackableResource):  # type: ignore[misc]
    """Writes a file when a SavedModel that has it is loaded."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file

    def _create_resource(self) -> Any:
        return tf.raw_ops.MutableHashTableV2(key_dtype=tf.string, value_dtype=tf.int64, shared_name="table")

    def _initialize(self) -> None:
        tf.io.write_file(str(self.file), "run")

    def _destroy_resource(self) -> None:
        pass


def test_nothing_of_a_saved_model_is_run_to_take_its_weights(model: keras.Model, tmp_path: Path) -> None:
    file, folder = tmp_path / "written", tmp_path / "from [elsewhere]"
    module = tf.Module()
    module.initialized = _Initialized(file)
    module.weights_by_path = {weight.path: weight.value for weight in model.weights}
    tf.saved_model.save(module, str(tmp_path / "saved"))
    tf.saved_model.load(str(tmp_path / "saved"))
    assert file.exists()
    file.unlink()
    (tmp_path / "saved").rename(folder)

    again = ResNet18(3, (32, 32, 3), normalize=True, weights=str(folder))

    assert not file.exists()
    for weight, expected in zip(again.weights, model.weights, strict=True):
        np.testing.assert_array_equal(weight.numpy(), expected.numpy())


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone"])
def test_a_saved_model_with_damaged_variables_is_named(model: keras.Model, tmp_path: Path, damage: str) -> None:
    export(model, str(tmp_path), LABELS, IMAGE, 1.0, {})
    shard = tmp_path / "variables" / "variables.data-00000-of-00001"
    content = shard.read_bytes()
    middle = len(content) // 2
    if damage == "gone":
        shard.unlink()
    elif damage == "cut":
        shard.write_bytes(content[:middle])
    else:
        shard.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])

    with pytest.raises(ValueError, match=f"can't read the variables of the SavedModel {tmp_path}, which is damaged: "):
        ResNet18(3, (32, 32, 3), weights=str(tmp_path))
