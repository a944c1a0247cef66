"""An evaluation written out: metrics.json, report.md, errors.csv and pictures."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from sklearn.metrics import precision_recall_curve

from training.evaluation import Evaluation
from training.metrics import Figures, reliability

# Errors shown in report.md; errors.csv has them all.
SHOWN_ERRORS = 30


def write_report(evaluations: Sequence[Evaluation], folder: Path, title: str) -> None:
    """Write metrics.json, report.md and, for each labelled set, `<set>-errors.csv`, `-curves.png`, `-reliability.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps(metrics_json(evaluations), indent=2) + "\n", encoding="utf-8")
    (folder / "report.md").write_text(report_markdown(evaluations, title), encoding="utf-8")
    for e in evaluations:
        _write_errors(e, folder / f"{e.name}-errors.csv")
        _draw_curves(e, folder / f"{e.name}-curves.png")
        _draw_reliability(e, folder / f"{e.name}-reliability.png")


def metrics_json(evaluations: Sequence[Evaluation]) -> dict[str, object]:
    """All figures by labelled set, as plain data."""
    return {
        e.name: {
            "model": asdict(e.figures),
            "baselines": {name: asdict(f) for name, f in e.baselines.items()},
            "slices": [asdict(s) for s in e.slices],
            "n_errors": len(e.errors),
        }
        for e in evaluations
    }


def summary_table(evaluations: Sequence[Evaluation]) -> str:
    """Model and baselines side by side on every labelled set, as a Markdown table."""
    lines = [
        "| | " + " | ".join(f"{e.name} (n={e.figures.n})" for e in evaluations) + " |",
        "| --- |" + " --- |" * len(evaluations),
        "| **model, macro-F1** [95% interval] | " + " | ".join(f"**{_f1(e.figures)}**" for e in evaluations) + " |",
    ]
    for frame in evaluations[0].frames:
        cells = []
        for e in evaluations:
            f = e.figures.frames[frame]
            low, high = f.f1_interval
            cells.append(
                f"F1 {f.f1:.2f} [{low:.2f}, {high:.2f}], P {f.precision:.2f}, R {f.recall:.2f}, "
                f"AP {f.average_precision:.2f}, ECE {f.ece:.3f} (on in {f.support})"
            )
        lines.append(f"| {frame} | " + " | ".join(cells) + " |")
    lines.append("| ECE, mean over frames | " + " | ".join(f"{e.figures.ece:.3f}" for e in evaluations) + " |")
    flagged = " | ".join(f"{e.figures.unframed_flagged:.1%}" for e in evaluations)
    lines.append(f"| unframed sentences that get a frame | {flagged} |")
    for name in evaluations[0].baselines:
        lines.append(f"| {name}, macro-F1 | " + " | ".join(_f1(e.baselines[name]) for e in evaluations) + " |")
    return "\n".join(lines)


def _f1(f: Figures) -> str:
    return f"{f.macro_f1:.3f} [{f.macro_f1_interval[0]:.2f}, {f.macro_f1_interval[1]:.2f}]"


def report_markdown(evaluations: Sequence[Evaluation], title: str) -> str:
    """The whole report: summary, pictures, slices and the most confident errors of each labelled set."""
    parts = [f"# {title}", "", summary_table(evaluations), ""]
    for e in evaluations:
        parts += [f"## {e.name}", "", f"![curves]({e.name}-curves.png) ![reliability]({e.name}-reliability.png)", ""]
        parts += ["| field | value | n | all frames right | macro-F1 |", "| --- | --- | --- | --- | --- |"]
        for s in e.slices:
            macro = "-" if s.macro_f1 is None else f"{s.macro_f1:.2f}"
            parts.append(f"| {s.field} | {_cell(s.value)} | {s.n} | {s.exact:.0%} | {macro} |")
        shown = e.errors[:SHOWN_ERRORS]
        parts += ["", f"The {len(shown)} most confident of {len(e.errors)} errors:", ""]
        parts += ["| frame | error | p | threshold | sentence |", "| --- | --- | --- | --- | --- |"]
        parts += [
            f"| {r.frame} | {r.kind} | {r.probability:.2f} | {r.threshold:.2f} | {_cell(r.text)} |" for r in shown
        ]
        parts.append("")
    return "\n".join(parts)


def _cell(text: str) -> str:
    """A text made safe for one Markdown table cell."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _write_errors(e: Evaluation, path: Path) -> None:
    # utf-8-sig: Excel takes plain UTF-8 for the local code page.
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "frame", "error", "probability", "threshold", "confidence", "text"])
        for r in e.errors:
            numbers = [f"{r.probability:.4f}", f"{r.threshold:.4f}", f"{r.confidence:.4f}"]
            writer.writerow([_formula_safe(r.id), r.frame, r.kind, *numbers, _formula_safe(r.text)])


def _formula_safe(text: str) -> str:
    """A leading =, +, -, @ or tab makes a spreadsheet run a text as a formula; a quote in front stops it (OWASP)."""
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _draw_curves(e: Evaluation, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(4.5, 4), layout="constrained")
    for i, frame in enumerate(e.frames):
        if e.truth[:, i].any():
            precision, recall, _ = precision_recall_curve(e.truth[:, i], e.probability[:, i])
            axes.plot(recall, precision, label=f"{frame} (AP {e.figures.frames[frame].average_precision:.2f})")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title=f"{e.name}: precision and recall")
    axes.legend(loc="lower left", fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _draw_reliability(e: Evaluation, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(4.5, 4), layout="constrained")
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1)
    for i, frame in enumerate(e.frames):
        rows = reliability(e.truth[:, i], e.probability[:, i])
        label = f"{frame} (ECE {e.figures.frames[frame].ece:.3f})"
        axes.plot([mean for mean, _, _ in rows], [share for _, share, _ in rows], marker="o", label=label)
    axes.set(
        xlabel="predicted probability", ylabel="share on", xlim=(0, 1), ylim=(0, 1), title=f"{e.name}: reliability"
    )
    axes.legend(loc="upper left", fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)
