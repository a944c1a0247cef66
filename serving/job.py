"""The batch job on one machine: walk an archive, score it shard by shard, write the scored folder."""

import hashlib
import resource
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path

from tqdm import tqdm

from data.errors import UserError
from models.locate import Located, locate
from models.predictor import Predictor
from serving.archive import SourceFile, find_files
from serving.articles import KNOWN, Article, ArticleIds, Reject, clean, rename, to_article
from serving.manifest import read_manifest
from serving.readers import FileProblem, first_columns, read_rows
from serving.report import write_report
from serving.score import score_articles
from serving.tables import (
    ARTICLES,
    MANIFEST,
    REJECTS,
    SCHEMA_VERSION,
    SENTENCES,
    article_row,
    article_schema,
    sentence_schema,
    write_json,
    write_rejects,
    write_table,
)  # fmt: skip

# A shard is consecutive rows of the archive's files in name order: as many as fit both limits, so that memory is
# bounded, the progress bar moves every few seconds, and shards depend on the input alone.
SHARD_ARTICLES = 1000
SHARD_CHARACTERS = 500_000


class JobError(UserError):
    """The job cannot start; nothing was written."""


@dataclass
class Counts:
    """What was seen so far. Rows read = articles + rejected rows; files seen = files read + rejected files."""

    files_seen: int = 0
    files_read: int = 0
    files_rejected: int = 0
    rows_read: int = 0
    articles: int = 0
    rows_rejected: int = 0
    sentences: int = 0
    sentences_scored: int = 0  # distinct ones of each shard
    sentences_written: int = 0
    shards: int = 0
    frames: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Shard:
    """Articles to score together, with what was rejected on the way to them."""

    articles: list[Article]
    rejects: list[Reject]
    done_bytes: int  # stored bytes of the archive read so far


def score_archive(
    archive: str, out: Path, model: str | None = None, keep_all: bool = False, mapping: Mapping[str, str] | None = None
) -> Counts:
    """Score an archive into a scored folder and return what was counted.

    Raises UserError, before anything is written, for a missing archive, an unusable model, or a folder that is not
    this run's. A bad file or row becomes a reject and the job goes on.
    """
    mapping = mapping or {}
    files = find_files(archive)
    if Path(archive).is_dir() and out.resolve().is_relative_to(Path(archive).resolve()):
        raise JobError(f"{out}: OUT lies inside the archive and would be read as part of it; choose another OUT")
    located = locate(model)
    predictor = Predictor.from_folder(located.folder)
    arguments = {"archive": archive, "keep": "all" if keep_all else "framed", "map": dict(mapping)}
    identity = {"arguments": arguments, "bundle": predictor.bundle.digest}
    first = [first_columns(file) for file in files]
    _check_map(mapping, first)
    _claim(out, identity)
    print(f"model: {located.spec} ({located.why})", file=sys.stderr)

    started, clock = datetime.now(UTC), time.monotonic()
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "status": "running",
        "code_version": _code_version(),
        **identity,
        "model": _model_entry(located, predictor),
        "started": started.isoformat(timespec="seconds"),
    }
    write_json(manifest, out / MANIFEST)
    extra = _extra_columns(first, mapping)
    counts = Counts(frames={name: 0 for name in predictor.bundle.frame_names})
    inputs: list[dict[str, object]] = []
    total = sum(file.size for file in files)
    with tqdm(total=total, unit="B", unit_scale=True, desc="scoring", dynamic_ncols=True) as bar:
        for shard in _shards(files, mapping, counts, inputs):
            _write_shard(shard, predictor, keep_all, extra, out, counts)
            bar.n = min(total, shard.done_bytes)
            speed = counts.sentences / (time.monotonic() - clock)
            bar.set_postfix_str(f"{counts.articles:,} articles, {speed:,.0f} sentences/s")
        bar.n = total
    seconds = time.monotonic() - clock
    manifest.update(
        status="complete",
        inputs=inputs,
        counts=_counts_entry(counts),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(seconds, 2),
        sentences_per_second=round(counts.sentences / seconds, 1),
        peak_memory_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )
    write_json(manifest, out / MANIFEST)
    write_report(out)
    return counts


