"""Where directions come from.

`pca` and `sefa` need no labels, `boundary` learns from labelled samples, `difference` joins two latents and `from_tensor`
takes any array. `condition` and `joint_boundaries` make directions that leave other attributes alone. A `DirectionSet`
keeps directions by name and saves them to one file.
"""

from __future__ import annotations

from ..session.inside import module_fingerprint as fingerprint
from ._sampling import sample_styles, sample_w, spread
from .boundary import Fit, boundary, condition, fit_boundary
from .difference import difference
from .direction_set import DirectionSet, UnknownDirection
from .joint import joint_boundaries
from .layers import named_ranges
from .pca import pca
from .sefa import sefa
from .tensor import from_tensor

__all__ = [
    "DirectionSet",
    "Fit",
    "UnknownDirection",
    "boundary",
    "condition",
    "difference",
    "fingerprint",
    "fit_boundary",
    "from_tensor",
    "joint_boundaries",
    "named_ranges",
    "pca",
    "sample_styles",
    "sample_w",
    "sefa",
    "spread",
]
