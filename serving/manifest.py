"""Reading the manifest of a scored folder."""

import json
from pathlib import Path

from data.errors import UserError
from serving.tables import MANIFEST, SCHEMA_VERSION


class ManifestError(UserError):
    """A folder is not a scored folder this code reads."""


def read_manifest(folder: Path) -> dict:
    """The manifest of a scored folder. Raises ManifestError naming the remedy."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ManifestError(f"{folder}: not a scored folder (no {MANIFEST}); make one with `make score`") from error
    except (OSError, ValueError) as error:
        raise ManifestError(f"{path}: not readable: {error}; score the archive again into another OUT") from error
    if not isinstance(manifest, dict) or manifest.get("schema_version") != SCHEMA_VERSION:
        raise ManifestError(f"{path}: not a manifest of schema version {SCHEMA_VERSION}; score the archive again")
    return manifest
