"""Reading the rows of one archive file: JSON lines, CSV, Parquet, plain text; the first two also compressed.

A reader yields `Row`s and never raises for a single bad row. What is wrong with a whole file (unreadable, cut short,
of an unknown kind) is raised as `FileProblem`, after the rows that could be read.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, cast

import pyarrow
import pyarrow.parquet
import zstandard

from serving.archive import SourceFile

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# A CSV field longer than Python's default 128 KiB is an ordinary article.
csv.field_size_limit(1 << 30)


class FileProblem(Exception):
    """The rest of a file cannot be read; the message says why."""


class _ZstdStream(io.RawIOBase):
    """The content of a .zst file of one or more frames.

    Raises EOFError where the file was cut short; zstandard's own reader would end there without a word.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._stored = b""
        self._content = io.BytesIO()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        while not (n := self._content.readinto(buffer)):
            self._stored = self._stored or self._stream.read(1 << 14)
            if not self._stored:
                if self._frame is not None:
                    raise EOFError("Compressed file ended before the end of its last frame")
                return 0
            self._frame = self._frame or zstandard.ZstdDecompressor().decompressobj()
            self._content = io.BytesIO(self._frame.decompress(self._stored))
            self._stored = self._frame.unused_data
            if self._frame.eof:
                self._frame = None
        return n


COMPRESSIONS: dict[str, Callable[[BinaryIO], BinaryIO]] = {
    ".gz": lambda stream: cast(BinaryIO, gzip.GzipFile(fileobj=stream)),
    ".zst": lambda stream: cast(BinaryIO, io.BufferedReader(_ZstdStream(stream))),
}


@dataclass(frozen=True)
class Row:
    """One row as read. `row` counts from 1: the line of a .jsonl, the record of a .csv or .parquet.

    Exactly one of `value` (columns by name) and `problem` (why it cannot be read) is given; `excerpt` shows a bad row.
    """

    row: int
    value: dict[str, object] | None
    problem: str | None = None
    excerpt: str = ""


def read_rows(file: SourceFile, on_position: Callable[[int], object] | None = None) -> Iterator[Row]:
    """Yield the rows of a file in order; `on_position` is told, before each, how many stored bytes have been read.

    Raises FileProblem where the file, or the rest of it, cannot be read.
    """
    name = PurePosixPath(file.path.lower())
    compression = COMPRESSIONS.get(name.suffix)
    if compression:
        name = name.with_suffix("")
    reader = READERS.get(name.suffix)
    if reader is None or (compression and name.suffix not in COMPRESSIBLE):
        raise FileProblem(f"not a format that is read ({', '.join(READERS)}; {', '.join(COMPRESSIBLE)} also .gz, .zst)")
    row = 0
    try:
        with (
            file.filesystem.open(file.path, "rb") as raw,
            compression(raw) if compression else nullcontext(raw) as stream,
        ):
            for item in reader(stream):
                row = item.row
                if on_position is not None and not raw.closed:
                    on_position(raw.tell())
                yield item
    except FileProblem:
        raise
    # Decompressors, filesystems and Arrow each raise exceptions of their own; all mean that the file broke off here.
    except Exception as error:
        after = f" after row {row}" if row else ""
        raise FileProblem(f"unreadable{after}: {type(error).__name__}: {error}") from error


def _jsonl(stream: BinaryIO) -> Iterator[Row]:
    for number, line in enumerate(stream, start=1):
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line.strip():
            continue
        excerpt = line[:300].decode("utf-8", "replace").strip()
        try:
            value = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            yield Row(number, None, f"not UTF-8: {error.reason} at byte {error.start} of the line", excerpt)
        except (ValueError, RecursionError) as error:
            yield Row(number, None, f"not JSON: {error}", excerpt)
        else:
            if isinstance(value, dict):
                yield Row(number, value)
            else:
                yield Row(number, None, f"a JSON {type(value).__name__}, not an object", excerpt)


def _csv(stream: BinaryIO) -> Iterator[Row]:
    # A byte that is not UTF-8 becomes a lone surrogate, so that only its own row is lost.
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    rows = csv.reader(_without_nul(text), strict=True)
    try:
        header = next(rows, None)
    except csv.Error as error:
        raise FileProblem(f"the header is not CSV: {error}") from error
    if not header:
        return
    number = 0
    while True:
        try:
            fields = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                # All that follows the open quote was taken for one field: the rest of the file is lost, not one row.
                raise FileProblem(f"a quote opened after row {number} is never closed") from error
            number += 1
            yield Row(number, None, f"not CSV at line {rows.line_num}: {error}")
            continue
        if not fields:
            continue
        number += 1
        excerpt = ",".join(fields)[:300].encode("utf-8", "replace").decode()
        if len(fields) != len(header):
            yield Row(number, None, f"{len(fields)} fields, the header has {len(header)}", excerpt)
        elif any("\udc80" <= c <= "\udcff" for field in fields for c in field):
            yield Row(number, None, "not UTF-8", excerpt)
        else:
            yield Row(number, dict(zip(header, fields, strict=True)))


def _without_nul(lines: Iterator[str]) -> Iterator[str]:
    """Python's csv module ends the file at a NUL byte; as a replacement character it costs one letter."""
    return (line.replace("\0", "\ufffd") for line in lines)


def _parquet(stream: BinaryIO) -> Iterator[Row]:
    number = 0
    for batch in pyarrow.parquet.ParquetFile(stream).iter_batches(batch_size=256):
        try:
            values = batch.to_pylist()
        except (ValueError, OverflowError):
            values = None  # a value that Python cannot hold: only its own row is lost
        for i in range(batch.num_rows):
            number += 1
            try:
                value = batch.slice(i, 1).to_pylist()[0] if values is None else values[i]
            except UnicodeDecodeError as error:
                yield Row(number, None, f"not UTF-8: {error.reason} at byte {error.start} of a value")
            except (ValueError, OverflowError) as error:
                yield Row(number, None, f"a value cannot be read: {error}")
            else:
                yield Row(number, value)


def _txt(stream: BinaryIO) -> Iterator[Row]:
    content = stream.read()
    try:
        yield Row(1, {"text": content.decode("utf-8-sig")})
    except UnicodeDecodeError as error:
        excerpt = content[:300].decode("utf-8", "replace")
        yield Row(1, None, f"not UTF-8: {error.reason} at byte {error.start}", excerpt)


READERS: dict[str, Callable[[BinaryIO], Iterator[Row]]] = {
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".parquet": _parquet,
    ".txt": _txt,
}
COMPRESSIBLE = (".jsonl", ".csv")


def first_columns(file: SourceFile) -> list[str]:
    """The column names of a file's first readable row; none where there is no such row."""
    if PurePosixPath(file.path.lower()).suffix == ".txt":
        return []
    try:
        for row in read_rows(file):
            if row.value is not None:
                return [name for name in row.value if isinstance(name, str)]
    except FileProblem:
        pass  # said when the file is read for scoring
    return []
