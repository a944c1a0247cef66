"""Copying the champion's bundle to `models/released/`, where scoring finds it without a registry."""

import shutil
from pathlib import Path

from data.errors import UserError
from models.bundle import FILES, META_FILE, BundleError, read_bundle
from models.locate import RELEASED
from training.registry import Registered, connect, get_champion

# What git can carry for ever: every released version weighs on every clone.
MAX_BYTES = 30 * 1000 * 1000


def release(folder: Path = RELEASED) -> Registered:
    """Copy the champion's bundle over `folder`, read the copy back, and only then take the old one away.

    Raises UserError if there is no champion or it is too large, BundleError if the copy differs.
    """
    champion = get_champion(connect())
    if champion is None:
        raise UserError("no champion to release; run `make promote` first")
    source = champion.bundle.folder
    size = sum((source / name).stat().st_size for name in (*FILES, META_FILE))
    if size > MAX_BYTES:
        raise UserError(
            f"version {champion.version} weighs {size / 1e6:.1f} MB, a release may weigh {MAX_BYTES / 1e6:.0f}"
        )
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name in (*FILES, META_FILE):
        shutil.copyfile(source / name, fresh / name)
    if read_bundle(fresh).digest != champion.bundle.digest:
        raise BundleError(f"{fresh}: the copy differs from version {champion.version}; try again")
    if folder.exists():
        shutil.rmtree(folder)
    fresh.rename(folder)
    return champion
