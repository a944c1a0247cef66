"""From validation logits to calibrated probabilities and thresholds, one set a frame."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from models.bundle import Decision
from training.metrics import bootstrap_weights

# Thresholds outside this range are artefacts of a small validation set.
LOWEST, HIGHEST = 0.15, 0.85
CANDIDATES = np.linspace(LOWEST, HIGHEST, 71)


def platt(logits: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of Platt scaling for one frame's logits (sentences,), by regularised logistic regression.

    Falls back to the identity where validation has only one class.
    """
    if truth.all() or not truth.any():
        return 1.0, 0.0
    model = LogisticRegression(C=1.0).fit(logits.reshape(-1, 1), truth)
    slope = float(model.coef_[0, 0])
    # A slope at or below zero would turn the model's ranking round: it learnt nothing, and calibration can't mend that.
    return (slope, float(model.intercept_[0])) if slope > 0 else (1.0, 0.0)


def best_threshold(probability: np.ndarray, truth: np.ndarray) -> float:
    """The threshold that gives the best F1, averaged over bootstrap samples of the sentences.

    One validation set's own best threshold jumps with every sentence; the mean over resamples hardly moves.
    """
    weights = bootstrap_weights(len(truth))
    on = truth.astype(np.float32)
    marked = (probability[:, None] >= CANDIDATES[None, :]).astype(np.float32)
    hits = weights @ (marked * on[:, None])
    total = (weights @ on)[:, None] + weights @ marked
    f1 = np.divide(2 * hits, total, out=np.zeros_like(hits), where=total > 0)
    return float(np.mean(CANDIDATES[f1.argmax(1)]))


def decisions(logits: np.ndarray, truth: np.ndarray) -> tuple[Decision, ...]:
    """A Decision for each frame, from validation logits and bool truth (sentences, frames)."""
    found = []
    for i in range(truth.shape[1]):
        slope, intercept = platt(logits[:, i], truth[:, i])
        probability = 1 / (1 + np.exp(-(slope * logits[:, i] + intercept)))
        found.append(Decision(slope, intercept, best_threshold(probability, truth[:, i])))
    return tuple(found)
