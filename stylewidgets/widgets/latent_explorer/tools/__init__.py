"""The tools of the LatentExplorer: what stands beside its picture, a panel for each.

`stylewidgets.tools` is this package: subclass `Tool`, `register` it, and every explorer that it fits has it.
"""

from . import standard
from .tool import Tool, available, chosen, register

__all__ = ["Tool", "available", "chosen", "register"]
