"""The tool "Parts": the eyes of one face, the hair of another, by pointing at them."""

from .tool import PartsTool

__all__ = ["PartsTool"]
