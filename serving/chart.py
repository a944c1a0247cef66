"""A chart of frames over time for one outlet, as plain data for the report's SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from serving.summary import Cell, wilson

WIDTH, HEIGHT = 640, 190
LEFT, RIGHT, TOP, BOTTOM = 56, 10, 12, 50
# At most so many dates are written below a chart; more would overlap.
MOST_LABELS = 8


@dataclass(frozen=True)
class Point:
    """One frame in one period: place in the drawing, interval, and what a pointer shows."""

    x: float
    y: float
    low_y: float
    high_y: float
    title: str


@dataclass(frozen=True)
class Chart:
    """One outlet's drawing: a line a frame, labels on both axes, the number of sentences below each period."""

    outlet: str
    lines: dict[str, list[Point]]
    x_labels: list[tuple[float, str, str]]  # x, period, sentences
    y_labels: list[tuple[float, str]]


def top_share(cells: Sequence[Cell], frames: Sequence[str]) -> float:
    """The upper end of the share axis that all charts have in common, so that outlets can be compared."""
    shares = [cell.frames[f] / cell.sentences for cell in cells for f in frames if cell.sentences >= 20]
    return max([0.01, *shares]) * 1.15


def draw(outlet: str, periods: Mapping[str, Cell], axis: Sequence[str], frames: Sequence[str], top: float) -> Chart:
    """Lay out one outlet over the common `axis` of periods; a period without sentences has no point."""
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(i: int) -> float:
        return round(LEFT + width * (i + 0.5) / len(axis), 1)

    def y(share: float) -> float:
        return round(TOP + height * (1 - min(share, top) / top), 1)

    lines: dict[str, list[Point]] = {frame: [] for frame in frames}
    for i, period in enumerate(axis):
        cell = periods.get(period)
        if cell is None or not cell.sentences:
            continue
        for k, frame in enumerate(frames):
            n = cell.frames[frame]
            low, high = wilson(n, cell.sentences)
            title = f"{period}: {frame} in {n} of {cell.sentences} sentences ({n / cell.sentences:.2%}; {low:.2%}–{high:.2%})"
            # Side by side, so that the intervals of several frames can be told apart.
            nudge = (k - (len(frames) - 1) / 2) * 4
            lines[frame].append(Point(x(i) + nudge, y(n / cell.sentences), y(low), y(high), title))
    step = -(-len(axis) // MOST_LABELS)
    labels = [
        (x(i), period, f"n={periods[period].sentences:,}" if period in periods else "n=0")
        for i, period in enumerate(axis)
        if i % step == 0
    ]
    return Chart(outlet, lines, labels, [(y(top * s), f"{top * s:.1%}") for s in (0, 0.5, 1)])
