"""LatentExplorer: a live picture with everything that shapes it."""

from . import tools

__all__ = ["tools"]
