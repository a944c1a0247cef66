"""What `python -m data check` looks for beyond the schema: duplicates, near-duplicates, leakage; and its counts."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from data.diversity import words
from data.sentence import LabelledSentence
from data.split import SPLITS, split_of
from data.wars import War

# Two sentences that share half of their three-word runs tell the same thing in the same words.
NEAR_DUPLICATE_JACCARD = 0.5
# A run that stands in more sentences than this ("in the early hours of …") says nothing about two of them.
_COMMON_RUN = 50


def _runs(text: str) -> set[tuple[str, ...]]:
    """The three-word runs of a text; a shorter text is one run."""
    w = words(text)
    return {tuple(w[i : i + 3]) for i in range(max(1, len(w) - 2))}


def find_problems(sentences: Sequence[LabelledSentence], wars: Mapping[str, War]) -> list[str]:
    """Duplicated ids and texts, broken minimal pairs, near-duplicates, leakage between splits; one line each."""
    return [
        *_repeated_ids(sentences),
        *_broken_pairs(sentences),
        *_similar(sentences, wars),
    ]


def _repeated_ids(sentences: Iterable[LabelledSentence]) -> list[str]:
    counts = Counter(s.id for s in sentences)
    return [f"id {name} is used {n} times; ids must be unique" for name, n in counts.items() if n > 1]


def _broken_pairs(sentences: Iterable[LabelledSentence]) -> list[str]:
    pairs: dict[str, list[LabelledSentence]] = defaultdict(list)
    for s in sentences:
        if s.pair is not None:
            pairs[s.pair].append(s)
    problems = []
    for name, members in pairs.items():
        if len(members) != 2:
            problems.append(f"pair {name} has {len(members)} sentence(s), needs two")
        elif members[0].event != members[1].event:
            problems.append(f"pair {name}: its two sentences are of different events and could land in two splits")
        elif words(members[0].text) == words(members[1].text):
            problems.append(f"pair {name}: both sentences say the same; change one thing")
        elif members[0].labels == members[1].labels:
            problems.append(f"pair {name}: both sentences have the same labels; one change must flip one")
    return problems


def _similar(sentences: Sequence[LabelledSentence], wars: Mapping[str, War]) -> list[str]:
    runs = [_runs(s.text) for s in sentences]
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i, own in enumerate(runs):
        for run in own:
            holders[run].append(i)
    shared: Counter[tuple[int, int]] = Counter()
    for members in holders.values():
        if 1 < len(members) <= _COMMON_RUN:
            shared.update((a, b) for n, a in enumerate(members) for b in members[n + 1 :])
    problems = []
    for (a, b), common in sorted(shared.items()):
        one, two = sentences[a], sentences[b]
        if one.pair is not None and one.pair == two.pair:
            continue
        jaccard = common / (len(runs[a]) + len(runs[b]) - common)
        if jaccard >= NEAR_DUPLICATE_JACCARD:
            kind = "says the same as" if jaccard == 1 else f"is a near-duplicate ({jaccard:.2f}) of"
            splits = {split_of(one, wars), split_of(two, wars)}
            leak = f", and leaks from {' to '.join(sorted(splits))}" if len(splits) > 1 else ""
            problems.append(f"{one.id} {kind} {two.id}{leak}; rewrite one")
    return problems


def counts_text(sentences: Sequence[LabelledSentence], frames: Sequence[str], wars: Mapping[str, War]) -> str:
    """The counts by split, register, position, phenomenon, war and event, as plain text tables."""
    lines = [f"{len(sentences)} sentences, {len({s.war for s in sentences} - {None})} wars, "
             f"{len({s.event for s in sentences} - {None})} events, {len({s.pair for s in sentences} - {None})} minimal pairs"]  # fmt: skip
    by_split: dict[str, list[LabelledSentence]] = {name: [] for name in SPLITS}
    for s in sentences:
        by_split[split_of(s, wars)].append(s)
    lines += ["", _table("split", by_split, frames)]
    for column in ("register", "position", "phenomenon", "war", "event"):
        groups: dict[str, list[LabelledSentence]] = defaultdict(list)
        for s in sentences:
            groups[getattr(s, column) or "-"].append(s)
        ordered = dict(sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])))
        lines += ["", _table(column, ordered, frames)]
    return "\n".join(lines)


def _table(name: str, groups: Mapping[str, Sequence[LabelledSentence]], frames: Sequence[str]) -> str:
    width = max(len(name), *(len(key) for key in groups)) if groups else len(name)
    rows = [f"{name:<{width}}  {'all':>6}  {'none':>6}  " + "  ".join(f"{f:>{max(6, len(f))}}" for f in frames)]
    for key, members in groups.items():
        on = [f"{sum(f in s.labels for s in members):>{max(6, len(f))}}" for f in frames]
        none = sum(not s.labels for s in members)
        rows.append(f"{key:<{width}}  {len(members):>6}  {none:>6}  " + "  ".join(on))
    return "\n".join(rows)
