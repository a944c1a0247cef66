"""One training run: sentences -> fine-tuned, calibrated, exported, evaluated, logged, registered."""

import hashlib
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version as installed_version
from pathlib import Path

import mlflow
import numpy as np

from data.check import find_problems
from data.errors import DataError, UserError
from data.frames import Frame, load_frames
from data.sentence import LabelledSentence, dataset_hash, labelled_files, load_sentences
from data.split import Splits, split_sentences
from data.wars import load_wars
from models.bundle import CARD_FILE, ONNX_FILE, TOKENIZER_FILE, Bundle, Decision, file_sha256, read_bundle, write_bundle
from models.predictor import Predictor
from training.base import WEIGHTS, base_path
from training.behaviour import BehaviourCase, run_behaviour
from training.calibrate import decisions
from training.card import model_card
from training.config import ROOT, Config, load_config
from training.evaluation import Evaluation, composed_set, evaluate, read_labelled_set
from training.export import agreement, export_onnx, export_tokenizer
from training.fit import Fitted, fit, label_matrix, network_logits
from training.registry import connect, log_bundle
from training.report import summary_table, write_report

PACKAGES = ("torch", "transformers", "datasets", "tokenizers", "onnx", "onnxruntime", "scikit-learn", "mlflow", "numpy")


class TrainingError(UserError):
    """Training ended with a model that must not be used."""


@dataclass(frozen=True)
class TrainingData:
    """Everything a run learns from and is measured on."""

    frames: tuple[Frame, ...]
    sentences: list[LabelledSentence]
    splits: Splits

    @property
    def frame_names(self) -> tuple[str, ...]:
        """The frames' names, in codebook order."""
        return tuple(frame.name for frame in self.frames)


@dataclass(frozen=True)
class Trained:
    """What `train` made: the version in the registry and its figures."""

    version: str
    run_id: str
    evaluations: tuple[Evaluation, ...]  # the composed test split first


def load_data(config: Config) -> TrainingData:
    """Read and check the labelled sentences. Raises DataError with every problem, before any work."""
    frames = load_frames(config.frames)
    names = tuple(frame.name for frame in frames)
    wars = load_wars()
    sentences = load_sentences(labelled_files(config.labelled), names, wars)
    if problems := find_problems(sentences, wars):
        raise DataError("\n".join(["the labelled sentences need mending (`python -m data check`):", *problems[:50]]))
    splits = split_sentences(sentences, wars)
    for name, part in (("training", splits.training), ("validation", splits.validation), ("test", splits.test)):
        if missing := [frame for frame in names if not any(frame in s.labels for s in part)]:
            raise DataError(f"{config.labelled}: no {name} sentence has {', '.join(missing)}; compose some")
    return TrainingData(frames, sentences, splits)


def fingerprint(config: Config, data: TrainingData) -> str:
    """sha256 over all that decides a run: sentences and splits, base, config, code and library versions. Equal ones give equal models."""
    digest = hashlib.sha256(dataset_hash(data.sentences).encode())
    for part in (data.splits.training, data.splits.validation, data.splits.test):
        digest.update(json.dumps(sorted(s.id for s in part)).encode())
    weights = Path(base_path(config)) / WEIGHTS
    digest.update(file_sha256(weights).encode() if weights.is_file() else b"")
    digest.update(repr([(f.name, f.title, f.definition, f.examples) for f in data.frames]).encode())
    digest.update(json.dumps(asdict(config), default=str, sort_keys=True).encode())
    for package in ("data", "models", "training"):
        for path in sorted((ROOT / package).glob("*.py")):
            digest.update(path.name.encode() + path.read_bytes())
    digest.update(json.dumps([platform.python_version(), *(installed_version(p) for p in PACKAGES)]).encode())
    return digest.hexdigest()


