"""The nightly job: train again if anything changed, and promote only what is better."""

from dataclasses import dataclass
from pathlib import Path

from training.config import load_config
from training.promote import GateRefused, compare, move_champion, require_same_frames, write_evidence
from training.registry import connect, get_champion, get_version
from training.train import fingerprint, load_data, say, train


@dataclass(frozen=True)
class Outcome:
    """How a retraining ended: whether a new champion was promoted, and why or why not."""

    promoted: bool
    reason: str


def retrain(config_path: Path, always: bool = False) -> Outcome:
    """Validate the data, train, compare with the champion on the same test sentences, promote if better.

    Training is skipped where sentences, config, code and library versions are those the champion was trained with,
    since it would give the champion again; `always` trains even so. Raises UserError if anything fails.
    """
    config = load_config(config_path)
    data = load_data(config)
    client = connect()
    champion = get_champion(client)
    if champion is not None and not always and champion.tags.get("fingerprint") == fingerprint(config, data):
        return Outcome(
            False,
            f"nothing changed since champion version {champion.version} was trained: same sentences, config, code and "
            "libraries (train all the same with: python -m training retrain --always)",
        )
    if champion is not None:
        require_same_frames(data.frame_names, champion)
    trained = train(config_path)
    candidate = get_version(client, trained.version)
    comparison = compare(config, data, candidate, champion)
    if comparison.champion_test is not None and champion is not None:
        new, old = comparison.candidate_test.figures.macro_f1, comparison.champion_test.figures.macro_f1
        if new <= old + config.gate.retrain_margin:
            path = write_evidence(client, comparison, promoted=False, forced=False)
            say(f"evidence: {path}")
            return Outcome(
                False,
                f"version {candidate.version} has macro-F1 {new:.4f} on the test split, champion version "
                f"{champion.version} has {old:.4f}: not better by more than the margin of {config.gate.retrain_margin}",
            )
    if not comparison.passed:
        path = write_evidence(client, comparison, promoted=False, forced=False)
        failed = ", ".join(str(check) for check in comparison.checks if not check.passed)
        reason = f"version {candidate.version} did not pass the gate: {failed}; evidence: {path}"
        if champion is None:
            raise GateRefused(f"{reason}; there is no champion yet")
        return Outcome(False, reason)
    move_champion(client, comparison)
    return Outcome(True, f"version {candidate.version} is the champion")
