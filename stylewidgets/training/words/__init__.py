"""``stylewidgets train words``: facts, a grammar of sentences about them, and the encoder that learns to read both."""

from __future__ import annotations

from .command import OPTIONS, run
