"""The closing summary of a job: what came out, on one screen."""

from pathlib import Path

from serving.manifest import read_manifest
from serving.tables import ARTICLES, MANIFEST, REJECTS, SENTENCES


def closing_summary(folder: Path) -> str:
    """What the job of a scored folder read, scored and wrote, and where everything is."""
    manifest = read_manifest(folder)
    counts, model = manifest["counts"], manifest["model"]
    version = f" version {model['version']}" if model["version"] else ""
    frames = "\n".join(
        f"  {frame['title']:<18} {counts['frames'][frame['name']]:>9,} sentences "
        f"({counts['frames'][frame['name']] / max(1, counts['sentences']):.2%}), threshold {frame['threshold']:.2f}"
        for frame in model["frames"]
    )
    return f"""
Scored {counts["articles"]:,} articles, {counts["sentences"]:,} sentences ({counts["sentences_scored"]:,} distinct) \
in {manifest["seconds"]:,.1f} s: {manifest["sentences_per_second"]:,.0f} sentences/s, peak memory {manifest["peak_memory_mib"]:,} MiB
Model {model["spec"]}{version}
{frames}
Rows:  {counts["rows_read"]:,} read = {counts["articles"]:,} articles + {counts["rows_rejected"]:,} rejected
Files: {counts["files_seen"]:,} seen = {counts["files_read"]:,} read + {counts["files_rejected"]:,} rejected

  {folder / "report.html"}
  {folder / SENTENCES}/  {counts["sentences_written"]:,} rows
  {folder / ARTICLES}/
  {folder / REJECTS}/
  {folder / MANIFEST}"""
