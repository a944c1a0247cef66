"""A bundle: one folder with everything scoring needs, and nothing that runs code when read.

model.onnx       token ids -> one logit a frame (int8 weights)
tokenizer.json   the fast tokenizer, as the `tokenizers` library writes it
MODEL_CARD.md    what it is, how good, how made
bundle.json      frames, thresholds, calibration, provenance, and the sha256 of the files above
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from data.errors import DataError, UserError
from data.frames import Frame, parse_frame

SCHEMA_VERSION = 1
ONNX_FILE, TOKENIZER_FILE, CARD_FILE, META_FILE = "model.onnx", "tokenizer.json", "MODEL_CARD.md", "bundle.json"
FILES = (ONNX_FILE, TOKENIZER_FILE, CARD_FILE)


class BundleError(UserError):
    """A bundle is missing, altered or of a form this code does not read."""


@dataclass(frozen=True)
class Decision:
    """How one frame's logit becomes a decision: Platt scaling, then a threshold.

    probability = sigmoid(slope * logit + intercept); the frame is on where probability >= threshold.
    Platt (1999), "Probabilistic outputs for support vector machines".
    """

    slope: float
    intercept: float
    threshold: float


@dataclass(frozen=True)
class Bundle:
    """A bundle that has been read and whose files match their hashes."""

    folder: Path
    name: str
    frames: tuple[Frame, ...]
    decisions: tuple[Decision, ...]  # in the order of `frames`
    max_tokens: int  # longer sentences are cut here, special tokens included
    provenance: Mapping[str, object] = field(default_factory=dict)  # run id, base, dataset hash, versions, commit
    metrics: Mapping[str, object] = field(default_factory=dict)

    @property
    def frame_names(self) -> tuple[str, ...]:
        """The frames' names, in the order of every output."""
        return tuple(frame.name for frame in self.frames)

    @property
    def thresholds(self) -> dict[str, float]:
        """Each frame's threshold, in the order of `frames`."""
        return {frame.name: decision.threshold for frame, decision in zip(self.frames, self.decisions, strict=True)}

    @property
    def digest(self) -> str:
        """sha256 (hex) of bundle.json, which holds the hashes of all other files: the identity of the bundle."""
        return file_sha256(self.folder / META_FILE)


def file_sha256(path: Path) -> str:
    """sha256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_bundle(bundle: Bundle) -> None:
    """Write bundle.json into `bundle.folder`, where the other files already are.

    Raises BundleError if one of them is missing.
    """
    for name in FILES:
        if not (bundle.folder / name).is_file():
            raise BundleError(f"{bundle.folder}: {name} must be there before bundle.json is written")
    meta = {
        "schema_version": SCHEMA_VERSION,
        "name": bundle.name,
        "frames": [
            {**asdict(frame), **asdict(decision)}
            for frame, decision in zip(bundle.frames, bundle.decisions, strict=True)
        ],
        "max_tokens": bundle.max_tokens,
        "provenance": dict(bundle.provenance),
        "metrics": dict(bundle.metrics),
        "files": {name: file_sha256(bundle.folder / name) for name in FILES},
    }
    text = json.dumps(meta, indent=2, ensure_ascii=False) + "\n"
    (bundle.folder / META_FILE).write_text(text, encoding="utf-8")


def _decision(raw: dict, where: str) -> Decision:
    values = [raw.get(key) for key in ("slope", "intercept", "threshold")]
    numbers = [float(v) for v in values if isinstance(v, int | float) and math.isfinite(v)]
    if len(numbers) != 3 or not 0 <= numbers[2] <= 1:
        raise BundleError(f"{where}: slope, intercept and threshold (0..1) must be numbers")
    return Decision(*numbers)


def read_bundle(folder: Path | str) -> Bundle:
    """Read a bundle and check every file against its hash.

    Raises BundleError naming what is wrong and the remedy.
    """
    folder = Path(folder)
    meta_path = folder / META_FILE
    if not meta_path.is_file():
        raise BundleError(
            f"{folder}: no bundle here (no {META_FILE}); name a bundle folder such as models/released, "
            "or run `make train` to make one"
        )
    try:
        meta = json.loads(meta_path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BundleError(f"{meta_path}: not readable as JSON: {error}") from error
    if not isinstance(meta, dict) or meta.get("schema_version") != SCHEMA_VERSION:
        found = meta.get("schema_version") if isinstance(meta, dict) else None
        raise BundleError(
            f"{meta_path}: schema_version {found!r}, this code reads {SCHEMA_VERSION}; "
            "use the code version the bundle was made with, or train again"
        )
    hashes = meta.get("files")
    if not isinstance(hashes, dict) or set(hashes) != set(FILES):
        raise BundleError(f"{meta_path}: 'files' must list exactly {', '.join(FILES)}")
    for name in FILES:
        path = folder / name
        if not path.is_file():
            raise BundleError(f"{path}: missing; get the bundle again from where it came")
        if file_sha256(path) != hashes[name]:
            raise BundleError(
                f"{path}: does not match its hash in {META_FILE}; get the bundle again from where it came"
            )
    raw_frames = meta.get("frames")
    if not isinstance(raw_frames, list) or not raw_frames:
        raise BundleError(f"{meta_path}: 'frames' must be a non-empty list")
    try:
        frames = tuple(parse_frame(raw, str(meta_path)) for raw in raw_frames)
    except DataError as error:
        raise BundleError(str(error)) from error
    max_tokens = meta.get("max_tokens")
    if not isinstance(max_tokens, int) or max_tokens < 3:
        raise BundleError(f"{meta_path}: 'max_tokens' must be a whole number of at least 3")
    return Bundle(
        folder=folder,
        name=str(meta.get("name", folder.name)),
        frames=frames,
        decisions=tuple(_decision(raw, str(meta_path)) for raw in raw_frames),
        max_tokens=max_tokens,
        provenance=meta.get("provenance") or {},
        metrics=meta.get("metrics") or {},
    )
