"""`python -m components.datasplit`: split, balance and augment a folder without the pipeline."""
