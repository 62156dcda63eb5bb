"""What an inversion is worth: distortion, where its code lies, how well it can be edited, what it cost. One flat dictionary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ... import domain
from ...directions._sampling import styles_of
from ...latent.latent import Latent
from ...metrics import similarity
from ...session.session import GeneratorSession
from ...session.synthesis import to_uint8
from ..losses.perceptual import Perceptual, perceptual
from ..result import Result
from ..target import Target, to_tensor
from .editability import draw, editability
from .known import KnownEdits, known_edits, outside
from .realism import CodeStatistics, code_statistics, flat_styles

Identity = Callable[[Tensor, Tensor], Tensor]
"""Pictures [N, 3, H, W] in [-1, 1], those of the target first → similarities [N]."""
SETTINGS = ("ms_ssim_scales", "pictures", "steps", "seconds", "seconds_per_picture")
"""Numbers of `evaluate` that are the same for all pictures of a result: no mean is taken."""


def evaluate(target: object, result: Result, session: GeneratorSession, **options: Any) -> dict[str, Any]:
    """All figures of a result, as means over its pictures. Options as of `evaluate_each`.

    Pictures are compared after clamping and rounding to 8 bits, as they are saved and shown.

    Returns:
        mse: on the scale of [-1, 1], four times that of [0, 1].
        psnr: 10 log10(4 / mse) in dB; of several pictures the mean of theirs.
        ssim, ms_ssim: see `metrics.similarity`; ms_ssim_scales: how many scales fit into the picture.
        perceptual, perceptual_net: distance, and the network that it is of. LPIPS of different networks do not compare.
        identity, identity_net: similarity from the hook; by default that of the generator's domain, if it has one.
        w_distance: distance from the known code in units of the typical distance from the mean; two samples are 1.41 apart.
            Of results in s, the same in s.
        code_length: distance from the mean in the same units: 1 is typical, much more is far out.
        row_spread: how much the rows of w+ differ: 0 in w.
        realism: Mahalanobis distance in style space, about 1 is typical of the mapping network's codes, more is further out.
        outside: whether the picture shows what the generator has never seen (share of several pictures); only where that is
            known, as of avatars. There, nothing is read with the domain's networks: no identity, transfer, edit error or side
            effects, since even a perfect edit reads as a poor one.
        change_error, edit_perceptual, edit_transfer, edit_error, edit_side: see `editability.editability`; only where the truth
            is known.
        method, space, pictures, steps, seconds, seconds_per_picture.

        What cannot be known is left out, so that every figure is one that was measured.
    """
    return mean_of(evaluate_each(target, result, session, **options))


def evaluate_each(
    target: object,
    result: Result,
    session: GeneratorSession,
    *,
    net: str | Perceptual = "auto",
    identity: Identity | None = None,
    edits: KnownEdits | bool | Sequence[str] = True,
) -> list[dict[str, Any]]:
    """The figures of `evaluate` for each picture by itself.

    Args:
        target: what `Target.of` takes; as many pictures as the result has, in the same order.
        result: of any method, made with this session's generator.
        session: the generator as it was before any tuning.
        net: of the perceptual distance, see `perceptual`.
        identity: hook for a face recognition network; its ``__name__`` is reported.
        edits: names of directions, True for the usual ones, False for none, or what `known_edits` returned for these pictures,
            which saves time when several results of the same target are evaluated.

    Raises:
        ValueError: another number of pictures.
    """
    wanted = Target.of(target, session)
    if len(wanted) != len(result):
        raise ValueError(
            f"the result has {len(result)} pictures and the target {len(wanted)}: give the target that it was made for"
        )
    measure = perceptual(net) if isinstance(net, str) else net
    drawn = draw(result, session, [[None]] * len(result))[:, 0]
    truth = to_uint8(wanted.images)
    rows = _distortion(truth, drawn, wanted.mask, measure)
    strange = outside(wanted, session)
    for extra in (
        [{} for _ in rows] if strange is None else [{"outside": float(value)} for value in strange],
        _identity(truth, drawn, identity, session, strange),
        _code(wanted, result, session),
        _edits(wanted, result, session, edits, measure),
    ):
        for row, more in zip(rows, extra, strict=True):
            row |= more
    shared: dict[str, Any] = {
        "method": result.method,
        "space": result.space,
        "perceptual_net": measure.name,
        "ms_ssim_scales": similarity.scales(min(session.picture_size)),
        "pictures": len(result),
        "steps": result.steps,
        "seconds": result.seconds,
        "seconds_per_picture": result.seconds / max(len(result), 1),
    }
    return [shared | row for row in rows]


def mean_of(rows: Sequence[dict[str, Any]], middle: Callable[[list[float]], np.floating] = np.mean) -> dict[str, Any]:
    """One row of several: numbers by `middle` (np.median for medians), not counting what is nan; names as they are."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row[name] for row in rows if name in row]
        if isinstance(values[0], str) or name in SETTINGS:
            found[name] = values[0]
            continue
        known = [float(v) for v in values if not np.isnan(v)]
        if known:
            found[name] = float(middle(known))
    return found


