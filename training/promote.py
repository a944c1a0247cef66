"""Moving the alias `champion`: through the gate, with the evidence kept, read back and probed."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd

from data.errors import UserError
from models.bundle import BundleError
from models.locate import CHAMPION, REGISTERED_NAME, ROOT, store_folder
from models.predictor import Predictor
from training.behaviour import BehaviourCase, run_behaviour
from training.config import Config, load_config
from training.evaluation import Evaluation, composed_set, evaluate
from training.gate import Check, gate_checks
from training.registry import CHAMPION_ALIAS, Registered, connect, get_champion, get_version
from training.train import TrainingData, load_data, say

# Scored through the alias after it moved: a registry that hands out another model, or none, shows here.
PROBE = (
    "The garrison fled across the river before dawn, leaving its guns on the quay.",
    "The corps withdrew behind the canal to shorten its line, the ministry said.",
    "Schools reopened in the town a month after it was liberated.",
    "Shares in the ferry company rose four per cent on Tuesday.",
)


class GateRefused(UserError):
    """A version did not pass the gate; the champion stays."""


@dataclass(frozen=True)
class Comparison:
    """A candidate and the champion on the same test sentences, with the gate's verdict."""

    candidate: Registered
    champion: Registered | None
    candidate_test: Evaluation
    champion_test: Evaluation | None
    behaviour: list[BehaviourCase]
    checks: list[Check]

    @property
    def passed(self) -> bool:
        """Whether every check of the gate passed."""
        return all(check.passed for check in self.checks)


def compare(config: Config, data: TrainingData, candidate: Registered, champion: Registered | None) -> Comparison:
    """Measure both on the composed test split, run the behaviour cases, and hold the candidate to the gate.

    Raises BundleError if the two models do not have the same frames.
    """
    if champion is not None:
        require_same_frames(candidate.bundle.frame_names, champion)
    labelled = composed_set("composed-test", data.splits.test, candidate.bundle.frame_names)
    predictor = Predictor(candidate.bundle)
    candidate_test = evaluate(predictor, labelled, [])
    champion_test = evaluate(Predictor(champion.bundle), labelled, []) if champion else None
    behaviour = run_behaviour(predictor, ROOT / "data" / "behaviour")
    agreed = float(str(candidate.bundle.metrics.get("int8_agreement", 0.0)))
    checks = gate_checks(
        config.gate, candidate_test.figures, champion_test.figures if champion_test else None, agreed, behaviour
    )
    return Comparison(candidate, champion, candidate_test, champion_test, behaviour, checks)


def require_same_frames(frames: Sequence[str], champion: Registered) -> None:
    """Raise BundleError where a model with `frames` could not be compared with the champion."""
    if tuple(frames) != champion.bundle.frame_names:
        raise BundleError(
            f"the frames are {', '.join(frames)}, the champion (version {champion.version}) has "
            f"{', '.join(champion.bundle.frame_names)}: they cannot be compared; give another codebook a registry of its "
            "own (MLFLOW_TRACKING_URI), or train it and promote with FORCE=1"
        )


def promote(config_path: Path, version: str | None = None, force: bool = False) -> str:
    """Move `champion` to a version (the newest where None is given) if it passes the gate; returns its number.

    Raises GateRefused if it does not pass and `force` is off, BundleError if it is not there or the probe through the
    alias differs (the alias is then put back).
    """
    config = load_config(config_path)
    data = load_data(config)
    client = connect()
    candidate, champion = get_version(client, version), get_champion(client)
    if champion is not None and force and champion.bundle.frame_names != candidate.bundle.frame_names:
        champion_for_gate = None
    else:
        champion_for_gate = champion
    comparison = compare(config, data, candidate, champion_for_gate)
    move_champion(client, comparison, force)
    return candidate.version


def move_champion(client: mlflow.MlflowClient, comparison: Comparison, force: bool = False) -> None:
    """Write the evidence, move the alias, read it back and probe the model behind it. Raises as `promote` does."""
    candidate = comparison.candidate
    lines = "\n".join(str(check) for check in comparison.checks)
    forced = force and not comparison.passed
    say(f"gate of version {candidate.version}:\n{lines}")
    if not comparison.passed and not force:
        say(f"evidence: {write_evidence(client, comparison, promoted=False, forced=False)}")
        failed = ", ".join(check.name for check in comparison.checks if not check.passed)
        raise GateRefused(
            f"version {candidate.version} did not pass the gate ({failed}); the champion stays. "
            "Look at its errors with `make evaluate`, or override with FORCE=1"
        )
    before = comparison.champion.version if comparison.champion else None
    client.set_registered_model_alias(REGISTERED_NAME, CHAMPION_ALIAS, candidate.version)
    client.set_model_version_tag(
        REGISTERED_NAME, candidate.version, "forced", str(force and not comparison.passed).lower()
    )
    try:
        _read_back(client, candidate)
    except Exception:
        if before is None:
            client.delete_registered_model_alias(REGISTERED_NAME, CHAMPION_ALIAS)
        else:
            client.set_registered_model_alias(REGISTERED_NAME, CHAMPION_ALIAS, before)
        write_evidence(client, comparison, promoted=False, forced=False)
        raise
    say(f"evidence: {write_evidence(client, comparison, promoted=True, forced=forced)}")
    say(f"version {candidate.version} is the champion{'' if before is None else f' (was {before})'}; "
        "next: make score …, make release")  # fmt: skip


def _read_back(client: mlflow.MlflowClient, candidate: Registered) -> None:
    """The alias must name the candidate, and the model behind it must score the probe as the candidate's bundle does."""
    found = str(client.get_model_version_by_alias(REGISTERED_NAME, CHAMPION_ALIAS).version)
    if found != candidate.version:
        raise BundleError(f"the registry says champion is version {found} after it was set to {candidate.version}")
    names = [f"p_{frame}" for frame in candidate.bundle.frame_names]
    scored = mlflow.pyfunc.load_model(CHAMPION).predict(pd.DataFrame({"text": PROBE}))[names].to_numpy()
    expected = Predictor(candidate.bundle).probabilities(PROBE)
    if not np.allclose(scored, expected, atol=1e-6):
        raise BundleError(f"{CHAMPION} scores the probe differently from the bundle of version {candidate.version}")


def write_evidence(client: mlflow.MlflowClient, comparison: Comparison, promoted: bool, forced: bool) -> Path:
    """Write what the gate saw to a file and log it to the candidate's run; returns the file."""
    folder = store_folder() / "gate"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"version-{comparison.candidate.version}.json"
    evidence = {
        "version": comparison.candidate.version,
        "champion_before": comparison.champion.version if comparison.champion else None,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "promoted": promoted,
        "forced": forced,
        "checks": [asdict(check) for check in comparison.checks],
        "candidate": asdict(comparison.candidate_test.figures),
        "champion": asdict(comparison.champion_test.figures) if comparison.champion_test else None,
        "failed_behaviour": [asdict(case) for case in _failed(comparison.behaviour)],
    }
    path.write_text(json.dumps(evidence, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    client.log_artifact(comparison.candidate.run_id, str(path), "gate")
    return path


def _failed(cases: Sequence[BehaviourCase]) -> list[BehaviourCase]:
    return [case for case in cases if not case.passed]
