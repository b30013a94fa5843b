"""What ML Metadata knows of runs, read without TFX or TensorFlow."""
