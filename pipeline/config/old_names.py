"""Options by a name that they had: they work, and the run says what they mean now. Pure."""

from collections.abc import Iterator

from pipeline.config.config import Config


def old_names(config: Config) -> Iterator[str]:
    """Yield a line for each option that is set by an old name."""
    if config.train.class_weights:
        yield (
            "train.class_weights is the old name of train.imbalance=effective: classes weigh by their effective number "
            "of images, where they weighed by the inverse of their frequency before"
        )
