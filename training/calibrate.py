"""From validation logits to calibrated probabilities and thresholds, one set a frame."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from models.bundle import Decision
from training.metrics import bootstrap_weights

# Thresholds outside this range are artefacts of a small validation set.
LOWEST, HIGHEST = 0.15, 0.85
CANDIDATES = np.linspace(LOWEST, HIGHEST, 71)
# Composed data holds a frame in every third sentence, an archive in one of many: a threshold that is
# best for the composed rate raises too many false alarms there. So unframed sentences are weighted until this share is
# framed when thresholds are chosen.
ARCHIVE_FRAMED_SHARE = 0.10


def archive_weights(truth: np.ndarray) -> np.ndarray:
    """One weight a sentence, float64: 1 for framed ones, more for the others, so that framed ones weigh their share."""
    framed = truth.any(1)
    if framed.all() or not framed.any():
        return np.ones(len(truth))
    unframed = framed.sum() * (1 - ARCHIVE_FRAMED_SHARE) / ARCHIVE_FRAMED_SHARE / (~framed).sum()
    return np.where(framed, 1.0, unframed)


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


def best_threshold(probability: np.ndarray, truth: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The threshold that gives the best F1, averaged over bootstrap samples of the sentences.

    One validation set's own best threshold jumps with every sentence; the mean over resamples hardly moves.
    """
    drawn = bootstrap_weights(len(truth))
    if weights is not None:
        drawn = drawn * weights.astype(np.float32)
    on = truth.astype(np.float32)
    marked = (probability[:, None] >= CANDIDATES[None, :]).astype(np.float32)
    hits = drawn @ (marked * on[:, None])
    total = (drawn @ on)[:, None] + drawn @ marked
    f1 = np.divide(2 * hits, total, out=np.zeros_like(hits), where=total > 0)
    return float(np.mean(CANDIDATES[f1.argmax(1)]))


def decisions(logits: np.ndarray, truth: np.ndarray) -> tuple[Decision, ...]:
    """A Decision for each frame, from validation logits and bool truth (sentences, frames).

    Calibration is to the composed rate, thresholds are for an archive's.
    """
    weights = archive_weights(truth)
    found = []
    for i in range(truth.shape[1]):
        slope, intercept = platt(logits[:, i], truth[:, i])
        probability = 1 / (1 + np.exp(-(slope * logits[:, i] + intercept)))
        found.append(Decision(slope, intercept, best_threshold(probability, truth[:, i], weights)))
    return tuple(found)
