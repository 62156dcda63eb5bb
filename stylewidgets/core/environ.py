"""Switches in the environment."""

from __future__ import annotations

import os


def switch(name: str, default: bool = True) -> bool:
    """What the environment variable says: "0", "false", "no" and "off" are off, all else is on; unset or empty: ``default``."""
    given = os.environ.get(name, "").lower()
    return given not in {"0", "false", "no", "off"} if given else default
