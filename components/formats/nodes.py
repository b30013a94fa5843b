"""The names that the pipeline's components have in a pipeline, in ML Metadata, in tables and in options."""

DATA_DIGEST = "DataDigest"  # of compiled pipelines only
INGEST = "ImageIngest"
SPLIT = "SplitBalanceAugment"
CONVERTER = "TFRecordConverter"
SCHEMA = "ImageSchema"
COMPARISON = "DistributionValidator"
GATE = "DataGate"
TUNER = "Tuner"
TRAINER = "Trainer"
BASELINE = "BaselineFinder"
EVALUATOR = "Evaluator"
ANALYSIS = "PredictionAnalysis"
PUSHER = "Pusher"
REPORT = "Report"

# Where a component's class has another name: TFX has one of the same name, whose place it takes.
BY_CLASS = {
    "ImageTrainer": TRAINER,
    "ImageTuner": TUNER,
    "ImageEvaluator": EVALUATOR,
    "ImagePusher": PUSHER,
    "SplitComparison": COMPARISON,
}


def node_id(class_name: str) -> str:
    """Return the name of the component that a class makes."""
    return BY_CLASS.get(class_name, class_name)
