"""Edits whose outcome is known.

Of generated pictures: the same edit of the code that drew them. Of pictures of a domain with a world, such as renders of
avatars: the same head, drawn again with one factor changed. That holds outside of what the generator draws as well; only what
the domain's reader says of such pictures does not, so there it is not asked.
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
        before: the pictures, uint8 [N, H, W, 3].
        after: pictures after the edit as they should be, uint8 [N, E, H, W, 3].
        change: what the domain's reader reads of it: change of R readings in σ, [N, E, R]; None where there is none.
        readable: [N], whether the reader can be believed: not where a picture shows what it has never seen.
        wanted: for each direction, the column of the reading that it is to move, −1 for one that is named after none.
        valid: [N, E], whether there is a truth (a factor may have no room for the change).
    """

    directions: tuple[Direction, ...]
    strengths: Array
    before: NDArray[np.uint8]
    after: NDArray[np.uint8]
    change: Array | None
    readable: NDArray[np.bool_]
    wanted: tuple[int, ...]
    valid: NDArray[np.bool_]

    def part(self, rows: slice | NDArray[np.intp]) -> KnownEdits:
        """Those of some of the targets."""
        return replace(
            self,
            strengths=self.strengths[rows],
            before=self.before[rows],
            after=self.after[rows],
            readable=self.readable[rows],
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
    known, reader = domain.of(session), reader_of(session)
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
        world = domain.world_of(known.world(), target.factor_groups)
        return _by_factors(target, session, directions, strength, reader, world, outside(target, session))
    return None


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
    before, after = drawn[:, 0], drawn[:, 1:]
    change = None if reader is None else read_changes(before, after, reader)
    return KnownEdits(directions, strengths, before, after, change, np.ones(n, bool), wanted, np.ones((n, e), bool))


def outside(target: Target, session: GeneratorSession) -> NDArray[np.bool_] | None:
    """Which pictures show what the generator has never seen, [N]; None where nobody knows, as of a photograph."""
    known = domain.of(session)
    if all(latent is not None for latent in target.latents):
        return np.zeros(len(target), bool)
    if target.factors is None or known is None or known.world is None:
        return None
    world = domain.world_of(known.world(), target.factor_groups)
    if not isinstance(world, domain.GroupedWorld):
        return np.zeros(len(target), bool)
    return world.outside(target.factors)


def _present(latent: Latent, direction: Direction) -> float:
    return next((edit.strength for edit in moves(latent) if edit.name == direction.name), 0.0)


def _by_factors(
    target: Target,
    session: GeneratorSession,
    directions: tuple[Direction, ...],
    strength: float,
    reader: Reader,
    world: World,
    strange: NDArray[np.bool_] | None,
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
    after = np.repeat(before[:, None], e, axis=1)
    for k, ((d, bounds), probe) in enumerate(zip(numbers, _probes(session, numbers, strength, reader), strict=True)):
        now = world.values(target.factors, _name(d))
        sign = _side(bounds, now)
        new = now + sign * probe.amounts(now, sign)
        valid[:, k] = (new >= bounds[0]) & (new <= bounds[1])
        strengths[:, k] = sign * strength
        rows = np.flatnonzero(valid[:, k])
        if len(rows):
            after[rows, k] = world.redraw(target.factors[rows], _name(d), new[rows], target.images.shape[-1])
    wanted = tuple(reader.column(_name(d)) for d, _ in numbers)
    readable = np.ones(n, bool) if strange is None else ~strange
    change = read_changes(before, after, reader)
    return KnownEdits(tuple(d for d, _ in numbers), strengths, before, after, change, readable, wanted, valid)


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


def reader_of(session: GeneratorSession) -> Reader | None:
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


def read_changes(before: NDArray[np.uint8], after: NDArray[np.uint8], reader: Reader) -> Array:
    """Change of R readings in σ, [N, E, R], from pictures uint8 [N, H, W, 3] to others uint8 [N, E, H, W, 3]."""
    n, e = after.shape[:2]
    then = _deviations(after.reshape(n * e, *after.shape[2:]), reader).reshape(n, e, -1)
    return np.asarray(then - _deviations(before, reader)[:, None])


def _room(readings: Array, wanted: Sequence[int]) -> Array:
    """+1 where a wanted reading is below its mean, −1 where it is above: an edit that cannot be seen tells nothing."""
    return np.where(readings[:, list(wanted)] <= 0, 1.0, -1.0)
