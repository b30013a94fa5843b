"""Tests that only a GPU, or only a machine without one, can run."""

import pytest
import tensorflow as tf

ON_GPU = bool(tf.config.list_physical_devices("GPU"))
needs_gpu = pytest.mark.skipif(not ON_GPU, reason="TensorFlow sees no GPU")
needs_no_gpu = pytest.mark.skipif(ON_GPU, reason="says what holds on a processor, and TensorFlow sees a GPU")
