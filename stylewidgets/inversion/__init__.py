"""GAN inversion: from a picture back to a code. Pure compute; ``widgets.InversionViewer`` shows it.

``invert(session, picture, method="projector")`` → a `Result`; ``METHODS`` lists the methods.
"""

from __future__ import annotations

from ..jobs import Progress
from ..session.tuning import tuned
from .encoders import runs as encoder_runs
from .evaluation.editability import known_edits
from .evaluation.evaluate import evaluate, evaluate_each
from .losses.perceptual import Perceptual, perceptual
from .methods import catalogue, hybrid, pivotal
from .registry import METHODS, Method, Setting, invert, register, start
from .result import Frame, Result
from .run import Run
from .run_file import resume, save_run
from .target import Target

__all__ = [
    "METHODS",
    "Frame",
    "Method",
    "Perceptual",
    "Progress",
    "Result",
    "Run",
    "Setting",
    "Target",
    "catalogue",
    "encoder_runs",
    "evaluate",
    "evaluate_each",
    "hybrid",
    "invert",
    "known_edits",
    "perceptual",
    "pivotal",
    "register",
    "resume",
    "save_run",
    "start",
    "tuned",
]
