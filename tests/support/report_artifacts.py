"""The artifacts of a made-up run, as the report reads them: small, and with names that would like to be code."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from explanation_artifact import explanation

from components.analysis.analyse import analyse
from components.analysis.answers import check_answers
from components.analysis.pictures import make_pictures
from components.formats.dataset import ImageRow, shard_name, write_shard, write_table
from components.images.codec import encode
from components.scoring.predictions import Predictions
from components.tools.files import write_json

SCRIPT = "<script>document.title='owned'</script>"
IMAGE = '"><img src=x onerror="document.title=1">'
LABELS = ["anger", "happy", SCRIPT, IMAGE]
PER_CLASS = 30
_COPIES = {"train": 3, "eval": 0, "test": 0}


def make_artifacts(folder: Path, labels: Sequence[str] = LABELS, per_class: int = PER_CLASS) -> dict[str, Path]:
    """Write everything and return the folders by name."""
    uris = {
        name: folder / name
        for name in (
            "findings",
            "dataset",
            "summary",
            "verdict",
            "model_run",
            "evaluation",
            "analysis",
            "explanation",
            "tuner_results",
        )
    }
    for uri in uris.values():
        uri.mkdir(parents=True)
    rng = np.random.default_rng(0)
    splits = {split: _rows(rng, split, labels, per_class, copies) for split, copies in _COPIES.items()}
    for split, rows in splits.items():
        write_shard(rows, uris["dataset"] / shard_name(split, 0, 1))
    counts = {
        split: {
            label: {
                kind: sum((row.copy > 0) == (kind == "copies") for row in rows if row.label == label)
                for kind in ("originals", "copies")
            }
            for label in labels
        }
        for split, rows in splits.items()
    }
    write_json(
        {"counts": counts, "leaking_groups": 0, "data_digest": "d" * 64, "seed": 27}, uris["summary"] / "summary.json"
    )
    write_json(_ingest_summary(), uris["findings"] / "summary.json")
    quarantine = [{"id": f"train/{SCRIPT}/x.jpg", "label": SCRIPT, "reason": f"damaged: {IMAGE}"}]
    write_table(pa.Table.from_pylist(quarantine), uris["findings"] / "quarantine.parquet")
    duplicates = [
        {"kind": "conflict", "key": "k", "id": f"train/{label}/{SCRIPT}.jpg", "label": label, "split": ""}
        for label in LABELS[:2]
    ]
    write_table(pa.Table.from_pylist(duplicates), uris["findings"] / "duplicates.parquet")
    anomaly = {
        "source": "schema",
        "split": "eval",
        "feature": "image/class/text",
        "description": SCRIPT,
        "fatal": False,
    }
    write_json({"passed": True, "anomalies": [anomaly]}, uris["verdict"] / "gate.json")
    predictions = {split: _predict(rng, splits[split], labels) for split in ("eval", "test")}
    findings = analyse(predictions, list(labels), 1.4, 50, 0)
    findings["data"] = {"leak": SCRIPT}
    reason = f"{SCRIPT}: 58 images are too few"
    scores: list[float | None] = [0.7, None, 0.8, *[0.9] * (len(labels) - 3)]
    found = [
        {"label": label, "score": score, "reason": "" if score else reason}
        for label, score in zip(labels, scores, strict=True)
    ]
    promised = {"precision": 0.9, "confidence": 0.95, "per_class": True, "thresholds": scores, "found": found}
    findings["answers"] = check_answers(predictions["test"], list(labels), promised)
    write_json(findings, uris["analysis"] / "analysis.json")
    write_json(make_pictures(uris["dataset"], findings, predictions["test"]), uris["analysis"] / "pictures.json")
    write_json(explanation(findings["test"]["mistakes"], labels), uris["explanation"] / "explanation.json")
    write_json(_training(), uris["model_run"] / "training.json")
    overall = {name: findings["test"]["metrics"][name]["value"] for name in ("accuracy", "macro_f1")}
    write_json(
        {
            "blessed": True,
            "failures": [],
            "least_accuracy": 0.3,
            "min_gain": 0.0,
            "beat_baselines": True,
            "baselines": [
                {
                    "name": name,
                    "says": says,
                    "metrics": {
                        key: {"value": 0.25, "low": 0.2, "high": 0.3}
                        for key in ("accuracy", "balanced_accuracy", "macro_f1")
                    },
                    "gain": {"value": 0.125, "low": -0.05, "high": 0.3},
                    "beaten": True,
                    "short": 0.0,
                }
                for name, says in (
                    ("largest_class", f"always saying '{SCRIPT}'"),
                    ("linear_model", "a linear model on small HOG features"),
                )
            ],
            "about_baselines": f"For comparison: always saying '{SCRIPT}'.",
            "candidate": {**overall, "top_2_accuracy": 0.9},
            "baseline": {"version": "7", **overall},
            "comparison": {"text": f"Compared with {SCRIPT}."},
            "slices": _slices(),
        },
        uris["evaluation"] / "results.json",
    )
    write_json(_leaderboard(), uris["tuner_results"] / "leaderboard.json")
    return uris


def facts() -> dict[str, Any]:
    return {
        "command": f"python -m pipeline run --data '{SCRIPT}'",
        "origin": {"data": SCRIPT},
        "versions": {"tfx": "1"},
        "pushed": True,
        "version": "8",
    }


def _rows(rng: np.random.Generator, split: str, labels: Sequence[str], per_class: int, copies: int) -> list[ImageRow]:
    rows = []
    for label in labels:
        for index in range(per_class):
            source = f"{split}/{label}/{index}{IMAGE}.jpg"
            for copy in range(copies + 1 if index < 4 else 1):
                name = source if copy == 0 else f"{source}_aug{copy}"
                image = encode(rng.integers(0, 255, (24, 24, 3), dtype=np.uint8), "jpeg")
                rows.append(
                    ImageRow(
                        name, label, split, image, "jpeg", 24, 24, 3, "s", name, None, 100.0, name, source, copy, name
                    )
                )
    return rows


def _predict(rng: np.random.Generator, rows: list[ImageRow], names: Sequence[str]) -> Predictions:
    labels = np.array([names.index(row.label) for row in rows])
    logits = rng.normal(size=(len(rows), len(names))) + 2.5 * np.eye(len(names))[labels]
    powers = np.exp(logits)
    ids = np.array([row.id for row in rows])
    return Predictions(powers / powers.sum(axis=1, keepdims=True), labels, ids, ids, np.zeros(len(rows), bool))


def _ingest_summary() -> dict[str, Any]:
    return {
        "images": 3 * PER_CLASS * len(LABELS),
        "quarantined": 1,
        "notes": [
            "1203 images aren't part of the data: <extra>/.",
            f"In doubt: 12 images named like copies ({SCRIPT}).",
        ],
        "left_out": {"nas": 12, "hidden": 1},
        "duplicates": {"exact": 0, "conflict": 2, "near": 0},
        "sizes": {"24×24": 300, "7×9": 60},
        "brightness": [0, 1, 5, 9, 40, 60, 80, 60, 40, 30, 20, 10, 5, 0, 0, 0],
    }


def _training() -> dict[str, Any]:
    history = [
        {
            "epoch": epoch,
            "loss": 2.0 / epoch,
            "accuracy": 1 - 0.8 / epoch,
            "val_loss": None if epoch == 2 else 2.2 / epoch,
            "val_accuracy": 1 - 0.9 / epoch,
            "learning_rate": 0.002 / epoch,
            "images_per_second": 100.0 + epoch,
        }
        for epoch in range(1, 9)
    ]
    return {
        "architecture": "resnet18",
        "parameters": 11_000_000,
        "precision": "bfloat16",
        "devices": ["a processor"],
        "epochs_run": 8,
        "best_epoch": 7,
        "temperature": 1.4,
        "images_per_second": 104.0,
        "seconds": 61.0,
        "train_images": 156,
        "history": history,
    }


def _slices() -> dict[str, Any]:
    rows = [
        {
            "slice": f"camera = {SCRIPT} {number}",
            "examples": 60 - number,
            "accuracy": 0.5 + number / 60,
            "low": 0.4,
            "high": 0.9,
            "effective": 30.0,
            "design_effect": 2.0 - number / 60,
            "judged": number < 10,
            "missed": number < 6,
        }
        for number in range(16)
    ]
    return {
        "rows": rows,
        "judged": 10,
        "worst": rows[0],
        "least_accuracy": 0.6,
        "least_images": 50,
        "left_out": [{"column": IMAGE, "reason": SCRIPT}],
        "text": f"The worst slice of 10 judged is camera = {SCRIPT} 0.",
    }


def _leaderboard() -> list[dict[str, Any]]:
    row = {
        "architecture": "resnet18",
        "parameters": 11_000_000,
        "epochs": 3,
        "eval_accuracy": 0.8,
        "eval_macro_f1": 0.79,
        "seconds": 12.0,
        "images_per_second": 99.0,
        "status": "completed",
        "error": None,
        "hyperparameters": {},
        "chosen": True,
    }
    failed = {**row, "architecture": "resnet34", "status": "failed", "error": SCRIPT, "chosen": False}
    failed |= dict.fromkeys(("parameters", "eval_accuracy", "eval_macro_f1", "seconds", "images_per_second"))
    return [row, failed]
