"""Figures of the lesson: pictures in a row, curves, the landscape of a loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .plane import Landscape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Panels = tuple["Figure", list[Any]]


def row(pictures: Mapping[str, object] | Sequence[object], titles: Sequence[str] = (), size: float = 1.4) -> Figure:
    """Pictures side by side.

    Args:
        pictures: by title, or a list; uint8 [H, W, 3], or tensors [3, H, W] or [1, 3, H, W] in [-1, 1], or PIL images.
        titles: of a list.
        size: of each, in inches.
    """
    named = list(pictures.items()) if isinstance(pictures, Mapping) else [("", p) for p in pictures]
    figure, axes = panels(len(named), size, size + 0.3)
    for k, (axis, (title, picture)) in enumerate(zip(axes, named, strict=True)):
        axis.imshow(pixels(picture))
        axis.axis("off")
        axis.set_title(titles[k] if k < len(titles) else title, fontsize=8)
    return figure


def pixels(picture: Any) -> NDArray[np.uint8]:
    """A picture of any kind as uint8 [H, W, 3]."""
    if hasattr(picture, "detach"):
        array: NDArray[np.float32] = picture.detach().cpu().numpy()
        array = array[0] if array.ndim == 4 else array
        scaled = np.round((np.clip(array.transpose(1, 2, 0), -1, 1) + 1) * 127.5)
        return np.asarray(scaled, np.uint8)
    return np.asarray(picture, np.uint8)


def curves(losses: Mapping[str, Sequence[float]], what: str = "loss", along: str = "step", first: int = 0) -> Figure:
    """One line for each search, on a logarithmic scale: loss over steps, or `what` over `along`, counted from `first`."""
    figure, (axis,) = panels(1, 5, 2.4)
    for name, values in losses.items():
        axis.semilogy(range(first, first + len(values)), values, label=name)
    axis.set_xlabel(along)
    axis.set_ylabel(what)
    axis.legend(fontsize=8)
    return figure


def map_of(lands: Landscape | Mapping[str, Landscape], size: float = 3.0) -> Figure:
    """Contours of the loss, with the path: a dot for the beginning, a star for the end.

    Each of several maps has a scale of its own, since a short path sees little of the loss; only a single map tells its scale.
    """
    named = {"": lands} if isinstance(lands, Landscape) else dict(lands)
    figure, axes = panels(len(named), size + 0.2, size)
    for axis, (title, land) in zip(axes, named.items(), strict=True):
        shown = axis.contourf(land.x, land.y, np.log10(np.maximum(land.values, 1e-6)), 18, cmap="viridis_r")
        axis.plot(*land.path.T, "-", color="white", lw=2.4)
        axis.plot(*land.path.T, ".-", color="#c62828", lw=1, ms=3)
        axis.plot(*land.path[0], "o", color="#c62828", mec="white", ms=8)
        axis.plot(*land.path[-1], "*", color="#c62828", mec="white", ms=13)
        axis.set_title(title, fontsize=9)
        axis.tick_params(labelsize=7)
    if len(named) == 1:
        figure.colorbar(shown, ax=axes[0], label="loss, as a power of ten").ax.tick_params(labelsize=7)
    return figure


def panels(n: int, width: float, height: float, rows: int = 1) -> Panels:
    """A figure that no state of pyplot holds, so that a cell shows it once, and its axes; a list of each row's where there are
    several."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * n, height), layout="constrained")
    axes = [list(row) for row in figure.subplots(rows, n, squeeze=False)]
    return figure, axes if rows > 1 else axes[0]
