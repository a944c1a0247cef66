"""Which bundle `MODEL` means: a folder, a `models:/…` URI, or the default."""

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from models.bundle import BundleError

ROOT = Path(__file__).parent.parent
RELEASED = ROOT / "models" / "released"
REGISTERED_NAME = "framing"
CHAMPION = f"models:/{REGISTERED_NAME}@champion"
REGISTRY_FILE = ROOT / ".mlflow" / "mlflow.db"
# What MLflow answers where there is no model of that name, or no such alias.
NO_SUCH_ALIAS = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
# Where inside a logged MLflow model the bundle lies.
BUNDLE_IN_MODEL = Path("artifacts") / "bundle"


@dataclass(frozen=True)
class Located:
    """A bundle folder and where it came from: `spec` as a user would write it, `version` in the registry or None."""

    folder: Path
    spec: str
    version: str | None
    why: str  # one clause for people: "named by MODEL", "the registry's champion", …


def tracking_uri() -> str:
    """The MLflow store: MLFLOW_TRACKING_URI where set, else the SQLite file of this checkout."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{REGISTRY_FILE}"


def store_folder() -> Path:
    """Where artifacts and gate evidence go: beside the store's SQLite file, or this checkout's .mlflow with a server."""
    uri = tracking_uri()
    return Path(uri.removeprefix("sqlite:///")).parent if uri.startswith("sqlite:///") else REGISTRY_FILE.parent


def registry_there() -> bool:
    """Whether a registry can be asked: one is named or this checkout has its file, and MLflow is installed."""
    named = bool(os.environ.get("MLFLOW_TRACKING_URI")) or REGISTRY_FILE.is_file()
    return named and importlib.util.find_spec("mlflow") is not None


def locate(spec: str | None = None) -> Located:
    """Find the bundle `spec` means; without one, the registry's champion or else the released bundle.

    Raises BundleError naming the remedy if there is none.
    """
    if spec and spec.startswith("models:/"):
        return _from_registry(spec, "named by MODEL")
    if spec:
        return Located(Path(spec), spec, None, "named by MODEL")
    if registry_there():
        champion = _champion_version()
        if champion is not None:
            return _from_registry(CHAMPION, "the registry's champion")
        return Located(RELEASED, "models/released", None, "the released bundle; the registry has no champion yet")
    why = "MLflow is not installed" if REGISTRY_FILE.is_file() else "no registry here"
    return Located(RELEASED, "models/released", None, f"the released bundle; {why}")


def _champion_version() -> str | None:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        client = MlflowClient(tracking_uri=tracking_uri(), registry_uri=tracking_uri())
        return str(client.get_model_version_by_alias(REGISTERED_NAME, "champion").version)
    except MlflowException as error:
        if error.error_code in NO_SUCH_ALIAS:
            return None
        raise BundleError(f"registry {tracking_uri()}: {error}") from error


def _from_registry(uri: str, why: str) -> Located:
    """Fetch the bundle of a registered model (a local store hands out its own folder, nothing is copied)."""
    if importlib.util.find_spec("mlflow") is None:
        raise BundleError(f"{uri}: MLflow is not installed; run `make env-train`, or name a bundle folder")
    import mlflow
    from mlflow.exceptions import MlflowException

    mlflow.set_tracking_uri(tracking_uri())
    mlflow.set_registry_uri(tracking_uri())
    try:
        version = None
        if "@" in uri:
            name, alias = uri.removeprefix("models:/").split("@", 1)
            version = str(mlflow.MlflowClient().get_model_version_by_alias(name, alias).version)
        elif (tail := uri.rsplit("/", 1)[-1]).isdigit():
            version = tail
        folder = Path(mlflow.artifacts.download_artifacts(uri))
    except (MlflowException, OSError) as error:
        raise BundleError(f"{uri}: not found in the registry {tracking_uri()}: {error}") from error
    return Located(folder / BUNDLE_IN_MODEL, uri, version, why)
