"""GAN inversion: from a picture back to a code. Pure compute; ``widgets.InversionViewer`` shows it.

``invert(session, picture, method="projector")`` → a `Result`; ``METHODS`` lists the methods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import attach

if TYPE_CHECKING:
    from ..jobs import Progress
    from ..session.tuning import tuned
    from ..settings import Method, Setting
    from .catalogue import METHODS, register
    from .evaluation.evaluate import evaluate, evaluate_each
    from .evaluation.known import known_edits
    from .faces import align
    from .losses.perceptual import Perceptual, perceptual
    from .methods import hybrid, pivotal
    from .result import Frame, Result
    from .run import Run
    from .run_file import resume, save_run
    from .starting import invert, start
    from .target import Target

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "..jobs": "Progress",
        "..session.tuning": "tuned",
        "..settings": "Method Setting",
        "catalogue": "METHODS register",
        "evaluation.evaluate": "evaluate evaluate_each",
        "evaluation.known": "known_edits",
        "faces": "align",
        "losses.perceptual": "Perceptual perceptual",
        "methods": "hybrid pivotal",
        "result": "Frame Result",
        "run": "Run",
        "run_file": "resume save_run",
        "starting": "invert start",
        "target": "Target",
        # by their modules
        "encoders": "",
        "spaces": "",
    },
)
