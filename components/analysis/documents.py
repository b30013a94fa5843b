"""Names of the files in PredictionAnalysis' artifact."""

ANALYSIS = "analysis.json"
PREDICTIONS = "predictions.parquet"
CARD_MARKDOWN = "model_card.md"
CARD_JSON = "model_card.json"
