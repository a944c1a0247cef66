"""Where the pretrained encoder comes from: a Python package, a local folder or a hub id."""

import importlib.util
from pathlib import Path

from models.bundle import file_sha256
from training.config import ROOT, Config, ConfigError

WEIGHTS = "model.safetensors"


def base_path(config: Config) -> Path:
    """The folder to load the encoder from, its weights checked against `config.base_sha256`.

    A base that starts with "package:" is an installed package that carries the files in its `model/` folder; the
    package's own code is never run. Raises ConfigError if it is not installed, has no safetensors, or differs.
    """
    if config.base.startswith("package:"):
        package = config.base.removeprefix("package:")
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise ConfigError(f"base {config.base}: package {package} is not installed; run `make env-train`")
        folder = Path(spec.submodule_search_locations[0]) / "model"
    elif (ROOT / config.base).is_dir():
        folder = ROOT / config.base
    else:
        return _hub_base(config)
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise ConfigError(f"base {config.base}: no {WEIGHTS} in {folder}; pickled weights are not read")
    _check(weights, config)
    return folder


def _hub_base(config: Config) -> Path:
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(config.base, allow_patterns=["*.json", "*.txt", "*.model", WEIGHTS]))
    except (OSError, ValueError) as error:  # hub errors are OSErrors, a malformed id a ValueError
        raise ConfigError(f"base {config.base}: neither a folder here nor to be had from the hub: {error}") from error
    if not (folder / WEIGHTS).is_file():
        raise ConfigError(f"base {config.base}: has no {WEIGHTS}; pickled weights are not read")
    _check(folder / WEIGHTS, config)
    return folder


def _check(weights: Path, config: Config) -> None:
    if config.base_sha256 is None:
        return
    found = file_sha256(weights)
    if found != config.base_sha256:
        raise ConfigError(
            f"{weights}: sha256 is {found}, the config expects {config.base_sha256}; "
            "reinstall the base, or correct base_sha256 if you meant another one"
        )
