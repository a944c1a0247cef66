"""Errors a user can act on."""


class UserError(Exception):
    """Something the user can mend; the message names file, row and remedy. Commands print it and exit 1."""


class DataError(UserError):
    """Labelled data or a codebook file is unusable."""
