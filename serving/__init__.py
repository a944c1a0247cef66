"""From an archive to scored tables and a report. Runs without torch and, unless a registry is named, without MLflow."""

from serving.scorer import Scorer

__all__ = ["Scorer"]
