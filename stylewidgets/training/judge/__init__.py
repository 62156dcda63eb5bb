"""``stylewidgets train judge``: the reader that edits are scored by."""

from __future__ import annotations

from .train import OPTIONS, RENDERS, measure_judge, run, train_judge, with_points

__all__ = ["OPTIONS", "RENDERS", "measure_judge", "run", "train_judge", "with_points"]
