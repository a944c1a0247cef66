"""A labelled sentence: its fields, how one is read from a JSON line, and what is wrong with it where it is not one."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from data.errors import DataError
from data.wars import War

LABELLED_FOLDER = Path(__file__).parent / "labelled"

REGISTERS = (
    "headline", "teaser", "liveblog", "caption", "wire", "analyst", "communique",
    "encyclopedia", "social", "testimony", "history", "memoir", "general",
)  # fmt: skip
VOICES = ("narrator", "attributed", "disputed")
POSITIONS = ("main", "passing")
FIELDS = (
    "id", "text", "labels", "voice", "event", "war", "register", "position", "phenomenon", "pair", "note",
)  # fmt: skip
_SLUG = re.compile(r"[a-z0-9][a-z0-9_.-]*")


@dataclass(frozen=True)
class Voice:
    """Who advances a frame: `narrator`, `attributed` or `disputed`, and the speaker's exact characters if named."""

    voice: str
    speaker: str | None = None


@dataclass(frozen=True)
class LabelledSentence:
    """One sentence with its frames and the context it was composed in (schema: `data/DATASHEET.md`)."""

    id: str
    text: str
    labels: tuple[str, ...]
    voice: Mapping[str, Voice]
    event: str | None
    war: str | None
    register: str
    position: str | None
    phenomenon: str
    pair: str | None
    note: str


def _problems(raw: dict, frames: tuple[str, ...], wars: Mapping[str, War]) -> list[str]:
    """Everything that is wrong with one row, in words a composer can act on."""
    found = [f"field '{name}' is missing" for name in FIELDS if name not in raw]
    found += [f"unknown field '{name}'" for name in raw if name not in FIELDS]
    if found:
        return found
    for name in ("id", "text", "register", "phenomenon", "note"):
        if not isinstance(raw[name], str) or not raw[name].strip():
            found.append(f"'{name}' must be a non-empty string")
    if raw["register"] not in REGISTERS:
        found.append(f"register {raw['register']!r} is not one of {', '.join(REGISTERS)}")
    if raw["pair"] is not None and not isinstance(raw["pair"], str):
        found.append("'pair' must be a string or null")
    if isinstance(raw["phenomenon"], str) and not _SLUG.fullmatch(raw["phenomenon"]):
        found.append("'phenomenon' must be one lower-case word such as denial or scare_quotes")
    return [*found, *_label_problems(raw, frames), *_event_problems(raw["war"], raw["event"], wars)]


def _label_problems(raw: dict, frames: tuple[str, ...]) -> list[str]:
    labels, voice = raw["labels"], raw["voice"]
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        return ["'labels' must be a list of frame names"]
    found = []
    if unknown := [label for label in labels if label not in frames]:
        found.append(f"unknown frames {unknown}; the codebook has {', '.join(frames)}")
    if len(set(labels)) != len(labels):
        found.append("a frame is listed twice in 'labels'")
    if not isinstance(voice, dict) or set(voice) != set(labels):
        found.append("'voice' must have exactly the frames of 'labels' as keys")
    else:
        for frame, entry in voice.items():
            found += [f"voice of {frame}: {p}" for p in _voice_problems(entry, str(raw["text"]))]
    if raw["position"] not in (POSITIONS if labels else (None,)):
        found.append("'position' must be main or passing with a frame, null without one")
    return found


def _event_problems(war: object, event: object, wars: Mapping[str, War]) -> list[str]:
    if war is None and event is None:
        return []
    if not isinstance(war, str) or not isinstance(event, str):
        return ["'war' and 'event' are both null (ordinary news) or both given as strings"]
    if war not in wars:
        return [f"war {war!r} is not in data/wars.yaml"]
    if not event.startswith(f"{war}/") or not _SLUG.fullmatch(event[len(war) + 1 :]):
        return [f"event {event!r} must read '{war}/<event-slug>'"]
    return []


def _voice_problems(entry: object, text: str) -> list[str]:
    if not isinstance(entry, dict) or set(entry) != {"voice", "speaker"}:
        return ['must be {"voice": …, "speaker": …}']
    if entry["voice"] not in VOICES:
        return [f"{entry['voice']!r} is not one of {', '.join(VOICES)}"]
    speaker = entry["speaker"]
    if speaker is None:
        return []
    if not isinstance(speaker, str) or not speaker:
        return ["speaker must be a string or null"]
    if entry["voice"] == "narrator":
        return ["the narrator has no speaker; set it to null"]
    if speaker not in text:
        return [f"speaker {speaker!r} does not stand in the text character for character"]
    if speaker.startswith(("the ", "The ")):
        return [f"speaker {speaker!r}: leave out the leading 'the'"]
    return []


def parse_sentence(raw: object, frames: tuple[str, ...], wars: Mapping[str, War], where: str) -> LabelledSentence:
    """Turn one decoded JSON row into a LabelledSentence.

    Raises DataError listing every problem of the row, prefixed with `where` ("file:line").
    """
    if not isinstance(raw, dict):
        raise DataError(f"{where}: a row must be a JSON object")
    if problems := _problems(raw, frames, wars):
        raise DataError("\n".join(f"{where}: {problem}" for problem in problems))
    voice = {frame: Voice(**raw["voice"][frame]) for frame in raw["labels"]}
    # Labels in codebook order, whatever order they were typed in.
    labels = tuple(frame for frame in frames if frame in raw["labels"])
    return LabelledSentence(**{**raw, "labels": labels, "voice": voice})


def labelled_files(folder: Path | str = LABELLED_FOLDER) -> list[Path]:
    """The .jsonl files of a labelled folder, in name order. Raises DataError if there is none."""
    files = sorted(Path(folder).glob("*.jsonl"))
    if not files:
        raise DataError(f"{folder}: no .jsonl file with labelled sentences")
    return files


def read_rows(path: Path) -> Iterable[tuple[str, object]]:
    """Yield ("file:line", decoded JSON) for every non-empty line. Raises DataError on a line that is not JSON."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield f"{path.name}:{number}", json.loads(line)
            except json.JSONDecodeError as error:
                raise DataError(f"{path.name}:{number}: not JSON: {error}") from error


def load_sentences(files: Iterable[Path], frames: tuple[str, ...], wars: Mapping[str, War]) -> list[LabelledSentence]:
    """Read and validate labelled files.

    Raises DataError listing the problems of every row (at most 50 lines of them), so one run shows all there is to mend.
    """
    sentences, problems = [], []
    for path in files:
        for where, raw in read_rows(path):
            try:
                sentences.append(parse_sentence(raw, frames, wars, where))
            except DataError as error:
                problems += str(error).split("\n")
    if problems:
        more = [f"… and {len(problems) - 50} more"] if len(problems) > 50 else []
        raise DataError("\n".join(problems[:50] + more))
    return sentences


def dataset_hash(sentences: Iterable[LabelledSentence]) -> str:
    """sha256 (hex) over id, text and labels of all sentences in id order: the same data gives the same hash."""
    digest = hashlib.sha256()
    for sentence in sorted(sentences, key=lambda s: s.id):
        digest.update(json.dumps([sentence.id, sentence.text, sentence.labels], ensure_ascii=False).encode())
    return digest.hexdigest()
