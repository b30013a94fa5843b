"""The networks, in Keras alone."""
