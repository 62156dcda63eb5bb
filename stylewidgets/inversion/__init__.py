"""GAN inversion: from a picture back to a code. Pure compute; ``widgets.InversionViewer`` shows it.

``invert(session, picture, method="projector")`` → a `Result`; ``METHODS`` lists the methods.
"""

from __future__ import annotations

from .methods import METHODS, Method, Setting, invert, register, start
from .perceptual import Perceptual, perceptual
from .result import Frame, Result, tuned
from .run import Progress, Run
from .target import Target

__all__ = [
    "METHODS", "Frame", "Method", "Perceptual", "Progress", "Result", "Run", "Setting", "Target", "invert", "perceptual",
    "register", "start", "tuned",
]
