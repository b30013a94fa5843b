"""What the five ResNets are made of (He et al., arXiv 1512.03385, table 1)."""

EPSILON = 1.001e-5  # of the normalizations, as in keras.applications

# Kind of the residual blocks, and their number in each of the four stages.
BLOCKS = {
    "resnet18": ("basic", (2, 2, 2, 2)),
    "resnet34": ("basic", (3, 4, 6, 3)),
    "resnet50": ("bottleneck", (3, 4, 6, 3)),
    "resnet101": ("bottleneck", (3, 4, 23, 3)),
    "resnet152": ("bottleneck", (3, 8, 36, 3)),
}

EXPANSION = {"basic": 1, "bottleneck": 4}  # output channels of a block relative to its inner ones
