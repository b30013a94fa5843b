"""The names that the pipeline's components have in a pipeline, in ML Metadata, in tables and in options."""

import re

DATA_DIGEST = "DataDigest"  # of compiled pipelines only
INGEST = "ImageIngest"
SPLIT = "SplitBalanceAugment"
CONVERTER = "TFRecordConverter"
STATISTICS = "StatisticsGen"
SCHEMA = "ImageSchema"
VALIDATOR = "ExampleValidator"
COMPARISON = "DistributionValidator"
GATE = "DataGate"
SIMPLE_BASELINES = "SimpleBaselines"
TUNER = "Tuner"
TRAINER = "Trainer"
FOLDS = "ImageFolds"
CROSS_FIT = "CrossFit"
ENSEMBLE = "Ensemble"
BASELINE = "BaselineFinder"
EVALUATOR = "Evaluator"
ANALYSIS = "PredictionAnalysis"
EXPLANATION = "ModelExplanation"
PUSHER = "Pusher"
REPORT = "Report"
RUN_TRACKER = "RunTracker"
REGISTRATION = "ModelRegistration"
NOTICE = "Notice"  # the exit task of compiled pipelines, no component

_ALL = (
    DATA_DIGEST,
    INGEST,
    SPLIT,
    CONVERTER,
    STATISTICS,
    SCHEMA,
    VALIDATOR,
    COMPARISON,
    GATE,
    SIMPLE_BASELINES,
    TUNER,
    TRAINER,
    FOLDS,
    CROSS_FIT,
    ENSEMBLE,
    BASELINE,
    EVALUATOR,
    ANALYSIS,
    EXPLANATION,
    PUSHER,
    REPORT,
    RUN_TRACKER,
    REGISTRATION,
    NOTICE,
)

# What looks at the world outside, and what tells it: there, something may have changed since the last run.
NEVER_CACHED = (DATA_DIGEST, RUN_TRACKER, REGISTRATION)

# Where a component's class has another name: TFX has one of the same name, whose place it takes.
BY_CLASS = {
    "ImageTrainer": TRAINER,
    "ImageTuner": TUNER,
    "ImageEvaluator": EVALUATOR,
    "ImagePusher": PUSHER,
    "ImageStatistics": STATISTICS,
    "SplitComparison": COMPARISON,
}


def node_id(class_name: str) -> str:
    """Return the name of the component that a class makes."""
    return BY_CLASS.get(class_name, class_name)


def of_fold(name: str, fold: int) -> str:
    """Return the name of the component that does for one fold what another does for all: `Trainer.fold-1`."""
    return f"{name}.fold-{fold}"


def kind_of(name: str) -> str:
    """Return what a component is, whichever fold it is of: `Trainer.fold-1` → `Trainer`."""
    return name.partition(".")[0]


def kebab(name: str) -> str:
    """Return `TFRecordConverter` → `tf-record-converter`; whatever a pod's name can't hold becomes a hyphen."""
    words = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1-\2", name)
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", words)
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


_BY_TASK = {kebab(name): name for name in _ALL}
_FOLD_OF_TASK = re.compile(rf"{kebab(TRAINER)}-fold-(\d+)")


def node_of_task(task: str) -> str:
    """Return the name of the component behind a task on Kubeflow; another pipeline's task keeps its own."""
    if found := _FOLD_OF_TASK.fullmatch(task):
        return of_fold(TRAINER, int(found[1]))
    return _BY_TASK.get(task, task)
