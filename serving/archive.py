"""Finding the files of an archive: one file, a folder, a glob, or any of these behind an fsspec URL."""

from dataclasses import dataclass

import fsspec
from fsspec.spec import AbstractFileSystem

from data.errors import UserError


class ArchiveError(UserError):
    """The archive cannot be found or listed at all."""


@dataclass(frozen=True)
class SourceFile:
    """A file of the archive. `source` is its name in the tables: its path inside the archive."""

    filesystem: AbstractFileSystem
    path: str
    source: str
    size: int  # bytes, as stored


def find_files(archive: str) -> list[SourceFile]:
    """List the files of an archive in name order. Folders are walked.

    Raises ArchiveError where nothing is there.
    """
    try:
        filesystem, path = fsspec.core.url_to_fs(archive)
        path = path.rstrip("/") or path
        if filesystem.isfile(path):
            paths, root = [path], path.rsplit("/", 1)[0]
        elif filesystem.isdir(path):
            paths, root = filesystem.find(path), path
        elif fsspec.core.has_magic(path):
            paths = [p for p in filesystem.glob(path) if filesystem.isfile(p)]
            fixed = path[: min(path.index(c) for c in "*?[" if c in path)]
            root = fixed.rsplit("/", 1)[0]
        else:
            raise ArchiveError(f"{archive}: no such file or folder; ARCHIVE takes a file, a folder, a glob or a URL")
        if not paths:
            raise ArchiveError(f"{archive}: no file in it")
        return [SourceFile(filesystem, p, _source(p, root), _size(filesystem, p)) for p in sorted(paths)]
    except (OSError, ValueError, ImportError) as error:
        raise ArchiveError(f"{archive}: cannot be listed: {error}") from error


def _source(path: str, root: str) -> str:
    """A file's name in the tables. What is not UTF-8 in a file name is replaced, or no table could hold it."""
    return (path.removeprefix(root).lstrip("/") or path).encode("utf-8", "replace").decode("utf-8")


def _size(filesystem: AbstractFileSystem, path: str) -> int:
    """Stored bytes; 0 where there is no telling, as behind a dead link: reading the file then says why."""
    try:
        return int(filesystem.size(path) or 0)
    except OSError:
        return 0
