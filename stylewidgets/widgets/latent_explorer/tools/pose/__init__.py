"""Pose: a figure to pull by its joints, whom to draw, what they wear, and a film between two poses."""

from .tool import PoseTool

__all__ = ["PoseTool"]