@torch.inference_mode()
def _distortion(
    truth: NDArray[np.uint8], drawn: NDArray[np.uint8], mask: Tensor | None, net: Perceptual
) -> list[dict[str, Any]]:
    a, b = to_tensor(truth), to_tensor(drawn)
    values = {
        "mse": similarity.mse(a, b, mask),
        "psnr": similarity.psnr(a, b, mask),
        "ssim": similarity.ssim(a, b, mask),
        "perceptual": net.distance(a, b, mask),
    }
    if mask is None:
        values["ms_ssim"] = similarity.ms_ssim(a, b)
    return [{name: float(column[i]) for name, column in values.items()} for i in range(len(a))]


def _identity(
    truth: NDArray[np.uint8],
    drawn: NDArray[np.uint8],
    hook: Identity | None,
    session: GeneratorSession,
    strange: NDArray[np.bool_] | None,
) -> list[dict[str, Any]]:
    known = domain.of(session)
    unknown = np.zeros(len(truth), bool) if strange is None or hook is not None else strange
    name = known.network if hook is None and known is not None else getattr(hook, "__name__", type(hook).__name__)
    hook = hook or (known.identity if known is not None else None)
    if hook is None:
        return [{} for _ in truth]
    with torch.inference_mode():
        values = hook(to_tensor(truth), to_tensor(drawn)).double().cpu().numpy()
    return [
        {} if blind else {"identity": float(value), "identity_net": name}
        for value, blind in zip(values, unknown, strict=True)
    ]


def _code(target: Target, result: Result, session: GeneratorSession) -> list[dict[str, Any]]:
    about = code_statistics(session)
    length = about.distance(result.space, result.code)
    spread = about.row_spread(result.space, result.code)
    realism = about.mahalanobis(flat_styles(session, result.space, result.code))
    rows = []
    for i, latent in enumerate(target.latents):
        row = {"code_length": float(length[i]), "realism": float(realism[i])}
        if result.space != "s":
            row["row_spread"] = float(spread[i])
        if latent is not None:
            row["w_distance"] = _from_truth(about, result, i, latent, session)
        rows.append(row)
    return rows


def _from_truth(about: CodeStatistics, result: Result, i: int, latent: Latent, session: GeneratorSession) -> float:
    """nan for a code in w whose truth is one in s."""
    own = result.code[i : i + 1]
    if result.space == "s":
        return float(about.distance("s", own, styles_of(session, [latent]))[0])
    if latent.code is not None and latent.code.space == "s":
        return float("nan")
    known = session.map(latent).cpu().numpy()
    rows = own if own.ndim == 3 else np.repeat(own[:, None], known.shape[1], axis=1)
    return float(about.distance("w+", rows, known)[0])


def _edits(
    target: Target, result: Result, session: GeneratorSession, edits: KnownEdits | bool | Sequence[str], net: Perceptual
) -> list[dict[str, Any]]:
    known = edits if isinstance(edits, KnownEdits) else None
    if known is None and edits is not False:
        known = known_edits(target, session, None if edits is True else tuple(edits))  # type: ignore[arg-type]
    if known is None:
        return [{} for _ in range(len(result))]
    if len(known.strengths) != len(result):
        raise ValueError(f"the known edits are of {len(known.strengths)} pictures; this result has {len(result)}")
    return [dict(row) for row in editability(known, result, session, net)]
