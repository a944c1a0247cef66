"""The wars the labelled sentences are about, read from `data/wars.yaml`."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from data.errors import DataError

WARS_FILE = Path(__file__).parent / "wars.yaml"


@dataclass(frozen=True)
class War:
    """A war: its key, years, region, the events to choose from, and whether it belongs to the test split."""

    name: str
    years: str
    region: str
    events: tuple[str, ...]
    test: bool = False


def load_wars(path: Path | str = WARS_FILE) -> dict[str, War]:
    """Read the wars by key. Raises DataError if the file is missing or malformed."""
    try:
        raw = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        return {
            name: War(name, str(row["years"]), row["region"], tuple(row["events"]), bool(row.get("test", False)))
            for name, row in raw.items()
        }
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file of wars") from error
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise DataError(f"{path}: not a mapping of wars with years, region and events: {error!r}") from error
