"""What reading a checkpoint raises."""

from __future__ import annotations


class CheckpointError(ValueError):
    """A file that cannot be read as a generator: of another kind, damaged, too large or hostile. One line with the reason."""
