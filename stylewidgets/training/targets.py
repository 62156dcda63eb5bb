"""What the factor network is trained towards, and how well it gets there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..avatars.reading.factor_net import Head, ReadingNet


def encode(heads: Sequence[Head], factors: NDArray[np.float32]) -> Tensor:
    """Training targets [N, outputs]: standardised numbers, standardised (sin, cos), one-hot categories."""
    columns = []
    for i, head in enumerate(heads):
        value = np.asarray(factors[:, i], np.float64)
        if head.kind == "categorical":
            columns.append(np.eye(len(head.categories))[value.round().astype(int)])
            continue
        unit = _unit(head, value)
        columns.append((unit - head.mean) / head.std if head.mean else unit)
    return torch.from_numpy(np.concatenate(columns, axis=1).astype(np.float32))


def _unit(head: Head, value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Targets [N, 1] in [-1, 1] or [N, 2] as (sin, cos)."""
    if head.kind == "circular":
        angle = np.deg2rad(value)
        return np.stack([np.sin(angle), np.cos(angle)], axis=1)
    scaled: NDArray[np.float64] = (2 * (value - head.low) / (head.high - head.low) - 1)[:, None]
    return scaled


def with_statistics(heads: Sequence[Head], factors: NDArray[np.float32]) -> Iterator[Head]:
    """The heads with the mean and the standard deviation of their targets over these factors [N, F]."""
    for i, head in enumerate(heads):
        if head.kind == "categorical":
            yield head
            continue
        unit = _unit(head, factors[:, i].astype(np.float64))
        # One scale for both axes of a circle: their errors then weigh alike.
        std = np.full(unit.shape[1], max(math.sqrt(float(unit.var(axis=0).mean())), 1e-6))
        yield replace(head, mean=tuple(unit.mean(axis=0).tolist()), std=tuple(std.tolist()))


def floats(images: NDArray[np.uint8], batch: int = 128) -> Iterator[Tensor]:
    """Pictures uint8 [N, 3, H, W] as tensors in [-1, 1], in batches."""
    for start in range(0, len(images), batch):
        yield torch.from_numpy(np.array(images[start : start + batch])).float() / 127.5 - 1


@torch.inference_mode()
def evaluate(
    net: ReadingNet, images: NDArray[np.uint8], factors: NDArray[np.float32], seen: NDArray[np.bool_] | None = None
) -> dict[str, float]:
    """R² of each continuous factor, of (sin, cos) of each circular one, and accuracy of each category, by name.

    Args:
        seen: [N, F], the pictures that count for each factor; None for all.
    """
    raw = torch.cat([net(part.to(next(net.parameters()).device)) for part in floats(images)]).cpu()
    truth = encode(net.heads, factors)
    result = {}
    for i, head in enumerate(net.heads):
        rows = slice(None) if seen is None else torch.from_numpy(seen[:, i])
        guess, target = raw[rows, head.start : head.stop], truth[rows, head.start : head.stop]
        if not len(guess):
            result[head.name] = float("nan")
        elif head.kind == "categorical":
            result[head.name] = float((guess.argmax(1) == target.argmax(1)).float().mean())
        else:
            left = (guess - target).square().sum()
            result[head.name] = float(1 - left / (target - target.mean(0)).square().sum())
    return result


def most_frequent(heads: Sequence[Head], factors: NDArray[np.float32]) -> dict[str, float]:
    """Share of the most frequent category of each categorical factor: the accuracy of always saying the same."""
    return {
        head.name: float(np.bincount(factors[:, i].round().astype(int)).max() / len(factors))
        for i, head in enumerate(heads)
        if head.kind == "categorical"
    }
