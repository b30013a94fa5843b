"""The notice at the end of a run: what it says, and how it is sent; the run's platform says when."""
