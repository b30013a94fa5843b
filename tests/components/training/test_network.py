import pytest

from components.training import network
from components.training.options import Architecture, ModelOptions


@pytest.mark.parametrize(
    ("architecture", "wanted", "passes_on"),
    [("resnet34", None, False), ("resnet50", None, True), ("resnet50", False, False), ("resnet18", True, True)],
)
def test_the_deep_ones_begin_with_blocks_that_pass_their_input_on(
    architecture: Architecture, wanted: bool | None, passes_on: bool
) -> None:
    options = ModelOptions(architecture=architecture, zero_init_residual=wanted)

    model = network.build_model(options, 3, (32, 32, 3))

    last = "_3_bn" if architecture == "resnet50" else "_2_bn"
    assert (not model.get_layer(f"conv2_block1{last}").gamma.numpy().any()) == passes_on
