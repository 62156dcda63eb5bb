"""The tools of the LatentExplorer: what stands beside its picture, a panel for each.

`stylewidgets.tools` is this package: subclass `Tool`, `register` it, and every explorer that it fits has it.
"""

from .animate import Animate
from .directions import Directions
from .history import HistoryTool
from .save import Save
from .tool import Tool, available, chosen, register
from .transform import TransformTool
from .walk import Walk

for _tool in (Directions, TransformTool, Walk, Animate, HistoryTool, Save):  # in the order of use
    register(_tool)

__all__ = ["Tool", "available", "chosen", "register"]
