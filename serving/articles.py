"""From a row of an archive to an article, or to the reason why it is none."""

import json
import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from data.errors import UserError
from serving.dates import iso_date
from serving.readers import Row

# Columns with a meaning of their own; all others are carried along as text.
KNOWN = ("text", "id", "title", "date", "outlet", "url")


@dataclass(frozen=True)
class Article:
    """One article. `extra` holds the row's other columns, as text."""

    source: str
    row: int
    article_id: str
    text: str
    id: str | None = None
    title: str | None = None
    date: str | None = None  # ISO 8601
    date_raw: str | None = None
    outlet: str | None = None
    url: str | None = None
    extra: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Reject:
    """Something that could not be scored. `row` is None for a whole file."""

    source: str
    row: int | None
    reason: str
    excerpt: str = ""


def parse_map(text: str) -> dict[str, str]:
    """Read MAP (`text=body date="pub date"`) into {ours: theirs}. Raises UserError for anything else."""
    mapping = {}
    try:
        pairs = shlex.split(text)
    except ValueError as error:
        raise UserError(f"MAP {text!r}: {error}") from error
    for pair in pairs:
        ours, _, theirs = pair.partition("=")
        if ours not in KNOWN or not theirs:
            raise UserError(f"MAP {pair!r}: write <column>=<name in the archive>, with a column of {', '.join(KNOWN)}")
        mapping[ours] = theirs
    return mapping


class ArticleIds:
    """Gives every article an id of its own: the row's, or `<source>#<row>` where it has none or repeats one.

    Only 64-bit hashes are kept, about 60 bytes an article; two ids that collide would cost the second its own id,
    nothing more.
    """

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def assign(self, own: str | None, source: str, row: int) -> str:
        """The id of an article; `own` is what its row says."""
        name = own if own is not None and hash(own) not in self._seen else f"{source}#{row}"
        while hash(name) in self._seen:  # only where another row's own id reads just like that
            name += "+"
        self._seen.add(hash(name))
        return name


def to_article(row: Row, source: str, mapping: Mapping[str, str], ids: ArticleIds) -> Article | Reject:
    """Check one row and make an article of it.

    A text that is missing, empty, not a string or not encodable as UTF-8 makes a reject. Other columns never do:
    what cannot be understood there is kept as text.
    """
    if row.value is None:
        return Reject(source, row.row, row.problem or "unreadable", clean(row.excerpt))
    value = rename(row.value, mapping)
    text = value.pop("text", None)
    if text is None:
        named = mapping.get("text", "text")
        shown = ", ".join(repr(name) for name in list(row.value)[:8])
        return Reject(
            source, row.row, f"no '{named}'; the row has {shown or 'no columns'} (MAP renames)", _excerpt(row.value)
        )
    if not isinstance(text, str):
        return Reject(source, row.row, f"'text' is a {type(text).__name__}, not a string", _excerpt(row.value))
    if not text.strip():
        return Reject(source, row.row, "'text' is empty", _excerpt(row.value))
    if text != clean(text):
        return Reject(source, row.row, "'text' has half a UTF-16 pair in it (a lone surrogate)", _excerpt(row.value))
    known = {name: _as_text(value.pop(name, None)) for name in KNOWN if name != "text"}
    raw_date = known.pop("date")
    return Article(
        source=source,
        row=row.row,
        article_id=ids.assign(known["id"], source, row.row),
        text=text,
        date=iso_date(raw_date) if raw_date else None,
        date_raw=raw_date,
        extra={clean(name): _as_text(item) for name, item in value.items()},
        **known,
    )


def rename(row: Mapping[str, object], mapping: Mapping[str, str]) -> dict[str, object]:
    """A row under our names. A column that already bore a name which MAP gives to another is kept as input_<name>."""
    present = {ours: theirs for ours, theirs in mapping.items() if theirs in row}
    moved = set(present.values())
    renamed = {name: value for name, value in row.items() if name not in moved and name not in present}
    renamed.update({f"input_{name}": row[name] for name in present if name in row and name not in moved})
    renamed.update({ours: row[theirs] for ours, theirs in present.items()})
    return renamed


def _as_text(value: object) -> str | None:
    """Any value as text: strings as they are, dates as ISO, the rest as JSON; None and "" as None."""
    # NaN is how pandas writes a missing value.
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))  # pandas turns a column of whole numbers with gaps into floats
    return clean(json.dumps(value, ensure_ascii=False, default=str))


def clean(text: str) -> str:
    """A text with lone surrogates replaced, so that every file format can hold it."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _excerpt(row: Mapping[str, object]) -> str:
    return clean(json.dumps(dict(row), ensure_ascii=False, default=str)[:300])
