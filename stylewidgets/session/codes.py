"""How a latent becomes w+ and styles: z, its edits, the mapping network, blend, truncation, edits in w, styles, edits in s."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.checks import check_finite
from ..latent.latent import Code, Latent
from ..latent.meeting import meeting
from ..latent.pose import Pose
from .checks import check_latent
from .synthesis import versions

if TYPE_CHECKING:
    from ..latent.edits import Edit
    from .session import GeneratorSession

_KEPT_SEEDS = 256


# -- what a session offers -----------------------------------------------------------------------------------------
def map(session: GeneratorSession, latent: Latent) -> Tensor:  # noqa: A001  `session.map`
    """w+ of a latent, float32 [1, num_ws, w_dim]: mapped, blended, truncated, then edited in w.

    Raises:
        ValueError: the latent does not fit, or starts from a code in s, which has no w.
    """
    check_latent(session.generator, latent)
    if latent.code is not None and latent.code.space == "s":
        raise ValueError("a code in s has no w; use session.code_styles(latent)")
    with _quiet(session):
        ws = session.generator.truncate(_source(session, latent), latent.psi, latent.cutoff, _label(session, latent))
        return _edited(session, "w", ws, latent)


def code_styles(session: GeneratorSession, latent: Latent) -> list[Tensor]:
    """Styles of a latent, one [1, C_l] per layer: `map`, `styles`, then the edits in s.

    For a code in s, truncation and edits in w are applied too: the style layers are affine, so they carry over.
    """
    check_latent(session.generator, latent)
    with _quiet(session):
        if latent.code is not None and latent.code.space == "s":
            styles = _styles_of_code(session, latent, latent.code)
        else:
            styles = list(session.generator.styles(session.map(latent)))
        for name, value in latent.extra:
            _put_extra(session, styles, name, value)
        return session.edited_styles(styles, latent)


def edited_styles(session: GeneratorSession, styles: list[Tensor], latent: Latent) -> list[Tensor]:
    """Styles, one [1, C_l] per layer, after the edits that a latent has in s; differentiable where these edits are."""
    if not _acting("s", latent):
        return styles
    return _split(session, _edited(session, "s", torch.cat(styles, dim=1), latent))


def interpolate(session: GeneratorSession, a: Latent, b: Latent, t: float) -> Latent:
    """The latent at t between two: linear in w+, or in s when either has a code or edits there.

    t = 0 and 1 give `a` and `b` themselves, values beyond extrapolate. Others are a code without truncation and
    edits; label, noise and source are those of the nearer one, the view and vectors in `extra` move along. Where a source has
    angles of its own, those that a pose leaves to it are its own ones, so that they move, too.
    """
    t = check_finite("t", t)
    if t in (0.0, 1.0):
        return check_latent(session.generator, a if t == 0.0 else b)
    a, b = (_stated(session, latent) for latent in (a, b))
    if a.in_s or b.in_s:
        left, right = (session.flat_styles(latent)[0] for latent in (a, b))
    else:
        left, right = session.map(a)[0], session.map(b)[0]
    code = Code("s" if left.ndim == 1 else "w+", torch.lerp(left, right, t).cpu().numpy())
    return meeting(a, b, t, code)


def _stated(session: GeneratorSession, latent: Latent) -> Latent:
    """A latent whose pose states the angles that it leaves to its source, where that has any."""
    name = latent.source or session.first_source
    source = session._put.get(name) if isinstance(name, str) else None
    angles = getattr(source, "angles", None)
    if not angles or (latent.view and not isinstance(latent.view, Pose)):
        return latent
    pose = latent.view if isinstance(latent.view, Pose) else Pose()
    return latent.replace(view=pose.stating(angles))


# -- what an edit is lent: `latent.edits.Door` -----------------------------------------------------------------
def tensor(session: GeneratorSession, array: NDArray[np.generic]) -> Tensor:
    """An array as float32 on the device."""
    return torch.tensor(array, dtype=torch.float32, device=session.device)


def flat_styles(session: GeneratorSession, latent: Latent) -> Tensor:
    """All styles of a latent, [1, sum of channels]."""
    return torch.cat(session.code_styles(latent), dim=1)


def editor(session: GeneratorSession, kind: str, weights: str) -> object:
    """See `Editors.get`."""
    return session.editors.get(kind, weights)


# -- z and w -------------------------------------------------------------------------------------------------------
@contextmanager
def _quiet(session: GeneratorSession) -> Iterator[None]:
    """Locked, without gradients, yet giving tensors that gradients may pass through later."""
    with session.lock, torch.inference_mode(False), torch.no_grad():
        yield


def _source(session: GeneratorSession, latent: Latent) -> Tensor:
    """w+ before truncation, [1, num_ws, w_dim]."""
    if latent.code is not None:
        rows = session.tensor(latent.code.array)
        if latent.code.space == "z":
            return _mapped(session, _edited(session, "z", rows[None], latent), latent)
        return rows.expand(1, session.num_ws, -1).clone()
    if latent.blend:
        return torch.stack([_seed(session, seed, latent) * weight for seed, weight in latent.blend]).sum(dim=0)
    assert latent.seed is not None
    return _seed(session, latent.seed, latent)


def _seed(session: GeneratorSession, seed: int, latent: Latent) -> Tensor:
    """w+ of one seed, kept for the next time: dragging an edit in w or s does not run the mapping network."""
    if _acting("z", latent):
        return _mapped(session, _edited(session, "z", _drawn(session, seed), latent), latent)
    current = versions(session.generator.mapping)
    if current != session._seeds_of:
        session._seeds.clear()
        session._seeds_of = current
    key = (seed, latent.label, dict(latent.extra).get("conditioning"))
    if key not in session._seeds:
        session._seeds[key] = _mapped(session, _drawn(session, seed), latent)
        if len(session._seeds) > _KEPT_SEEDS:
            session._seeds.popitem(last=False)
    session._seeds.move_to_end(key)
    return session._seeds[key].clone()


def _drawn(session: GeneratorSession, seed: int) -> Tensor:
    """z of a seed."""
    return session.tensor(np.random.RandomState(seed).randn(1, session.z_dim))


def _mapped(session: GeneratorSession, z: Tensor, latent: Latent) -> Tensor:
    return session.generator.map(z, _label(session, latent))


def _label(session: GeneratorSession, latent: Latent) -> Tensor | None:
    """c [1, c_dim]: the vector, or 1 at the class. Of a scene whose code belongs to a camera, its angles."""
    if latent.label is None:
        camera = dict(latent.extra).get("conditioning")
        return None if camera is None else session.tensor(np.array([camera]))
    if isinstance(latent.label, tuple):
        return session.tensor(np.array([latent.label]))
    c = torch.zeros(1, session.generator.c_dim, dtype=torch.float32, device=session.device)
    c[0, latent.label] = 1
    return c


# -- edits ---------------------------------------------------------------------------------------------------------
def _edited(session: GeneratorSession, stage: str, value: Tensor, latent: Latent) -> Tensor:
    """A code after the edits of one stage."""
    for edit in _acting(stage, latent):
        made = edit.apply(session, value, latent)
        if not isinstance(made, Tensor) or made.shape != value.shape:
            came = list(made.shape) if isinstance(made, Tensor) else type(made).__name__
            raise ValueError(f"apply of the edit {edit.name!r} must return a tensor {list(value.shape)}; {came} came")
        value = made if edit.layers is None else torch.where(_within(session, edit.layers, stage), made, value)
    return value


def _within(session: GeneratorSession, layers: tuple[int, int], stage: str) -> Tensor:
    """Whether an edit on these rows acts there, [num_ws, 1] for w+ or [sum of channels] for styles."""
    first, last = layers
    if stage == "w":
        return torch.tensor(
            [[first <= i < last] for i in range(session.num_ws)], dtype=torch.bool, device=session.device
        )
    inside = np.repeat([first <= layer.ws_index < last for layer in session.layers], _channels(session))
    return torch.tensor(inside, dtype=torch.bool, device=session.device)


def _styles_of_code(session: GeneratorSession, latent: Latent, code: Code) -> list[Tensor]:
    styles = _split(session, session.tensor(code.array)[None])
    moved = _acting("w", latent)
    if latent.psi == 1 and not moved:
        return styles
    centre = session.generator.centre(_label(session, latent)).expand(1, session.num_ws, -1)
    mean = session.generator.styles(centre)
    if latent.psi != 1:
        cut = session.num_ws if latent.cutoff is None else latent.cutoff
        styles = [
            m + (s - m) * latent.psi if layer.ws_index < cut else s
            for s, m, layer in zip(styles, mean, session.layers, strict=True)
        ]
    if moved:
        shifted = session.generator.styles(centre + _edited(session, "w", torch.zeros_like(centre), latent))
        styles = [s + (a - m) for s, a, m in zip(styles, shifted, mean, strict=True)]
    return styles


def _put_extra(session: GeneratorSession, styles: list[Tensor], name: str, value: int | tuple[float, ...]) -> None:
    """An extra that is called as a layer is that layer's style. A seed draws it, at the family's usual truncation."""
    for k, layer in enumerate(session.layers):
        if layer.name == name:
            vector = (
                np.random.RandomState(value).randn(layer.channels) * session.generator.default_psi
                if isinstance(value, int)
                else np.asarray(value)
            )
            styles[k] = session.tensor(vector)[None].expand_as(styles[k]).clone()


def _split(session: GeneratorSession, flat: Tensor) -> list[Tensor]:
    return list(torch.split(flat, _channels(session), dim=1))


def _channels(session: GeneratorSession) -> list[int]:
    return [layer.channels for layer in session.layers]


def _acting(stage: str, latent: Latent) -> list[Edit]:
    return [edit for edit in latent.edits if edit.stage == stage and edit.strength]