def _claim(out: Path, identity: Mapping[str, object]) -> None:
    """Make `out` ready for this run. Raises JobError if it holds anything but an earlier try of the same run."""
    if out.exists() and not out.is_dir():
        raise JobError(f"{out}: OUT must be a folder, this is a file; choose another OUT")
    if out.is_dir() and any(out.iterdir()):
        earlier = read_manifest(out) if (out / MANIFEST).is_file() else None
        if earlier is None:
            raise JobError(f"{out}: not empty and not a scored folder; choose an empty or new folder as OUT")
        if any(earlier.get(key) != value for key, value in identity.items()):
            raise JobError(
                f"{out}: belongs to another run (archive {earlier.get('arguments', {}).get('archive')!r}, another "
                "model, KEEP or MAP); choose another OUT, or remove this one"
            )
        for name in (SENTENCES, ARTICLES, REJECTS):
            shutil.rmtree(out / name, ignore_errors=True)
    try:
        for name in (SENTENCES, ARTICLES, REJECTS):
            (out / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JobError(f"{out}: cannot be written: {error}") from error


def _check_map(mapping: Mapping[str, str], first: list[list[str]]) -> None:
    """Raise JobError where MAP names a column that no file has in its first row: a slip of the pen, and costly."""
    seen = {name for names in first for name in names}
    if missing := [theirs for theirs in mapping.values() if theirs not in seen]:
        raise JobError(f"MAP: no file has a column {missing[0]!r}; they have {', '.join(sorted(seen)) or 'no columns'}")


def _extra_columns(first: list[list[str]], mapping: Mapping[str, str]) -> list[str]:
    """The archive's own columns, from each file's first row, in order of appearance."""
    found: dict[str, object] = {}
    for names in first:
        found.update(rename(dict.fromkeys(names), mapping))
    return list(dict.fromkeys(clean(name) for name in found if name not in KNOWN))


def _shards(
    files: list[SourceFile], mapping: Mapping[str, str], counts: Counts, inputs: list[dict[str, object]]
) -> Iterator[Shard]:
    """Read the files in order and cut their articles into shards; count rows and files, list inputs."""
    ids = ArticleIds()
    articles: list[Article] = []
    rejects: list[Reject] = []
    characters = done = 0
    position = 0  # stored bytes read of the file at hand

    def at(read: int) -> None:
        nonlocal position
        position = read

    for file in files:
        counts.files_seen += 1
        problem = None
        try:
            for row in read_rows(file, at):
                counts.rows_read += 1
                item = to_article(row, file.source, mapping, ids)
                if isinstance(item, Reject):
                    counts.rows_rejected += 1
                    rejects.append(item)
                else:
                    articles.append(item)
                    characters += len(item.text)
                if len(articles) >= SHARD_ARTICLES or characters >= SHARD_CHARACTERS or len(rejects) >= SHARD_ARTICLES:
                    yield Shard(articles, rejects, done + min(position, file.size))
                    articles, rejects, characters = [], [], 0
            counts.files_read += 1
        except FileProblem as error:
            problem = clean(str(error))
            counts.files_rejected += 1
            rejects.append(Reject(file.source, None, problem))
        done, position = done + file.size, 0
        inputs.append({"source": file.source, "bytes": file.size, "sha256": _sha256(file), "rejected": problem})
    if articles or rejects:
        yield Shard(articles, rejects, done)


def _write_shard(
    shard: Shard, predictor: Predictor, keep_all: bool, extra: list[str], out: Path, counts: Counts
) -> None:
    frames = predictor.bundle.frame_names
    scored = score_articles(shard.articles, predictor, keep_all)
    name = f"{counts.shards:06d}"
    if shard.articles:
        schema = article_schema(frames, extra)
        rows = [article_row(a, schema, extra, c) for a, c in zip(shard.articles, scored.counts, strict=True)]
        write_table(scored.sentence_rows, sentence_schema(frames), out / SENTENCES / f"{name}.parquet")
        write_table(rows, schema, out / ARTICLES / f"{name}.parquet")
    if shard.rejects:
        write_rejects(shard.rejects, out / REJECTS / f"{name}.jsonl")
    counts.shards += 1
    counts.articles += len(shard.articles)
    counts.sentences += scored.n_sentences
    counts.sentences_scored += scored.n_distinct
    counts.sentences_written += len(scored.sentence_rows)
    for frame, n in scored.n_framed.items():
        counts.frames[frame] += n


def _counts_entry(counts: Counts) -> dict[str, object]:
    """The counts as the manifest shows them, with the sums that must hold. Raises AssertionError if one does not."""
    assert counts.rows_read == counts.articles + counts.rows_rejected, "rows do not add up"
    assert counts.files_seen == counts.files_read + counts.files_rejected, "files do not add up"
    return dict(vars(counts))


def _model_entry(located: Located, predictor: Predictor) -> dict[str, object]:
    bundle = predictor.bundle
    return {
        "spec": located.spec,
        "name": bundle.name,
        "version": located.version,
        "run_id": bundle.provenance.get("run_id"),
        "dataset_hash": bundle.provenance.get("dataset_hash"),
        "base": bundle.provenance.get("base"),
        "frames": [
            {"name": f.name, "title": f.title, "definition": f.definition, "colour": f.colour, "threshold": t}
            for f, t in zip(bundle.frames, bundle.thresholds.values(), strict=True)
        ],
        "metrics": dict(bundle.metrics),
    }


def _code_version() -> str:
    try:
        return installed_version("framing")
    except PackageNotFoundError:
        return "unknown"


def _sha256(file: SourceFile) -> str | None:
    """sha256 (hex) of a file's stored bytes; None where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with file.filesystem.open(file.path, "rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except OSError:
        return None
    return digest.hexdigest()
