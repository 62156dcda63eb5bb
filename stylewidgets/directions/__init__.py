"""Where directions come from.

`pca` and `sefa` need no labels, `boundary` learns from labelled samples, `difference` joins two latents and `from_tensor`
takes any array. `condition` and `joint_boundaries` make directions that leave other attributes alone. A `DirectionSet`
keeps directions by name and saves them to one file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import attach

if TYPE_CHECKING:
    from ..generators.identity import fingerprint
    from ._sampling import sample_styles, sample_w, spread
    from .boundaries import Fit, boundary, condition, fit_boundary
    from .components import pca
    from .differences import difference
    from .direction_set import DirectionSet, UnknownDirection
    from .factorisation import sefa
    from .joint import joint_boundaries
    from .layers import named_ranges
    from .tensor import from_tensor

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "_sampling": "sample_styles sample_w spread",
        "boundaries": "Fit boundary condition fit_boundary",
        "components": "pca",
        "differences": "difference",
        "direction_set": "DirectionSet UnknownDirection",
        "factorisation": "sefa",
        "..generators.identity": "fingerprint",
        "joint": "joint_boundaries",
        "layers": "named_ranges",
        "tensor": "from_tensor",
    },
)
