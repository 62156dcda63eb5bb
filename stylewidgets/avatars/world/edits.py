"""Edits of avatars whose outcome is known: change some factors, keep all others, draw again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...core.checks import unknown_name
from ...ops.devices import float_tensor
from ..drawing.renderer import Render, render
from .factors import Factor
from .groups import HEAD, columns

Change = Mapping[str, "float | str | Tensor"] | Callable[[Tensor], Tensor]


def edit_factors(
    factors: Tensor | npt.NDArray[np.floating], change: Change, relative: bool = False, groups: Sequence[str] = HEAD
) -> Tensor:
    """Factors with a change applied, [N, F]; nothing else moves and the input stays as it is.

    Args:
        factors: [N, F] or [F] in natural units.
        change: new values by name, a number for all pictures or a tensor [N]; categories by name or index. Or a function
            from factors [N, F] to factors [N, F].
        relative: values are added to the present ones. Angles go round; categories cannot be added to.
        groups: of factors that the rows have.

    Raises:
        ValueError: unknown factor or category (the message has the nearest one), or a value outside the factor's range:
            an edit that would be cut off is refused, because it would not be the edit that was asked for.
    """
    x = float_tensor(factors).detach()
    x = x[None] if x.ndim == 1 else x
    at = columns(tuple(groups))
    at.check(x.shape, "an edit")
    if isinstance(change, Mapping):
        out = x.clone()
        for name, value in change.items():
            if name not in at.index:
                raise unknown_name("factor", name, at.names)
            i = at.index[name]
            out[:, i] = _checked(at.factors[i], _value(at.factors[i], value, x[:, i], relative))
        return out
    if relative:
        raise ValueError("relative=True goes with a mapping of changes; a function returns the new factors themselves")
    made = change(x.clone())
    if not isinstance(made, Tensor) or made.shape != x.shape:
        got = tuple(made.shape) if isinstance(made, Tensor) else type(made).__name__
        raise ValueError(f"the function must return factors {tuple(x.shape)}, it returned {got}")
    return torch.stack([_checked(f, made[:, i].to(x)) for i, f in enumerate(at.factors)], 1)


def edit_truth(
    factors: Tensor | npt.NDArray[np.floating],
    change: Change,
    relative: bool = False,
    resolution: int = 128,
    outputs: Collection[str] = ("image", "segmentation", "landmarks"),
    groups: Sequence[str] = HEAD,
    framing: str = "head",
) -> Render:
    """What an ideal edit gives: the same avatars, drawn again with exactly this change.

    ``edit_truth(f, {"smile": 1.0, "hat": "cap"})``, ``edit_truth(f, {"yaw": 10.0}, relative=True)``.
    Arguments and errors as `edit_factors`; resolution, outputs and framing as `render`.
    """
    edited = edit_factors(factors, change, relative, groups)
    return render(edited, resolution, outputs=outputs, groups=groups, framing=framing)


WORN: dict[str, tuple[str, ...]] = {
    "clothes": (
        "clothes_hue",
        "clothes_lightness",
        "sleeves",
        "pattern",
        "pattern_hue",
        "pattern_lightness",
        "pattern_size",
        "badge_letter",
    ),
    "hair": ("hair_style", "hair_hue", "hair_lightness", "hair_length", "fringe"),
    "beard": ("beard",),
    "glasses": ("glasses",),
    "hat": ("hat",),
}
"""The factors of what one person can take from another. Hats and trousers follow the colour of the clothes, so they change with
them; a beard has the colour of its wearer's hair."""


def swap_factors(
    factors: Tensor | npt.NDArray[np.floating],
    other: Tensor | npt.NDArray[np.floating],
    parts: str | Sequence[str] = "clothes",
    groups: Sequence[str] = HEAD,
) -> Tensor:
    """The avatars `factors` [N, F] with parts (names of WORN) of the avatars `other` [N, F]: clothes of B on A, [N, F].

    Raises:
        ValueError: an unknown part, or factors of another shape.
    """
    x, y = (float_tensor(rows).detach() for rows in (factors, other))
    at = columns(tuple(groups))
    for rows in (x, y):
        at.check(rows.shape, "a swap")
    out = x.clone()
    for part in (parts,) if isinstance(parts, str) else parts:
        if part not in WORN:
            raise unknown_name("part to take", part, WORN)
        taken = [at.index[name] for name in WORN[part] if name in at.index]
        out[:, taken] = y[:, taken].to(out)
    return out


def swap_truth(
    factors: Tensor | npt.NDArray[np.floating],
    other: Tensor | npt.NDArray[np.floating],
    parts: str | Sequence[str] = "clothes",
    resolution: int = 128,
    outputs: Collection[str] = ("image", "segmentation", "landmarks"),
    groups: Sequence[str] = HEAD,
    framing: str = "head",
) -> Render:
    """What an ideal transfer of parts gives: the first avatars in their own pose, drawn again with those of the others.

    Arguments and errors as `swap_factors`; resolution, outputs and framing as `render`.
    """
    mixed = swap_factors(factors, other, parts, groups)
    return render(mixed, resolution, outputs=outputs, groups=groups, framing=framing)


def _value(factor: Factor, value: object, now: Tensor, relative: bool) -> Tensor:
    """The new value [N] before its range is checked."""
    if factor.kind == "categorical" and relative:
        raise ValueError(
            f"{factor.name} is one of {', '.join(factor.categories)}: nothing can be added to it; "
            "set it without relative=True"
        )
    if isinstance(value, str):
        if factor.kind != "categorical":
            raise ValueError(f"{factor.name} is a number from {factor.low:g} to {factor.high:g}; {value!r} was given")
        if value not in factor.categories:
            raise unknown_name(factor.name, value, factor.categories)
        value = factor.categories.index(value)
    try:
        number = torch.as_tensor(value, dtype=now.dtype, device=now.device)
        number = number.expand(now.shape)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"{factor.name} takes a number or a tensor [{len(now)}]; {value!r} was given") from None
    if not relative:
        return number
    return (now + number) % 360 if factor.kind == "circular" else now + number


def _checked(factor: Factor, value: Tensor) -> Tensor:
    """`value` [N] if every entry is one that the factor can have."""
    slack = 1e-5 * (factor.high - factor.low)  # 32-bit sums of numbers that are inside on paper
    good = (value >= factor.low - slack) & (value <= factor.high + slack)
    if factor.kind == "categorical":
        good &= value == value.round()
    if bool(good.all()):
        return value.clamp(factor.low, factor.high)
    first = int((~good).nonzero()[0, 0])
    given = f"{factor.name} would be {float(value[first]):g}" + (f" in picture {first}" if len(value) > 1 else "")
    if factor.kind == "categorical":
        raise ValueError(f"{given}; it is one of {', '.join(factor.categories)}, by name or index from 0")
    unit = f" ({factor.unit})" if factor.unit else ""
    raise ValueError(
        f"{given}, outside {factor.low:g} to {factor.high:g}{unit}; "
        "make the change smaller (it is not cut off, so that the truth is of the edit that was asked for)"
    )
