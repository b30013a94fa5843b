"""DataDigest: what a compiled pipeline begins with, so that Kubeflow's cache knows whether anything has changed."""

from tfx.types.standard_artifacts import String

from components.component import Component, Output, Parameter
from components.data_digest.executor import Executor


class DataDigest(Component):
    """Look at the data and at the pushed models, and hand on what tells a change. In compiled pipelines only."""

    EXECUTOR = Executor
    OUTPUTS = {
        "places": Output(String, "the folders to read: dated ones that are there by now"),
        "digest": Output(String, "of the data folder and of the files that options name"),
        "candidates": Output(String, "versions at the destination that the new model may be compared with"),
        "version": Output(String, "under which the new model stands at the destination, or else a new one"),
    }
    PARAMETERS = {
        "uri": Parameter(str, "the data folder, an object store's prefix, or a file of images; several as JSON"),
        "until": Parameter(str, "date of the last of dated folders; empty for all"),
        "files": Parameter(str, "paths and URIs that options name, as JSON"),
        "follow_links": Parameter(int, "whether links that lead out of the data folder are followed"),
        "destination": Parameter(str, "where models are pushed"),
        "recipe": Parameter(str, "digest of the options and code that decide the new model"),
    }
