"""How far readings of the factor network can be trusted: an error for every number, a probability for every category.

Errors differ from picture to picture (nobody reads an iris behind a closed lid), so the logarithm of each factor's error is a
linear function of what the network reads, fitted to held-out renders by maximum likelihood. Probabilities are the softmax
of the logits divided by a temperature (Guo et al., "On calibration of modern neural networks", 2017).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from numpy.typing import NDArray
from torch import Tensor

from .factor_net import ReadingNet

Floats = NDArray[np.float32]
_LIMIT = 3.0  # readings beyond so many standard deviations say no more about errors than those at the limit


def residual(kind: str, read: npt.ArrayLike, true: npt.ArrayLike) -> NDArray[np.float64]:
    """read - true [N]; of angles the shorter way round, of categories 1 where they differ."""
    difference = np.asarray(read, np.float64) - np.asarray(true, np.float64)
    if kind == "circular":
        return (difference + 180) % 360 - 180
    return (np.abs(difference) > 0.5).astype(np.float64) if kind == "categorical" else difference


def calibrate(net: ReadingNet, raw: Tensor, factors: Floats, *, l2: float = 0.02) -> dict[str, Any]:
    """What `ReadingNet.calibration` holds, from raw outputs [N, outputs] and the true factors [N, F].

    Half of the renders are fitted to, the other half say how good the fit is ("within": share of truths within one and two
    standard errors, normal numbers would be 0.683 and 0.954; for categories the mean probability and the accuracy).

    Args:
        l2: weight of the squares of the coefficients, against runaway errors for unusual pictures.
    """
    raw, half = raw.float().cpu(), len(raw) // 2
    found = net.natural(raw)
    design = _design(net, raw)
    result: dict[str, Any] = {"errors": {}, "temperature": {}, "within": {}, "typical": {}}
    for i, head in enumerate(net.heads):
        part = raw[:, head.start : head.stop]
        if head.kind == "categorical":
            truth = torch.from_numpy(factors[:, i].round().astype(np.int64))
            t = _temperature(part[:half], truth[:half])
            chosen, index = (part[half:] / t).softmax(1).max(1)
            result["temperature"][head.name] = round(t, 4)
            result["within"][head.name] = [float(chosen.mean()), float((index == truth[half:]).float().mean())]
            continue
        away = torch.from_numpy(residual(head.kind, found[head.name], factors[:, i])).float().abs()
        weights = _fit(design[:half], away[:half], l2)
        error = _apply(design, weights)
        ratio = away[half:] / error[half:]
        result["errors"][head.name] = [round(float(w), 4) for w in weights]
        result["within"][head.name] = [float((ratio <= k).float().mean()) for k in (1, 2)]
        result["typical"][head.name] = float(away.square().mean().sqrt())
    result["readings"] = {name: [float(v.mean()), float(v.std())] for name, v in net.readings(raw).items()}
    return result


def errors(net: ReadingNet, raw: Tensor) -> dict[str, Floats]:
    """Standard errors [N] of every continuous and circular factor in natural units (degrees for circular ones)."""
    raw = raw.float().cpu()
    design, fitted = _design(net, raw), _of(net)["errors"]
    return {
        head.name: _apply(design, torch.tensor(fitted[head.name], dtype=torch.float32, device="cpu")).numpy()
        for head in net.heads
        if head.kind != "categorical"
    }


def population(net: ReadingNet) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of every reading (see `ReadingNet.scores`) over renders."""
    return {name: (mean, max(std, 1e-6)) for name, (mean, std) in _of(net)["readings"].items()}


def _of(net: ReadingNet) -> dict[str, Any]:
    if not net.calibration:
        raise ValueError(
            "this factor network was never calibrated; `stylewidgets train regressor --measure-only --out FILE` does it"
        )
    return net.calibration


def _design(net: ReadingNet, raw: Tensor) -> Tensor:
    """What errors may depend on, [N, K], first column 1: readings, their squares, probabilities, and how sure angles are."""
    columns = [torch.ones(len(raw), 1, dtype=torch.float32, device="cpu")]
    for head in net.heads:
        part = raw[:, head.start : head.stop]
        if head.kind == "categorical":
            columns.append(part.softmax(1))
            continue
        columns.append(part.clamp(-_LIMIT, _LIMIT))
        if head.kind == "circular":
            columns.append(part.square().sum(1, keepdim=True).sqrt().clamp(max=_LIMIT))
        else:
            columns.append(part.clamp(-_LIMIT, _LIMIT).square())
    return torch.cat(columns, dim=1)


def _fit(design: Tensor, away: Tensor, l2: float, steps: int = 60) -> Tensor:
    """Coefficients [K] of the log error under which absolute residuals [N] are likeliest if they are normal."""
    scale = away.square().mean().sqrt().clamp(min=1e-6)
    unit = (away / scale).double().clamp(max=6.0)  # one blunder in a thousand must not stretch all errors
    x = design.double()
    weights = torch.zeros(x.shape[1], dtype=torch.float64, requires_grad=True, device="cpu")
    optimiser = torch.optim.LBFGS([weights], max_iter=steps, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        log = (x @ weights).clamp(-6, 4)
        value = (log + 0.5 * (unit * (-log).exp()).square()).mean() + l2 * weights[1:].square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    with torch.inference_mode(False), torch.enable_grad():
        optimiser.step(loss)  # type: ignore[no-untyped-call]
    found = weights.detach().clone()
    found[0] += math.log(float(scale))
    return found.float()


def _apply(design: Tensor, weights: Tensor) -> Tensor:
    log = design @ weights
    return log.clamp(float(weights[0]) - 6, float(weights[0]) + 4).exp()


def _temperature(logits: Tensor, truth: Tensor) -> float:
    """The temperature of the likeliest truths, by trying a fine grid of its logarithm."""
    grid = torch.logspace(-1, 1, 81, dtype=torch.float32, device="cpu")
    losses = [float(torch.nn.functional.cross_entropy(logits / t, truth)) for t in grid]
    return float(grid[int(np.argmin(losses))])
