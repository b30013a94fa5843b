"""One image's augmented copies: the default pipeline, and those that users saved with Albumentations. Pure."""

import os

# Albumentations asks a package index for a newer version when it is imported; without a network that takes seconds.
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
