"""The model card (Mitchell et al. 2019, arXiv 1810.03993): what a model is, was made from, can and can't do."""

import re
from typing import Any

import jinja2

from components.analysis.about_intervals import about_intervals
from components.formats.suspects import in_words, judged
from components.tools.printable import printable
from components.tools.wording import named

INTENDED_USE = (
    "Sorting pictures into the classes above, where these resemble the training data: the same kind of camera, framing "
    "and subjects. Research, prototypes, and decisions that a person reviews."
)
LIMITS = (
    "The labels name what a picture shows by convention, not what a person feels: a facial expression is weak evidence "
    "of an emotion, and its meaning differs between people, cultures and situations. Don't use it to decide about "
    "people: hiring, policing, grading, medical or border decisions. Accuracy differs between groups of people that "
    "the data doesn't tell apart; measure it on your own before relying on it. Pictures unlike the training data get "
    "confident labels too."
)

_MARKUP = re.compile(r"[\\`*_{}\[\]<>#|~&]")

_TEMPLATE = """\
# Model card: {{ architecture }}, {{ labels | length }} classes

| | |
|---|---|
| Classes | {{ classes }}{% if labels | length > 10 %}; see the table of scores{% endif %} |
| Input | {{ image.height }}×{{ image.width }}, {{ "RGB" if image.channels == 3 else "grey" }} |
| Parameters | {{ "{:,}".format(parameters) }} |
{% if members is defined -%}
| Answers | the mean probabilities of {{ members }} networks, each trained without one fold of train and eval |
{% endif -%}
| Precision in training | {{ precision }} |
{% if weights is defined -%}
| Weights at the beginning | {{ beginning(weights) }} |
{% endif -%}
{% if flip_average is defined and flip_average -%}
| Answers | averaged over each image and its mirror image |
{% endif -%}
{% if imbalance is defined and imbalance -%}
| Classes of few images | {{ made_up(imbalance) }} |
{% endif -%}
{% if members is not defined -%}
| Temperature | {{ "%.3f" | format(temperature) if temperature is not none else "not calibrated" }} |
{% endif %}
## Data

{{ "{:,}".format(data.images) }} images, digest `{{ data.data_digest[:12] }}`; the split has seed {{ data.split_seed }}.

| split | originals | augmented copies |
|---|---|---|
{% for split, counts in data.splits.items() -%}
| {{ split }} | {{ counts.originals }} | {{ counts.copies }} |
{% endfor %}
{% if label_noise is defined and label_noise -%}
Of {{ label_noise.of }} {{ label_noise.listed }} have a suspicious label. {{ label_noise.worth }} The metrics below are
measured against the labels as they are.

{% endif -%}
## Metrics on the test split

{{ about_intervals }}
{%- if data.leak %} {{ data.leak }}{% endif %}

| metric | value | interval |
|---|---|---|
{% for name, score in metrics.items() -%}
| {{ name | replace("_", " ") }} | {{ "%.3f" | format(score.value) }} | {{ interval(score) }} |
{% endfor %}
{% if baselines is defined -%}
| on the same images | accuracy | balanced accuracy | macro F1 |
|---|---|---|---|
| this model | {{ scored(metrics.accuracy) }} | {{ scored(metrics.balanced_accuracy) }} | \
{{ scored(metrics.macro_f1) }} |
{% for one in baselines -%}
| {{ one.says | literally }} | {{ scored(one.metrics.accuracy) }} | {{ scored(one.metrics.balanced_accuracy) }} | \
{{ scored(one.metrics.macro_f1) }} |
{% endfor %}
{% endif -%}
| class | precision | recall | F1 | images |
|---|---|---|---|---|
{% for row in per_class -%}
| {{ row.label | literally }} | {{ scored(row.precision) }} | {{ scored(row.recall) }} | {{ scored(row.f1) }} | \
{{ row.support }} |
{% endfor %}
{% if answers.promised is not none -%}
## When it doesn't answer

{{ answers.text | literally }} An answer counts where `accepted` is true beside it: where the score of the class is at \
least

| class | score | answered on test | of these right |
|---|---|---|---|
{% for row in answers.per_class -%}
| {{ row.label | literally }} | {{ "never enough" if row.threshold is none else "%.4f" | format(row.threshold) }} | \
{{ scored(row.answered) }} of {{ row.images }} | {{ scored(row.precision) }} |
{% endfor %}
{% endif -%}
{% if slices is defined -%}
## Slices of the test split

{{ slices.text | literally }}
{% if slices.rows %}
| slice | accuracy | images |
|---|---|---|
{% for row in slices.rows -%}
| {{ row.slice | literally }} | {{ "%.3f" | format(row.accuracy) }} ({{ interval(row) }}) | {{ row.examples }} |
{% endfor %}
{%- if slices.judged > slices.rows | length %}
The worst {{ slices.rows | length }} of {{ slices.judged }}.
{% endif %}
{%- endif %}
{% endif -%}
## Intended use

{{ intended_use }}

## Limits

{{ limits }}

## Lineage

{% for name, value in lineage.items() -%}
- {{ name }}: `{{ value }}`
{% endfor %}"""


