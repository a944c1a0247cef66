"""Figures of a classifier: F1, average precision, bootstrap intervals, calibration error."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import average_precision_score

BOOTSTRAP_SAMPLES = 2000
ECE_BINS = 10


def f1_scores(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """F1 of each frame, float64 (frames,), from bool (sentences, frames); 0 where nothing is on nor predicted."""
    hits = (truth & predicted).sum(0)
    total = truth.sum(0) + predicted.sum(0)
    return np.divide(2.0 * hits, total, out=np.zeros(truth.shape[1]), where=total > 0)


def bootstrap_weights(n: int, seed: int = 0) -> np.ndarray:
    """How often each of `n` sentences is drawn in each bootstrap sample: float32 (samples, n)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(n, np.full(n, 1 / n), size=BOOTSTRAP_SAMPLES).astype(np.float32)


def bootstrap_f1(truth: np.ndarray, predicted: np.ndarray, seed: int = 0) -> np.ndarray:
    """F1 of each frame in each bootstrap sample of the sentences: (samples, frames). Efron (1979)."""
    weights = bootstrap_weights(len(truth), seed)
    hits = weights @ (truth & predicted).astype(np.float32)
    total = weights @ (truth.astype(np.float32) + predicted.astype(np.float32))
    return np.divide(2 * hits, total, out=np.zeros_like(hits), where=total > 0)


def interval(samples: np.ndarray) -> tuple[float, float]:
    """The 95% percentile interval of bootstrap samples."""
    low, high = np.percentile(samples, [2.5, 97.5])
    return float(low), float(high)


def reliability(truth: np.ndarray, probability: np.ndarray) -> list[tuple[float, float, int]]:
    """(mean probability, share on, count) of each non-empty one of ten equal-width bins, for one frame."""
    bins = np.minimum((probability * ECE_BINS).astype(int), ECE_BINS - 1)
    rows = []
    for b in range(ECE_BINS):
        inside = bins == b
        if inside.any():
            rows.append((float(probability[inside].mean()), float(truth[inside].mean()), int(inside.sum())))
    return rows


def ece(truth: np.ndarray, probability: np.ndarray) -> float:
    """Expected calibration error of one frame, ten equal-width bins (Guo et al. 2017)."""
    rows = reliability(truth, probability)
    return sum(n * abs(share - mean) for mean, share, n in rows) / max(1, len(truth))


@dataclass(frozen=True)
class FrameFigures:
    """How well one frame is found. `support` is the number of sentences it is on in."""

    precision: float
    recall: float
    f1: float
    f1_interval: tuple[float, float]
    average_precision: float
    ece: float
    support: int
    predicted: int


@dataclass(frozen=True)
class Figures:
    """How well a classifier does on one labelled set."""

    n: int
    macro_f1: float
    macro_f1_interval: tuple[float, float]
    ece: float  # mean over frames
    unframed_flagged: float  # share of sentences with no frame that get one
    frames: dict[str, FrameFigures]


def figures(truth: np.ndarray, probability: np.ndarray, predicted: np.ndarray, frames: Sequence[str]) -> Figures:
    """All figures from bool truth, float probability and bool decision, each (sentences, frames)."""
    f1 = f1_scores(truth, predicted)
    samples = bootstrap_f1(truth, predicted)
    per_frame = {}
    for i, frame in enumerate(frames):
        hits = int((truth[:, i] & predicted[:, i]).sum())
        on, marked = int(truth[:, i].sum()), int(predicted[:, i].sum())
        per_frame[frame] = FrameFigures(
            precision=hits / marked if marked else 0.0,
            recall=hits / on if on else 0.0,
            f1=float(f1[i]),
            f1_interval=interval(samples[:, i]),
            average_precision=float(average_precision_score(truth[:, i], probability[:, i])) if on else 0.0,
            ece=ece(truth[:, i], probability[:, i]),
            support=on,
            predicted=marked,
        )
    unframed = ~truth.any(1)
    return Figures(
        n=len(truth),
        macro_f1=float(f1.mean()),
        macro_f1_interval=interval(samples.mean(1)),
        ece=float(np.mean([f.ece for f in per_frame.values()])),
        unframed_flagged=float(predicted[unframed].any(1).mean()) if unframed.any() else 0.0,
        frames=per_frame,
    )
