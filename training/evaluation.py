"""A model measured on a labelled file: what is read, what is computed. Writing it out is `training.report`."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.errors import DataError
from data.sentence import LabelledSentence, read_rows
from models.predictor import Predictor
from training.baselines import keyword_rules, majority, tfidf
from training.fit import label_matrix
from training.metrics import Figures, f1_scores, figures

# Fields by which results are broken down where a labelled file has them.
SLICES = ("phenomenon", "register", "position", "war", "kind")
# A slice of fewer sentences says nothing.
SMALLEST_SLICE = 10


@dataclass(frozen=True)
class LabelledSet:
    """Sentences to measure on. `fields` holds, for each slice field, one value a sentence."""

    name: str
    ids: list[str]
    texts: list[str]
    labels: np.ndarray  # bool (sentences, frames)
    fields: dict[str, list[str]]


def composed_set(name: str, sentences: Sequence[LabelledSentence], frames: Sequence[str]) -> LabelledSet:
    """A split of the project's own labelled sentences."""
    return LabelledSet(
        name,
        [s.id for s in sentences],
        [s.text for s in sentences],
        label_matrix(sentences, frames),
        {f: [str(getattr(s, f) or "-") for s in sentences] for f in SLICES if f != "kind"},
    )


def read_labelled_set(path: Path, frames: Sequence[str]) -> LabelledSet:
    """Read any .jsonl with `text` and `labels` (a list of frames); other fields are used for slices where present.

    Raises DataError naming file and line for a row that lacks them or names an unknown frame.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; SENTENCES must name a .jsonl with text and labels")
    ids, texts, labels, rows = [], [], [], []
    for where, raw in read_rows(path):
        if not isinstance(raw, dict) or not isinstance(raw.get("text"), str) or not isinstance(raw.get("labels"), list):
            raise DataError(f"{where}: needs 'text' (a string) and 'labels' (a list of frames)")
        if unknown := [label for label in raw["labels"] if label not in frames]:
            raise DataError(f"{where}: unknown frames {unknown}; this model has {', '.join(frames)}")
        ids.append(str(raw.get("id", where)))
        texts.append(raw["text"])
        labels.append([frame in raw["labels"] for frame in frames])
        rows.append(raw)
    if not texts:
        raise DataError(f"{path}: no labelled sentence in it")
    fields = {f: [str(raw.get(f) or "-") for raw in rows] for f in SLICES if any(f in raw for raw in rows)}
    return LabelledSet(path.stem, ids, texts, np.array(labels, dtype=bool), fields)


@dataclass(frozen=True)
class Slice:
    """Results on the sentences that share one value of one field."""

    field: str
    value: str
    n: int
    exact: float  # share of sentences whose frames all come out right
    macro_f1: float | None  # over the frames that are on in the slice; None where none is


@dataclass(frozen=True)
class ErrorRow:
    """One wrong decision, with how far on the wrong side of the threshold it was."""

    id: str
    frame: str
    kind: str  # "missed" or "false alarm"
    probability: float
    threshold: float
    confidence: float  # |probability - threshold|
    text: str


@dataclass(frozen=True)
class Evaluation:
    """Everything measured on one labelled set."""

    name: str
    frames: tuple[str, ...]
    figures: Figures
    baselines: dict[str, Figures]
    slices: list[Slice]
    errors: list[ErrorRow]  # most confident first
    truth: np.ndarray  # bool (sentences, frames)
    probability: np.ndarray  # float32 (sentences, frames)


def evaluate(predictor: Predictor, labelled: LabelledSet, training: Sequence[LabelledSentence]) -> Evaluation:
    """Measure a model and the baselines on a labelled set; `training` is what TF-IDF learns from."""
    frames = predictor.bundle.frame_names
    probability = predictor.probabilities(labelled.texts)
    predicted = predictor.decide(probability)
    return Evaluation(
        name=labelled.name,
        frames=frames,
        figures=figures(labelled.labels, probability, predicted, frames),
        baselines=_baselines(labelled, training, frames),
        slices=_slices(labelled, predicted),
        errors=_errors(labelled, probability, predicted, predictor),
        truth=labelled.labels,
        probability=probability,
    )


def _baselines(
    labelled: LabelledSet, training: Sequence[LabelledSentence], frames: Sequence[str]
) -> dict[str, Figures]:
    none = majority(len(labelled.texts), frames)
    rules = keyword_rules(labelled.texts, frames)
    found = {
        "majority (no frame)": figures(labelled.labels, none.astype(float), none, frames),
        "keyword rules": figures(labelled.labels, rules.astype(float), rules, frames),
    }
    if training:
        probability = tfidf(training, labelled.texts, frames)
        found["TF-IDF + logistic regression"] = figures(labelled.labels, probability, probability >= 0.5, frames)
    return found


def _slices(labelled: LabelledSet, predicted: np.ndarray) -> list[Slice]:
    found = []
    for field, values in labelled.fields.items():
        groups: dict[str, list[int]] = defaultdict(list)
        for i, value in enumerate(values):
            groups[value].append(i)
        for value, rows in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
            if len(rows) < SMALLEST_SLICE:
                continue
            truth, marked = labelled.labels[rows], predicted[rows]
            present = truth.any(0)
            macro = float(f1_scores(truth, marked)[present].mean()) if present.any() else None
            found.append(Slice(field, value, len(rows), float((truth == marked).all(1).mean()), macro))
    return found


def _errors(
    labelled: LabelledSet, probability: np.ndarray, predicted: np.ndarray, predictor: Predictor
) -> list[ErrorRow]:
    rows = []
    for column, (frame, threshold) in enumerate(predictor.bundle.thresholds.items()):
        for i in np.flatnonzero(labelled.labels[:, column] != predicted[:, column]):
            p = float(probability[i, column])
            kind = "missed" if labelled.labels[i, column] else "false alarm"
            rows.append(ErrorRow(labelled.ids[i], frame, kind, p, threshold, abs(p - threshold), labelled.texts[i]))
    return sorted(rows, key=lambda row: -row.confidence)
