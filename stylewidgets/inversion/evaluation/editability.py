"""Editability: whether known directions do to an inverted code what they do to a real one. Measured, because the truth is known.

Generated pictures: the same edit of the code that drew them. Pictures of a domain with a world, such as renders of avatars:
the same head, drawn again with one factor changed. The trade-off with distortion is the subject of Tov et al., "Designing an
Encoder for StyleGAN Image Manipulation", SIGGRAPH 2021.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from ... import domain
from ...core.checks import check_finite
from ...domain import Reader, World
from ...latent.latent import Direction, Latent
from ...latent.move import moves
from ...session.session import GeneratorSession
from ...session.synthesis import to_uint8
from ..losses.perceptual import Perceptual
from ..result import Result
from ..target import Target, to_tensor

Array = NDArray[np.float64]
Bounds = tuple[float, float]
EDITS = ("smile", "yaw", "mouth open", "hair lightness", "eye openness", "skin tone")
"""Directions that editability is measured with by default: expression, pose, hair, eyes, skin."""
STRENGTH = 2.0
_PROBES = 32  # faces that tell how far a direction moves its factor, for renders
_ENOUGH = 8  # of them on one side of a factor's range, for a line of their own


@dataclass(frozen=True, eq=False)
class KnownEdits:
    """Edits of N targets whose outcome is known.

    Attributes:
        directions: E of them.
        strengths: [N, E] in σ; of each picture to the side where the factor has room.
        after: pictures after the edit as they should be, uint8 [N, E, H, W, 3].
        change: what the domain's reader reads of it: change of R readings in σ, [N, E, R]; None where there is none.
        wanted: for each direction, the column of the reading that it is to move, −1 for one that is named after none.
        valid: [N, E], whether there is a truth (a factor may have no room for the change).
    """

    directions: tuple[Direction, ...]
    strengths: Array
    after: NDArray[np.uint8]
    change: Array | None
    wanted: tuple[int, ...]
    valid: NDArray[np.bool_]

    def part(self, i: int) -> KnownEdits:
        """Those of the i-th target alone."""
        rows = slice(i, i + 1)
        return replace(
            self,
            strengths=self.strengths[rows],
            after=self.after[rows],
            valid=self.valid[rows],
            change=None if self.change is None else self.change[rows],
        )


def known_edits(
    target: Target, session: GeneratorSession, names: Sequence[str] | None = None, strength: float = STRENGTH
) -> KnownEdits | None:
    """The edits that can be measured on these pictures; None where nothing is known of them or there are no directions.

    Args:
        target: pictures that all have a known latent, or all known factors.
        session: the generator, with its directions.
        names: of directions; by default those of `EDITS` that the session has.
        strength: in σ.
    """
    strength = check_finite("strength", strength, 0.01, 10)
    known, reader = domain.of(session), _reader(session)
    directions = tuple(
        session.directions[name]
        for name in (names if names is not None else EDITS)
        if names is not None or name in session.directions
    )
    if not directions:
        return None
    if all(latent is not None for latent in target.latents):
        return _by_latents(target, session, directions, strength, reader)
    if target.factors is not None and known is not None and known.world is not None and reader is not None:
        return _by_factors(target, session, directions, strength, reader, known.world())
    return None


def editability(
    known: KnownEdits, result: Result, session: GeneratorSession, net: Perceptual
) -> list[dict[str, float]]:
    """Figures for each picture, means over the edits.

    edit_perceptual: distance of the edited picture from what it should be; it has the distortion of the inversion in it.
    edit_transfer: change of the wanted factor as a share of what it should be, 1 is right (the domain's reader).
    edit_error: |change − change that should be| of all readings, mean, in σ (the domain's reader): 0 is right. What the
        inversion got wrong before the edit does not count.
    """
    drawn = draw(
        result,
        session,
        [[None] + [(d, float(s)) for d, s in zip(known.directions, row, strict=True)] for row in known.strengths],
    )
    after = drawn[:, 1:]
    rows: list[dict[str, float]] = []
    far = _distances(net, known.after, after)
    reader = None if known.change is None else _reader(session)
    change = None if reader is None else _change(drawn, reader)
    for i, good in enumerate(known.valid):
        row = {"edit_perceptual": _mean(far[i][good])}
        if change is not None and known.change is not None:
            pairs = [(change[i, k, c], known.change[i, k, c]) for k, c in enumerate(known.wanted) if good[k] and c >= 0]
            whole = sum(abs(truth) for _, truth in pairs)
            row["edit_transfer"] = (
                float(sum(own * np.sign(truth) for own, truth in pairs) / whole) if whole else float("nan")
            )
            row["edit_error"] = _mean(np.abs(change[i] - known.change[i]).mean(axis=1)[good])
        rows.append(row)
    return rows


def draw(
    result: Result, session: GeneratorSession, edits: Sequence[Sequence[tuple[Direction, float] | None]]
) -> NDArray[np.uint8]:
    """Pictures of a result with edits, uint8 [N, E, H, W, 3]: for each of N codes E edits, None for the code itself."""
    rows = [
        [
            result.latent(i) if edit is None else result.latent(i).with_edit(edit[0], edit[1], edit[0].layers)
            for edit in row
        ]
        for i, row in enumerate(edits)
    ]
    flat: list[Latent] = [_labelled(latent, session) for row in rows for latent in row]
    if result.noise is None:
        pictures = result.session(session).images(flat)
    else:
        each = len(rows[0])
        pictures = np.concatenate(
            [result.session(session, i).images(flat[i * each : (i + 1) * each]) for i in range(len(rows))]
        )
    return pictures.reshape(len(rows), len(rows[0]), *pictures.shape[1:])


def _labelled(latent: Latent, session: GeneratorSession) -> Latent:
    return latent.replace(label=0) if session.c_dim and latent.label is None else latent


def _by_latents(
    target: Target, session: GeneratorSession, directions: tuple[Direction, ...], strength: float, reader: Reader | None
) -> KnownEdits:
    latents = [latent for latent in target.latents if latent is not None]
    n, e = len(latents), len(directions)
    signs = np.ones((n, e))
    wanted = () if reader is None else tuple(reader.column(_name(d)) for d in directions)
    if reader is not None:
        signs = _room(_deviations(session.images(latents), reader), wanted)
    strengths = strength * signs
    rows = [
        [
            latent,
            *(
                latent.with_edit(d, _present(latent, d) + float(s), d.layers)
                for d, s in zip(directions, row, strict=True)
            ),
        ]
        for latent, row in zip(latents, strengths, strict=True)
    ]
    drawn = session.images([one for row in rows for one in row])
    drawn = drawn.reshape(n, e + 1, *drawn.shape[1:])
    change = None if reader is None else _change(drawn, reader)
    return KnownEdits(directions, strengths, drawn[:, 1:], change, wanted, np.ones((n, e), bool))


def _present(latent: Latent, direction: Direction) -> float:
    return next((edit.strength for edit in moves(latent) if edit.name == direction.name), 0.0)


def _by_factors(
    target: Target,
    session: GeneratorSession,
    directions: tuple[Direction, ...],
    strength: float,
    reader: Reader,
    world: World,
) -> KnownEdits | None:
    """Renders: the truth of a direction is the re-render with its factor moved as far as it moves it in generated faces that
    have the factor where the render has it, at the same strength and to the same side."""
    ranges = [world.bounds(_name(d)) if _name(d) in reader.names else None for d in directions]
    numbers = [(d, bounds) for d, bounds in zip(directions, ranges, strict=True) if bounds is not None]
    if not numbers or target.factors is None:
        return None
    n, e = len(target), len(numbers)
    before = to_uint8(target.images)
    strengths, valid = np.zeros((n, e)), np.zeros((n, e), bool)
    drawn = np.repeat(before[:, None], e + 1, axis=1)
    for k, ((d, bounds), probe) in enumerate(zip(numbers, _probes(session, numbers, strength, reader), strict=True)):
        now = world.values(target.factors, _name(d))
        sign = _side(bounds, now)
        new = now + sign * probe.amounts(now, sign)
        valid[:, k] = (new >= bounds[0]) & (new <= bounds[1])
        strengths[:, k] = sign * strength
        rows = np.flatnonzero(valid[:, k])
        if len(rows):
            drawn[rows, k + 1] = world.redraw(target.factors[rows], _name(d), new[rows], target.images.shape[-1])
    wanted = tuple(reader.column(_name(d)) for d, _ in numbers)
    return KnownEdits(tuple(d for d, _ in numbers), strengths, drawn[:, 1:], _change(drawn, reader), wanted, valid)


def _side(bounds: Bounds, now: Array) -> Array:
    """The side on which a factor has room: +1 in the lower half of its range, −1 in the upper."""
    return np.where(now <= (bounds[0] + bounds[1]) / 2, 1.0, -1.0)


@dataclass(frozen=True, eq=False)
class _Probe:
    """What a direction does to its factor in some generated faces, each edited to the side that has room.

    Attributes:
        now: the factor before, natural units [P].
        sign: the side [P].
        moved: how far it moved to that side [P].
    """

    now: Array
    sign: Array
    moved: Array

    def amounts(self, now: Array, sign: Array) -> Array:
        """How far the direction is to move a factor that stands there, [N]: a line through the probes of the same side."""
        found = np.zeros(len(now))
        for side in (-1.0, 1.0):
            mine, wanted = self.sign == side, sign == side
            if int(mine.sum()) < _ENOUGH:
                found[wanted] = self.moved.mean()  # too few for a line, and the other side's would lead elsewhere
                continue
            x, y = self.now[mine], self.moved[mine]
            slope = float(((x - x.mean()) * (y - y.mean())).sum() / max(float(np.square(x - x.mean()).sum()), 1e-12))
            found[wanted] = y.mean() + slope * (np.clip(now[wanted], x.min(), x.max()) - x.mean())
        return found


def _probes(
    session: GeneratorSession, numbers: Sequence[tuple[Direction, Bounds]], strength: float, reader: Reader
) -> list[_Probe]:
    """A probe for each direction; kept until the generator changes."""
    known = session.remembered("probes of edits", dict[object, _Probe])
    keys = [(d.name, d.space, d.vector.tobytes(), d.sigma, d.layers, strength) for d, _ in numbers]
    latents = [session.latent(seed=seed) for seed in range(9000, 9000 + _PROBES)]
    missing = [k for k, key in enumerate(keys) if key not in known]
    before = reader.values(to_tensor(session.images(latents))) if missing else np.zeros((0, 0))
    for k in missing:
        direction, bounds = numbers[k]
        column = reader.index(_name(direction))
        now = before[:, column]
        sign = _side(bounds, now)
        edited = [
            latent.with_edit(direction, float(s) * strength, direction.layers)
            for latent, s in zip(latents, sign, strict=True)
        ]
        after = reader.values(to_tensor(session.images(edited)))[:, column]
        known[keys[k]] = _Probe(now, sign, sign * (after - now))
    return [known[key] for key in keys]


def _reader(session: GeneratorSession) -> Reader | None:
    """The domain's reader, if its readings can be compared with each other."""
    known = domain.of(session)
    reader = known.reader() if known is not None and known.reader is not None else None
    return reader if reader is not None and reader.spread else None


def _name(direction: Direction) -> str:
    """The attribute that a direction is named after."""
    return direction.name.replace(" ", "_")


@torch.inference_mode()
def _deviations(pictures: NDArray[np.uint8], reader: Reader) -> Array:
    return reader.deviations(to_tensor(pictures))


def _change(drawn: NDArray[np.uint8], reader: Reader) -> Array:
    """Change of readings [N, E, R] from the first of each row [N, 1 + E, H, W, 3] to the others."""
    n, e = drawn.shape[:2]
    read = _deviations(drawn.reshape(n * e, *drawn.shape[2:]), reader).reshape(n, e, -1)
    return np.asarray(read[:, 1:] - read[:, :1])


def _room(readings: Array, wanted: Sequence[int]) -> Array:
    """+1 where a wanted reading is below its mean, −1 where it is above: an edit that cannot be seen tells nothing."""
    return np.where(readings[:, list(wanted)] <= 0, 1.0, -1.0)


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else float("nan")


@torch.inference_mode()
def _distances(net: Perceptual, a: NDArray[np.uint8], b: NDArray[np.uint8], batch: int = 32) -> Array:
    n, e = a.shape[:2]
    pairs = [to_tensor(x.reshape(n * e, *x.shape[2:])) for x in (a, b)]
    parts = [net.distance(x, y) for x, y in zip(*(torch.split(p, batch) for p in pairs), strict=True)]
    return torch.cat(parts).double().cpu().numpy().reshape(n, e)
