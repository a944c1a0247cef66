"""How far two readers agree: Krippendorff's alpha and Cohen's kappa for each frame, with bootstrap intervals.

A reader's labels are a file `data/readers/<reader>.jsonl` with `id` and `labels`, one line a sentence, given blind: from the
text and the codebook alone. The composer's labels are those in `data/labelled/`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import krippendorff
import numpy as np
from sklearn.metrics import cohen_kappa_score

from data.errors import DataError
from data.sentence import LabelledSentence, read_rows

READERS_FOLDER = Path(__file__).parent / "readers"
BOOTSTRAP_SAMPLES = 1000


@dataclass(frozen=True)
class Agreement:
    """Agreement on one frame. The intervals are 95% percentile bootstrap over sentences; kappa is Cohen's."""

    frame: str
    n: int
    on_composer: int
    on_reader: int
    both: int
    alpha: float
    alpha_interval: tuple[float, float]
    kappa: float
    kappa_interval: tuple[float, float]


def read_reader(path: Path, frames: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """A reader's labels by sentence id. Raises DataError naming file and line for a malformed or repeated row."""
    labels: dict[str, tuple[str, ...]] = {}
    for where, raw in read_rows(path):
        if not isinstance(raw, dict) or not isinstance(raw.get("id"), str) or not isinstance(raw.get("labels"), list):
            raise DataError(f"{where}: needs 'id' and 'labels' (a list of frames, may be empty)")
        if unknown := [label for label in raw["labels"] if label not in frames]:
            raise DataError(f"{where}: unknown frames {unknown}; the codebook has {', '.join(frames)}")
        if raw["id"] in labels:
            raise DataError(f"{where}: {raw['id']} is labelled twice in this file")
        labels[raw["id"]] = tuple(raw["labels"])
    return labels


def alpha(one: np.ndarray, two: np.ndarray) -> float:
    """Krippendorff's nominal alpha (2011) of two readers without gaps, from bool (units,) each; 1.0 where nothing varies."""
    if (one == one[0]).all() and (two == one[0]).all():
        return 1.0
    return float(
        krippendorff.alpha(reliability_data=np.stack([one, two]).astype(float), level_of_measurement="nominal")
    )


def kappa(one: np.ndarray, two: np.ndarray) -> float:
    """Cohen's kappa (1960) of two readers, from bool (units,) each; 1.0 where nothing varies."""
    if (one == one[0]).all() and (two == one[0]).all():
        return 1.0
    return float(cohen_kappa_score(one, two))


def agreements(
    sentences: Sequence[LabelledSentence], reader: Mapping[str, Sequence[str]], frames: Sequence[str], seed: int = 0
) -> list[Agreement]:
    """Agreement of the composers' labels with a reader's, frame by frame, over the sentences the reader read.

    Raises DataError for an id that no labelled sentence has.
    """
    by_id = {s.id: s for s in sentences}
    if unknown := sorted(set(reader) - set(by_id)):
        raise DataError(
            f"the reader labelled {len(unknown)} ids that are not in data/labelled: {', '.join(unknown[:5])}"
        )
    ids = sorted(reader)
    if not ids:
        raise DataError("the reader labelled no sentence")
    rng = np.random.default_rng(seed)
    found = []
    for frame in frames:
        one = np.array([frame in by_id[i].labels for i in ids])
        two = np.array([frame in reader[i] for i in ids])
        drawn = rng.integers(len(ids), size=(BOOTSTRAP_SAMPLES, len(ids)))
        found.append(
            Agreement(
                frame, len(ids), int(one.sum()), int(two.sum()), int((one & two).sum()),
                alpha(one, two), _interval([alpha(one[rows], two[rows]) for rows in drawn]),
                kappa(one, two), _interval([kappa(one[rows], two[rows]) for rows in drawn]),
            )
        )  # fmt: skip
    return found


def _interval(samples: Sequence[float]) -> tuple[float, float]:
    low, high = np.percentile(samples, [2.5, 97.5])
    return float(low), float(high)


def disagreements(
    sentences: Sequence[LabelledSentence], reader: Mapping[str, Sequence[str]]
) -> list[tuple[LabelledSentence, tuple[str, ...]]]:
    """The sentences on which the reader's labels differ from the composer's, with the reader's."""
    return [(s, tuple(reader[s.id])) for s in sentences if s.id in reader and set(reader[s.id]) != set(s.labels)]


def agreement_text(name: str, found: Sequence[Agreement]) -> str:
    """A reader's agreement as a plain text table."""
    width = max(len(a.frame) for a in found)
    rows = [
        f"reader {name}: {found[0].n} sentences read blind",
        f"{'frame':<{width}}  composer on  reader on  both on  alpha  95% interval  kappa  95% interval",
    ]
    rows += [
        f"{a.frame:<{width}}  {a.on_composer:>11}  {a.on_reader:>9}  {a.both:>7}  {a.alpha:>5.3f}  "
        f"{a.alpha_interval[0]:.3f}–{a.alpha_interval[1]:.3f}   {a.kappa:>5.3f}  {a.kappa_interval[0]:.3f}–{a.kappa_interval[1]:.3f}"
        for a in found
    ]
    return "\n".join(rows)
