"""Low-pass filters of StyleGAN3 (Karras et al., NeurIPS 2021, appendix C): Kaiser windows, separable or radial."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]


def low_pass(taps: int, cutoff: float, half_width: float, rate: float) -> Tensor:
    """A separable low pass of one axis, [taps], float32, summing to 1.

    Args:
        taps: 1 gives the identity.
        cutoff, half_width, rate: pass band, half of the transition band and sampling rate, all in the same unit.
    """
    if taps == 1:
        return torch.ones(1, dtype=torch.float32, device="cpu")
    h = np.sinc(2 * cutoff / rate * _centred(taps)) * _window(taps, half_width, rate)
    return torch.from_numpy(h / h.sum()).float()


def radial_low_pass(taps: int, cutoff: float, half_width: float, rate: float) -> Tensor:
    """A radially symmetric low pass, [taps, taps], float32, summing to 1; `taps` is even."""
    if taps % 2:
        raise ValueError(f"a radial filter has an even number of taps; {taps} was given")
    line = _centred(taps) / rate
    radius = np.hypot(line[:, None], line[None, :])
    window = _window(taps, half_width, rate)
    h = _bessel_j1(2 * cutoff * np.pi * radius) / (np.pi * radius) * np.outer(window, window)
    return torch.from_numpy(h / h.sum()).float()


def _centred(taps: int) -> Array:
    return np.arange(1 - taps, taps, 2, dtype=np.float64) / 2.0


def _window(taps: int, half_width: float, rate: float) -> Array:
    """Kaiser window whose attenuation follows from taps and transition width (Kaiser's formulas)."""
    attenuation = 2.285 * (taps - 1) * np.pi * (2 * half_width / (rate / 2)) + 7.95
    if attenuation > 50:
        beta = 0.1102 * (attenuation - 8.7)
    else:
        beta = 0.5842 * max(attenuation - 21, 0) ** 0.4 + 0.07886 * max(attenuation - 21, 0)
    return np.asarray(np.kaiser(taps, beta), np.float64)


def _bessel_j1(x: Array) -> Array:
    """Bessel function of the first kind of order one: torch has it in double precision."""
    return np.asarray(torch.special.bessel_j1(torch.from_numpy(np.ascontiguousarray(x))).numpy())
