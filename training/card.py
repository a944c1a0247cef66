"""The model card of a bundle."""

from collections.abc import Sequence

from models.bundle import Bundle
from training.evaluation import Evaluation
from training.report import summary_table


def model_card(bundle: Bundle, evaluations: Sequence[Evaluation]) -> str:
    """The card as Markdown: what the model is, how good, how made, what it must not be used for."""
    made = bundle.provenance
    thresholds = "\n".join(
        f"| {frame.title} (`{frame.name}`) | {frame.definition} | {threshold:.2f} |"
        for frame, threshold in zip(bundle.frames, bundle.thresholds.values(), strict=True)
    )
    versions = made.get("versions")
    listed = ", ".join(f"{k} {v}" for k, v in versions.items()) if isinstance(versions, dict) else "unknown"
    return f"""# Model card: {bundle.name}

Tells, for one English sentence, which frames of a military withdrawal it advances: each frame is an independent
yes or no with a calibrated probability.

| frame | on when | threshold |
| --- | --- | --- |
{thresholds}

## How good

{summary_table(evaluations)}

`composed-test` is wars the model never saw, in sentences composed as the training data was: easier than the world. A
figure on real sentences, where one stands beside it, is the one to trust. int8 and fp32 agree on
{bundle.metrics["int8_agreement"]:.2%} of validation decisions.

## How made

- Command: `{made.get("command")}` at commit `{made.get("commit")}`, {made.get("created")}, MLflow run `{made.get("run_id")}`.
- Base encoder: `{made.get("base")}`, safetensors sha256 `{made.get("base_sha256")}`. The default, all-MiniLM-L6-v2, is
  Apache-2.0 upstream.
- Data: {made.get("n_training")} training, {made.get("n_validation")} validation, {made.get("n_test")} test sentences, all
  composed (see `data/DATASHEET.md`); data set hash `{made.get("dataset_hash")}`.
- Network: mean pooling, one sigmoid a frame; exported to ONNX, attention fused, int8 weights; Platt scaling and
  thresholds chosen on the validation split. Sentences are cut at {bundle.max_tokens} tokens.
- Versions: {listed}.

## Use and limits

For counting and finding frames in archives, with a person reading what is quoted. It judges wording, not truth: who is
right about a withdrawal is not its question. English only. A frame's count in an archive carries the errors above;
compare outlets and months with the intervals in mind, and read a sample before a claim is published. Not for judging
single authors, for moderation, or for any decision about a person.
"""
