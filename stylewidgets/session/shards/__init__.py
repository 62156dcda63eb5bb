"""Generators in plans of shards: what a shard says of its generator, and the session that a worker opens for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.lazy import attach

if TYPE_CHECKING:
    from .model import machine, opened, stamp

__getattr__, __dir__, __all__ = attach(__name__, {"model": "machine opened stamp"})
