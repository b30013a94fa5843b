"""SplitBalanceAugment: ImageDataset in, ImageDataset with the splits train, eval and test out."""

from components.component import Component, Input, Output, Parameter
from components.formats.artifacts import Analysis, ImageDataset
from components.split_balance_augment.executor import Executor
from components.split_balance_augment.options import AugmentOptions, BalanceOptions, SplitOptions
from components.work.options import BeamOptions


class SplitBalanceAugment(Component):
    """Divide groups of images into splits, and fill up the classes of some splits with augmented copies."""

    EXECUTOR = Executor
    INPUTS = {"images": Input(ImageDataset, "of ImageIngest")}
    OUTPUTS = {
        "dataset": Output(ImageDataset, "the same images and their copies, a set of shards a split"),
        "summary": Output(Analysis, "its `summary.json` alone"),
    }
    PARAMETERS = {
        "split": Parameter(SplitOptions, "shares and seed"),
        "group_near": Parameter(int, "1: near-duplicates stay in one split"),
        "balance": Parameter(BalanceOptions, "which splits, how many images"),
        "augment": Parameter(AugmentOptions, "how a copy is made"),
        "beam": Parameter(BeamOptions, "what runs it; the environment's `PIPELINE_BEAM` wins"),
    }
