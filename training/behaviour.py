"""Behaviour cases: what any good model must do, whatever its average figures."""

from dataclasses import dataclass
from pathlib import Path

from data.errors import DataError
from data.sentence import read_rows
from models.predictor import Predictor


@dataclass(frozen=True)
class BehaviourCase:
    """One case of data/behaviour: what was tested, whether it came out right, and what was seen."""

    id: str
    capability: str
    test: str
    passed: bool
    seen: str


def run_behaviour(predictor: Predictor, folder: Path) -> list[BehaviourCase]:
    """Run the cases in `folder`/*.jsonl (Ribeiro et al. 2020, CheckList).

    minimum: `text` must get exactly `labels`. invariance: `text` and `changed` must get the same frames.
    direction: the probability of `frame` must go `direction` ("up" or "down") from `text` to `changed`.
    Raises DataError for a malformed case. Cases about a frame the model does not have are left out.
    """
    frames = predictor.bundle.frame_names
    cases = []
    for path in sorted(folder.glob("*.jsonl")):
        for where, raw in read_rows(path):
            try:
                cases.append(_check_case(raw))
            except (KeyError, TypeError, ValueError) as error:
                raise DataError(f"{where}: not a behaviour case: {error!r}") from error
    cases = [c for c in cases if set(c.get("labels", [])) | {c.get("frame", frames[0])} <= set(frames)]
    texts = list(dict.fromkeys(t for c in cases for t in (c["text"], c.get("changed", c["text"]))))
    probability = predictor.probabilities(texts)
    by_text = dict(zip(texts, probability, strict=True))
    on_by_text = dict(zip(texts, predictor.frames_on(probability), strict=True))
    results = []
    for c in cases:
        if c["test"] == "minimum":
            on = on_by_text[c["text"]]
            passed, seen = set(on) == set(c["labels"]), f"{on} (wanted {c['labels']})"
        elif c["test"] == "invariance":
            one, two = on_by_text[c["text"]], on_by_text[c["changed"]]
            passed, seen = one == two, f"{one} -> {two}"
        else:
            column = frames.index(c["frame"])
            one, two = float(by_text[c["text"]][column]), float(by_text[c["changed"]][column])
            passed = two > one if c["direction"] == "up" else two < one
            seen = f"{c['frame']} {one:.2f} -> {two:.2f} (wanted {c['direction']})"
        results.append(BehaviourCase(c["id"], c["capability"], c["test"], passed, seen))
    return results


def _check_case(raw: object) -> dict:
    if not isinstance(raw, dict) or not all(isinstance(raw[k], str) for k in ("id", "capability", "test", "text")):
        raise ValueError("id, capability, test and text must be strings")
    if raw["test"] not in ("minimum", "invariance", "direction"):
        raise ValueError(f"test {raw['test']!r} is not minimum, invariance or direction")
    needed = {"minimum": ("labels",), "invariance": ("changed",), "direction": ("changed", "frame", "direction")}
    if missing := [key for key in needed[raw["test"]] if key not in raw]:
        raise ValueError(f"{', '.join(missing)} missing")
    if raw.get("direction", "up") not in ("up", "down"):
        raise ValueError("direction must be up or down")
    return raw
