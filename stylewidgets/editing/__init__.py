"""Machines that edit: each is an `Editor`, whose kind is made known to sessions by `register`."""

from __future__ import annotations

from .protocol import Editor, register

__all__ = ["Editor", "register"]
