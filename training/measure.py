"""`make evaluate`: a model measured on the composed test split and, beside it, on any labelled file."""

from pathlib import Path

import mlflow

from models.locate import locate
from models.predictor import Predictor
from training.behaviour import run_behaviour
from training.config import ROOT, load_config
from training.evaluation import composed_set, evaluate, read_labelled_set
from training.registry import connect
from training.report import summary_table
from training.train import load_data, log_evaluations, say


def measure_model(config_path: Path, model: str | None, sentences: Path | None, out: Path) -> str:
    """Evaluate, write `out`/report.md, metrics.json, errors and pictures, log all to MLflow; returns the summary.

    Raises UserError if model, data or file are unusable.
    """
    config = load_config(config_path)
    data = load_data(config)
    located = locate(model)
    say(f"model: {located.spec} ({located.why})")
    predictor = Predictor.from_folder(located.folder)
    frames = predictor.bundle.frame_names
    # TF-IDF learns from the sentences in the repository, also where an older model is measured.
    sets = [composed_set("composed-test", data.splits.test, frames)]
    if sentences is not None:
        sets.append(read_labelled_set(sentences, frames))
    evaluations = [evaluate(predictor, labelled, data.splits.training) for labelled in sets]
    behaviour = run_behaviour(predictor, ROOT / "data" / "behaviour")
    connect()
    with mlflow.start_run(run_name="evaluate"):
        mlflow.set_tags(
            {"model": located.spec, "model_version": str(located.version), "bundle": predictor.bundle.digest}
        )
        log_evaluations(evaluations, out, f"Evaluation of {located.spec}")
    failed = [f"  {c.id} ({c.capability}, {c.test}): {c.seen}" for c in behaviour if not c.passed]
    passed = f"behaviour cases: {len(behaviour) - len(failed)} of {len(behaviour)} right"
    return "\n".join([summary_table(evaluations), "", passed, *failed, "", f"report: {out / 'report.md'}"])
