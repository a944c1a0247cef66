"""`python -m training study`: configs compared over several seeds, on the same data, without registering anything."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from models.bundle import Decision
from training.base import base_path
from training.calibrate import decisions
from training.config import ROOT, Config, load_config
from training.evaluation import composed_set, read_labelled_set
from training.fit import Fitted, fit, label_matrix, network_logits
from training.metrics import bootstrap_f1, figures, interval
from training.train import TrainingData, commit, load_data, say


@dataclass(frozen=True)
class Trial:
    """One training of one config: what was measured where, fp32, thresholds from validation."""

    config: str
    seed: int
    share: float  # of the training sentences, drawn with the seed
    n_training: int
    commit: str
    measured: dict[str, dict[str, float]]  # set -> figure -> value


def study(configs: Sequence[Path], seeds: int, shares: Sequence[float], out: Path) -> str:
    """Train every config with `seeds` seeds on each share of the training sentences; returns the summary table.

    Each trial is appended to `out` (JSON lines) as it ends; one that stands there already, from the same clean commit, is
    not repeated. Raises UserError if a config or the data is unusable, before any training.
    """
    loaded = {path: (config := load_config(path), load_data(config), base_path(config)) for path in configs}
    now = commit()
    trials = [t for t in _read(out) if t.commit == now and "+" not in now]
    for path, (config, data, base) in loaded.items():
        for share in shares:
            for seed in range(config.seed, config.seed + seeds):
                if any((t.config, t.seed, t.share) == (path.stem, seed, share) for t in trials):
                    continue
                say(f"{path.stem}, seed {seed}, {share:.0%} of the training sentences")
                trial = _trial(path.stem, replace(config, seed=seed), data, base, share)
                trials.append(trial)
                out.parent.mkdir(parents=True, exist_ok=True)
                with out.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps(asdict(trial)) + "\n")
    return summary(trials)


def _read(out: Path) -> list[Trial]:
    if not out.is_file():
        return []
    return [Trial(**json.loads(line)) for line in out.read_text(encoding="utf-8").splitlines()]


def _trial(name: str, config: Config, data: TrainingData, base: Path | str, share: float) -> Trial:
    rows = np.random.default_rng(config.seed).permutation(len(data.splits.training))
    training = [data.splits.training[i] for i in sorted(rows[: round(len(rows) * share)])]
    fitted = fit(config, base, data.frame_names, training, data.splits.validation)
    logits = network_logits(fitted, [s.text for s in data.splits.validation], config.max_tokens)
    chosen = decisions(logits, label_matrix(data.splits.validation, data.frame_names))
    sets = [composed_set("composed-test", data.splits.test, data.frame_names)]
    sets += [
        read_labelled_set((ROOT / path).resolve(), data.frame_names)
        for path in config.measure
        if (ROOT / path).resolve().is_file()
    ]
    measured = {s.name: _measure(fitted, config, chosen, s.texts, s.labels, data.frame_names) for s in sets}
    return Trial(name, config.seed, share, len(training), commit(), measured)


def _measure(
    fitted: Fitted, config: Config, chosen: Sequence[Decision], texts: Sequence[str], truth: np.ndarray,
    frames: Sequence[str],
) -> dict[str, float]:  # fmt: skip
    logits = network_logits(fitted, texts, config.max_tokens)
    probability = 1 / (1 + np.exp(-(logits * [d.slope for d in chosen] + [d.intercept for d in chosen])))
    predicted = probability >= [d.threshold for d in chosen]
    found = figures(truth, probability, predicted, frames)
    low, high = interval(bootstrap_f1(truth, predicted).mean(1))
    return {
        "macro_f1": found.macro_f1, "low": low, "high": high, "ece": found.ece,
        "unframed_flagged": found.unframed_flagged,
        "mean_average_precision": float(np.mean([f.average_precision for f in found.frames.values()])),
        **{f"f1_{frame}": f.f1 for frame, f in found.frames.items()},
    }  # fmt: skip


def summary(trials: Sequence[Trial]) -> str:
    """Mean and standard deviation over seeds, one line for each config, share and set, as a Markdown table."""
    figures_shown = list(
        dict.fromkeys(k for t in trials for m in t.measured.values() for k in m if k not in ("low", "high"))
    )
    lines = [
        "| config | sentences | seeds | set | " + " | ".join(figures_shown) + " |",
        "| --- " * (4 + len(figures_shown)) + "|",
    ]
    for config, share in dict.fromkeys((t.config, t.share) for t in trials):
        members = [t for t in trials if (t.config, t.share) == (config, share)]
        for name in members[0].measured:
            cells = []
            for figure in figures_shown:
                values = [t.measured[name][figure] for t in members if figure in t.measured.get(name, {})]
                cells.append(f"{np.mean(values):.3f} ± {np.std(values, ddof=1 if len(values) > 1 else 0):.3f}")
            lines.append(
                f"| {config} | {members[0].n_training} | {len(members)} | {name} | " + " | ".join(cells) + " |"
            )
    return "\n".join(lines)
