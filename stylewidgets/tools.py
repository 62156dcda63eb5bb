"""Tools of the explorer, of one's own: subclass `Tool`, `register` it, and every explorer that it fits has it."""

from .widgets.latent_explorer.tools import Tool, available, register

__all__ = ["Tool", "available", "register"]
