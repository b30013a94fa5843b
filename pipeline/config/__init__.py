"""The configuration: one validated YAML file, its presets, and `--set a.b=value` on top.

`load("choose-best", ["train.epochs=5"])` reads the preset of that name; a path reads that file.
"""

from pipeline.config.config import Config
from pipeline.config.loading import PRESETS, ConfigError, load, preset_name, presets, validate

__all__ = ["PRESETS", "Config", "ConfigError", "load", "preset_name", "presets", "validate"]
