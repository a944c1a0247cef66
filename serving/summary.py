"""What a scored folder adds up to: totals, frames over time by outlet, the clearest sentences. Read in one stream."""

import heapq
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from serving.tables import ARTICLES, REJECTS, SENTENCES

TOP_SENTENCES = 12
SHOWN_REJECTS = 20
NO_OUTLET = "(no outlet)"


@dataclass
class Cell:
    """Counts of one outlet in one period."""

    articles: int = 0
    sentences: int = 0
    frames: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Cell") -> None:
        """Add another cell's counts to this one."""
        self.articles += other.articles
        self.sentences += other.sentences
        self.frames.update(other.frames)


@dataclass(frozen=True)
class Summary:
    """A scored folder in figures. `by_day` maps outlet to day (or coarser ISO date, "" where undated) to counts."""

    total: Cell
    by_day: dict[str, dict[str, Cell]]
    top: dict[str, list[dict]]  # frame -> rows of sentences/, highest probability first, equal texts once
    reject_reasons: Counter[str]
    rejects: list[dict]  # the first few


def summarise(folder: Path, frames: Sequence[str]) -> Summary:
    """Read a scored folder's tables in a stream; memory grows with outlets x days, not with articles."""
    by_day: dict[str, dict[str, Cell]] = defaultdict(lambda: defaultdict(Cell))
    total = Cell()
    for row in _rows(folder / ARTICLES, ["outlet", "date", "n_sentences", *(f"n_{f}" for f in frames)]):
        cell = Cell(1, row["n_sentences"], Counter({f: row[f"n_{f}"] for f in frames}))
        by_day[row["outlet"] or NO_OUTLET][(row["date"] or "")[:10]].add(cell)
        total.add(cell)
    reasons: Counter[str] = Counter()
    shown: list[dict] = []
    for path in sorted((folder / REJECTS).glob("*.jsonl")):
        with path.open(encoding="utf-8") as file:
            for line in file:
                reject = json.loads(line)
                reasons[reject["reason"].split(":")[0]] += 1
                if len(shown) < SHOWN_REJECTS:
                    shown.append(reject)
    return Summary(total, {o: dict(days) for o, days in by_day.items()}, _top(folder, frames), reasons, shown)


def _rows(folder: Path, columns: list[str]) -> Iterator[dict]:
    for path in sorted(folder.glob("*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(columns=columns):
            yield from batch.to_pylist()


def _top(folder: Path, frames: Sequence[str]) -> dict[str, list[dict]]:
    columns = ["article_id", "sentence_index", "start", "end", "text", "outlet", "date", "frames", "source"]
    heaps: dict[str, list[tuple[float, int, dict]]] = {f: [] for f in frames}
    held: dict[str, set[str]] = {f: set() for f in frames}
    for n, row in enumerate(_rows(folder / SENTENCES, [*columns, *(f"p_{f}" for f in frames)])):
        for frame in row["frames"]:
            if row["text"] in held[frame]:
                continue
            entry = (row[f"p_{frame}"], -n, row)
            heap = heaps[frame]
            if len(heap) < TOP_SENTENCES:
                heapq.heappush(heap, entry)
            elif entry > heap[0]:
                held[frame].discard(heapq.heapreplace(heap, entry)[2]["text"])
            else:
                continue
            held[frame].add(row["text"])
    return {f: [row for _, _, row in sorted(heap, reverse=True)] for f, heap in heaps.items()}


def period_of(day: str, length: int) -> str:
    """A date cut to the period's ISO length: 10 day, 7 month, 4 year; "" where it is too coarse to say."""
    return day[:length] if len(day) >= length else ""


def period_length(days: Sequence[str], most: int = 40) -> int:
    """The finest period (10 day, 7 month, 4 year) with at most `most` of them in use, else years."""
    for length in (10, 7):
        used = {period_of(day, length) for day in days} - {""}
        coarse = sum(1 for day in days if day and len(day) < length)
        # A few coarser dates among many do not make the whole chart coarse; they count as undated there.
        if used and len(used) <= most and coarse <= 0.05 * len(days):
            return length
    return 4


def wilson(k: int, n: int) -> tuple[float, float]:
    """The 95% interval of a share k/n (Wilson 1927); (0, 1) where n is 0."""
    if n == 0:
        return 0.0, 1.0
    z = 1.96
    middle = (k + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(k * (n - k) / n + z * z / 4)
    return max(0.0, middle - half), min(1.0, middle + half)
