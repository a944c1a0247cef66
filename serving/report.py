"""`report.html`: one self-contained page about a scored folder."""

from collections import Counter
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from serving.chart import HEIGHT, WIDTH, Chart, draw, top_share
from serving.manifest import read_manifest
from serving.summary import Cell, Summary, period_length, period_of, summarise
from serving.tables import write_text

REPORT = "report.html"
# More outlets than this are drawn as one.
MOST_OUTLETS = 8
OTHERS = "all other outlets"


def write_report(folder: Path) -> Path:
    """(Re)build report.html from a scored folder's tables and manifest; returns its path.

    Every text of the archive is escaped. Raises ManifestError if the folder is not a scored folder.
    """
    manifest = read_manifest(folder)
    frames = [frame["name"] for frame in manifest["model"]["frames"]]
    summary = summarise(folder, frames)
    charts, undated = _charts(summary, frames)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    page = environment.get_template("report.html.j2").render(
        manifest=manifest, frames=manifest["model"]["frames"], summary=summary, charts=charts, undated=undated,
        outlets=_outlet_rows(summary), chart_width=WIDTH, chart_height=HEIGHT,
    )  # fmt: skip
    write_text(page, folder / REPORT)
    return folder / REPORT


def _outlet_rows(summary: Summary) -> list[tuple[str, Cell]]:
    """Totals by outlet, the largest first."""
    rows = []
    for outlet, days in summary.by_day.items():
        total = Cell()
        for cell in days.values():
            total.add(cell)
        rows.append((outlet, total))
    return sorted(rows, key=lambda row: (-row[1].sentences, row[0]))


def _charts(summary: Summary, frames: list[str]) -> tuple[list[Chart], int]:
    """A chart an outlet over a common time axis, and how many articles have no (or too coarse a) date."""
    length = period_length([day for days in summary.by_day.values() for day in days])
    ranked = [outlet for outlet, _ in _outlet_rows(summary)]
    kept = ranked if len(ranked) <= MOST_OUTLETS else ranked[: MOST_OUTLETS - 1]
    grouped: dict[str, dict[str, Cell]] = {}
    undated = 0
    for outlet, days in summary.by_day.items():
        cells = grouped.setdefault(outlet if outlet in kept else OTHERS, {})
        for day, cell in days.items():
            period = period_of(day, length)
            if period:
                cells.setdefault(period, Cell(0, 0, Counter())).add(cell)
            else:
                undated += cell.articles
    axis = _axis({period for cells in grouped.values() for period in cells}, length)
    if not axis:
        return [], undated
    top = top_share([cell for cells in grouped.values() for cell in cells.values()], frames)
    order = [*kept, OTHERS]
    return [draw(o, grouped[o], axis, frames, top) for o in order if grouped.get(o)], undated


def _axis(used: set[str], length: int) -> list[str]:
    """The periods along the time axis: months without gaps; days and years as used, since gaps there can be long."""
    if length != 7 or not used:
        return sorted(used)
    first, last = min(used), max(used)
    months = [f"{y:04d}-{m:02d}" for y in range(int(first[:4]), int(last[:4]) + 1) for m in range(1, 13)]
    return [month for month in months if first <= month <= last] if len(months) <= 120 else sorted(used)
