"""Dates as archives write them, made ISO 8601."""

from datetime import datetime
from functools import lru_cache

from dateutil import parser, tz

# What a date leaves out is filled from these two; what then differs was not in the date.
_ONE, _OTHER = datetime(1999, 1, 1, 1), datetime(2003, 12, 28, 2)
# No date is longer; the parser's time grows with length.
_LONGEST = 60


def _zone(name: str | None, offset: int | None) -> tz.tzoffset | None:
    """Offsets in seconds as they are; zone names but UTC and GMT mean nothing here, on whichever machine."""
    return None if offset is None else tz.tzoffset(None, offset)


@lru_cache(maxsize=20_000)
def iso_date(raw: str) -> str | None:
    """A date in ISO 8601, no finer than it was given ("2004", "2004-03", "2004-03-05", "2004-03-05T10:00:00"), or None.

    Where day and month could be either, the month comes first ("03/04/2022" is 4 March).
    """
    raw = raw.strip()
    if not raw or len(raw) > _LONGEST:
        return None
    try:
        one, other = (parser.parse(raw, default=default, tzinfos=_zone) for default in (_ONE, _OTHER))
    # The parser also lets out what its arithmetic raises (decimal's too) on huge numbers.
    except (ValueError, ArithmeticError, TypeError, AttributeError):
        return None
    if one.year != other.year:
        return None
    if one.month != other.month:
        return f"{one.year:04d}"
    if one.day != other.day:
        return f"{one.year:04d}-{one.month:02d}"
    if one.hour != other.hour:
        return f"{one.year:04d}-{one.month:02d}-{one.day:02d}"
    try:
        return one.isoformat(timespec="seconds")
    except ValueError:  # an impossible offset such as +99:00
        return None