def commit() -> str:
    """The checkout's commit, with "+changes" where files differ from it; "unknown" outside git."""

    def git(*args: str) -> str:
        return subprocess.run(["git", *args], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "--short=12", "HEAD") + ("+changes" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def train(config_path: Path) -> Trained:
    """Run the whole line for one config and register the result as a new version of `framing`.

    Raises DataError or ConfigError before any work, TrainingError if the model collapsed.
    """
    config = load_config(config_path)
    data = load_data(config)
    base = base_path(config)
    say(f"{len(data.splits.training)} training, {len(data.splits.validation)} validation, "
        f"{len(data.splits.test)} test sentences; base {config.base}")  # fmt: skip
    made_from = fingerprint(config, data)
    connect()
    with tempfile.TemporaryDirectory() as scratch, mlflow.start_run() as run:
        folder = Path(scratch) / "bundle"
        folder.mkdir()
        fitted = fit(config, base, data.frame_names, data.splits.training, data.splits.validation)
        say("calibrating and exporting")
        bundle, agreed = _make_bundle(config, config_path, data, base, fitted, folder, run.info.run_id)
        predictor = Predictor(bundle)
        evaluations = measure(predictor, data, config)
        _refuse_collapse(predictor, evaluations[0])
        behaviour = run_behaviour(predictor, ROOT / "data" / "behaviour")
        bundle = _finish_bundle(bundle, evaluations, behaviour, agreed)
        _log_run(config, config_path, data, fitted, evaluations, behaviour, agreed, Path(scratch) / "report")
        tags = {
            "fingerprint": made_from,
            "dataset_hash": dataset_hash(data.sentences),
            "base": config.base,
            "commit": str(bundle.provenance["commit"]),
            "macro_f1": f"{evaluations[0].figures.macro_f1:.4f}",
        }
        version = log_bundle(bundle, tags)
    say(f"registered version {version}\n\n{summary_table(evaluations)}\n")
    say(f"behaviour: {sum(c.passed for c in behaviour)} of {len(behaviour)} cases; int8 and fp32 agree on {agreed:.2%} "
        f"of validation decisions\nnext: make promote VERSION={version}")  # fmt: skip
    return Trained(version, run.info.run_id, tuple(evaluations))


def say(text: str) -> None:
    """Progress for people, on stderr, so that stdout stays for results."""
    print(text, file=sys.stderr, flush=True)


def measure(predictor: Predictor, data: TrainingData, config: Config) -> list[Evaluation]:
    """Evaluate on the composed test split and on each further labelled file of the config that is there."""
    evaluations = [
        evaluate(predictor, composed_set("composed-test", data.splits.test, data.frame_names), data.splits.training)
    ]
    for name in config.measure:
        path = (ROOT / name).resolve()
        if path.is_file():
            evaluations.append(evaluate(predictor, read_labelled_set(path, data.frame_names), data.splits.training))
        else:
            say(f"not measured on {name}: no such file here")
    return evaluations


def _make_bundle(
    config: Config, config_path: Path, data: TrainingData, base: Path | str, fitted: Fitted, folder: Path, run_id: str
) -> tuple[Bundle, float]:
    """Export, calibrate on the validation split as the int8 model sees it, and compare int8 with fp32 there."""
    export_onnx(fitted, base, folder / ONNX_FILE)
    export_tokenizer(fitted, folder / TOKENIZER_FILE, config.max_tokens)
    identity = tuple(Decision(1.0, 0.0, 0.5) for _ in data.frames)
    weights = Path(base) / WEIGHTS
    bundle = Bundle(
        folder, "framing", data.frames, identity, config.max_tokens,
        provenance={
            "run_id": run_id,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": commit(),
            "command": f"make train CONFIG={_relative(config_path)}",
            "base": config.base,
            "base_sha256": file_sha256(weights) if weights.is_file() else None,
            "dataset_hash": dataset_hash(data.sentences),
            "n_training": len(data.splits.training),
            "n_validation": len(data.splits.validation),
            "n_test": len(data.splits.test),
            "config": json.loads(json.dumps(asdict(replace(config, frames=_relative(config.frames),  # type: ignore[arg-type]
                                                           labelled=_relative(config.labelled))))),  # type: ignore[arg-type]
            "versions": {name: installed_version(name) for name in PACKAGES} | {"python": platform.python_version()},
        },
    )  # fmt: skip
    texts = [s.text for s in data.splits.validation]
    truth = label_matrix(data.splits.validation, data.frame_names)
    int8 = Predictor(bundle).logits(texts)
    bundle = replace(bundle, decisions=decisions(int8, truth))
    calibrated = Predictor(bundle)
    fp32 = network_logits(fitted, texts, config.max_tokens)
    agreed = agreement(calibrated.decide(calibrated.calibrate(int8)), calibrated.decide(calibrated.calibrate(fp32)))
    return bundle, agreed


def _relative(path: Path) -> str:
    """A path as written from the project's root, so that no card names somebody's home folder."""
    path = path.resolve()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name


def _refuse_collapse(predictor: Predictor, test: Evaluation) -> None:
    """A model that never predicts a frame has collapsed; its average figures can still look harmless."""
    predicted = predictor.decide(test.probability)
    silent = [frame for i, frame in enumerate(test.frames) if not predicted[:, i].any()]
    if silent:
        raise TrainingError(
            f"the model never predicts {', '.join(silent)} on the test split: it collapsed and is not registered; "
            "look at the epochs' figures in `make ui`, then change the learning rate or the data"
        )


def _finish_bundle(
    bundle: Bundle, evaluations: Sequence[Evaluation], behaviour: Sequence[BehaviourCase], agreed: float
) -> Bundle:
    """Add figures and card, write bundle.json, and read all back as a user would."""
    metrics: dict[str, object] = {e.name: asdict(e.figures) for e in evaluations}
    metrics["int8_agreement"] = agreed
    metrics["behaviour"] = {"passed": sum(c.passed for c in behaviour), "cases": len(behaviour)}
    bundle = replace(bundle, metrics=json.loads(json.dumps(metrics)))
    (bundle.folder / CARD_FILE).write_text(model_card(bundle, evaluations), encoding="utf-8")
    write_bundle(bundle)
    return read_bundle(bundle.folder)


def _log_run(
    config: Config, config_path: Path, data: TrainingData, fitted: Fitted, evaluations: Sequence[Evaluation],
    behaviour: Sequence[BehaviourCase], agreed: float, folder: Path,
) -> None:  # fmt: skip
    """Log config, data, epochs, figures, pictures, error tables and behaviour to the active run."""
    flat = {k: v for k, v in asdict(config).items() if k != "gate"} | {
        f"gate.{k}": v for k, v in asdict(config.gate).items()
    }
    mlflow.log_params(flat)
    splits = data.splits
    counts = {"training": splits.training, "validation": splits.validation, "test": splits.test}
    mlflow.log_params({f"n_{name}": len(part) for name, part in counts.items()})
    mlflow.log_params({f"n_{f}": sum(f in s.labels for s in data.sentences) for f in data.frame_names})
    mlflow.set_tags({"dataset_hash": dataset_hash(data.sentences), "commit": commit()})
    for entry in fitted.history:
        step = int(entry["step"])
        mlflow.log_metrics({k: v for k, v in entry.items() if k not in ("step", "epoch") and np.isfinite(v)}, step=step)
    log_evaluations(evaluations, folder, "Evaluation of the trained model")
    mlflow.log_metrics(
        {"int8_agreement": agreed, "behaviour": np.mean([c.passed for c in behaviour]) if behaviour else 0.0}
    )
    mlflow.log_dict({"cases": [asdict(c) for c in behaviour]}, "behaviour.json")
    mlflow.log_artifact(str(config_path))


def log_evaluations(evaluations: Sequence[Evaluation], folder: Path, title: str) -> None:
    """Write the report into `folder` and log it, with its figures as metrics, to the active run."""
    write_report(evaluations, folder, title)
    for e in evaluations:
        mlflow.log_metric(f"{e.name}.macro_f1", e.figures.macro_f1)
        mlflow.log_metric(f"{e.name}.ece", e.figures.ece)
        for frame, found in e.figures.frames.items():
            mlflow.log_metrics(
                {
                    f"{e.name}.{frame}.{k}": getattr(found, k)
                    for k in ("precision", "recall", "f1", "average_precision", "ece")
                }
            )
        for name, f in e.baselines.items():
            mlflow.log_metric(f"{e.name}.baseline.{name.split(' ')[0]}.macro_f1", f.macro_f1)
    mlflow.log_artifacts(str(folder), "evaluation")
