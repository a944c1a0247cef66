"""The codebook's frames: their names, order and definitions, read from `data/frames.yaml`."""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from data.errors import DataError

FRAMES_FILE = Path(__file__).parent / "frames.yaml"
# Frame names become column names (`p_<frame>`), so they are kept to what every table format takes.
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class Frame:
    """One frame of the codebook: column name, title for readers, chart colour, definition and examples."""

    name: str
    title: str
    definition: str
    examples: tuple[str, ...] = ()
    colour: str = "#555555"


def parse_frame(raw: object, where: str) -> Frame:
    """Read one frame from plain YAML or JSON data.

    Raises DataError naming `where` if a field is missing or malformed.
    """
    if not isinstance(raw, dict):
        raise DataError(f"{where}: a frame must be a mapping with name, title and definition")
    for key in ("name", "title", "definition"):
        if not isinstance(raw.get(key), str) or not raw[key].strip():
            raise DataError(f"{where}: a frame needs a non-empty '{key}'")
    if not _NAME.fullmatch(raw["name"]):
        raise DataError(f"{where}: frame name {raw['name']!r} must be lower-case letters, digits and underscores")
    colour = raw.get("colour", Frame.colour)
    if not isinstance(colour, str) or not _COLOUR.fullmatch(colour):
        raise DataError(f"{where}: colour of {raw['name']!r} must look like #2a7f9e, not {colour!r}")
    examples = raw.get("examples") or []
    if not isinstance(examples, list) or not all(isinstance(e, str) for e in examples):
        raise DataError(f"{where}: examples of {raw['name']!r} must be a list of sentences")
    return Frame(raw["name"], raw["title"], raw["definition"], tuple(examples), colour)


def load_frames(path: Path | str = FRAMES_FILE) -> tuple[Frame, ...]:
    """Read the frames in file order, which is the order of every column and model output.

    Raises DataError if the file is missing, is not YAML, or names no frame or one twice.
    """
    try:
        raw = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such frames file; name one of the form of data/frames.yaml") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not readable as YAML: {error}") from error
    items = raw.get("frames") if isinstance(raw, dict) else None
    if not isinstance(items, list) or not items:
        raise DataError(f"{path}: needs a list under 'frames' with at least one frame")
    frames = tuple(parse_frame(item, f"{path}, frame {i + 1}") for i, item in enumerate(items))
    names = [frame.name for frame in frames]
    if len(set(names)) != len(names):
        raise DataError(f"{path}: a frame is named twice: {', '.join(names)}")
    return frames
