"""The MLflow side: one SQLite store under the project, runs, versions of `framing`, the alias `champion`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from pathlib import Path

# MLflow asks about telemetry and warns of a missing git executable at import; neither helps a batch job.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

import mlflow
import pandas as pd
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import Array

from models.bundle import Bundle, BundleError, read_bundle
from models.locate import BUNDLE_IN_MODEL, NO_SUCH_ALIAS, REGISTERED_NAME, ROOT, store_folder, tracking_uri

EXPERIMENT = "framing"
CHAMPION_ALIAS = "champion"
PYFUNC_FILE = ROOT / "models" / "pyfunc.py"


def connect() -> mlflow.MlflowClient:
    """Point MLflow at this project's store, make it and the experiment on first use, and return a client.

    A SQLite store gets its artifacts beside it; a server (MLFLOW_TRACKING_URI) has a place of its own.
    """
    uri = tracking_uri()
    artifacts = store_folder() / "artifacts"
    local = uri.startswith("sqlite:///")
    if local:
        artifacts.mkdir(parents=True, exist_ok=True)
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    if mlflow.get_experiment_by_name(EXPERIMENT) is None:
        mlflow.create_experiment(EXPERIMENT, artifact_location=artifacts.resolve().as_uri() if local else None)
    mlflow.set_experiment(EXPERIMENT)
    return mlflow.MlflowClient()


def signature(bundle: Bundle) -> ModelSignature:
    """One text column in; text, a probability a frame and the list of frames out."""
    probabilities = [ColSpec(DataType.double, f"p_{name}") for name in bundle.frame_names]
    out = [ColSpec(DataType.string, "text"), *probabilities, ColSpec(Array(DataType.string), "frames")]
    return ModelSignature(Schema([ColSpec(DataType.string, "text")]), Schema(out))


def log_bundle(bundle: Bundle, tags: Mapping[str, str]) -> str:
    """Log the bundle as a pyfunc model of the active run and register it; returns the new version's number.

    The model is logged from code (`models/pyfunc.py`), so nothing is pickled; a process that loads it needs this
    project installed. `bundle.folder` must be named "bundle", the path scoring looks for.
    """
    example = pd.DataFrame(
        {"text": [frame.examples[0] for frame in bundle.frames if frame.examples] or ["A sentence."]}
    )
    pins = [f"{name}=={installed_version(name)}" for name in ("onnxruntime", "tokenizers", "numpy", "pandas", "pyyaml")]
    info = mlflow.pyfunc.log_model(
        name=REGISTERED_NAME,
        python_model=str(PYFUNC_FILE),
        artifacts={"bundle": str(bundle.folder)},
        signature=signature(bundle),
        input_example=example,
        pip_requirements=pins,
    )
    return str(mlflow.register_model(info.model_uri, REGISTERED_NAME, tags=dict(tags)).version)


@dataclass(frozen=True)
class Registered:
    """A version in the registry with its bundle."""

    version: str
    run_id: str
    tags: Mapping[str, str]
    bundle: Bundle


def _registered(found: ModelVersion) -> Registered:
    folder = Path(mlflow.artifacts.download_artifacts(f"models:/{REGISTERED_NAME}/{found.version}"))
    bundle = read_bundle(folder / BUNDLE_IN_MODEL)
    return Registered(str(found.version), str(found.run_id), dict(found.tags), bundle)


def get_version(client: mlflow.MlflowClient, version: str | None = None) -> Registered:
    """A version by number, or the newest. Raises BundleError naming the remedy if there is none."""
    try:
        if version is None:
            versions = client.search_model_versions(f"name='{REGISTERED_NAME}'")
            if not versions:
                raise BundleError(f"no version of {REGISTERED_NAME} is registered; run `make train` first")
            version = str(max(int(v.version) for v in versions))
        return _registered(client.get_model_version(REGISTERED_NAME, version))
    except MlflowException as error:
        raise BundleError(f"version {version} of {REGISTERED_NAME} is not in the registry: {error.message}") from error


def get_champion(client: mlflow.MlflowClient) -> Registered | None:
    """The version with the alias `champion`, or None. Raises BundleError if the registry cannot be asked."""
    try:
        found = client.get_model_version_by_alias(REGISTERED_NAME, CHAMPION_ALIAS)
    except MlflowException as error:
        if error.error_code in NO_SUCH_ALIAS:
            return None
        raise BundleError(f"registry {tracking_uri()}: {error}") from error
    return _registered(found)
