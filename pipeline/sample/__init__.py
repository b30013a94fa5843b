"""The sample data set, drawn."""