def make_card(
    findings: dict[str, Any], training: dict[str, Any], image: dict[str, Any], lineage: dict[str, str]
) -> Any:
    """Return the card as JSON.

    Args:
        findings: what `analyse` found, with `data` and maybe `baselines`.
        training: the Trainer's `training.json`.
        image: height, width and channels that the model takes.
        lineage: addresses of artifacts, and digests, by name.
    """
    metrics = findings["test"]["metrics"]
    # What a training of an older program, or of a model of one network, doesn't say, and what is only known where there
    # was an evaluation.
    said = ("weights", "flip_average", "imbalance", "members")
    later: dict[str, Any] = {name: training[name] for name in said if name in training}
    later |= {"baselines": findings["baselines"]} if "baselines" in findings else {}
    later |= {"slices": findings["slices"]} if findings.get("slices") else {}
    noise = findings.get("about_suspects") and {
        "of": judged(findings),
        "listed": len(findings["suspects"]),
        "worth": in_words(findings, len(findings["suspects"])),
    }
    return later | {
        "label_noise": noise if noise and noise["listed"] else None,
        "architecture": training["architecture"],
        "parameters": training["parameters"],
        "precision": training["precision"],
        "temperature": findings["temperature"],
        "labels": findings["labels"],
        "image": image,
        "data": findings["data"],
        "metrics": {name: score for name, score in metrics.items() if name != "per_class"},
        "per_class": metrics["per_class"],
        "answers": {name: findings["answers"][name] for name in ("promised", "text", "per_class")},
        "intended_use": INTENDED_USE,
        "limits": LIMITS,
        "lineage": lineage,
    }


def literally(text: str) -> str:
    """Escape what Markdown would take for markup, with line ends, and spell out what isn't printed."""
    return _MARKUP.sub(r"\\\g<0>", printable(" ".join(text.split())))


def as_markdown(card: dict[str, Any]) -> str:
    """Return the card as Markdown."""

    def interval(score: dict[str, float | None]) -> str:
        return "–" if score["low"] is None else f"{score['low']:.3f} – {score['high']:.3f}"

    def scored(score: dict[str, float | None]) -> str:
        if score["value"] is None:
            return "–"
        return f"{score['value']:.3f}" + ("" if score["low"] is None else f" ({interval(score)})")

    def beginning(weights: Any) -> str:
        if isinstance(weights, dict):
            return f"{literally(weights['file'])}, SHA-256 `{weights['sha256']}`"
        return "random" if weights is None else "ImageNet's, of keras.applications"

    def made_up(imbalance: dict[str, Any]) -> str:
        if "offsets" in imbalance:
            return (
                "the answers take all classes for equally frequent (logit adjustment), whatever their shares are in use"
            )
        return f"weigh more in training (`{imbalance['method']}`)"

    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    environment.filters["literally"] = literally
    text = environment.from_string(_TEMPLATE).render(
        **card,
        interval=interval,
        scored=scored,
        beginning=beginning,
        made_up=made_up,
        classes=named([literally(label) for label in card["labels"]]),
        about_intervals=about_intervals(card["metrics"]),
    )
    return text.rstrip() + "\n"
