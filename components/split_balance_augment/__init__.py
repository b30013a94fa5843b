"""Split, balance and augment labelled images; one implementation for the pipeline and for `components.datasplit`."""

import os

# Albumentations asks a package index for a newer version when it is imported; without a network that takes seconds.
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
