"""The gate: what a version must pass to become champion, and the evidence that it did."""

from collections.abc import Sequence
from dataclasses import dataclass

from training.behaviour import BehaviourCase
from training.config import Gate
from training.metrics import Figures


@dataclass(frozen=True)
class Check:
    """One line of the gate: a figure, the limit it is held to, and whether it passed."""

    name: str
    value: float
    limit: float
    passed: bool

    def __str__(self) -> str:
        return f"{'pass' if self.passed else 'FAIL'}  {self.name}: {self.value:.4f} (limit {self.limit:.4f})"


def gate_checks(
    gate: Gate,
    candidate: Figures,
    champion: Figures | None,
    int8_agreement: float,
    behaviour: Sequence[BehaviourCase],
) -> list[Check]:
    """Hold a candidate's figures on the composed test split to the gate.

    `champion` is measured on the same sentences in the same call; None where there is no champion yet.
    """
    checks = []
    if champion is not None:
        limit = champion.macro_f1 - gate.max_macro_f1_drop
        checks.append(Check("macro-F1 against the champion's", candidate.macro_f1, limit, candidate.macro_f1 >= limit))
    for frame, f in candidate.frames.items():
        checks.append(Check(f"F1 of {frame}", f.f1, gate.min_frame_f1, f.f1 >= gate.min_frame_f1))
    checks.append(Check("ECE, mean over frames", candidate.ece, gate.max_ece, candidate.ece <= gate.max_ece))
    checks.append(
        Check(
            "int8 agreement with fp32",
            int8_agreement,
            gate.min_int8_agreement,
            int8_agreement >= gate.min_int8_agreement,
        )
    )
    share = sum(c.passed for c in behaviour) / len(behaviour) if behaviour else 0.0
    checks.append(Check("behaviour cases right", share, gate.min_behaviour, share >= gate.min_behaviour))
    return checks
