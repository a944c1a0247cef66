"""The tables of a scored folder: their columns, and how a shard is written."""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from serving.articles import Article, Reject

SCHEMA_VERSION = 1
SENTENCES, ARTICLES, REJECTS, MANIFEST = "sentences", "articles", "rejects", "manifest.json"


def sentence_schema(frames: Sequence[str]) -> pa.Schema:
    """Columns of sentences/*.parquet. `start` and `end` are character offsets into the article's text, null for a title."""
    return pa.schema(
        [
            ("article_id", pa.string()),
            ("sentence_index", pa.int32()),
            ("start", pa.int64()),
            ("end", pa.int64()),
            ("text", pa.string()),
            ("outlet", pa.string()),
            ("date", pa.string()),
            *((f"p_{frame}", pa.float32()) for frame in frames),
            ("frames", pa.list_(pa.string())),
            ("source", pa.string()),
        ]
    )


def article_schema(frames: Sequence[str], extra: Sequence[str]) -> pa.Schema:
    """Columns of articles/*.parquet; `extra` are the archive's own columns, kept as text."""
    own = pa.schema(
        [
            ("article_id", pa.string()),
            ("source", pa.string()),
            ("row", pa.int64()),
            ("id", pa.string()),
            ("title", pa.string()),
            ("date", pa.string()),
            ("date_raw", pa.string()),
            ("outlet", pa.string()),
            ("url", pa.string()),
            ("n_sentences", pa.int32()),
            *((f"n_{frame}", pa.int32()) for frame in frames),
            *((f"mean_p_{frame}", pa.float32()) for frame in frames),
        ]
    )
    for name in extra:
        own = own.append(pa.field(extra_column(name, own.names), pa.string()))
    return own.append(pa.field(extra_column("other_columns", own.names), pa.string()))


def extra_column(name: str, taken: Sequence[str]) -> str:
    """The table's name for one of the archive's own columns: `input_<name>` where the plain name is ours."""
    while name in taken:
        name = f"input_{name}"
    return name


def article_row(
    article: Article, schema: pa.Schema, extra: Sequence[str], counts: dict[str, object]
) -> dict[str, object]:
    """One row of articles/*.parquet. Columns of the archive that no file announced go to `other_columns`, as JSON."""
    row: dict[str, object] = {k: v for k, v in asdict(article).items() if k not in ("text", "extra")}
    row.update(counts)
    names = schema.names
    row.update({names[len(names) - 1 - len(extra) + i]: article.extra.get(name) for i, name in enumerate(extra)})
    other = {name: value for name, value in article.extra.items() if name not in extra}
    row[names[-1]] = json.dumps(other, ensure_ascii=False) if other else None
    return row


def write_table(rows: list[dict[str, object]], schema: pa.Schema, path: Path) -> None:
    """Write rows as Parquet: to a temporary name, synced, then renamed, so that a file under its name is whole."""
    scratch = path.with_name(f".{path.name}.part")
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), scratch, compression="zstd")
    _settle(scratch, path)


def write_rejects(rejects: Iterable[Reject], path: Path) -> None:
    """Write rejects as JSON lines, in the same safe way."""
    scratch = path.with_name(f".{path.name}.part")
    with scratch.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(reject), ensure_ascii=False) + "\n" for reject in rejects)
    _settle(scratch, path)


def write_json(value: object, path: Path) -> None:
    """Write a JSON file in the same safe way."""
    write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", path)


def write_text(text: str, path: Path) -> None:
    """Write a text file in the same safe way."""
    scratch = path.with_name(f".{path.name}.part")
    scratch.write_text(text, encoding="utf-8")
    _settle(scratch, path)


def _settle(scratch: Path, path: Path) -> None:
    with scratch.open("rb") as file:
        os.fsync(file.fileno())
    scratch.replace(path)
